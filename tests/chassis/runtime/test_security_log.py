"""The security log: one line an event, counters for alerts, and a limit for clients that are not authenticated."""

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs
from uuid_utils.compat import uuid7

from chassis.http.access_log import log_access
from chassis.http.auth import Principal, Role
from chassis.runtime.security_log import LineLimit, count_security_event


def test_a_source_and_all_together_have_a_limit_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("chassis.runtime.security_log.time.monotonic", lambda: now)
    limit = LineLimit(per_source=2, overall=5)
    assert [limit.admits("a") for _ in range(4)] == [True, True, False, False]
    assert [limit.admits(source) for source in ("b", "c", "d", "e")] == [True, True, True, False]
    now += 60
    with capture_logs() as logs:
        assert limit.admits("a")
    assert logs == [{"event": "lines suppressed", "logger": "security", "lines": 3, "log_level": "warning"}]


@pytest.mark.parametrize("role", ["staff", "ops"])
def test_what_staff_and_ops_reach_of_others_is_logged_and_counted(role: Role) -> None:
    actor, order_id = uuid7(), uuid7()
    labels = {"action": "order.read", "outcome": "granted", "reason": ""}
    before = REGISTRY.get_sample_value("shop_security_events_total", labels) or 0
    with capture_logs() as logs:
        log_access(Principal(actor, role), "order.read", order_id)
    assert logs == [
        {
            **{"event": "order.read", "logger": "security", "outcome": "granted", "log_level": "info"},
            **{"actor": str(actor), "role": role, "subject": str(order_id)},
        }
    ]
    assert REGISTRY.get_sample_value("shop_security_events_total", labels) == before + 1


def test_customers_reach_their_own_data_which_is_not_logged() -> None:
    with capture_logs() as logs:
        log_access(Principal(uuid7(), "customer"), "order.read", uuid7())
    assert logs == []


def test_reasons_are_counted_for_alerts() -> None:
    labels = {"action": "session.open", "outcome": "refused", "reason": "too_many_attempts"}
    before = REGISTRY.get_sample_value("shop_security_events_total", labels) or 0
    count_security_event("session.open", "refused", "too_many_attempts")
    assert REGISTRY.get_sample_value("shop_security_events_total", labels) == before + 1
