"""A machine that begins with confirmed orders, so that it looks long at what becomes of their parcels."""

from hypothesis.stateful import initialize

from order_svc.orders.commands import PlaceOrder
from tests.model.platform import Platform
from tests.model.requests import ADDRESS, CUSTOMERS, pieces


class Deliveries(Platform):
    """A platform whose customers have ordered enough for several parcels."""

    @initialize(mugs=pieces, cups=pieces)
    def open(self, mugs: int, cups: int) -> None:
        super().open(mugs + 6, cups + 2)
        for customer in CUSTOMERS:
            lines = {"MUG": 3, "CUP": 1}
            self.world.orders.execute(PlaceOrder(next(self.ids), customer, lines, ADDRESS))
        self.world.settle()
