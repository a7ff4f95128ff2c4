"""The media type of a response."""

import pytest

from chassis.http.content_negotiation import EVENTS, prefers


@pytest.mark.parametrize(
    "accept",
    [
        *("text/event-stream", " Text/Event-Stream ; charset=utf-8", "text/*", "text/html, text/event-stream"),
        *("application/json;q=0.9, text/event-stream", "text/event-stream, */*;q=0.1", "*/*, application/json;q=0.2"),
    ],
)
def test_the_preferred_media_type_is_returned(accept: str) -> None:
    assert prefers(accept, EVENTS)


@pytest.mark.parametrize(
    "accept",
    [
        *("", "*/*", "application/json", "application/json, text/event-stream", "text/html", "text/event-stream;q=0"),
        *("text/event-stream;q=0.5, application/*", "text/*;q=0.5, */*", "text/*, text/event-stream;q=0"),
        # What is no Accept at all.
        *(f"text/event-stream;q={odd}" for odd in ("", "x", "-1", "nan", "1e9", "١", ".")),
        *(",", ";", "\x00", "text/event-stream/x", "x," * 5000 + "text/event-stream"),
    ],
)
def test_other_requests_get_the_default_media_type(accept: str) -> None:
    assert not prefers(accept, EVENTS)
