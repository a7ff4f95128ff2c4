"""Times in documents: microseconds since 1970, since MongoDB's own dates are cut to milliseconds."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_micros(moment: datetime) -> int:
    """The microseconds from 1970 to a time."""
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def from_micros(micros: int) -> datetime:
    """The time that is this many microseconds after 1970."""
    return _EPOCH + timedelta(microseconds=micros)
