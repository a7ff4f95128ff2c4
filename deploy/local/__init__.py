"""The quick start: the real servers without Docker, and the eight processes of Shopstream on top.

Kafka, PostgreSQL, MongoDB and a mail sink, one adapter each, all with the same verbs: ``prepare``,
``start``, ``ready``, ``stop``; and a runner, ``python -m deploy.local run``, that starts everything in
order, places a sample order through the public REST API and stays up until it is told to stop.
"""
