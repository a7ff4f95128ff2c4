"""Changing the e-mail address of your own account, and taking the account back from the old one."""

from datetime import timedelta
from typing import Annotated
from uuid import uuid4

from fastapi import Depends, Request, Response, status
from uuid_utils.compat import uuid7

from chassis.http.auth import Customer
from chassis.http.errors import Forbidden, Unauthenticated
from chassis.http.routing import new_router, problems
from customer_svc.accounts.password_check import OwnCheck
from customer_svc.accounts.response_timing import with_minimum_duration
from customer_svc.audit_log.recording import audited
from customer_svc.container import ClientAddress, Commit, Database, LinkKey, PasswordHasher, Throttle
from customer_svc.email_changes.commands import ConfirmEmailChange, RequestEmailChange, RevertEmailChange
from customer_svc.email_changes.dto import EmailChange, EmailChangeConfirmation, EmailChangeReversal
from customer_svc.errors import TooManyAttempts, TotpRequired
from customer_svc.links.domain import new_link
from customer_svc.links.link_check import Links
from customer_svc.totp.queries import has_totp

router = new_router()


async def _period(request: Request) -> timedelta:
    return timedelta(seconds=request.app.state.container.settings.email_revert_seconds)


RevertPeriod = Annotated[timedelta, Depends(_period)]
"""How long a change can be reverted."""


@router.post(
    "/v1/customers/me/email-changes",
    status_code=status.HTTP_202_ACCEPTED,
    tags=["customers"],
    summary="Request another e-mail address",
    responses=problems(Unauthenticated, Forbidden, *RequestEmailChange.errors, TooManyAttempts),
    response_class=Response,
    dependencies=[audited("email.change_request")],
)
async def request_email_change(
    body: EmailChange,
    principal: Customer,
    client_address: ClientAddress,
    database: Database,
    commit: Commit,
    check: OwnCheck,
    throttle: Throttle,
    key: LinkKey,
) -> Response:
    """Have a link mailed to the new address. Nothing changes before it is used, within a day.

    Only the link of the last request can be used, and none after a log-out everywhere or with a new password. The
    response is the same whether or not the address has another account; the mail tells. An account with one-time
    codes needs a `code` as well (`totp_required`).
    """
    account = await check.account(principal.id, body.password)
    if body.code is None and await has_totp(database, account.id):
        raise TotpRequired
    # It also limits how many codes can be tried.
    await throttle.email_change(account.id, body.email, client_address)
    code = body.code.get_secret_value() if body.code else None
    change = new_link(uuid7(), "change", key)
    command = RequestEmailChange(account.id, account.password_hash, body.email, change, code)
    await with_minimum_duration(commit(command))
    return Response(status_code=status.HTTP_202_ACCEPTED)


@router.post(
    "/v1/email-change-confirmations",
    status_code=status.HTTP_204_NO_CONTENT,
    tags=["customers"],
    summary="Confirm another e-mail address",
    responses=problems(*ConfirmEmailChange.errors, TooManyAttempts),
    dependencies=[audited("email.change")],
)
async def confirm_email_change(
    body: EmailChangeConfirmation,
    links: Links,
    commit: Commit,
    key: LinkKey,
    period: RevertPeriod,
) -> None:
    """Use the link in the mail to the new address. This ends every session: log in with the new address.

    The old address gets a mail with a link that reverts the change, for a week if ops have not set another time. As
    long, nobody else can register it.
    """
    async with links.link(body.token, "change") as link:
        await commit(ConfirmEmailChange(link, new_link(uuid7(), "revert", key), period, uuid4()))


@router.post(
    "/v1/email-change-reversals",
    status_code=status.HTTP_204_NO_CONTENT,
    tags=["customers"],
    summary="Revert a change of the e-mail address",
    responses=problems(*RevertEmailChange.errors, TooManyAttempts),
    dependencies=[audited("email.revert")],
)
async def revert_email_change(
    body: EmailChangeReversal,
    client_address: ClientAddress,
    links: Links,
    commit: Commit,
    hasher: PasswordHasher,
    throttle: Throttle,
    period: RevertPeriod,
) -> None:
    """Use the link in the mail to the old address, which is the account's again, with a new password.

    This ends every session and every later change, and removes one-time codes that were set up shortly before the
    change or since.
    """
    async with links.link(body.token, "revert") as link:
        password_hash = await hasher.hash_for_link(body.new_password.get_secret_value())
        await commit(RevertEmailChange(link, password_hash, period, uuid4()))
        await throttle.forget(link.account_id)
        await throttle.remember(link.account_id, client_address)
