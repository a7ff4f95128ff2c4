"""The tools of those who run the shop: ``python -m ops``.

They meet the services over their ops APIs (role ops) and over Kafka, never through their tables or code.
"""
