"""The routes of customer_svc, by noun."""

from chassis.http.routing import new_router
from customer_svc.api import accounts, passwords, profile, sessions, staff, standing

router = new_router()
# Staff last: what is said of "me" is not to be looked for among the ids.
for _part in (accounts, sessions, passwords, profile, standing, staff):
    # As they are, for the reason that chassis.rest.create_app gives.
    router.routes.extend(_part.router.routes)
