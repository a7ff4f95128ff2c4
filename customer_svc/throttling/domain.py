"""What is counted: attempts by e-mail address and by network."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from ipaddress import IPv6Address, ip_address, ip_network

from chassis.email_address import normalised_email

WIDER = 10
"""How many times more attempts than one network has all networks that an attacker may have together."""


@dataclass(frozen=True, slots=True)
class Limit:
    """So many attempts at once, and then one in every interval."""

    attempts: int
    interval: float
    """In seconds."""

    @property
    def burst_seconds(self) -> float:
        """How far ahead of its rate a subject may be."""
        return self.interval * (self.attempts - 1)

    @property
    def wider(self) -> "Limit":
        """The limit of many networks together."""
        return Limit(self.attempts * WIDER, self.interval / WIDER)


@dataclass(frozen=True, slots=True)
class KnownNetwork:
    """A network from which the owner of an account has logged in."""

    network: str
    known_until: datetime


def network(client_address: str) -> str:
    """What a client is counted by: its IPv4 address, or its /64 of IPv6, which every subscriber has at least.

    An IPv4 client that is connected over an IPv6 socket (RFC 4291 §2.5.5.2) is the same client.
    """
    try:
        known = ip_address(client_address)
    except ValueError:
        return "nowhere"
    if isinstance(known, IPv6Address):
        known = known.ipv4_mapped or known
    return str(known if known.version == 4 else ip_network((known, 64), strict=False))


def site(client_address: str) -> str | None:
    """The /48 of IPv6 that a client is counted by as well: many subscribers have a whole one (RFC 6177)."""
    known = network(client_address)
    return str(ip_network(known).supernet(new_prefix=48)) if ":" in known else None


def email_digest(email: str) -> str:
    """What an e-mail address is counted by: the table must not become a list of addresses that people tried."""
    return sha256(normalised_email(email).encode(errors="surrogatepass")).hexdigest()
