"""The unit of work of product_svc: the categories, products, stock and reservations of one transaction.

Documents are declared with Beanie, which reads them for some queries and creates their indexes. A transaction goes
through the driver: one read and one bulk write a collection, however many documents they are.
"""

from datetime import datetime
from uuid import UUID

from beanie import init_beanie

from chassis.persistence.mongo.database import Mongo
from chassis.persistence.mongo.rows import load_rows
from chassis.persistence.mongo.transaction import MongoTransaction
from chassis.persistence.unit_of_work import AppendOnly, IdentityMap, UnitOfWork
from product_svc import SERVICE
from product_svc.catalogue import store as catalogue
from product_svc.catalogue.domain import Product
from product_svc.categories import store as categories
from product_svc.categories.domain import Category
from product_svc.categories.patterns import PATTERNS, patterns_of
from product_svc.idempotency import store as idempotency
from product_svc.idempotency.domain import StoredResponse
from product_svc.imports import store as imports
from product_svc.imports.domain import Fault, Import
from product_svc.reservations import store as reservations
from product_svc.reservations.domain import Reservation
from product_svc.search import store as search
from product_svc.stock import store as stock
from product_svc.stock.domain import MOST_LOSING, Movement, Stock, stock_low_events

DOCUMENTS = (
    *(categories.CategoryDocument, catalogue.ProductDocument, stock.StockDocument, stock.MovementDocument),
    *(reservations.ReservationDocument, imports.ImportDocument, imports.FaultDocument),
    *(idempotency.StoredResponseDocument, search.OfferDocument),
)


COLLECTIONS = (
    *("categories", "category_tree", "products", "offers", "stock", "movements", "reservations"),
    *("imports", "import_faults", "idempotency_keys"),
)


async def open_documents(mongo: Mongo, *, indexes: bool = False) -> None:
    """Connect the documents to a database; with ``indexes``, create the indexes too."""
    await init_beanie(mongo.db, document_models=list(DOCUMENTS), skip_indexes=not indexes)


class ProductUnitOfWork(UnitOfWork):
    """The documents of one transaction."""

    source = SERVICE

    def __init__(self, now: datetime) -> None:
        super().__init__(now)
        self.categories: IdentityMap[UUID, Category] = IdentityMap(self)
        self.products: IdentityMap[UUID, Product] = IdentityMap(self)
        self.stock: IdentityMap[str, Stock] = IdentityMap(self)
        self.movements: AppendOnly[Movement] = AppendOnly(self)
        self.reservations: IdentityMap[UUID, Reservation] = IdentityMap(self)
        self.taken: set[str] = set()
        """SKUs of which reserved units may be taken away: the newest orders that hold any are loaded."""
        self.imports: IdentityMap[UUID, Import] = IdentityMap(self)
        self.import_faults: AppendOnly[Fault] = AppendOnly(self)
        self.responses: IdentityMap[UUID, StoredResponse] = IdentityMap(self)

    async def load(self, tx: MongoTransaction) -> None:
        """Load every prefetched document, all as of one moment, and what these refer to.

        A transaction that changes one of them in the meantime causes a ``ConcurrentUpdate``.
        """
        await load_rows(tx, catalogue.to_load(self.products))
        self.stock.prefetch(*(variant.sku for product in self.products.present for variant in product.variants))
        for sku in self.taken:
            self.reservations.prefetch(*await reservations.holders(tx, sku, MOST_LOSING))
        await load_rows(tx, reservations.to_load(self.reservations), stock.to_load(self.stock))
        self.stock.prefetch(*(sku for reservation in self.reservations.present for sku in reservation.skus))
        await load_rows(tx, stock.to_load(self.stock))
        self.categories.prefetch(*(product.category_id for product in self.products.present if product.category_id))
        await load_rows(tx, imports.to_load(self.imports))
        await load_rows(tx, idempotency.to_load(self.responses))
        while self.categories.missing:
            await load_rows(tx, categories.to_load(self.categories))
            self.categories.prefetch(*(one.parent_id for one in self.categories.present if one.parent_id))
        # Here, and not when a product is validated: nothing else could happen meanwhile.
        schemas = [category.schema for category in self.categories.present if category.schema]
        await PATTERNS.compile(pattern for schema in schemas for _, pattern in patterns_of(schema))

    def after_commands(self) -> None:
        """Publish which stock the commands together have made low."""
        # Several events may have contributed, so none of them is the cause.
        self.cause = self.trace = None
        for after, event in stock_low_events(self.stock.changed, self.now):
            self.stock.set(after.sku, after)
            if event:
                self.emit(event, after.version, after.changed_at)

    async def save(self, tx: MongoTransaction) -> None:
        """Write every changed document; raise ``ConcurrentUpdate`` where one is not what decisions were based on."""
        await categories.save(tx, self.categories)
        await catalogue.save(tx, self.products)
        await stock.save(tx, self.stock)
        await search.save(tx, self.products, self.stock)
        await reservations.save(tx, self.reservations)
        await imports.save(tx, self.imports)
        await imports.save_faults(tx, self.import_faults)
        await idempotency.save(tx, self.responses)
        await stock.save_movements(tx, self.movements)
