"""Whether the mail server takes our mails, for those who are alerted: said when it changes, not for each mail."""

import structlog
from prometheus_client import Counter, Gauge

from notifier_svc.delivery.smtp_replies import About

log = structlog.get_logger()

REFUSALS = Counter("shop_mail_refusals", "Mails that a mail server refused, by whom the reply is about", ["about"])
REFUSES_US = Gauge("shop_mail_server_refuses", "1 while the mail server refuses us, or cannot be reached; else 0")


class ServerStatus:
    """What the connections of this process have last learned of the mail server."""

    def __init__(self) -> None:
        self._refuses = False
        REFUSES_US.set(0)

    def refused(self, about: About) -> None:
        """Count a refusal."""
        REFUSALS.labels(about).inc()

    def refuses_us(self, reason: str) -> None:
        """No mail of ours is taken; ``reason`` is without addresses."""
        REFUSES_US.set(1)
        if not self._refuses:
            self._refuses = True
            log.error("the mail server refuses us", why=reason)

    def accepts(self) -> None:
        """A mail was taken."""
        if self._refuses:
            self._refuses = False
            REFUSES_US.set(0)
            log.info("the mail server accepts mails again")
