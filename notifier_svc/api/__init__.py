"""The routes of notifier_svc, by noun."""

from chassis.http.routing import new_router
from notifier_svc.api import exports, notifications, suppressions

router = new_router()
for _part in (notifications, exports, suppressions):
    # As they are, for the reason that chassis.rest.create_app gives.
    router.routes.extend(_part.router.routes)
