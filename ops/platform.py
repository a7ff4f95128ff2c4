"""Finds the running platform, and logs in to it."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from ops.audit import CannotAudit, Shop

RENEW_SECONDS = 60.0
"""An access token that is good for no longer than this is renewed before it is used."""


@dataclass(frozen=True)
class Account:
    """Somebody with the role ops."""

    email: str
    password: str


@dataclass(frozen=True)
class Platform:
    """Where everything is, and who asks."""

    shop: Shop
    account: Account | None


def local_platform(home: Path) -> Platform:
    """What ``make run`` has noted in its SHOP_HOME; raise ``CannotAudit`` where nothing runs."""
    path = home / "run.json"
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["state"] != "up":
            raise CannotAudit(f"the shop of {home} is {record['state']}, not up: start it, or say where another is")
        return Platform(_shop(record), _account(record["ops"]))
    except FileNotFoundError as error:
        raise CannotAudit(f"no shop runs in {home}: start it with make run, or say where another is") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CannotAudit(f"{path} tells of no running services: {error!r}") from error


def _shop(record: Mapping[str, Any]) -> Shop:
    url = {name: process["url"] for name, process in record["processes"].items()}
    names = ("customer", "product", "order", "notifier", "kafka")
    return Shop(**{name: url[name] for name in names}, kafka_prefix=record["ops"]["kafka_prefix"])


def _account(noted: Mapping[str, Any]) -> Account:
    return Account(noted["email"], Path(noted["password_file"]).read_text(encoding="utf-8").strip())


def elsewhere(platform: Platform | None, options: Mapping[str, str | None]) -> Platform:
    """The platform with what was given in its place; raise ``CannotAudit`` naming what nobody said."""
    given = {name: value for name, value in options.items() if value is not None}
    if platform:
        return replace(platform, shop=replace(platform.shop, **given))
    missing = {"customer", "product", "order", "notifier", "kafka"} - set(given)
    if missing:
        raise CannotAudit(f"not given: {', '.join(sorted(missing))}")
    return Platform(Shop(**given), None)


class Session:
    """A log-in that is renewed whenever its token is about to expire."""

    def __init__(self, customer_url: str, account: Account) -> None:
        self._url, self._account = f"{customer_url.rstrip('/')}/v1/sessions", account
        self._headers: dict[str, str] = {}
        self._until = 0.0

    async def headers(self) -> Mapping[str, str]:
        """The headers that say who is asking; raise ``CannotAudit``."""
        if time.monotonic() + RENEW_SECONDS > self._until:
            await self._log_in()
        return self._headers

    async def _log_in(self) -> None:
        began = time.monotonic()
        body = {"email": self._account.email, "password": self._account.password}
        try:
            async with httpx.AsyncClient(timeout=30, trust_env=False) as client:
                answer = await client.post(self._url, json=body)
            if answer.status_code != 201:
                told = f"answered {answer.status_code}: {answer.json().get('detail')}"
                raise CannotAudit(f"customer: log-in of {self._account.email} at {self._url} {told}")
            session = answer.json()
            self._headers = {"Authorization": f"Bearer {session['access_token']}"}
            self._until = began + session["expires_in"]
        except (httpx.HTTPError, ValueError, KeyError, AttributeError) as error:
            why = str(error) or type(error).__name__
            raise CannotAudit(f"customer: cannot log in at {self._url}: {why}") from error
