"""Lines of orders: prices, sums, and what remains of them. Pure."""

from collections.abc import Iterable, Mapping, Sequence

from order_svc.errors import MixedCurrencies, OrderTooLarge
from order_svc.replicas.domain import Product
from schemas import Line, Money, PricedLine
from schemas.values import MAX_MINOR_UNITS


def price_line(product: Product, quantity: int) -> PricedLine:
    """A line at the catalogue's price; prices never come from the client."""
    return PricedLine(sku=product.sku, quantity=quantity, name=product.name, unit_price=product.price)


def quantities_of(lines: Iterable[Line]) -> dict[str, int]:
    """SKU → quantity; lines of the same SKU are added up, in the place of the first of them."""
    totals: dict[str, int] = {}
    for line in lines:
        totals[line.sku] = totals.get(line.sku, 0) + line.quantity
    return totals


def remaining(lines: Iterable[Line], taken: Iterable[Line]) -> dict[str, int]:
    """SKU → what remains of lines without those that are taken; only what is more than zero."""
    less = quantities_of(taken)
    return {sku: left for sku, n in quantities_of(lines).items() if (left := n - less.get(sku, 0)) > 0}


def select_lines(lines: Sequence[PricedLine], quantities: Mapping[str, int]) -> tuple[PricedLine, ...]:
    """Quantities of SKUs, as lines with their names and prices."""
    return tuple(
        line.model_copy(update={"quantity": quantities[line.sku]}) for line in lines if line.sku in quantities
    )


def plain_lines(quantities: Mapping[str, int]) -> tuple[Line, ...]:
    """Quantities of SKUs, as lines."""
    return tuple(Line(sku=sku, quantity=quantity) for sku, quantity in quantities.items())


def without_prices(lines: Sequence[PricedLine]) -> tuple[Line, ...]:
    """Lines without names and prices."""
    return tuple(Line(sku=line.sku, quantity=line.quantity) for line in lines)


def total_of(lines: Sequence[PricedLine]) -> Money:
    """The price of all lines; raise ``MixedCurrencies`` or ``OrderTooLarge``."""
    currencies = {line.unit_price.currency for line in lines}
    if len(currencies) > 1:
        raise MixedCurrencies(currencies=sorted(currencies))
    amount = sum(line.unit_price.amount * line.quantity for line in lines)
    if amount > MAX_MINOR_UNITS:
        raise OrderTooLarge
    return Money(amount=amount, currency=currencies.pop())
