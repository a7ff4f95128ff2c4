"""The trace of one order, customer or event through everything: ledgers, topics, inboxes, mails.

No index is needed. The ids of events and orders are UUIDv7 and begin with a time, the ledgers say when the events of
an aggregate happened and how many they are, and all of them lie in the partition of their key. So a trace reads a few
messages around these times instead of the topics.
"""

from ops.trace.keys import Key, parse_key
from ops.trace.model import Trace
from ops.trace.run import trace

__all__ = ["Key", "Trace", "parse_key", "trace"]
