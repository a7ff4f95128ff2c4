"""The rules of links, without any I/O."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from uuid_utils.compat import uuid7

from customer_svc.links.domain import VALIDITY, NewLink, hash_token

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LINK = NewLink(UUID(int=7), "hash of a token").issue(UUID(int=1), "verify", NOW)


def test_a_link_can_be_used_once_for_its_purpose_until_it_expires() -> None:
    used = LINK.use("verify", NOW)
    assert used == replace(LINK, used_at=NOW)
    assert used.use("verify", NOW) is None
    assert LINK.use("reset", NOW) is None
    assert LINK.use("verify", NOW + VALIDITY["verify"]) is None


def test_a_link_says_when_it_was_made_however_long_it_is_valid() -> None:
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    link = NewLink(uuid7(), "hash").issue(UUID(int=1), "revert", NOW, validity=timedelta(days=30))
    assert before <= link.made_at <= datetime.now(UTC)


def test_the_hash_of_a_token_does_not_reveal_it() -> None:
    assert hash_token("token") == hash_token("token") != hash_token("tokem")
    assert "token" not in hash_token("token")
