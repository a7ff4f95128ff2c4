"""Changing a password, and resetting a forgotten one."""

from fastapi import Response, status
from uuid_utils.compat import uuid7

from chassis.http.auth import Authenticated
from chassis.http.errors import Unauthenticated
from chassis.http.routing import new_router, problems
from customer_svc.accounts.password_check import OwnCheck
from customer_svc.accounts.response_timing import with_minimum_duration
from customer_svc.audit_log.recording import audited
from customer_svc.container import ClientAddress, Commit, LinkKey, PasswordHasher, Throttle
from customer_svc.errors import TooManyAttempts
from customer_svc.links.domain import new_link
from customer_svc.links.link_check import Links
from customer_svc.passwords.commands import ChangePassword, RequestPasswordReset, ResetPassword
from customer_svc.passwords.dto import PasswordChange, PasswordReset, PasswordResetRequest

router = new_router()


@router.post(
    "/v1/customers/me/password-changes",
    status_code=status.HTTP_204_NO_CONTENT,
    tags=["passwords"],
    summary="Change your password",
    responses=problems(Unauthenticated, *ChangePassword.errors, TooManyAttempts),
    dependencies=[audited("password.change")],
)
async def change_password(
    body: PasswordChange,
    principal: Authenticated,
    commit: Commit,
    hasher: PasswordHasher,
    check: OwnCheck,
) -> None:
    """Set a new password. This ends every session: log in again."""
    account = await check.account(principal.id, body.current_password)
    password_hash = await hasher.hash(body.new_password.get_secret_value())
    await commit(ChangePassword(account.id, account.password_hash, password_hash))


@router.post(
    "/v1/password-reset-mails",
    status_code=status.HTTP_202_ACCEPTED,
    tags=["passwords"],
    summary="Request a mail to reset a forgotten password",
    responses=problems(TooManyAttempts),
    response_class=Response,
)
async def request_password_reset(
    body: PasswordResetRequest, client_address: ClientAddress, commit: Commit, key: LinkKey, throttle: Throttle
) -> Response:
    """The response is the same whether or not there is an account.

    The link in the mail is valid for half an hour. An address that is not verified gets the link that verifies it
    instead, at most once an hour.
    """
    await throttle.mail_request(body.email, client_address)
    reset, verify = new_link(uuid7(), "reset", key), new_link(uuid7(), "verify", key)
    command = RequestPasswordReset(body.email, reset, verify)
    await with_minimum_duration(commit(command))
    return Response(status_code=status.HTTP_202_ACCEPTED)


@router.post(
    "/v1/password-resets",
    status_code=status.HTTP_204_NO_CONTENT,
    tags=["passwords"],
    summary="Reset a forgotten password",
    responses=problems(*ResetPassword.errors, TooManyAttempts),
    dependencies=[audited("password.reset")],
)
async def reset_password(
    body: PasswordReset,
    client_address: ClientAddress,
    links: Links,
    commit: Commit,
    hasher: PasswordHasher,
    throttle: Throttle,
) -> None:
    """Use the link of a mail, once. This ends every session."""
    async with links.link(body.token, "reset") as link:
        password_hash = await hasher.hash_for_link(body.new_password.get_secret_value())
        await commit(ResetPassword(link.account_id, link.token_hash, password_hash))
        await throttle.remember(link.account_id, client_address)
