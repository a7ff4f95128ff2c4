"""The routes of customer_svc, by noun."""

from chassis.rest import new_router
from customer_svc.api import accounts, passwords, profile, sessions, standing

router = new_router()
for _part in (accounts.router, sessions.router, passwords.router, profile.router, standing.router):
    # As they are, for the reason that chassis.rest.create_app gives.
    router.routes.extend(_part.routes)
