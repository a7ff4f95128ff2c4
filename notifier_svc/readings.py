"""Mails to be read again, where somebody asks what one says: subject and plain text.

Those about accounts are not shown: they have links in them, and what such a link opens is for whoever reads the
mailbox, and for nobody who has found a logged-in device.
"""

from dataclasses import dataclass

import jinja2
import structlog

from notifier_svc.domain import Customer, Mail
from notifier_svc.forms import make_plain_forms, told
from notifier_svc.languages import manner

log = structlog.get_logger()

UNWRITABLE = (jinja2.TemplateError, ValueError, LookupError, TypeError)
"""What a form raises for a context that is not of its kind."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a mail says."""

    subject: str
    text: str


class Readings:
    """Reads mails, in the words that they are sent with."""

    def __init__(self) -> None:
        self._forms = make_plain_forms()

    def of(self, mail: Mail, customer: Customer | None) -> Reading | None:
        """What a mail says; None where that is not shown, was forgotten, or cannot be written.

        The customer is as we know them now, and the mail in the language that they have chosen since.
        """
        if customer is None or customer.erased or not mail.context or "link" in mail.context:
            return None
        form = self._forms.get((mail.template, manner(customer.locale).language))
        if form is None:
            return None
        try:
            known = told(mail, customer)
            return Reading(form.subject_of(known), form.text.render(known))
        except UNWRITABLE as error:
            log.warning("mail cannot be read", mail_id=str(mail.id), why=type(error).__name__)
            return None
