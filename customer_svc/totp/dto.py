"""Bodies of one-time codes."""

from typing import Annotated

from pydantic import Field

from chassis.http.bodies import RequestBody, ResponseBody
from customer_svc.accounts.dto import Password, Secret
from schemas.values import Text

Code = Annotated[
    Secret,
    Field(
        min_length=6,
        max_length=40,
        examples=["492039"],
        description="a one-time code of six digits, or a recovery code",
    ),
]


class TotpCredentials(RequestBody):
    """What an account logs in with, without a code."""

    email: Annotated[Text, Field(max_length=254, examples=["ada@example.com"])]
    password: Password


class TotpProof(TotpCredentials):
    """What an account logs in with, and a code."""

    code: Code


class TotpSecretOut(ResponseBody):
    """The secret for an authenticator app. It is shown once."""

    secret: Annotated[str, Field(description="in Base32, to type in", examples=["JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"])]
    uri: Annotated[
        str,
        Field(
            description="for a QR code",
            examples=[
                "otpauth://totp/Shopstream:ada%40example.com?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
                "&issuer=Shopstream&digits=6&period=30"
            ],
        ),
    ]


class RecoveryCodesOut(ResponseBody):
    """Codes that each work once in place of a one-time code. They are shown once; keep them somewhere else."""

    recovery_codes: Annotated[list[str], Field(examples=[["mfrg-gzdf-mztw-q2lk"]])]
