"""Opening accounts, and confirming their addresses."""

from fastapi import Response, status
from uuid_utils.compat import uuid7

from chassis.http.auth import Customer
from chassis.http.errors import Forbidden, NotFound, Unauthenticated
from chassis.http.headers import sends
from chassis.http.openapi import NOTHING
from chassis.http.routing import new_router, problems
from customer_svc import queries
from customer_svc.api.needs import Address, new_link, unhurried
from customer_svc.commands.accounts import ask_to_verify, register_customer, verify_email, want_address
from customer_svc.container import Commit, Database, Hashing, Linking, Throttling
from customer_svc.domain.account import normalised
from customer_svc.domain.link import hashed
from customer_svc.dto.accounts import LinkToken, RegisteredOut, Registration
from customer_svc.errors import AskedJustNow, LinkSpent, TooManyTries, VerifiedAlready
from customer_svc.store import Accounts

router = new_router()


@router.post(
    "/v1/customers",
    status_code=status.HTTP_202_ACCEPTED,
    tags=["customers"],
    summary="Register a customer",
    responses=problems(TooManyTries) | sends(202, "Location"),
)
async def register(
    body: Registration,
    response: Response,
    address: Address,
    commit: Commit,
    passwords: Hashing,
    key: Linking,
    throttle: Throttling,
) -> RegisteredOut:
    """Open an account, if there is none with this address; log in with it at ``POST /v1/sessions``.

    The answer is the same whether or not there was an account. What happened stands in a mail: a link that
    confirms the address, or to the owner of the account that somebody wanted to register the address again.
    """
    await throttle.registering(address)
    password_hash = await passwords.hashed_for_newcomer(body.password.get_secret_value())
    account_id, verify = uuid7(), new_link(key, "verify")
    registering = commit(
        lambda unit: register_customer(unit, account_id, body.email, body.name, password_hash, verify, body.locale),
        wants=lambda unit: want_address(unit, body.email),
    )
    await unhurried(registering)
    response.headers["Location"] = "/v1/customers/me"
    return RegisteredOut(email=normalised(body.email))


@router.post(
    "/v1/customers/me/verification-mails",
    status_code=status.HTTP_202_ACCEPTED,
    tags=["customers"],
    summary="Ask for another mail that confirms the address",
    responses=problems(Unauthenticated, Forbidden, NotFound, VerifiedAlready, AskedJustNow) | NOTHING,
)
async def ask_for_mail(principal: Customer, commit: Commit, key: Linking) -> None:
    """For whoever has lost the mail that came after the registration, or was too slow for its link."""
    verify = new_link(key, "verify")
    await commit(
        lambda unit: ask_to_verify(unit, principal.id, verify),
        wants=lambda unit: unit.accounts.prefetch(principal.id),
    )


@router.post(
    "/v1/email-verifications",
    status_code=status.HTTP_204_NO_CONTENT,
    tags=["customers"],
    summary="Confirm an address",
    responses=problems(LinkSpent),
)
async def verify(body: LinkToken, database: Database, commit: Commit) -> None:
    """Use the link of a mail. Each can be used once, within two days."""
    token = body.token.get_secret_value()
    account_id = await queries.account_of_link(database, token)
    if account_id is None:
        raise LinkSpent

    def wants(unit: Accounts) -> None:
        unit.accounts.prefetch(account_id)
        unit.links.prefetch(hashed(token))

    await commit(lambda unit: verify_email(unit, hashed(token), account_id), wants)
