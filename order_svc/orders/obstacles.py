"""Why a transition of an order is not allowed, as people say it."""

from collections.abc import Mapping

SITUATIONS: Mapping[str, str] = {
    "PENDING": "its stock is not decided yet",
    "CONFIRMED": "nothing has been shipped yet",
    "REJECTED": "it has been rejected",
    "CANCELLED": "it has been cancelled",
    "SHIPPED": "parcels are under way",
    "DELIVERED": "it has been delivered",
    "UNDELIVERED": "none of its parcels arrived",
}
"""State → why its transitions do not include one."""

AMENDED = "an amendment is waiting for its stock"
"""Why a guard does not hold while one does."""
LOST = "what is left to ship was lost in the warehouse"
"""Why nothing can be shipped though something is left."""
OBSTACLES: Mapping[str, str] = {
    "accept": "no amendment is waiting",
    "refuse": "no amendment is waiting",
    "ship": "everything has been shipped",
    "deliver": "not everything has been shipped",
    "end_undelivered": "not everything has been shipped and failed",
    "request_missing": "nothing of it was lost in the warehouse",
    "cancel_remainder": "everything has been shipped",
    "correct_tracking": "no parcel is in transit",
    "deliver_parcel": "no parcel is in transit",
    "fail_parcel": "no parcel is in transit",
    "return_parcel": "no parcel has failed, or all that failed came back",
    "request_return": "nothing is left to return, or its return is requested already",
    "approve_return": "no return is requested",
    "decline_return": "no return is requested or approved",
    "return": "nothing is left to return",
}
"""Transition → why its guard does not hold, where no amendment waits."""
