"""What the routes ask for."""

from typing import Annotated
from uuid import UUID

from chassis.auth import Principal
from chassis.groupcommit import GroupCommit
from chassis.rest import state
from chassis.sql import Postgres
from order_svc.catalogue import Catalogue
from order_svc.store import OrderBook
from order_svc.watch import Watch

Commit = Annotated[GroupCommit[OrderBook], state("commit")]
Database = Annotated[Postgres, state("database")]
Asking = Annotated[Catalogue, state("catalogue")]
Watching = Annotated[Watch, state("watch")]


def owner(principal: Principal) -> UUID | None:
    """Whose orders somebody may see: their own, and staff everybody's (None)."""
    return None if principal.role == "staff" else principal.id
