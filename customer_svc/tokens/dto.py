"""Bodies of the public keys of access tokens."""

from typing import Annotated, Literal

from pydantic import Field

from chassis.http.bodies import ResponseBody


class KeyOut(ResponseBody):
    """A public key (RFC 8037)."""

    kid: Annotated[str, Field(examples=["kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"])]
    kty: Literal["OKP"]
    crv: Literal["Ed25519"]
    x: Annotated[str, Field(examples=["11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"])]
    use: Literal["sig"]
    alg: Literal["Ed25519"]


class KeysOut(ResponseBody):
    """The public keys that verify access tokens."""

    keys: list[KeyOut]
