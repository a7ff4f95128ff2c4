"""The metric of mails."""

from prometheus_client import Counter

MAILS = Counter("shop_mails", "Mails by what became of them", ["template", "outcome"])
