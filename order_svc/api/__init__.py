"""The routes of order_svc, by noun."""

from chassis.http.routing import new_router
from order_svc.api import amending, exports, fulfilment, history, orders, sagas, timelines

hot = orders.hot
router = new_router()
# The stream before what is there for everybody else.
for _part in (
    timelines.streamed,
    *(part.router for part in (orders, history, timelines, exports, amending, fulfilment, sagas)),
):
    # As they are, for the reason that chassis.rest.create_app gives.
    router.routes.extend(_part.routes)
