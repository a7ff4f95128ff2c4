"""What is counted: attempts by e-mail address and by network."""

from dataclasses import dataclass
from hashlib import sha256
from ipaddress import ip_address, ip_network

from customer_svc.accounts.domain import normalised_email


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


def network(client_address: str) -> str:
    """What a client is counted by: its IPv4 address, or its /64 of IPv6.

    Every subscriber of IPv6 has at least 2**64 addresses (RFC 6177).
    """
    try:
        known = ip_address(client_address)
    except ValueError:
        return "nowhere"
    return str(known if known.version == 4 else ip_network((known, 64), strict=False))


def email_digest(email: str) -> str:
    """What an e-mail address is counted by: the table must not become a list of addresses that people tried."""
    return sha256(normalised_email(email).encode(errors="surrogatepass")).hexdigest()
