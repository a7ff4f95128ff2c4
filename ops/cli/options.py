"""The options that several commands have, each declared once."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import typer

from ops.platform import GROUPS
from schemas import CATALOGUE, TOPICS

PLATFORM = "Platform (default: what make run has started here)"
"""The heading in the help above the options that say where the platform is."""
EVENT_TYPES = sorted({type_ for type_, _ in CATALOGUE})
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def _one_of(known: Sequence[str], what: str) -> Callable[[str], str]:
    """A parser that takes only known names."""

    def parse(text: str) -> str:
        if text in known:
            return text
        near = get_close_matches(text, known, 1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
        raise typer.BadParameter(f"there is no {what} {text!r}: {hint}")

    return parse


def _completing(known: Sequence[str]) -> Callable[[str], list[str]]:
    return lambda incomplete: [one for one in known if one.startswith(incomplete)]


def moment(text: str) -> datetime:
    """A point in time: RFC 3339, UTC where there is no offset, or how long ago: 90s, 15m, 2h, 3d, 1w."""
    number, unit = text[:-1], text[-1:]
    try:
        if unit in _UNITS and number.isdecimal():
            return datetime.now(UTC) - timedelta(**{_UNITS[unit]: int(number)})
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise typer.BadParameter(f"{text!r} is no time: write 2026-11-20T08:00Z, or 90s, 15m, 2h, 3d ago") from None


# --- Where the platform is: every command has these, see ops/cli/command.py.

CustomerUrl = Annotated[
    str | None, typer.Option(envvar="CUSTOMER_URL", help="Base URL of customer_svc.", rich_help_panel=PLATFORM)
]
ProductUrl = Annotated[
    str | None, typer.Option(envvar="PRODUCT_URL", help="Base URL of product_svc.", rich_help_panel=PLATFORM)
]
OrderUrl = Annotated[
    str | None, typer.Option(envvar="ORDER_URL", help="Base URL of order_svc.", rich_help_panel=PLATFORM)
]
NotifierUrl = Annotated[
    str | None, typer.Option(envvar="NOTIFIER_URL", help="Base URL of notifier_svc.", rich_help_panel=PLATFORM)
]
Kafka = Annotated[
    str | None,
    typer.Option(
        envvar="KAFKA_BOOTSTRAP_SERVERS", metavar="HOST:PORT", help="Kafka brokers.", rich_help_panel=PLATFORM
    ),
]
KafkaPrefix = Annotated[
    str | None,
    typer.Option(envvar="KAFKA_PREFIX", help="Prefix of every topic and group.", rich_help_panel=PLATFORM),
]
Email = Annotated[
    str | None,
    typer.Option(
        envvar="OPS_EMAIL",
        help="An account with the role ops; its password is OPS_PASSWORD.",
        rich_help_panel=PLATFORM,
    ),
]
StaffEmail = Annotated[
    str | None,
    typer.Option(
        envvar="STAFF_EMAIL",
        help="An account with the role staff; its password is STAFF_PASSWORD.",
        rich_help_panel=PLATFORM,
    ),
]
Home = Annotated[
    Path | None,
    typer.Option(envvar="SHOP_HOME", help="Directory of `make run` (default .local).", rich_help_panel=PLATFORM),
]

# --- The answer, and changes

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document, for programs.")]


def _reason(text: str) -> str:
    if not 1 <= len(text.strip()) <= 500:
        raise typer.BadParameter("a reason has 1 to 500 characters")
    return text.strip()


def _request_id(text: str) -> str:
    if not re.fullmatch(r"[\x21-\x7e]{1,255}", text):
        raise typer.BadParameter("an id has 1 to 255 visible ASCII characters")
    return text


Why = Annotated[str, typer.Option("--why", parser=_reason, metavar="TEXT", help="The reason; it is recorded.")]
OptionalWhy = Annotated[
    str | None, typer.Option("--why", parser=_reason, metavar="TEXT", help="The reason; it is recorded.")
]
RequestId = Annotated[
    str,
    typer.Option(
        "--request-id",
        parser=_request_id,
        default_factory=lambda: str(uuid4()),
        show_default="new",
        metavar="ID",
        help="The Idempotency-Key of the request. The id of an earlier request repeats it: nothing happens twice.",
    ),
]

# --- Which group, which events


def _trace(text: str) -> str:
    """The id in a trace id or a traceparent."""
    if found := re.fullmatch(r"(?:[0-9a-f]{2}-)?([0-9a-f]{32})(?:-[0-9a-f]{16}-[0-9a-f]{2})?", text.lower()):
        return found[1]
    raise typer.BadParameter(f"{text!r} is no trace id: it has 32 hex digits")


Group = Annotated[
    str,
    typer.Argument(
        parser=_one_of([*GROUPS], "group"), autocompletion=_completing([*GROUPS]), metavar="GROUP",
        help="A consumer group, without the prefix: order_svc.",
    ),
]  # fmt: skip
GroupFilter = Annotated[
    str | None,
    typer.Option(
        "--group", parser=_one_of([*GROUPS], "group"), autocompletion=_completing([*GROUPS]), metavar="GROUP",
        help="Only this consumer group, without the prefix: order_svc.",
    ),
]  # fmt: skip


def one_topic(help_text: str) -> Any:
    """The option ``--topic`` of a command that takes one."""
    return typer.Option(
        "--topic",
        parser=_one_of(TOPICS, "topic"),
        autocompletion=_completing(TOPICS),
        metavar="TOPIC",
        help=help_text,
    )


complete_event_type = _completing(EVENT_TYPES)


def one_type(help_text: str) -> Any:
    """The option ``--type`` of a command that takes one."""
    parser = _one_of(EVENT_TYPES, "event type")
    return typer.Option("--type", parser=parser, autocompletion=complete_event_type, metavar="TYPE", help=help_text)


TopicFilter = Annotated[
    list[str] | None,
    typer.Option(
        "--topic", parser=_one_of(TOPICS, "topic"), autocompletion=_completing(TOPICS), metavar="TOPIC",
        help="Only this topic, without the prefix: order.events. Can be repeated.",
    ),
]  # fmt: skip
TypeFilter = Annotated[
    list[str] | None,
    typer.Option(
        "--type", parser=_one_of(EVENT_TYPES, "event type"), autocompletion=_completing(EVENT_TYPES), metavar="TYPE",
        help="Only events of this type: order.placed. Can be repeated.",
    ),
]  # fmt: skip
KeyFilter = Annotated[
    str | None, typer.Option("--key", metavar="KEY", help="Only events with this key: the id of an order, a SKU.")
]
TraceFilter = Annotated[
    str | None,
    typer.Option("--trace", parser=_trace, metavar="ID", help="Only events of this trace: 32 hex digits."),
]
Since = Annotated[
    datetime | None,
    typer.Option("--since", parser=moment, metavar="TIME", help="From this time on: 2026-11-20T08:00Z, or 2h (ago)."),
]
Until = Annotated[
    datetime | None, typer.Option("--until", parser=moment, metavar="TIME", help="Before this time; see --since.")
]
