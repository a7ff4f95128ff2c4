"""API2:2023 Broken Authentication: access tokens that outlive what should have ended them, in all four services.

Tried: a token after a log-out, a log-out everywhere, a change of the password, a deactivation by its owner, by staff
and by ops, and an erasure; 7 times in customer_svc, where it is refused at once, and in the other three services,
where it is refused within the seconds in which they read what was revoked.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

import httpx
import pytest

from chassis.http import remote_verifier
from chassis.testing import bearer
from customer_svc.staff.bootstrap import Settings as BootstrapSettings
from customer_svc.staff.bootstrap import appoint_staff
from tests.contracts.rest_apis import RestApis
from tests.contracts.shop import PASSWORD, Shop

PERSONAL = {
    "customer": "/v1/customers/me",
    "order": "/v1/orders",
    "notifier": "/v1/notifications",
}
"""What every account reaches with its token."""
STAFF_ONLY = {"product": "/v1/stock"}
Session = Mapping[str, Any]
Revoke = Callable[[Shop, Session], Awaitable[httpx.Response]]


@pytest.fixture(scope="module", autouse=True)
def often() -> Iterator[None]:
    """What was revoked is read more often than in the other files."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(remote_verifier, "REFRESH_SECONDS", 0.05)
        yield


def token_of(session: Session) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {session['access_token']}"}


async def log_out(rest: Shop, session: Session) -> httpx.Response:
    return await rest.request(
        "customer", "POST", "/v1/sessions/logout", {}, json={"refresh_token": session["refresh_token"]}
    )


async def log_out_everywhere(rest: Shop, session: Session) -> httpx.Response:
    return await rest.request("customer", "POST", "/v1/sessions/logout-everywhere", token_of(session))


async def change_password(rest: Shop, session: Session) -> httpx.Response:
    body = {"current_password": PASSWORD, "new_password": f"{PASSWORD}, another"}
    return await rest.request("customer", "POST", "/v1/customers/me/password-changes", token_of(session), json=body)


async def deactivate(rest: Shop, session: Session) -> httpx.Response:
    return await rest.request("customer", "POST", "/v1/customers/me/deactivate", token_of(session))


async def deactivate_by_staff(rest: Shop, session: Session) -> httpx.Response:
    me = (await rest.request("customer", "GET", "/v1/customers/me", token_of(session))).json()
    return await rest.request("customer", "POST", f"/v1/customers/{me['id']}/deactivate", bearer(role="staff"))


async def erase(rest: Shop, session: Session) -> httpx.Response:
    return await rest.request("customer", "POST", "/v1/erasures", token_of(session), json={"password": PASSWORD})


async def refused(rest: Shop, service: str, path: str, session: Session) -> None:
    """Wait until the token is refused; fail after some seconds."""
    async with asyncio.timeout(5):
        while (await rest.request(service, "GET", path, token_of(session))).status_code != 401:
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    "revoke",
    [log_out, log_out_everywhere, change_password, deactivate, deactivate_by_staff, erase],
    ids=lambda revoke: revoke.__name__,
)
async def test_a_token_ends_with_what_it_was_issued_for(rest: Shop, revoke: Revoke) -> None:
    person, bystander = await rest.register(), await rest.register()
    credentials = {"email": person.email, "password": PASSWORD}
    session = await rest.create("customer", "/v1/sessions", {}, credentials)
    for service, path in PERSONAL.items():
        assert (await rest.request(service, "GET", path, token_of(session))).status_code == 200, service
    assert (await revoke(rest, session)).is_success
    response = await rest.request("customer", "GET", PERSONAL["customer"], token_of(session))
    assert response.status_code == 401, "customer_svc knows at once"
    for service, path in PERSONAL.items():
        await refused(rest, service, path, session)
        assert (await rest.request(service, "GET", path, bystander.headers)).status_code == 200, service


async def test_the_token_of_a_deactivated_member_of_staff_ends_in_every_service(rest: Shop, apis: RestApis) -> None:
    settings = BootstrapSettings.model_validate(
        {"postgres_url": apis.stores["customer"], "bootstrap_password": PASSWORD}
    )
    account = await appoint_staff(settings, "grace@example.com", "staff")
    session = await rest.create("customer", "/v1/sessions", {}, {"email": account.email, "password": PASSWORD})
    for service, path in (PERSONAL | STAFF_ONLY).items():
        assert (await rest.request(service, "GET", path, token_of(session))).status_code == 200, service
    why = {"why": "left the company"}
    path = f"/v1/staff-accounts/{account.id}/deactivate"
    assert (await rest.request("customer", "POST", path, bearer(role="ops"), json=why)).is_success
    for service, path in (PERSONAL | STAFF_ONLY).items():
        await refused(rest, service, path, session)
