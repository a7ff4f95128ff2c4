"""Counts the connections to MongoDB that are in use: the driver does not say."""

from pymongo import monitoring

from chassis.runtime.telemetry import POOL_IN_USE

_IN_USE = POOL_IN_USE.labels("mongo")


class PoolUse(monitoring.ConnectionPoolListener):
    """Is notified by the pools of one client. A connection that is closed while it is in use is checked in before."""

    def connection_checked_out(self, event: monitoring.ConnectionCheckedOutEvent) -> None:  # noqa: ARG002
        """One more is in use."""
        _IN_USE.inc()

    def connection_checked_in(self, event: monitoring.ConnectionCheckedInEvent) -> None:  # noqa: ARG002
        """One less is in use."""
        _IN_USE.dec()

    def pool_created(self, event: monitoring.PoolCreatedEvent) -> None:
        """Of no interest."""

    def pool_ready(self, event: monitoring.PoolReadyEvent) -> None:
        """Of no interest."""

    def pool_cleared(self, event: monitoring.PoolClearedEvent) -> None:
        """Of no interest."""

    def pool_closed(self, event: monitoring.PoolClosedEvent) -> None:
        """Of no interest."""

    def connection_created(self, event: monitoring.ConnectionCreatedEvent) -> None:
        """Of no interest."""

    def connection_ready(self, event: monitoring.ConnectionReadyEvent) -> None:
        """Of no interest."""

    def connection_closed(self, event: monitoring.ConnectionClosedEvent) -> None:
        """Of no interest."""

    def connection_check_out_started(self, event: monitoring.ConnectionCheckOutStartedEvent) -> None:
        """Of no interest."""

    def connection_check_out_failed(self, event: monitoring.ConnectionCheckOutFailedEvent) -> None:
        """Of no interest."""
