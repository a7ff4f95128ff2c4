"""What a client of notifier_svc can get wrong."""

from chassis.errors import NotFound


class NotificationUnknown(NotFound):
    """There is no such notification."""

    code = "notification_unknown"
