"""The REST APIs of the services, for an operator: JSON, a login that is renewed, problems as one line."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import httpx

from ops.errors import CannotDo
from ops.platform import Account, Platform

SILENCE_SECONDS = 60.0
"""A service that sends nothing for so long counts as unreachable."""
RENEW_SECONDS = 60.0
"""A token that expires within this time is renewed before it is used."""
LATER = (408, 429, 500, 502, 503, 504)
"""The statuses after which the same request may succeed."""
PAGE = 200
"""The most items that a page of a list has."""


class Refused(CannotDo):
    """A service has answered with an error; ``code`` is stable, ``problem`` the whole answer (RFC 9457)."""

    def __init__(self, service: str, status: int, problem: Mapping[str, Any]) -> None:
        self.service, self.status, self.problem = service, status, problem
        self.code = str(problem.get("code") or status)
        super().__init__(f"{service}: {self.code}: {_explained(problem)}")


def _explained(problem: Mapping[str, Any]) -> str:
    """The detail of a problem, with the members that say what would be possible instead."""
    text = str(problem.get("detail") or "the service gave no reason")
    places = [f"{one.get('where')}: {one.get('what')}" for one in problem.get("errors", ()) if isinstance(one, dict)]
    if places:
        text += f" ({'; '.join(places[:3])})"
    if isinstance(problem.get("allowed"), list):
        text += f" Possible now: {', '.join(map(str, problem['allowed'])) or 'nothing'}."
    return " ".join(text.split())


class Unreachable(CannotDo):
    """A service cannot be reached now; later, the same request may succeed."""


class NoAnswer(Unreachable):
    """A request was sent, and no answer came: it may have happened."""


class Session:
    """A login that is renewed before its access token expires."""

    def __init__(self, customer_url: str, account: Account) -> None:
        self._url, self._account = f"{customer_url.rstrip('/')}/v1/sessions", account
        self._headers: dict[str, str] = {}
        self._refresh_token = ""
        self._opening = asyncio.Lock()
        self._expires_at = 0.0

    async def headers(self) -> Mapping[str, str]:
        """The authorisation headers; raise ``CannotDo`` if the login fails."""
        # One at a time: a one-time code works for one login.
        async with self._opening:
            if time.monotonic() + RENEW_SECONDS > self._expires_at:
                await self._open()
        return self._headers

    def expire(self) -> None:
        """Do not use the access token again: it was refused."""
        self._expires_at = 0.0

    async def _open(self) -> None:
        started = time.monotonic()
        url, body = self._request()
        try:
            async with httpx.AsyncClient(timeout=30, trust_env=False) as client:
                response = await client.post(url, json=body)
            if not response.is_success:
                problem = f"{response.status_code} {_explained(_problem(response))}"
                kind = Unreachable if response.status_code in LATER else CannotDo
                raise kind(f"customer: login of {self._account.email} at {self._url} failed: {problem}")
            session = response.json()
            self._headers = {"Authorization": f"Bearer {session['access_token']}"}
            self._refresh_token = session.get("refresh_token", "")
            self._expires_at = started + session["expires_in"]
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, AttributeError) as error:
            reason = str(error) or type(error).__name__
            kind = Unreachable if isinstance(error, httpx.TransportError) else CannotDo
            raise kind(f"customer: cannot log in at {self._url}: {reason}") from error

    def _request(self) -> tuple[str, dict[str, str]]:
        """A login; where that took a one-time code, which works once, later a refresh."""
        if self._account.code and self._refresh_token:
            return f"{self._url}/refresh", {"refresh_token": self._refresh_token}
        code = {"code": self._account.code} if self._account.code else {}
        return self._url, {"email": self._account.email, "password": self._account.password, **code}


class Rest:
    """The REST APIs of a platform. Its methods raise ``Refused`` for an error, ``CannotDo`` if there is no answer."""

    def __init__(self, client: httpx.AsyncClient, platform: Platform) -> None:
        self._client, self._platform = client, platform
        self._session: Session | None = None

    async def headers(self) -> Mapping[str, str]:
        """The authorisation headers; raise ``CannotDo`` if there is no account, or its login fails."""
        if self._session is None:
            if self._platform.account is None:
                secret = f"{self._platform.role.upper()}_PASSWORD"
                raise CannotDo(f"there is no account to log in with: set --email and {secret}")
            self._session = Session(self._platform.url("customer"), self._platform.account)
        return await self._session.headers()

    async def get(self, service: str, path: str, **query: Any) -> Any:
        """Read something; parameters that are None are left out."""
        return await self._send("GET", service, path, params={k: v for k, v in query.items() if v is not None})

    async def items(self, service: str, path: str, **query: Any) -> AsyncIterator[dict[str, Any]]:
        """All items of a list, page by page."""
        query = {"limit": PAGE, **query}
        while True:
            page = await self.get(service, path, **query)
            for item in page["items"]:
                yield item
            if page.get("next") is None:
                return
            if page["next"] == query.get("cursor"):
                raise CannotDo(f"{service} does not know the parameter cursor: use the shop of its version")
            query["cursor"] = page["next"]

    async def ask(self, service: str, path: str, body: Mapping[str, Any]) -> Any:
        """Read something that is asked for in a body: too much for a URL, or nothing for the logs of proxies."""
        return await self._send("POST", service, path, json=body)

    async def upload(self, service: str, path: str, content: bytes, media_type: str, **query: Any) -> Any:
        """Send content of another type than JSON."""
        headers = {"Content-Type": media_type}
        return await self._send("POST", service, path, headers, params=query, content=content)

    @asynccontextmanager
    async def stream(self, service: str, path: str, **query: Any) -> AsyncIterator[httpx.Response]:
        """Read something that is too long for memory, in the context. Parameters that are None are left out."""
        url = f"{self._platform.url(service)}{path}"
        params = {name: value for name, value in query.items() if value is not None}
        for attempt in (1, 2):
            with _reaching(service, url):
                async with self._client.stream("GET", url, params=params, headers=await self.headers()) as response:
                    if self._renews(response, attempt):
                        continue
                    if not response.is_success:
                        await response.aread()
                        raise Refused(service, response.status_code, _problem(response))
                    yield response
                    return

    async def post(self, service: str, path: str, body: Mapping[str, Any], *, key: str) -> Any:
        """Change something. The same key repeats the same request: it gets the first answer again."""
        return await self._write("POST", service, path, body, key)

    async def patch(self, service: str, path: str, body: Mapping[str, Any], *, key: str) -> Any:
        """Change something that exists; see ``post``."""
        return await self._write("PATCH", service, path, body, key)

    async def _write(self, method: str, service: str, path: str, body: Mapping[str, Any], key: str) -> Any:
        try:
            return await self._send(method, service, path, json=body, headers={"Idempotency-Key": key})
        except (NoAnswer, Refused) as error:
            if isinstance(error, Refused) and error.status < 500:
                raise
            what = str(error).rstrip(".")
            raise CannotDo(f"{what}; it may have happened: repeat it with --request-id {key}") from error

    async def _send(
        self, method: str, service: str, path: str, headers: Mapping[str, str] | None = None, **request: Any
    ) -> Any:
        url = f"{self._platform.url(service)}{path}"
        for attempt in (1, 2):
            sent = {**await self.headers(), **(headers or {})}
            with _reaching(service, url):
                response = await self._client.request(method, url, headers=sent, **request)
            if not self._renews(response, attempt):
                break
        if response.is_success:
            return _json(response, service)
        raise Refused(service, response.status_code, _problem(response))

    def _renews(self, response: httpx.Response, attempt: int) -> bool:
        """Whether the request is to be sent once more, with another token."""
        if response.status_code != 401 or attempt == 2 or self._session is None:
            return False
        # A token can end before its time: the clocks differ, or the session was ended.
        self._session.expire()
        return True


@contextmanager
def _reaching(service: str, url: str) -> Iterator[None]:
    """Raise ``Unreachable`` in place of the errors of the connection."""
    try:
        yield
    except httpx.InvalidURL as error:
        raise CannotDo(f"{service}: {url} is no URL: {error}") from error
    except httpx.HTTPError as error:
        kind = Unreachable if isinstance(error, httpx.ConnectError) else NoAnswer
        raise kind(f"{service}: {url} does not answer: {str(error) or type(error).__name__}") from error


def _json(response: httpx.Response, service: str) -> Any:
    try:
        return response.json() if response.content else None
    except ValueError as error:
        raise CannotDo(f"{service}: {response.url} did not send JSON") from error


def _problem(response: httpx.Response) -> Mapping[str, Any]:
    try:
        problem = response.json()
    except ValueError:
        problem = None
    if isinstance(problem, dict):
        return problem
    return {"detail": f"{response.url} responded {response.status_code} {response.reason_phrase}"}


@asynccontextmanager
async def open_rest(platform: Platform) -> AsyncIterator[Rest]:
    """The REST APIs of a platform; the login is made when it is needed."""
    async with httpx.AsyncClient(timeout=SILENCE_SECONDS, trust_env=False) as client:
        yield Rest(client, platform)
