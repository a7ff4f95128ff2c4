"""The system map: the servers, topics, services, processes and settings of Shopstream, and what needs what.

The local runner (``deploy/local``), ``deploy/topics.py`` and the checks of ``compose.yaml`` read this page, so that
nothing is said twice. ``deploy`` does not import the services; ``tests/deploy/test_system.py`` compares this map
with their code.
"""

from deploy.resources import (
    BrokerAddress,
    Default,
    EventProcess,
    FromCaller,
    Port,
    Program,
    PublicUrl,
    RestFront,
    RestUrl,
    Secret,
    Server,
    ServerAddress,
    Service,
    Settings,
    System,
    Topic,
)
from schemas import topics

# --- Servers

KAFKA = Server("kafka", "KAFKA_BOOTSTRAP_SERVERS", (Port("kafka", "KAFKA_PORT"), Port("kafka-controller")))
POSTGRES = Server("postgres", "POSTGRES_URL", (Port("postgres", "POSTGRES_PORT"),))
MONGO = Server("mongo", "MONGO_URL", (Port("mongo", "MONGO_PORT"),))
MAIL = Server("mail", "SMTP_URL", (Port("smtp", "SMTP_PORT"), Port("mail", "MAIL_PORT", 8025)))

# --- Settings that several processes share

ON_KAFKA: Settings = {"KAFKA_PREFIX": Default()}

SIGNING_KEY = Secret("jwt.pem", is_file=True)
LINK_KEY = Secret("link-key")
STAFF_MAIL = "staff@example.com"
"""Receives the mails about low stock."""
ACCESS_TOKEN_KEYS = RestUrl("customer", "/.well-known/jwks.json")

# --- Services: each has its own database, and both its processes get that database's URL

CUSTOMER = Service(
    "customer",
    database=POSTGRES,
    publishes=(topics.CUSTOMER_EVENTS,),
    consumes=(topics.ERASURE_EVENTS,),
    rest_front=RestFront(
        port=8001,
        settings={
            "JWT_PRIVATE_KEY_FILE": SIGNING_KEY,
            "JWT_NEXT_PUBLIC_KEY_FILE": Default(),
            "JWT_PREVIOUS_PUBLIC_KEY_FILE": Default(),
            "STAFF_TOTP": Default("optional"),
            "LINK_KEY": LINK_KEY,
            "ORDER_URL": RestUrl("order"),
            "NOTIFIER_URL": RestUrl("notifier"),
        },
    ),
    event_process=EventProcess(connects_to=(KAFKA,)),
)

PRODUCT = Service(
    "product",
    database=MONGO,
    publishes=(topics.PRODUCT_EVENTS, topics.STOCK_EVENTS),
    consumes=(topics.ORDER_EVENTS, topics.ERASURE_EVENTS),
    rest_front=RestFront(port=8002, settings={"JWKS_URL": ACCESS_TOKEN_KEYS}),
    event_process=EventProcess(connects_to=(KAFKA,)),
)

ORDER = Service(
    "order",
    database=POSTGRES,
    publishes=(topics.ORDER_EVENTS, topics.ERASURE_EVENTS),
    consumes=(topics.CUSTOMER_EVENTS, topics.PRODUCT_EVENTS, topics.STOCK_EVENTS, topics.NOTIFICATION_EVENTS),
    rest_front=RestFront(
        port=8003,
        settings={
            "JWKS_URL": ACCESS_TOKEN_KEYS,
            "PRODUCT_URL": RestUrl("product"),
            "SHOP_URL": PublicUrl("customer"),
        },
    ),
    event_process=EventProcess(connects_to=(KAFKA,)),
)

NOTIFIER = Service(
    "notifier",
    database=POSTGRES,
    publishes=(topics.NOTIFICATION_EVENTS, topics.ERASURE_EVENTS),
    consumes=(topics.CUSTOMER_EVENTS, topics.ORDER_EVENTS, topics.STOCK_EVENTS),
    rest_front=RestFront(port=8004, settings={"JWKS_URL": ACCESS_TOKEN_KEYS}),
    event_process=EventProcess(
        connects_to=(KAFKA, MAIL),
        settings={
            "SMTP_URL": ServerAddress(MAIL),
            "MAIL_FROM": Default("shop@example.com"),
            "MAIL_REPLY_TO": Default(),
            "TRACKING_URLS": Default(),
            "STAFF_MAIL": Default(STAFF_MAIL),
            "STAFF_LOCALE": Default("en"),
            "LINK_KEY": LINK_KEY,
            "SHOP_URL": PublicUrl("customer"),
        },
    ),
)

SERVICES = (CUSTOMER, PRODUCT, ORDER, NOTIFIER)

# --- Jobs: each runs to its end before the processes that need it, and changes nothing the next time

BOOTSTRAP = "customer_svc.staff.bootstrap"
"""Creates an account with one of these roles; registration is for customers only."""
ROLES = ("staff", "ops")

CREATE_TOPICS = Program(
    "topics",
    "deploy.topics",
    {
        KAFKA.setting: BrokerAddress(KAFKA),
        **ON_KAFKA,
        "SHOP_ENV": Default("development"),
        "KAFKA_PARTITIONS": Default(),
        "KAFKA_REPLICATION": Default("1"),
        "KAFKA_MIN_INSYNC_REPLICAS": Default(),
    },
    (KAFKA,),
)

MIGRATIONS = tuple(
    Program(one.migrations, f"{one.package}.migrations", one.database_settings, (one.database,)) for one in SERVICES
)

ACCOUNTS = tuple(
    Program(
        f"{role}-account",
        BOOTSTRAP,
        {**CUSTOMER.database_settings, "BOOTSTRAP_PASSWORD": FromCaller()},
        (CUSTOMER.database,),
        ("--role", role),
    )
    for role in ROLES
)

# --- The whole

SYSTEM = System(
    servers=(KAFKA, POSTGRES, MONGO, MAIL),
    services=SERVICES,
    topics=tuple(Topic(name) for name in (*topics.TOPICS, *(service.dead_letter_topic for service in SERVICES))),
    brokers=KAFKA,
    process_settings={
        **ON_KAFKA,
        "SHOP_ENV": Default("development"),
        "LOG_LEVEL": Default("INFO"),
        "LOG_FORMAT": Default("json"),
        "ACCESS_LOG": Default(),
        "FORWARDED_ALLOW_IPS": Default(),
        "CORS_ORIGINS": Default(),
        "PUBLIC_URLS": Default(),
        "OTEL_EXPORTER_OTLP_ENDPOINT": Default(),
        "OTEL_TRACES_SAMPLER_ARG": Default(),
    },
    jobs=(CREATE_TOPICS, *MIGRATIONS, *ACCOUNTS),
)
