"""Traces continue those of their requests and events; noisy libraries log less."""

import logging

import pytest

from chassis.runtime.retry import backoff
from chassis.runtime.telemetry import Limit, continued

GIVEN = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_a_trace_goes_on_with_a_span_of_our_own() -> None:
    ours = continued(GIVEN).split("-")
    assert (ours[1], ours[3]) == ("4bf92f3577b34da6a3ce929d0e0e4736", "01")
    assert ours[2] != "00f067aa0ba902b7"


@pytest.mark.parametrize("given", [None, "", "nonsense", GIVEN.upper(), GIVEN[:-1], f"{GIVEN}-more"])
def test_a_malformed_trace_is_begun_anew(given: str | None) -> None:
    version, trace_id, span_id, flags = continued(given).split("-")
    assert (version, len(trace_id), len(span_id), flags) == ("00", 32, 16, "01")
    assert trace_id != "4bf92f3577b34da6a3ce929d0e0e4736"


def logged(name: str, text: str) -> logging.LogRecord:
    return logging.LogRecord(name, logging.WARNING, __file__, 1, text, (), None)


def test_a_library_that_repeats_itself_is_held_back() -> None:
    limit = Limit()
    passed = [limit.filter(logged("aiokafka.conn", "cannot connect")) for _ in range(1000)]
    assert passed.count(True) == 1
    assert limit.filter(logged("aiokafka.conn", "something else"))
    limit.seconds = 0.0
    again = logged("aiokafka.conn", "cannot connect")
    assert limit.filter(again)
    assert again.getMessage() == "cannot connect (and 999 more like this)"


def test_our_own_records_all_pass() -> None:
    limit = Limit()
    assert all(limit.filter(logged("order_svc", "same")) for _ in range(10))


def test_pauses_grow_to_a_bound_and_differ() -> None:
    pauses = [pause for pause, _ in zip(backoff(1.0, 8.0), range(20), strict=False)]
    assert all(0.5 <= pause <= 8.0 for pause in pauses)
    assert all(pause >= 4.0 for pause in pauses[4:])
    assert len(set(pauses)) == 20
