"""Registration, and verification of e-mail addresses."""

from fastapi import Response, status
from uuid_utils.compat import uuid7

from chassis.http.auth import Customer
from chassis.http.errors import Forbidden, Unauthenticated
from chassis.http.headers import sends
from chassis.http.openapi import NOTHING
from chassis.http.routing import new_router, problems
from customer_svc.accounts.domain import normalised_email
from customer_svc.accounts.response_timing import with_minimum_duration
from customer_svc.container import ClientAddress, Commit, Database, LinkKey, PasswordHasher, Throttle
from customer_svc.errors import LinkInvalid, TooManyAttempts
from customer_svc.links.domain import hash_token, new_link
from customer_svc.links.queries import account_id_of_link
from customer_svc.registration.commands import RegisterAccount, RequestVerificationMail, VerifyEmail
from customer_svc.registration.dto import EmailVerification, RegisteredOut, Registration

router = new_router()


@router.post(
    "/v1/customers",
    status_code=status.HTTP_202_ACCEPTED,
    tags=["customers"],
    summary="Register a customer",
    responses=problems(TooManyAttempts) | sends(202, "Location"),
)
async def register(
    body: Registration,
    response: Response,
    client_address: ClientAddress,
    commit: Commit,
    hasher: PasswordHasher,
    key: LinkKey,
    throttle: Throttle,
) -> RegisteredOut:
    """Open an account, unless there is one with this e-mail address; log in at `POST /v1/sessions`.

    The response is the same in both cases. A mail says what happened: it has a link that verifies the address of a
    new account, or warns the owner of an existing one that somebody tried to register the address again.
    """
    await throttle.registration(client_address)
    password_hash = await hasher.hash_for_registration(body.password.get_secret_value())
    account_id, verify = uuid7(), new_link(uuid7(), "verify", key)
    command = RegisterAccount(account_id, body.email, body.name, password_hash, verify, body.locale)
    await with_minimum_duration(commit(command))
    response.headers["Location"] = "/v1/customers/me"
    return RegisteredOut(email=normalised_email(body.email))


@router.post(
    "/v1/customers/me/verification-mails",
    status_code=status.HTTP_202_ACCEPTED,
    tags=["customers"],
    summary="Request another verification mail",
    responses=problems(Unauthenticated, Forbidden, *RequestVerificationMail.errors) | NOTHING,
)
async def request_verification_mail(principal: Customer, commit: Commit, key: LinkKey) -> None:
    """Request a mail with a new link, if the one that was sent after the registration is lost or has expired."""
    await commit(RequestVerificationMail(principal.id, new_link(uuid7(), "verify", key)))


@router.post(
    "/v1/email-verifications",
    status_code=status.HTTP_204_NO_CONTENT,
    tags=["customers"],
    summary="Verify an e-mail address",
    responses=problems(*VerifyEmail.errors),
)
async def verify(body: EmailVerification, database: Database, commit: Commit) -> None:
    """Use the link of a mail. It can be used once, within two days."""
    token = body.token.get_secret_value()
    account_id = await account_id_of_link(database, token)
    if account_id is None:
        raise LinkInvalid
    await commit(VerifyEmail(account_id, hash_token(token)))
