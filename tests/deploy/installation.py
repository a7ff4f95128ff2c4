"""The addresses of an installation that does not exist."""

from deploy.addresses import Addresses
from deploy.system import SYSTEM

NAMES = [service.name for service in SYSTEM.services]
REST = {name: f"http://{name}:8000" for name in NAMES}
PUBLIC = {name: f"https://{name}.shop.example" for name in NAMES}
ADDRESSES = Addresses(
    servers={
        "kafka": "kafka.example:9092",
        "postgres": "postgresql://postgres:s%40cret@db.example:5432/postgres",
        "mongo": "mongodb://mongo.example:27017/?replicaSet=rs0",
        "mail": "smtp://mail.example:2525",
    },
    rest=REST,
    public=PUBLIC,
    secrets={"jwt.pem": "/keys/jwt.pem", "link-key": "the key of links in mails"},
)
