"""One-time codes of an authenticator app: TOTP (RFC 6238) with SHA-1, six digits and steps of 30 seconds.

Those are the parameters that all authenticator apps support. A code is accepted once, for the step that it belongs to
or its neighbours, since clocks differ.
"""

import base64
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from urllib.parse import quote, urlencode
from uuid import UUID

from customer_svc.errors import WrongCode

STEP_SECONDS = 30
DIGITS = 6
SKEW_STEPS = 1
"""How many steps a clock may be ahead or behind."""
SECRET_BYTES = 20
"""As RFC 4226 §4 recommends."""
RECOVERY_CODES = 10
RECOVERY_BYTES = 10
"""80 random bits: a fast hash protects such a code as well as a slow one."""
APP_NAME = "Shopstream"
"""What an authenticator app shows."""


@dataclass(frozen=True, slots=True)
class Totp:
    """The second factor of an account; it counts once it is confirmed."""

    account_id: UUID
    secret: str
    """In Base32. It cannot be stored as a hash: it is needed to compute the codes."""
    created_at: datetime
    confirmed_at: datetime | None = None
    last_step: int = 0
    """The step of the last code that was accepted: neither it nor an earlier one is accepted again."""
    recovery_hashes: tuple[str, ...] = ()
    """Of the recovery codes that were not used."""

    def confirm(self, code: str, recovery_codes: Sequence[str], now: datetime) -> "Totp":
        """Prove with a first code that the app has the secret; raise ``WrongCode``."""
        return replace(
            self.accept(code, now), confirmed_at=now, recovery_hashes=tuple(map(hash_recovery_code, recovery_codes))
        )

    def accept(self, code: str, now: datetime) -> "Totp":
        """Use a one-time code, or a recovery code in its place; raise ``WrongCode``."""
        current, plain = int(now.timestamp()) // STEP_SECONDS, code.strip()
        for step in range(current - SKEW_STEPS, current + SKEW_STEPS + 1):
            if step > self.last_step and _equal(code_of_step(_key(self.secret), step), plain):
                return replace(self, last_step=step)
        hashed = hash_recovery_code(plain)
        if hashed in self.recovery_hashes:
            return replace(self, recovery_hashes=tuple(one for one in self.recovery_hashes if one != hashed))
        raise WrongCode

    def uri(self, email: str) -> str:
        """The secret as authenticator apps read it from a QR code (the Key URI format)."""
        label = quote(f"{APP_NAME}:{email}", safe=":")
        query = {"secret": self.secret, "issuer": APP_NAME, "digits": DIGITS, "period": STEP_SECONDS}
        return f"otpauth://totp/{label}?{urlencode(query)}"


def is_confirmed(totp: Totp | None) -> bool:
    """Whether the second factor counts."""
    return totp is not None and totp.confirmed_at is not None


def code_of_step(key: bytes, step: int, digits: int = DIGITS) -> str:
    """The code of a step (RFC 4226 §5.3)."""
    mac = hmac.digest(key, step.to_bytes(8, "big"), "sha1")
    offset = mac[-1] & 0x0F
    number = int.from_bytes(mac[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**digits:0{digits}}"


def code_at(secret: str, moment: datetime) -> str:
    """The code that an app with this secret shows at a moment."""
    return code_of_step(_key(secret), int(moment.timestamp()) // STEP_SECONDS)


def encode_secret(random: bytes) -> str:
    """A secret in the form in which apps take it."""
    return base64.b32encode(random).decode().rstrip("=")


def encode_recovery_code(random: bytes) -> str:
    """A recovery code as people copy it: four groups of four characters."""
    text = base64.b32encode(random).decode().lower()
    return "-".join(text[at : at + 4] for at in range(0, len(text), 4))


def hash_recovery_code(code: str) -> str:
    """What is stored of a recovery code, whatever its case, blanks and dashes."""
    return sha256("".join(code.split()).replace("-", "").lower().encode()).hexdigest()


def _key(secret: str) -> bytes:
    return base64.b32decode(secret + "=" * (-len(secret) % 8))


def _equal(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
