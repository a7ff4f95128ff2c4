"""Events between services: what comes from Kafka into a store, and what goes from a store to Kafka.

``records`` what Kafka delivers · ``subscription`` the consumer group (Faust) · ``consumer`` a batch of events, one
transaction · ``inbox``, ``outbox``, ``dead_letters``, ``leadership`` what a database offers for that ·
``relay`` the outbox on its way to Kafka · ``handlers`` event → command.
"""
