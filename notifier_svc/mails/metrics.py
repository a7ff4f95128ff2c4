"""The metrics of mails."""

from prometheus_client import Counter, Histogram

MAILS = Counter("shop_mails", "Mails by what became of them", ["template", "outcome"])
RECEIPT_SECONDS = Histogram(
    "shop_order_mailed_seconds",
    "Seconds from placing an order to its receipt being accepted by the mail server",
    buckets=(0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300, 3600),
)
