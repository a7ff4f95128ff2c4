"""One-time codes: enrolment, confirmation and removal.

The requests carry the password and not an access token: who has only a stolen token must not be able to lock the
owner out, and staff who may not log in without codes can still enrol.
"""

import secrets
from uuid import UUID

from fastapi import status

from chassis.http.auth import Ops
from chassis.http.errors import Forbidden, Unauthenticated
from chassis.http.ops_actions import Reason
from chassis.http.routing import new_router, problems
from customer_svc.accounts.password_check import Check
from customer_svc.audit_log.recording import RequestAudit, audited
from customer_svc.container import Commit
from customer_svc.errors import TooManyAttempts
from customer_svc.totp.commands import ConfirmTotp, EnrolTotp, RemoveTotp, RemoveTotpForOwner
from customer_svc.totp.domain import (
    RECOVERY_BYTES,
    RECOVERY_CODES,
    SECRET_BYTES,
    encode_recovery_code,
    encode_secret,
)
from customer_svc.totp.dto import RecoveryCodesOut, TotpCredentials, TotpProof, TotpSecretOut

router = new_router()


@router.post(
    "/v1/totp/enrolments",
    status_code=status.HTTP_201_CREATED,
    tags=["one-time codes"],
    summary="Begin to use one-time codes",
    responses=problems(*EnrolTotp.errors, TooManyAttempts),
    dependencies=[audited("totp.enrol")],
)
async def enrol_totp(body: TotpCredentials, check: Check, commit: Commit) -> TotpSecretOut:
    """Get the secret for an authenticator app (TOTP, RFC 6238). It counts once it is confirmed with a code."""
    async with check.account(body.email, body.password.get_secret_value()) as account:
        secret = encode_secret(secrets.token_bytes(SECRET_BYTES))
        totp = await commit(EnrolTotp(account.id, account.password_hash, secret))
        return TotpSecretOut(secret=totp.secret, uri=totp.uri(account.email))


@router.post(
    "/v1/totp/confirmations",
    tags=["one-time codes"],
    summary="Confirm one-time codes with a first one",
    responses=problems(*ConfirmTotp.errors, TooManyAttempts),
    dependencies=[audited("totp.confirm")],
)
async def confirm_totp(body: TotpProof, check: Check, commit: Commit) -> RecoveryCodesOut:
    """From now on, every log-in needs a code. This ends every session: log in again."""
    async with check.account(body.email, body.password.get_secret_value()) as account:
        codes = [encode_recovery_code(secrets.token_bytes(RECOVERY_BYTES)) for _ in range(RECOVERY_CODES)]
        await commit(ConfirmTotp(account.id, account.password_hash, body.code.get_secret_value(), codes))
        return RecoveryCodesOut(recovery_codes=codes)


@router.post(
    "/v1/totp/removals",
    status_code=status.HTTP_204_NO_CONTENT,
    tags=["one-time codes"],
    summary="Stop using one-time codes",
    responses=problems(*RemoveTotp.errors, TooManyAttempts),
    dependencies=[audited("totp.remove")],
)
async def remove_totp(body: TotpProof, check: Check, commit: Commit) -> None:
    """Log-ins need no code any more. The secret and the recovery codes are deleted."""
    async with check.account(body.email, body.password.get_secret_value()) as account:
        await commit(RemoveTotp(account.id, account.password_hash, body.code.get_secret_value()))


@router.post(
    "/v1/accounts/{account_id}/totp-removals",
    status_code=status.HTTP_204_NO_CONTENT,
    tags=["ops"],
    summary="Remove the one-time codes of an account",
    responses=problems(Unauthenticated, Forbidden, *RemoveTotpForOwner.errors),
    dependencies=[audited("totp.remove")],
)
async def remove_totp_for_owner(
    account_id: UUID, body: Reason, _ops: Ops, commit: Commit, audit: RequestAudit
) -> None:
    """For somebody who has lost the app and the recovery codes. This ends every session of the account."""
    audit.why = body.why
    await commit(RemoveTotpForOwner(account_id))
