"""Finds the running platform and logs in to it."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from ops.audit import AuditError, Shop

RENEW_SECONDS = 60.0
"""A token that expires within this time is renewed before it is used."""


@dataclass(frozen=True)
class Account:
    """An account with the role ops."""

    email: str
    password: str


@dataclass(frozen=True)
class Platform:
    """Where everything is, and the account for the ops APIs."""

    shop: Shop
    account: Account | None


def local_platform(home: Path) -> Platform:
    """The platform that ``make run`` has recorded in its SHOP_HOME; raise ``AuditError`` if none is running."""
    path = home / "run.json"
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["state"] != "up":
            raise AuditError(f"the shop in {home} is {record['state']}, not up: start it, or give other URLs")
        return Platform(_shop(record), _account(record["ops"]))
    except FileNotFoundError as error:
        raise AuditError(f"no shop is running in {home}: start it with make run, or give URLs") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AuditError(f"{path} does not describe running services: {error!r}") from error


def _shop(record: Mapping[str, Any]) -> Shop:
    url = {name: process["url"] for name, process in record["processes"].items()}
    names = ("customer", "product", "order", "notifier", "kafka")
    return Shop(**{name: url[name] for name in names}, kafka_prefix=record["ops"]["kafka_prefix"])


def _account(record: Mapping[str, Any]) -> Account:
    return Account(record["email"], Path(record["password_file"]).read_text(encoding="utf-8").strip())


def with_overrides(platform: Platform | None, options: Mapping[str, str | None]) -> Platform:
    """The platform with the given options in place of its own; raise ``AuditError`` naming missing ones."""
    given = {name: value for name, value in options.items() if value is not None}
    if platform:
        return replace(platform, shop=replace(platform.shop, **given))
    missing = {"customer", "product", "order", "notifier", "kafka"} - set(given)
    if missing:
        raise AuditError(f"missing options: {', '.join(sorted(missing))}")
    return Platform(Shop(**given), None)


class Session:
    """A login that is renewed before its access token expires."""

    def __init__(self, customer_url: str, account: Account) -> None:
        self._url, self._account = f"{customer_url.rstrip('/')}/v1/sessions", account
        self._headers: dict[str, str] = {}
        self._expires_at = 0.0

    async def headers(self) -> Mapping[str, str]:
        """The authorisation headers; raise ``AuditError`` if the login fails."""
        if time.monotonic() + RENEW_SECONDS > self._expires_at:
            await self._log_in()
        return self._headers

    async def _log_in(self) -> None:
        started = time.monotonic()
        body = {"email": self._account.email, "password": self._account.password}
        try:
            async with httpx.AsyncClient(timeout=30, trust_env=False) as client:
                response = await client.post(self._url, json=body)
            if response.status_code != 201:
                problem = f"{response.status_code} {response.json().get('detail')}"
                raise AuditError(f"customer: login of {self._account.email} at {self._url} failed: {problem}")
            session = response.json()
            self._headers = {"Authorization": f"Bearer {session['access_token']}"}
            self._expires_at = started + session["expires_in"]
        except (httpx.HTTPError, ValueError, KeyError, AttributeError) as error:
            reason = str(error) or type(error).__name__
            raise AuditError(f"customer: cannot log in at {self._url}: {reason}") from error
