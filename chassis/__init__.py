"""The microservice chassis: what every service needs and none is about.

A write, whether a client asked for it or an event did, goes one way through here: many *steps* share one
transaction; the rows all of them want are loaded together, each step decides in memory and in order,
and what changed is saved together with the events it caused (``unit.py``). ``groupcommit.py`` feeds
that way from REST requests, ``consumer.py`` from Kafka; ``sql.py`` and ``mongo.py`` are the two
databases it can run on, and ``relay.py`` carries the events out.
"""
