"""What the routes ask for."""

from typing import Annotated

from pydantic import SecretStr
from uuid_utils.compat import uuid7

from chassis.auth import Issuer
from chassis.groupcommit import GroupCommit
from chassis.links import Purpose, link_token
from chassis.rest import state
from chassis.sql import Postgres
from customer_svc.domain.link import NewLink, hashed
from customer_svc.passwords import Passwords
from customer_svc.store import Accounts

Commit = Annotated[GroupCommit[Accounts], state("commit")]
Database = Annotated[Postgres, state("database")]
Hashing = Annotated[Passwords, state("passwords")]
Issuing = Annotated[Issuer, state("issuer")]
Linking = Annotated[SecretStr, state("link_key")]


def new_link(key: SecretStr, purpose: Purpose) -> NewLink:
    """A link for a mail. Its token is forgotten here at once; the service that mails it makes it again."""
    link_id = uuid7()
    return NewLink(link_id, hashed(link_token(key, purpose, link_id)))
