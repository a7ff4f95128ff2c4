"""What staff and ops read or do that is about somebody else goes to the security log."""

from typing import Any

from chassis.http.auth import Principal
from chassis.runtime.security_log import count_security_event, log_security_event


def log_access(principal: Principal, action: str, subject: Any = None, **details: Any) -> None:
    """Log that staff or ops read or changed something; customers reach their own data only, and are not logged.

    ``subject`` is the id of what it was about, if it was one thing.
    """
    if principal.role == "customer":
        return
    count_security_event(action, "granted")
    log_security_event(action, "granted", actor=principal.id, role=principal.role, subject=subject, **details)
