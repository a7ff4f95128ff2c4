"""Changing a password, and setting one that is forgotten."""

from fastapi import status

from chassis.http.auth import Authenticated
from chassis.http.errors import NotFound, Unauthenticated
from chassis.http.openapi import NOTHING
from chassis.http.routing import new_router, problems
from customer_svc import queries
from customer_svc.api.needs import Address, new_link, unhurried
from customer_svc.commands.accounts import want_address
from customer_svc.commands.sessions import ask_to_reset, change_password, reset_password
from customer_svc.container import Commit, Database, Hashing, Linking, Throttling
from customer_svc.domain.link import hashed
from customer_svc.dto.sessions import Forgotten, PasswordChange, PasswordReset
from customer_svc.errors import LinkSpent, TooManyTries, WrongPassword
from customer_svc.store import Accounts

router = new_router()


@router.post(
    "/v1/customers/me/password-changes",
    status_code=status.HTTP_204_NO_CONTENT,
    tags=["passwords"],
    summary="Change one's password",
    responses=problems(Unauthenticated, WrongPassword, NotFound, TooManyTries),
)
async def change(
    body: PasswordChange,
    principal: Authenticated,
    address: Address,
    database: Database,
    commit: Commit,
    passwords: Hashing,
    throttle: Throttling,
) -> None:
    """Set another password. It ends every session: log in again."""
    account = await queries.account_by_id(database, principal.id)
    async with throttle.trying(account.email, address):
        if not await passwords.matches(body.current_password.get_secret_value(), account.password_hash):
            raise WrongPassword
        password_hash = await passwords.hashed(body.new_password.get_secret_value())
        await commit(
            lambda unit: change_password(unit, account.id, account.password_hash, password_hash),
            wants=lambda unit: unit.accounts.prefetch(account.id),
        )


@router.post(
    "/v1/password-reset-mails",
    status_code=status.HTTP_202_ACCEPTED,
    tags=["passwords"],
    summary="Ask for a mail to set a forgotten password",
    responses=problems(TooManyTries) | NOTHING,
)
async def forgot(body: Forgotten, address: Address, commit: Commit, key: Linking, throttle: Throttling) -> None:
    """The answer is the same whether or not there is an account. The link of the mail is good for half an hour."""
    await throttle.asked(body.email, address)
    reset = new_link(key, "reset")
    asking = commit(
        lambda unit: ask_to_reset(unit, body.email, reset), wants=lambda unit: want_address(unit, body.email)
    )
    await unhurried(asking)


@router.post(
    "/v1/password-resets",
    status_code=status.HTTP_204_NO_CONTENT,
    tags=["passwords"],
    summary="Set a forgotten password",
    responses=problems(LinkSpent),
)
async def reset(body: PasswordReset, database: Database, commit: Commit, passwords: Hashing) -> None:
    """Use the link of a mail, once. It ends every session, and confirms the address: somebody reads mail there."""
    token = body.token.get_secret_value()
    account_id = await queries.account_of_link(database, token)
    if account_id is None:
        raise LinkSpent
    password_hash = await passwords.hashed(body.new_password.get_secret_value())

    def wants(unit: Accounts) -> None:
        unit.accounts.prefetch(account_id)
        unit.links.prefetch(hashed(token))

    await commit(lambda unit: reset_password(unit, hashed(token), account_id, password_hash), wants)
