"""When a stock is low: what can be promised has fallen to a threshold that staff has set. Pure.

It is told once for each time it falls there, and not again before it has risen above.
"""

from dataclasses import replace
from datetime import datetime

from chassis.persistence.unit_of_work import next_time
from product_svc.domain import Stock
from schemas import StockLow


def crossed(stock: Stock, now: datetime) -> tuple[Stock, StockLow | None] | None:
    """The stock with its flag turned, and what is told of that; None where the flag is right."""
    threshold = stock.low_at
    if threshold is None or not stock.short:
        return (replace(stock, low=False), None) if stock.low else None
    if stock.low:
        return None
    fallen = replace(stock, low=True, version=stock.version + 1, changed_at=next_time(now, stock.changed_at))
    return fallen, StockLow(
        sku=stock.sku,
        available=stock.available,
        threshold=threshold,
        on_hand=stock.on_hand,
        reserved=stock.reserved,
    )
