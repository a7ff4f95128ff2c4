"""What other services need to check access tokens."""

from chassis.http.revoked_tokens import FILE, RevokedTokensOut
from chassis.http.routing import new_router
from customer_svc.container import Revocations, TokenIssuer
from customer_svc.tokens.dto import KeysOut

router = new_router()


@router.get("/.well-known/jwks.json", tags=["keys"], summary="Read the public keys of access tokens (RFC 7517)")
async def read_keys(issuer: TokenIssuer) -> KeysOut:
    """The keys with which the other services verify access tokens; there can be several while keys are rotated."""
    return KeysOut.model_validate(issuer.jwks())


@router.get(f"/.well-known/{FILE}", tags=["keys"], summary="Read which access tokens were revoked")
async def read_revoked_tokens(revocations: Revocations) -> RevokedTokensOut:
    """What revokes access tokens that have not expired: the other services read it every few seconds.

    A token is revoked if its session (`sid`) is in `sessions`, or if its `epoch` is lower than that of its account
    (`sub`) in `accounts`. Both are named by digests: the first 32 hexadecimal digits of the SHA-256 of the id's 16
    bytes.
    """
    return await revocations.read()
