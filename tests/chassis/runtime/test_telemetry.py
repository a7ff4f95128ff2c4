"""Traces continue those of their requests and events; noisy libraries log less; people can read the logs."""

import asyncio
import logging
import re
import sys

from chassis.runtime.retry import backoff
from chassis.runtime.telemetry import Limit, _with_trace, traced

GIVEN = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


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


LOGGING = """
import logging, structlog
from chassis.runtime.telemetry import configure_logging

for level, access_log in (("INFO", False), ("DEBUG", False), ("ERROR", False), ("WARNING", True)):
    configure_logging("order_svc", level, "console", access_log=access_log)
    print(level, access_log, logging.getLogger("access").isEnabledFor(logging.INFO))
access = structlog.get_logger("access")
access.info("request", method="POST", route="/v1/orders", status=202, ms=6.4)
access.warning("request", method="GET", route="unmatched", status=503, ms=0.1)
try:
    1 / 0
except ZeroDivisionError as error:
    structlog.get_logger().error("failed", exc_info=error)
"""


async def test_people_read_a_line_for_each_request_where_it_is_asked_for() -> None:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", LOGGING, stdout=pipe, stderr=pipe)
    written, wrong = await process.communicate()
    levels, lines = written.decode().splitlines()[:4], written.decode().splitlines()[4:]
    assert levels == ["INFO False False", "DEBUG False True", "ERROR False False", "WARNING True True"]
    at = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z"
    assert re.fullmatch(rf"{at} \[info     \] POST /v1/orders 202 6\.4 ms +service=order_svc", lines[0])
    assert re.fullmatch(rf"{at} \[warning  \] GET unmatched 503 0\.1 ms +service=order_svc", lines[1])
    assert lines[-1].startswith("ZeroDivisionError")
    assert b"\x1b" not in written, "no colours in a file"
    assert wrong == b""


async def test_what_is_logged_carries_the_trace_of_the_work_and_nothing_of_it_later() -> None:
    def trace_id() -> object:
        return _with_trace(None, "", {}).get("trace_id")

    with traced(GIVEN):
        assert trace_id() == GIVEN.split("-")[1]
        with traced(None):
            assert trace_id() is None
        assert trace_id() == GIVEN.split("-")[1]
    assert trace_id() is None
