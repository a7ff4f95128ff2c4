"""A whole shop in this process: the four REST APIs on ports, databases and topics of its own.

Its event processes are simulated: ``flow`` carries every outbox to Kafka and to the consumers, in order and until
nothing moves, so that a test can act in between.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from aiokafka import AIOKafkaProducer
from uuid_utils.compat import uuid7

from chassis.http.preconditions import ANY
from chassis.messaging.consumer import Consumer
from chassis.persistence.database import Database
from chassis.persistence.group_commit import GroupCommit
from chassis.persistence.mongo.database import Mongo
from chassis.persistence.postgres.database import Postgres
from chassis.testing import bearer, record
from customer_svc import handlers as customer_handlers
from customer_svc.erasure.commands import RequestErasure
from customer_svc.links.domain import NewLink
from customer_svc.registration.commands import RegisterAccount
from customer_svc.unit_of_work import CustomerUnitOfWork
from notifier_svc import handlers as notifier_handlers
from notifier_svc.delivery.commands import MarkSent
from notifier_svc.mails.commands import ResendMail
from notifier_svc.mails.domain import mail_id
from notifier_svc.rendering.domain import Template
from notifier_svc.unit_of_work import NotifierUnitOfWork
from ops.audit import Report, Shop, audit
from order_svc import handlers as order_handlers
from order_svc.amendments.commands import AmendOrder
from order_svc.fulfilment.commands import CancelRemainder, DeliverOrder, ShipOrder
from order_svc.orders.commands import CancelOrder, PlaceOrder
from order_svc.parcels.commands import FailParcel, ReturnParcel
from order_svc.returns.commands import AnswerReturn, RequestReturn, ReturnLines
from order_svc.returns.domain import ReturnedGoods
from order_svc.unit_of_work import OrderUnitOfWork
from product_svc import handlers as product_handlers
from product_svc.catalogue.commands import CreateProduct
from product_svc.catalogue.domain import Variant
from product_svc.stock.commands import AdjustStock
from product_svc.unit_of_work import ProductUnitOfWork
from schemas import Address, Message, Money
from tests.databases import Databases, drop_mongo
from tests.ops.rest_apps import rest_apps, serving
from tests.servers import Servers
from tests.topics import topics

ADDRESS = Address(name="Ada", street="1 St", city="London", postal_code="SW1Y", country="GB")
PRICE = Money(amount=1250, currency="EUR")
PARCEL: dict[str, Any] = {"carrier": "DHL", "tracking_number": "4711"}


@dataclass
class World:
    """The databases of the services, and everything around them."""

    customers: Postgres
    orders: Postgres
    mails: Postgres
    products: Mongo
    producer: AIOKafkaProducer
    servers: Servers
    prefix: str
    urls: dict[str, str] = field(default_factory=dict)
    buyer: UUID = field(default_factory=uuid7)
    commits: dict[str, GroupCommit[Any]] = field(default_factory=dict)
    consumers: dict[str, Consumer[Any]] = field(default_factory=dict)
    sent: list[Message] = field(default_factory=list)
    """Every message that was published."""
    known: set[tuple[str, str]] = field(default_factory=set)

    @property
    def databases(self) -> Mapping[str, Database[Any]]:
        return {
            "customer_svc": self.customers,
            "order_svc": self.orders,
            "product_svc": self.products,
            "notifier_svc": self.mails,
        }

    @property
    def shop(self) -> Shop:
        return Shop(**self.urls, kafka=self.servers.kafka, kafka_prefix=self.prefix)

    async def audit(self, **options: Any) -> Report:
        return await audit(self.shop, ops, **{"settle_seconds": 0.0, **options})

    async def new_findings(self) -> set[tuple[str, str]]:
        """(check, subject) of each finding that no earlier audit had."""
        found = {(one.check, one.subject) for one in (await self.audit()).findings}
        new, self.known = found - self.known, self.known | found
        return new

    async def registered(self) -> UUID:
        account_id = uuid7()
        email = f"{account_id}@example.com"
        command = RegisterAccount(account_id, email, "Ada", "hash", NewLink(uuid7(), email), "en")
        await self.commits["customer_svc"](command)
        return account_id

    async def product(self, on_hand: int = 10) -> str:
        sku = f"SKU-{uuid4().hex[:8]}"
        await self.commits["product_svc"](CreateProduct(uuid7(), "Mug", {}, [Variant(sku, PRICE)]))
        await self.adjust(sku, on_hand)
        await self.flow()
        return sku

    async def adjust(self, sku: str, delta: int) -> None:
        await self.commits["product_svc"](AdjustStock(sku, delta, "count"))

    async def broken(self, sku: str, units: int) -> None:
        """Units break, also such as orders hold."""
        await self.commits["product_svc"](AdjustStock(sku, -units, "damage", take_held=True))

    async def placed(self, quantities: Mapping[str, int], buyer: UUID | None = None) -> UUID:
        order_id = uuid7()
        await self.commits["order_svc"](PlaceOrder(order_id, buyer or self.buyer, quantities, ADDRESS))
        return order_id

    async def cancelled(self, order_id: UUID) -> None:
        await self.commits["order_svc"](CancelOrder(order_id, None))

    async def amended(self, order_id: UUID, quantities: Mapping[str, int]) -> None:
        """Amend an order."""
        await self.commits["order_svc"](AmendOrder(order_id, None, ANY, quantities, {}))
        await self.flow()

    async def fulfilled(self, order_id: UUID, back: Mapping[str, int]) -> None:
        """Ship an order in two parts, the first with one piece of each SKU; deliver it, and return some of it."""
        for command in (
            ShipOrder(order_id, ANY, uuid7(), **PARCEL, quantities=dict.fromkeys(back, 1)),
            ShipOrder(order_id, ANY, uuid7(), **PARCEL),
            DeliverOrder(order_id, ANY),
            ReturnLines(order_id, ANY, uuid7(), ReturnedGoods(back)),
        ):
            await self.commits["order_svc"](command)
        await self.flow()

    async def shipped_in_part(self, order_id: UUID, quantities: Mapping[str, int]) -> None:
        """Ship a part of an order, and cancel what is left."""
        await self.commits["order_svc"](ShipOrder(order_id, ANY, uuid7(), **PARCEL, quantities=quantities))
        await self.commits["order_svc"](CancelRemainder(order_id, None))
        await self.flow()

    async def refused(self, order_id: UUID) -> None:
        """Ship an order as one parcel that is refused, and comes back with one piece broken."""
        parcel = uuid7()
        await self.commits["order_svc"](ShipOrder(order_id, ANY, parcel, **PARCEL))
        order = await self.commits["order_svc"](FailParcel(order_id, ANY, parcel, "refused"))
        scrapped = {order.lines[0].sku: 1}
        await self.commits["order_svc"](ReturnParcel(order_id, ANY, parcel, uuid7(), scrapped))
        await self.flow()

    async def returned(self, order_id: UUID, sku: str) -> None:
        """Ship and deliver an order; its customer requests to return a piece, which comes back broken."""
        request, one = uuid7(), {sku: 1}
        for command in (
            ShipOrder(order_id, ANY, uuid7(), **PARCEL),
            DeliverOrder(order_id, ANY),
            RequestReturn(order_id, ANY, self.buyer, request, one),
            AnswerReturn(order_id, ANY, request, approved=True),
            ReturnLines(order_id, ANY, uuid7(), ReturnedGoods(one, one, request)),
        ):
            await self.commits["order_svc"](command)
        await self.flow()

    async def confirmed(self, sku: str | None = None, quantity: int = 2) -> UUID:
        """Place an order, and have it confirmed."""
        order_id = await self.placed({sku or await self.product(): quantity})
        await self.flow()
        return order_id

    async def flow(self, *, send_mails: bool = True, stopped: Sequence[str] = ()) -> None:
        """Publish and consume events, and send mails, until nothing moves; ``stopped`` services consume nothing."""
        moved = True
        while moved:
            moved = False
            for service in self.databases:
                messages = await self.outbox(service)
                await self.send(*messages)
                await self.consume(*messages, stopped=stopped)
                moved = moved or bool(messages)
            moved = (send_mails and await self._send_mails()) or moved

    async def outbox(self, service: str) -> list[Message]:
        """Take the messages out of an outbox."""
        messages: list[Message] = []
        # Most are empty, and the leadership takes a connection of its own.
        async with self.databases[service].snapshot() as snapshot:
            if not await snapshot.outbox_size():
                return messages
        async with self.databases[service].leadership.lead() as outbox:
            rows = await outbox.advance([], 500)
            while rows:
                messages += [row.message for row in rows]
                rows = await outbox.advance(rows, 500)
        return messages

    async def send(self, *messages: Message) -> None:
        """Publish messages on their topics."""
        for m in messages:
            headers = [(name, value.encode()) for name, value in m.headers.items()]
            await self.producer.send_and_wait(self.prefix + m.topic, m.value, key=m.key.encode(), headers=headers)
        self.sent += messages

    async def consume(self, *messages: Message, stopped: Sequence[str] = ()) -> None:
        """Have messages handled by every service that subscribes to their topics."""
        for name, consumer in self.consumers.items():
            for message in messages:
                if name not in stopped and message.topic in consumer.topics:
                    await consumer.handle([record(message)])

    async def _send_mails(self) -> bool:
        query = "SELECT m.id FROM mails m JOIN customers c ON c.id = m.customer_id WHERE m.state = 'queued'"
        async with self.mails.reading() as connection:
            queued = list((await connection.execute(sa.text(query))).scalars())
        for one in queued:
            await self.commits["notifier_svc"](MarkSent(one))
        return bool(queued)

    async def resent(self, mail: UUID) -> None:
        """Resend a mail, as staff do."""
        await self.commits["notifier_svc"](ResendMail(mail, self.buyer, uuid7(), "ada@elsewhere.example"))

    def mail(self, template: Template, order_id: UUID) -> UUID:
        return mail_id(template, self.buyer, str(order_id))


async def ops() -> dict[str, str]:
    """The authorisation headers of the role ops."""
    return bearer(role="ops")


async def sql(database: Postgres, statement: str, **parameters: Any) -> None:
    """Change a database directly, as its service never would."""
    async with database.engine.begin() as connection:
        await connection.execute(sa.text(statement), parameters)


async def erased(world: World, customer_id: UUID) -> UUID:
    """Erase a customer; return the id of the erasure."""
    erasure_id = uuid4()
    await world.commits["customer_svc"](RequestErasure(customer_id, "hash", erasure_id))
    return erasure_id


@asynccontextmanager
async def world(servers: Servers, databases: Databases, home: Path) -> AsyncIterator[World]:
    """A shop with one customer and nothing else."""
    mongo_url = await databases.mongo()
    urls = {name: databases.postgres(name) for name in ("customer_svc", "order_svc", "notifier_svc")}
    async with AsyncExitStack() as stack:
        prefix = await stack.enter_async_context(topics(servers.kafka, partitions=2))
        stack.push_async_callback(drop_mongo, mongo_url)
        producer = await stack.enter_async_context(AIOKafkaProducer(bootstrap_servers=servers.kafka))
        stores = {name: Postgres(url) for name, url in urls.items()}
        made = World(
            customers=stores["customer_svc"],
            orders=stores["order_svc"],
            mails=stores["notifier_svc"],
            products=Mongo(mongo_url),
            producer=producer,
            servers=servers,
            prefix=prefix,
        )
        for database in made.databases.values():
            stack.push_async_callback(database.close)
        for name, app in rest_apps(servers.kafka, urls, mongo_url, home).items():
            made.urls[name] = await stack.enter_async_context(serving(app))
        _simulate_event_processes(made, stack)
        made.buyer = await made.registered()
        await made.flow()
        yield made


def _simulate_event_processes(made: World, stack: AsyncExitStack) -> None:
    units: dict[str, Any] = {
        "customer_svc": (CustomerUnitOfWork, customer_handlers.HANDLERS),
        "order_svc": (OrderUnitOfWork, order_handlers.HANDLERS),
        "product_svc": (ProductUnitOfWork, product_handlers.HANDLERS),
        "notifier_svc": (NotifierUnitOfWork, notifier_handlers.HANDLERS),
    }
    for name, (unit, handlers) in units.items():
        made.commits[name] = commit = GroupCommit(made.databases[name], unit)
        stack.callback(asyncio.create_task(commit.run()).cancel)
        if handlers:
            made.consumers[name] = Consumer(made.databases[name], name, unit, handlers)
