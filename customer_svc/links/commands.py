"""What the commands of other nouns do with links."""

from customer_svc.links.domain import Link
from customer_svc.unit_of_work import CustomerUnitOfWork


def add_link(uow: CustomerUnitOfWork, link: Link) -> None:
    """Store a new link."""
    uow.links.mark_new(link.token_hash)
    uow.links.set(link.token_hash, link)
