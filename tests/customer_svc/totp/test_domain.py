"""One-time codes: the vectors of RFC 6238, and what is accepted."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from uuid_utils.compat import uuid7

from customer_svc.errors import WrongCode
from customer_svc.totp.domain import (
    STEP_SECONDS,
    Totp,
    code_at,
    code_of_step,
    encode_recovery_code,
    encode_secret,
    hash_recovery_code,
)

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
STEP = timedelta(seconds=STEP_SECONDS)
SECRET = encode_secret(b"12345678901234567890")
TOTP = Totp(uuid7(), SECRET, NOW, NOW)


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "94287082"),
        (1_111_111_109, "07081804"),
        (1_111_111_111, "14050471"),
        (1_234_567_890, "89005924"),
        (2_000_000_000, "69279037"),
        (20_000_000_000, "65353130"),
    ],
)
def test_the_codes_are_those_of_rfc_6238(seconds: int, code: str) -> None:
    assert code_of_step(b"12345678901234567890", seconds // STEP_SECONDS, digits=8) == code


@pytest.mark.parametrize("steps", [-1, 0, 1])
def test_a_code_is_accepted_if_the_clocks_differ_by_a_step(steps: int) -> None:
    assert TOTP.accept(code_at(SECRET, NOW + steps * STEP), NOW).last_step == int(NOW.timestamp()) // 30 + steps


@pytest.mark.parametrize("steps", [-2, 2])
def test_a_code_is_refused_if_the_clocks_differ_more(steps: int) -> None:
    with pytest.raises(WrongCode):
        TOTP.accept(code_at(SECRET, NOW + steps * STEP), NOW)


def test_a_code_is_accepted_once_and_earlier_codes_are_not_accepted_after_it() -> None:
    used = TOTP.accept(code_at(SECRET, NOW), NOW)
    for moment in (NOW, NOW - STEP):
        with pytest.raises(WrongCode):
            used.accept(code_at(SECRET, moment), NOW)
    assert used.accept(code_at(SECRET, NOW + STEP), NOW + STEP).last_step > used.last_step


@pytest.mark.parametrize("code", ["", "000000", "12345", "1234567", "４９２０３９", "no code", "x" * 40])
def test_anything_else_is_refused(code: str) -> None:
    with pytest.raises(WrongCode):
        replace(TOTP, last_step=int(NOW.timestamp())).accept(code, NOW)


def test_a_recovery_code_is_accepted_once_in_any_spelling() -> None:
    one, other = encode_recovery_code(b"0123456789"), encode_recovery_code(b"9876543210")
    totp = replace(TOTP, recovery_hashes=(hash_recovery_code(one), hash_recovery_code(other)))
    used = totp.accept(f" {one.upper().replace('-', ' ')} ", NOW)
    assert used.recovery_hashes == (hash_recovery_code(other),)
    with pytest.raises(WrongCode):
        used.accept(one, NOW)


def test_the_uri_is_what_authenticator_apps_read() -> None:
    uri = urlsplit(TOTP.uri("ada+x@example.com"))
    assert (uri.scheme, uri.netloc, uri.path) == ("otpauth", "totp", "/Shopstream:ada%2Bx%40example.com")
    assert parse_qs(uri.query) == {"secret": [SECRET], "issuer": ["Shopstream"], "digits": ["6"], "period": ["30"]}
