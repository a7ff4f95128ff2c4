"""Previews for the API: the subject and the plain text of a mail.

Mails about accounts have none. They contain links, and what such a link opens is only for the owner of the mailbox,
not for somebody who has found a logged-in device.
"""

from dataclasses import dataclass

import jinja2
import structlog

from notifier_svc.rendering.domain import MailContent
from notifier_svc.rendering.locales import mail_locale
from notifier_svc.rendering.templates import load_text_templates, template_values
from notifier_svc.replicas.domain import Customer

log = structlog.get_logger()

RENDERING_ERRORS = (jinja2.TemplateError, ValueError, LookupError, TypeError)
"""What a template raises for a context that does not fit it."""


@dataclass(frozen=True, slots=True)
class MailPreview:
    """The subject and the plain text of a mail."""

    subject: str
    text: str


class MailPreviews:
    """Renders previews, with the same templates as the mails that are sent."""

    def __init__(self) -> None:
        self._templates = load_text_templates()

    def render(self, content: MailContent, customer: Customer | None) -> MailPreview | None:
        """The preview of a mail; None if it is not shown, its customer was erased, or it cannot be rendered.

        It has the name and language of the customer as they are now.
        """
        if customer is None or customer.erased or not content.context or "link" in content.context:
            return None
        template = self._templates.get((content.template, mail_locale(customer.locale).language))
        if template is None:
            return None
        try:
            values = template_values(content, customer)
            return MailPreview(template.render_subject(values), template.text.render(values))
        except RENDERING_ERRORS as error:
            log.warning("mail preview failed", mail_id=str(content.id), why=type(error).__name__)
            return None
