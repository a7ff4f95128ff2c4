"""The quick start: real servers without Docker, and the processes of Shopstream on top of them.

Kafka, PostgreSQL, MongoDB and a mail sink have an adapter each, and all of them the same methods: ``prepare``,
``start``, ``ready``, ``stop``. The runner, ``python -m deploy.local run``, starts everything in order, places a
sample order through the public REST API and stays up until it is stopped.
"""
