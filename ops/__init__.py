"""The command line for operators: ``shop``, or ``python -m ops``.

It reads the services through their ops APIs (role ops) and Kafka, never through their tables or code.
"""
