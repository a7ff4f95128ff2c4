"""Registration, and verification of e-mail addresses."""

from fastapi import Response, status
from uuid_utils.compat import uuid7

from chassis.email_address import normalised_email
from chassis.http.headers import sends
from chassis.http.routing import new_router, problems
from customer_svc.accounts.response_timing import with_minimum_duration
from customer_svc.audit_log.recording import audited
from customer_svc.container import ClientAddress, Commit, LinkKey, PasswordHasher, Throttle
from customer_svc.errors import TooManyAttempts
from customer_svc.links.domain import new_link
from customer_svc.links.link_check import Links
from customer_svc.registration.commands import RegisterAccount, VerifyEmail
from customer_svc.registration.domain import Owner
from customer_svc.registration.dto import EmailVerification, OwnerIn, RegisteredOut, Registration

router = new_router()


@router.post(
    "/v1/customers",
    status_code=status.HTTP_202_ACCEPTED,
    tags=["customers"],
    summary="Register a customer",
    responses=problems(TooManyAttempts) | sends(202, "Location"),
)
async def register_customer(
    body: Registration,
    response: Response,
    client_address: ClientAddress,
    commit: Commit,
    hasher: PasswordHasher,
    key: LinkKey,
    throttle: Throttle,
) -> RegisteredOut:
    """Open an account, unless there is one with this e-mail address.

    The response is the same in both cases. A mail says what happened: it has a link that verifies the address of a
    new account, or warns the owner of an existing one that somebody tried to register the address again. Log in at
    `POST /v1/sessions` once the address is verified. If the mail is lost, register again: as long as the address is
    not verified, that sends another link, at most one within an hour.
    """
    await throttle.registration(client_address)
    password_hash = await hasher.hash_for_registration(body.password.get_secret_value())
    account_id, verify = uuid7(), new_link(uuid7(), "verify", key)
    command = RegisterAccount(account_id, body.email, body.name, password_hash, verify, body.locale)
    await with_minimum_duration(commit(command))
    response.headers["Location"] = "/v1/customers/me"
    return RegisteredOut(email=normalised_email(body.email))


@router.post(
    "/v1/email-verifications",
    status_code=status.HTTP_204_NO_CONTENT,
    tags=["customers"],
    summary="Verify an e-mail address",
    responses=problems(*VerifyEmail.errors, TooManyAttempts),
    dependencies=[audited("email.verify")],
)
async def verify_email(
    body: EmailVerification,
    links: Links,
    commit: Commit,
    hasher: PasswordHasher,
) -> None:
    """Use the link of a mail. It can be used once, within two days.

    If the address was registered more than once, send the name and password that the account is to have: nobody knows
    which of the registrations was yours.
    """
    async with links.link(body.token, "verify") as link:
        owner = await _owner(body.owner, hasher) if body.owner else None
        await commit(VerifyEmail(link.account_id, link.token_hash, owner))


async def _owner(given: OwnerIn, hasher: PasswordHasher) -> Owner:
    return Owner(given.name, await hasher.hash_for_link(given.password.get_secret_value()))
