"""The errors that clients of notifier_svc can get."""

from collections.abc import Mapping
from typing import Any, ClassVar

from chassis.http.errors import Conflict, NotFound


class NotificationNotFound(NotFound):
    """The notification does not exist."""

    code = "notification_not_found"


class SuppressionNotFound(NotFound):
    """The address is not suppressed, or no longer."""

    code = "suppression_not_found"


class MailInProgress(Conflict):
    """The mail is still being delivered; only a mail in a final state can be sent again."""

    code = "mail_in_progress"
    example: ClassVar[Mapping[str, Any]] = {"state": "queued"}


class MailNotResendable(Conflict):
    """The mail cannot be sent again, or not to this address: it is about an account, or its customer was erased."""

    code = "mail_not_resendable"


class MailLinkExpired(Conflict):
    """The link in the mail has expired: the customer can request another."""

    code = "mail_link_expired"
