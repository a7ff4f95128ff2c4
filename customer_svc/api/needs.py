"""What the routes ask for."""

import asyncio
from collections.abc import Awaitable
from typing import Annotated, Any

from fastapi import Depends, Request
from pydantic import SecretStr
from uuid_utils.compat import uuid7

from chassis.link_tokens import Purpose, link_token
from customer_svc.domain.link import NewLink, hashed


async def _address(request: Request) -> str:
    # Behind a proxy that uvicorn was told to trust (FORWARDED_ALLOW_IPS), this is the client's.
    return request.client.host if request.client else ""


Address = Annotated[str, Depends(_address)]
"""From where the request comes."""


async def _bearer(request: Request) -> str:
    return request.headers["authorization"]


OwnName = Annotated[str, Depends(_bearer)]
"""The ``Authorization`` of whoever has been let in, to ask others in their name."""

ANSWER_SECONDS = 0.1
"""An answer that must not tell whether there is an account takes at least so long: what is done for it differs."""


async def unhurried(work: Awaitable[Any]) -> None:
    """Wait for work, and for ``ANSWER_SECONDS``."""
    await asyncio.gather(work, asyncio.sleep(ANSWER_SECONDS))


def new_link(key: SecretStr, purpose: Purpose) -> NewLink:
    """A link for a mail. Its token is forgotten here at once; the service that mails it makes it again."""
    link_id = uuid7()
    return NewLink(link_id, hashed(link_token(key, purpose, link_id)))
