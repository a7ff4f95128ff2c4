"""The event process of product_svc: answers orders with stock. ``python -m product_svc.worker``."""

from chassis.consumer import Consumer
from chassis.mongo import Mongo
from chassis.settings import load
from chassis.worker import EventProcess, run_worker
from product_svc import SERVICE
from product_svc.handlers import HANDLERS
from product_svc.settings import WorkerSettings
from product_svc.store import Warehouse


async def build(settings: WorkerSettings) -> EventProcess:
    """The parts of the process."""
    database = Mongo(str(settings.mongo_url))
    return EventProcess(SERVICE, settings, database, Consumer(database, SERVICE, Warehouse, HANDLERS))


if __name__ == "__main__":
    settings = load(WorkerSettings, SERVICE)
    run_worker(lambda: build(settings), SERVICE, settings)
