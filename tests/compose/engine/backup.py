"""A backup of the shop, restored where there are no data: nothing is missing, and what was waiting is handled."""

import secrets
from functools import partial

import httpx

from deploy.local.sample_order import ADDRESS, SampleOrder
from tests.compose.engine.errors import CheckFailed
from tests.compose.engine.project import Project, wait_for

MAILED_SECONDS = 60


def back_up_and_restore(project: Project, known: SampleOrder) -> None:
    """Order while nobody sends mail, back up, remove everything, restore: then that order is there, and mailed."""
    project.compose("stop", "notifier-worker")
    with httpx.Client(timeout=30, trust_env=False) as client:
        waiting = _order(client, project, known)
        backup = project.files / "backup"
        project.script("backup.sh", str(backup))
        project.compose("down", "--volumes", "--timeout", "30")
        project.script("restore.sh", str(backup))
        for order in (known.order_id, waiting):
            read_order(client, project, known, order)
            wait_for(f"a mail about {order}", partial(_is_mailed, client, project, known, order), MAILED_SECONDS)


def _order(client: httpx.Client, project: Project, known: SampleOrder) -> str:
    body = {"lines": [known.lines[0] | {"quantity": 1}], "shipping_address": ADDRESS}
    headers = _headers(client, project, known) | {"Idempotency-Key": secrets.token_hex(16)}
    placed = client.post(f"{project.shop}/v1/orders?wait=10s", json=body, headers=headers)
    if placed.status_code not in (201, 202):
        raise CheckFailed(f"an order was answered with {placed.status_code}: {placed.text}")
    return str(placed.json()["id"])


def read_order(client: httpx.Client, project: Project, known: SampleOrder, order: str) -> None:
    """Read an order as its customer; raise ``CheckFailed`` unless it is there, and confirmed."""
    found = client.get(f"{project.shop}/v1/orders/{order}", headers=_headers(client, project, known))
    if found.status_code != 200 or found.json()["state"] != "CONFIRMED":
        raise CheckFailed(f"order {order} is {found.status_code}: {found.text}")


def _headers(client: httpx.Client, project: Project, known: SampleOrder) -> dict[str, str]:
    login = {"email": known.customer.email, "password": known.customer.password}
    session = client.post(f"{project.shop}/v1/sessions", json=login)
    if session.status_code != 201:
        raise CheckFailed(f"a log-in was answered with {session.status_code}: {session.text}")
    return {"Authorization": f"Bearer {session.json()['access_token']}"}


def _is_mailed(client: httpx.Client, project: Project, known: SampleOrder, order: str) -> bool:
    api = f"{project.mail_page}/api/v1"
    listed = client.get(f"{api}/search", params={"query": f"to:{known.customer.email}"}).json()["messages"]
    return any(order in client.get(f"{api}/message/{one['ID']}").json()["Text"] for one in listed)
