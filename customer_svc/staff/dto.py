"""Bodies of lists of customers."""

from chassis.http.paging import Page
from customer_svc.accounts.dto import AccountOut, Id


class CustomersOut(Page[AccountOut, Id]):
    """A page of customers, newest first; ``next`` is the ``before`` of the following page."""
