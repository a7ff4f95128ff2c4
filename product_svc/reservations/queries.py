"""The reservations, for the audit."""

from typing import Any

from chassis.persistence.mongo.snapshot import Document, Query
from product_svc.reservations.store import read_reservation


def _reservation_line(document: Document) -> dict[str, Any]:
    """``lines`` are those of the current revision, ``held`` is everything that is reserved."""
    order_id, reservation = read_reservation(document)
    return {
        "kind": "reservation",
        "order_id": order_id,
        "state": reservation.state,
        "lines": [{"sku": line.sku, "quantity": line.quantity} for line in reservation.lines],
        "held": [{"sku": sku, "quantity": quantity} for sku, quantity in reservation.held.items()],
        "lost": [{"sku": line.sku, "quantity": line.quantity} for line in reservation.lost],
        "revision": reservation.revision,
        "version": reservation.version,
        "changed_at": reservation.changed_at,
    }


RESERVATION_LEDGER = Query("reservations", _reservation_line)
