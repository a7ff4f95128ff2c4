"""Where Kafka is and who connects: the form of ``KAFKA_BOOTSTRAP_SERVERS``, and what Kafka's clients make of it.

``host:port[,host:port]`` connects as nobody in particular. Otherwise, as Kafka writes its own listeners,
``SASL_SSL://user:password@host:port[,host:port]``: SCRAM-SHA-512 over TLS, where the certificate is checked against
the authorities that OpenSSL trusts (``SSL_CERT_FILE`` names others). ``SASL_PLAINTEXT`` is the same without TLS, for
a connection that does not leave the machine. Without ``:password``, that is given apart (``KAFKA_PASSWORD``).
"""

import re
import ssl
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, unquote

MECHANISM = "SCRAM-SHA-512"
PATTERN = r"^((SASL_SSL|SASL_PLAINTEXT)://[^:@/\s]+(:[^:@/\s]+)?@)?[^:,@/\s]+:\d+(,[^:,@/\s]+:\d+)*$"
_PARTS = re.compile(r"(?:(?P<protocol>\w+)://(?P<user>[^:@]+)(?::(?P<password>[^@]+))?@)?(?P<servers>.+)")


@dataclass(frozen=True, slots=True)
class Brokers:
    """Brokers to connect to first, and the principal that connects."""

    servers: str
    """``host:port[,host:port]``."""
    protocol: str = "PLAINTEXT"
    user: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def parse(cls, text: str) -> "Brokers":
        """Read what ``PATTERN`` allows."""
        found = _PARTS.fullmatch(text)
        assert found, text
        if not found["protocol"]:
            return cls(text)
        password = unquote(found["password"] or "")
        return cls(found["servers"], found["protocol"], unquote(found["user"]), password)

    def __str__(self) -> str:
        """As ``parse`` reads it."""
        if not self.user:
            return self.servers
        password = f":{quote(self.password, safe='')}" if self.password else ""
        return f"{self.protocol}://{quote(self.user, safe='')}{password}@{self.servers}"

    @property
    def ssl_context(self) -> ssl.SSLContext | None:
        """What checks the brokers' certificates; None without TLS."""
        return ssl.create_default_context() if self.protocol.endswith("SSL") else None


def with_password(text: str, password: str, setting: str = "KAFKA_PASSWORD") -> str:
    """Add the password of the principal; raise ``ValueError`` if that needs one and has none, or has one already.

    ``setting`` is where it comes from, for the error.
    """
    brokers = Brokers.parse(text)
    if password and (brokers.password or not brokers.user):
        raise ValueError(f"names a password already, or no user, and {setting} is set as well")
    if brokers.user and not (brokers.password or password):
        raise ValueError(f"names a user without a password, and {setting} is not set or empty")
    return str(replace(brokers, password=password)) if password else text


def client_options(bootstrap_servers: str) -> dict[str, Any]:
    """How aiokafka's clients connect."""
    brokers = Brokers.parse(bootstrap_servers)
    options: dict[str, Any] = {"bootstrap_servers": brokers.servers, "security_protocol": brokers.protocol}
    if brokers.user:
        options |= {
            "sasl_mechanism": MECHANISM,
            "sasl_plain_username": brokers.user,
            "sasl_plain_password": brokers.password,
            "ssl_context": brokers.ssl_context,
        }
    return options
