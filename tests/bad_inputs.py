"""Inputs from attackers and from broken programs."""

import base64
import copy
import json
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from typing import Any

from cryptography.hazmat.primitives import hashes, hmac
from joserfc.jwk import OKPKey
from uuid_utils.compat import uuid7

from chassis.http.auth import Principal, Role
from chassis.http.routing import MAX_BODY
from chassis.testing import issuer

JSON = {"Content-Type": "application/json"}

NOT_AN_OBJECT: Mapping[str, bytes] = {
    "nothing": b"",
    "a blank": b" ",
    "cut off": b'{"a": ',
    "trailing comma": b'{"a": 1,}',
    "single quotes": b"{'a': 1}",
    "two documents": b"{}{}",
    "an array": b"[]",
    "a string": b'"{}"',
    "a number": b"1",
    "null": b"null",
    "true": b"true",
    "NaN": b"NaN",
    "a huge number": b"9" * 5_000,
    "a huge number inside": b'{"a": ' + b"9" * 5_000 + b"}",
    "invalid UTF-8": b'{"a": "\xff"}',
    "half a UTF-8 character": b'{"a": "\xc3"}',
    "an encoded surrogate": b'{"a": "\xed\xa0\x80"}',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf{}",
    "a NUL byte": b"{}\x00",
    "deep arrays": b"[" * 100_000,
    "deep objects": b'{"a":' * 40_000,
    "deep and closed": b'{"a": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "not deep enough to fail early": b'{"a": ' + b"[" * 400 + b"]" * 400 + b"}",
}
"""Bodies that are not a JSON object, or not one that any route accepts."""

ODD_KEYS = ("unknown", "", "\x00", "a\x00b", "\ud800", "__proto__", "$where", "a.b", "x" * 10_000)

PROSE = frozenset({"description", "notes", "note", "street", "reason"})
"""Fields that may have line breaks."""

Path = tuple[str | int, ...]


def invalid_bodies(body: dict[str, Any], *, free: Collection[str] = ()) -> Iterator[tuple[str, bytes, Path]]:
    """(name, body, place): a valid body, made invalid at one place at a time, in ways that no route accepts.

    ``free`` names text fields that accept any text.
    """
    for path, value in _leaves(body):
        for invalid in _invalid(value, free=path[-1] in free):
            if invalid == "a\nb" and path[-1] in PROSE:
                continue
            yield f"{_name(path)}={str(invalid)[:20]!a}", _with(body, path, invalid), path
        yield f"{_name(path)} inf", _with(body, path, "@@").replace(b'"@@"', b"1e400"), path
        yield f"{_name(path)} nan", _with(body, path, "@@").replace(b'"@@"', b"NaN"), path
    for path in _objects(body):
        for key in ODD_KEYS:
            yield f"{_name(path)} + {key[:10]!a}", _with(body, (*path, key), 1), (*path, key)


def without_each(body: dict[str, Any], *, optional: Collection[str] = ()) -> Iterator[tuple[str, bytes, Path]]:
    """(name, body, place): a valid body without one of its fields."""
    for path, _ in _leaves(body):
        if isinstance(path[-1], str) and path[-1] not in optional:
            changed = copy.deepcopy(body)
            del _at(changed, path[:-1])[path[-1]]
            yield f"no {_name(path)}", _dumped(changed), path


def _invalid(value: Any, *, free: bool) -> list[Any]:
    common: list[Any] = [None, False, True, [], {}, [value], {"a": value}]
    if isinstance(value, int):
        return [*common, str(value), "", 1.5, float(value), 10**30, -(10**30)]
    odd = [] if free else ["\x00", "a\x00b", "a\nb", "\u2028", "x" * 100_000]
    return [*common, 1, 1.5, "", "\ud800", "a\udfff", *odd]


def _leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _leaves(inner, (*path, key))
    else:
        yield path, value


def _objects(value: Any, path: Path = ()) -> Iterator[Path]:
    if isinstance(value, dict):
        yield path
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _objects(inner, (*path, key))


def _at(value: Any, path: Path) -> Any:
    for key in path:
        value = value[key]
    return value


def _with(body: dict[str, Any], path: Path, value: Any) -> bytes:
    changed = copy.deepcopy(body)
    _at(changed, path[:-1])[path[-1]] = value
    return _dumped(changed)


def _dumped(value: Any) -> bytes:
    return json.dumps(value).encode()


def _name(path: Path) -> str:
    return "/".join(map(str, path)) or "body"


def oversized() -> bytes:
    """A body larger than any service accepts."""
    return b'{"a": "' + b"x" * MAX_BODY + b'"}'


async def chunked(body: bytes) -> AsyncIterator[bytes]:
    """Send a body in chunks, without a Content-Length."""
    for start in range(0, len(body), 16_384):
        yield body[start : start + 16_384]


FORGED_HEADERS: Mapping[str, Any] = {
    "no alg": {"typ": "JWT"},
    "alg none, signed": {"alg": "none"},
    "crit number": {"alg": "Ed25519", "crit": 5},
    "alg list": {"alg": ["Ed25519"]},
    "alg object": {"alg": {}},
    "alg null": {"alg": None},
    "a list as header": [],
    "a number as header": 1,
    "null as header": None,
    "kid object": {"alg": "Ed25519", "kid": {}},
    "unknown kid": {"alg": "Ed25519", "kid": "nobody"},
    "unknown crit": {"alg": "Ed25519", "crit": ["x"], "x": 1},
    "b64 false": {"alg": "Ed25519", "b64": False, "crit": ["b64"]},
    "b64 of another type": {"alg": "Ed25519", "b64": {}},
    "own key": {"alg": "Ed25519", "jwk": {"kty": "oct", "k": "eA"}},
    "own key by URL": {"alg": "Ed25519", "jku": "https://evil.example/keys"},
    "zipped": {"alg": "Ed25519", "zip": "DEF"},
    "typ object": {"alg": "Ed25519", "typ": {}},
}


def bad_tokens(role: Role = "customer") -> dict[str, str]:
    """Name → access token that must be refused."""
    principal, good = Principal(uuid7(), role), issuer().issue(Principal(uuid7(), role))
    head, payload, signature = good.split(".")
    forged = {name: f"{_b64(header)}.{payload}.{signature}" for name, header in FORGED_HEADERS.items()}
    other_key = OKPKey.generate_key("Ed25519").as_pem(private=True)
    other = issuer().issue(Principal(uuid7(), "staff")).split(".")
    return forged | {
        "expired": issuer(seconds=-60).issue(principal),
        "of another issuer": issuer(issuer="https://evil.example").issue(principal),
        "for another audience": issuer(audiences=["elsewhere"]).issue(principal),
        "of another key": issuer(private_key=other_key).issue(principal),
        "alg none": f"{_b64({'alg': 'none', 'typ': 'JWT'})}.{payload}.",
        "alg None": f"{_b64({'alg': 'None'})}.{payload}.",
        "HS256 with the public key": _hs256(payload),
        "another payload": f"{head}.{other[1]}.{signature}",
        "no signature": f"{head}.{payload}.",
        "two parts": f"{head}.{payload}",
        "five parts": f"{head}.{payload}.{signature}.x.y",
        "not base64": "!.!.!",
        "empty parts": "..",
        "random": "x" * 40,
        "huge": "x" * 100_000,
        "deep header": _raw(b'{"alg":' + b"[" * 2500) + f".x.{signature}",
        "deep header, closed": f"{_raw(b'[' * 1200 + b']' * 1200)}.x.{signature}",
        "a huge number in the header": f"{_raw(b'9' * 2900)}.x.{signature}",
        "invalid UTF-8 in the header": f"{_raw(bytes([0xFF, 0xFE]))}.{payload}.{signature}",
    }


def _b64(value: Any) -> str:
    return _raw(json.dumps(value).encode())


def _raw(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _hs256(payload: str) -> str:
    [key] = issuer().jwks()["keys"]
    public = OKPKey.import_key(key).as_pem(private=False)
    signed = f"{_b64({'alg': 'HS256', 'typ': 'JWT', 'kid': key['kid']})}.{payload}"
    mac = hmac.HMAC(public, hashes.SHA256())
    mac.update(signed.encode())
    return f"{signed}.{_raw(mac.finalize())}"


NOT_A_UUID = (
    "1",
    "null",
    "0",
    "-",
    "x" * 5_000,
    "019b7c61-0000-7000-8000-00000000000g",
    "%00",
    "%ED%A0%80",
    "..;",
    "'--",
)
"""Path segments that are not UUIDs."""
