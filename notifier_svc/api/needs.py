"""What routes ask for."""

from typing import Annotated

from fastapi import Query

from chassis.groupcommit import GroupCommit
from chassis.rest import state
from chassis.sql import Postgres
from notifier_svc.readings import Readings
from notifier_svc.store import Ledger

Commit = Annotated[GroupCommit[Ledger], state("commit")]
Database = Annotated[Postgres, state("database")]
Reads = Annotated[Readings, state("readings")]
Before = Annotated[int | None, Query(ge=0, lt=2**63, description="`next` of the page before", examples=[1234])]
Limit = Annotated[int, Query(ge=1, le=200)]
