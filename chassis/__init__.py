"""The microservice chassis: what every service needs and none is about.

Every write, by a request or by an event, goes one way: many commands share one transaction; the rows that all of them
need are loaded together, each command decides in memory and in order, and what changed is saved together with the
events it caused (``persistence/transaction_runner.py``). ``persistence/group_commit.py`` runs it for REST requests,
``messaging/consumer.py`` for events; ``persistence/postgres/`` and ``persistence/mongo/`` are the two databases, and
``messaging/relay.py`` publishes the events.

``messaging/`` events · ``persistence/`` stores · ``http/`` the REST side · ``runtime/`` what any process needs
"""
