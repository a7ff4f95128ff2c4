"""Changing the e-mail address of your own account, and taking the account back from the old one."""

from datetime import timedelta
from typing import Annotated
from uuid import uuid4

from fastapi import Depends, Request, Response, status
from uuid_utils.compat import uuid7

from chassis.http.auth import Customer
from chassis.http.errors import Forbidden, Unauthenticated
from chassis.http.routing import new_router, problems
from customer_svc.accounts.queries import account_by_id
from customer_svc.accounts.response_timing import with_minimum_duration
from customer_svc.audit_log.recording import RequestAudit, audited
from customer_svc.container import ClientAddress, Commit, Database, LinkKey, PasswordHasher, Throttle
from customer_svc.email_changes.commands import ConfirmEmailChange, RequestEmailChange, RevertEmailChange
from customer_svc.email_changes.dto import EmailChange, EmailChangeConfirmation, EmailChangeReversal
from customer_svc.errors import LinkInvalid, TooManyAttempts, TotpRequired, WrongPassword
from customer_svc.links.domain import new_link
from customer_svc.links.queries import usable_link
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
    hasher: PasswordHasher,
    throttle: Throttle,
    key: LinkKey,
) -> Response:
    """Have a link mailed to the new address. Nothing changes before it is used, within a day.

    Only the link of the last request can be used, and none after a log-out everywhere or with a new password. The
    response is the same whether or not the address has another account; the mail tells. An account with one-time
    codes needs a `code` as well (`totp_required`).
    """
    account = await account_by_id(database, principal.id)
    async with throttle.password_attempt(account.email, client_address):
        if not await hasher.matches(body.password.get_secret_value(), account.password_hash):
            raise WrongPassword
        needs_code = body.code is None and await has_totp(database, account.id)
        if not needs_code:
            await throttle.email_change(account.id, body.email, client_address)
            code = body.code.get_secret_value() if body.code else None
            change = new_link(uuid7(), "change", key)
            command = RequestEmailChange(account.id, account.password_hash, body.email, change, code)
            await with_minimum_duration(commit(command))
    if needs_code:
        raise TotpRequired
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
    client_address: ClientAddress,
    database: Database,
    commit: Commit,
    throttle: Throttle,
    key: LinkKey,
    period: RevertPeriod,
    audit: RequestAudit,
) -> None:
    """Use the link in the mail to the new address. This ends every session: log in with the new address.

    The old address gets a mail with a link that reverts the change, for a week if ops have not set another time. As
    long, nobody else can register it.
    """
    async with throttle.link_attempt(client_address):
        link = await usable_link(database, body.token.get_secret_value(), "change")
        if link is None:
            raise LinkInvalid
        audit.subject = link.account_id
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
    database: Database,
    commit: Commit,
    hasher: PasswordHasher,
    throttle: Throttle,
    period: RevertPeriod,
    audit: RequestAudit,
) -> None:
    """Use the link in the mail to the old address, which is the account's again, with a new password.

    This ends every session and every later change, and removes one-time codes that were set up shortly before the
    change or since.
    """
    async with throttle.link_attempt(client_address):
        link = await usable_link(database, body.token.get_secret_value(), "revert")
        if link is None:
            raise LinkInvalid
        audit.subject = link.account_id
        password_hash = await hasher.hash_for_link(body.new_password.get_secret_value())
        await commit(RevertEmailChange(link, password_hash, period, uuid4()))
        await throttle.forget(link.account_id)
        await throttle.remember(link.account_id, client_address)
