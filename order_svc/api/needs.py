"""What the routes ask for."""

from uuid import UUID

from chassis.http.auth import Principal


def owner(principal: Principal) -> UUID | None:
    """Whose orders somebody may see: their own, and staff everybody's (None)."""
    return None if principal.role == "staff" else principal.id
