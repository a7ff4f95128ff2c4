"""What a key is taken for."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from ops.errors import CannotDo
from ops.trace import Key, parse_key
from ops.trace.keys import time_of

ID = "019b7c61-0000-7000-8000-00009395c3f3"
TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (ID, Key("id", ID)),
        (f" {ID.upper()}\n", Key("id", ID)),
        (TRACE_ID, Key("trace_id", TRACE_ID)),
        (f"00-{TRACE_ID}-00f067aa0ba902b7-01", Key("trace_id", TRACE_ID)),
        ("Ada@example.com", Key("email", "Ada@example.com")),
    ],
)
def test_a_key_is_recognised_by_its_form(text: str, key: Key) -> None:
    assert parse_key(text) == key


@pytest.mark.parametrize("text", ["", "4711", "Ada Lovelace", "ada@", "ada@b@c", ID[:-1], TRACE_ID[:-1], f"{ID}0"])
def test_anything_else_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(CannotDo) as refused:
        parse_key(text)
    assert text not in str(refused.value) or not text


def test_an_id_of_version_7_has_a_time() -> None:
    assert time_of(UUID(ID)) == datetime(2026, 1, 2, 1, 44, 50, 432_000, UTC)
    assert time_of(UUID("9f86d081-884c-4d65-9a2f-eaa0c55ad015")) is None
