"""Fields, and the codes of import faults, get the names that the code uses."""

from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

FIELDS = {
    "stock": {"low_at": "threshold"},
    "reservations": {"asked": "latest_revision"},
    "imports": {"run.stated": "run.stated_version", "run.left": "run.version"},
    "idempotency_keys": {"answer": "response"},
}
CODES = {
    "attributes_do_not_fit": "invalid_attributes",
    "status_not_possible": "transition_not_allowed",
}


async def upgrade(db: AsyncDatabase[Any]) -> None:
    for collection, fields in FIELDS.items():
        old = [{name: {"$exists": True}} for name in fields]
        await db[collection].update_many({"$or": old}, {"$rename": fields})
    for before, after in CODES.items():
        await db.import_faults.update_many({"code": before}, {"$set": {"code": after}})
