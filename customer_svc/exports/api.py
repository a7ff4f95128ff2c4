"""Exporting your own data."""

import time
from datetime import UTC, datetime

from fastapi import Response

from chassis.http.auth import Customer, Issuer, Principal
from chassis.http.errors import Forbidden, NotFound, Unauthenticated
from chassis.http.headers import sends
from chassis.http.routing import new_router, problems
from chassis.http.streaming import StreamingBody
from customer_svc.accounts.queries import account_by_id
from customer_svc.clients.exports import TokenFor
from customer_svc.container import Database, ExportClient, TokenIssuer
from customer_svc.errors import ExportUnavailable
from customer_svc.exports.dto import ExportOut, own_export_out
from customer_svc.links.queries import links_of_account
from customer_svc.sessions.queries import sessions_of_account
from customer_svc.throttling.store import known_networks_of

router = new_router()


def _token_for(issuer: Issuer, principal: Principal) -> TokenFor:
    """For calls in the client's name: like the token of the request, but for one service alone."""

    def issue(service: str) -> str:
        return issuer.issue(principal, int(principal.expires_at - time.time()), [service])

    return issue


@router.get(
    "/v1/customers/me/export",
    tags=["customers"],
    summary="Export your data",
    response_model=ExportOut,
    responses=problems(Unauthenticated, Forbidden, NotFound, ExportUnavailable) | sends(200, "Content-Disposition"),
)
async def export_own_data(
    principal: Customer, database: Database, export_client: ExportClient, issuer: TokenIssuer
) -> Response:
    """Everything that is stored about you, as one JSON document: the account, the orders, the mails.

    The export is complete or refused (`export_unavailable`). If another service fails after its first page, the
    response breaks off and is not valid JSON.
    """
    account = await account_by_id(database, principal.id)
    sessions = await sessions_of_account(database, principal.id)
    networks = await known_networks_of(database, principal.id)
    links = await links_of_account(database, principal.id)
    own = own_export_out(account, sessions, networks, links, datetime.now(UTC)).model_dump_json().encode()
    chunks = export_client.merged(own, _token_for(issuer, principal))
    response = await StreamingBody.starting(chunks, "application/json")
    response.headers["Content-Disposition"] = 'attachment; filename="my-data.json"'
    return response
