"""Replay: brings events of the topics into one consumer group, beside the live consumer and through the same inbox.

Nothing is republished and no offset is moved. A plan reads the topics and says what a run would bring; the run
computes the same verdicts, so that its digest proves that it has brought what was planned.
"""
