"""Every handler says whether it may be run again on an event that it has handled.

``test_repeats.py`` of each service tests those that say ``converge``.
"""

from importlib import import_module
from typing import Any

import pytest

from chassis.messaging.handlers import Handlers, on_repeat
from tests.chassis.tally import Count
from tests.contracts.event_flow import SERVICES
from tests.repeats import convergent

REFUSING = {
    "customer_svc": set[str](),
    "product_svc": {
        *("order.placed", "order.cancelled", "order.amended", "order.amendment_accepted", "order.amendment_refused"),
        *(
            "order.shipped",
            "order.remainder_cancelled",
            "order.missing_requested",
            "order.returned",
            "order.parcel_returned",
        ),
    },
    "order_svc": {"stock.reserved", "stock.rejected", "stock.lost"},
    "notifier_svc": {"stock.low"},
}


def handlers(service: str) -> Handlers[Any]:
    found: Handlers[Any] = import_module(f"{service}.handlers").HANDLERS
    return found


@pytest.mark.parametrize("service", SERVICES)
def test_every_handler_declares_what_a_repeat_does(service: str) -> None:
    silent = [handler for handler in handlers(service).values() if not hasattr(handler, "on_repeat")]
    assert silent == []


@pytest.mark.parametrize("service", SERVICES)
def test_stock_and_the_saga_and_warnings_refuse_repeats_and_nothing_else(service: str) -> None:
    refusing = handlers(service).keys() - convergent(handlers(service))
    assert {event.type for event in refusing} == REFUSING[service]


def test_a_handler_that_declares_nothing_refuses() -> None:
    assert on_repeat(Count) == on_repeat(lambda envelope: Count(envelope)) == "refuse"
