"""What a client of notifier_svc can get wrong."""

from collections.abc import Mapping
from typing import Any, ClassVar

from chassis.http.errors import Conflict, NotFound


class NotificationUnknown(NotFound):
    """There is no such notification."""

    code = "notification_unknown"


class SuppressionUnknown(NotFound):
    """No such address is suppressed, or not any more."""

    code = "suppression_unknown"


class NotEnded(Conflict):
    """This mail is still on its way; only what has ended is sent again."""

    code = "mail_not_ended"
    example: ClassVar[Mapping[str, Any]] = {"state": "queued"}


class NotResendable(Conflict):
    """This mail is not sent again: it is about an account (whose customer asks for another), or was forgotten."""

    code = "mail_not_resendable"
