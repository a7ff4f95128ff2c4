"""What delivery records in the mail ledger.

The reply to a commit can be lost, and then the command is repeated: each of these has no further effect the second
time, nor where another process has claimed the mail meanwhile.
"""

from dataclasses import dataclass
from uuid import UUID

from notifier_svc.mails.commands import save_outcome
from notifier_svc.mails.domain import Mail
from notifier_svc.replicas.domain import Customer
from notifier_svc.suppressions.commands import SuppressAddress
from notifier_svc.unit_of_work import NotifierUnitOfWork


@dataclass(frozen=True, slots=True)
class BeginSending:
    """Record that a mail is about to be handed over."""

    mail_id: UUID
    claim: UUID

    def prefetch(self, uow: NotifierUnitOfWork) -> None:
        """The mail."""
        uow.mails.prefetch(self.mail_id)

    def execute(self, uow: NotifierUnitOfWork) -> bool:
        """False if another process has claimed the mail meanwhile: then it must not be sent."""
        begun = _mail(uow, self.mail_id).begin_sending(self.claim, uow.now)
        if begun:
            uow.mails.set(self.mail_id, begun)
        return begun is not None


@dataclass(frozen=True, slots=True)
class MarkSent:
    """Record that the mail server has accepted a mail."""

    mail_id: UUID

    def prefetch(self, uow: NotifierUnitOfWork) -> None:
        """The mail."""
        uow.mails.prefetch(self.mail_id)

    def execute(self, uow: NotifierUnitOfWork) -> None:
        """The reply may come after all, when the mail was recorded, and published, as failed."""
        before = _mail(uow, self.mail_id)
        if sent := before.mark_sent(uow.now):
            mail, event = sent
            uow.mails.set(self.mail_id, mail)
            uow.emit(event, 2 if before.state in ("failed", "suppressed") else 1, mail.changed_at)


@dataclass(frozen=True, slots=True)
class PostponeMail:
    """Record that a mail was not sent and is to be retried later, unless that is too late."""

    mail_id: UUID
    claim: UUID
    error: str

    def prefetch(self, uow: NotifierUnitOfWork) -> None:
        """The mail."""
        uow.mails.prefetch(self.mail_id)

    def execute(self, uow: NotifierUnitOfWork) -> bool:
        """Whether it is retried, after a pause that grows with each attempt; otherwise the failure is published."""
        outcome = _mail(uow, self.mail_id).postpone(self.claim, self.error, uow.now)
        save_outcome(uow, outcome)
        return outcome[1] is None


@dataclass(frozen=True, slots=True)
class MarkInDoubt:
    """Record that it is unknown whether a mail was sent."""

    mail_id: UUID
    claim: UUID

    def prefetch(self, uow: NotifierUnitOfWork) -> None:
        """The mail."""
        uow.mails.prefetch(self.mail_id)

    def execute(self, uow: NotifierUnitOfWork) -> None:
        """The mail is sent once more, or fails if that was done before."""
        save_outcome(uow, _mail(uow, self.mail_id).mark_in_doubt(self.claim, uow.now))


@dataclass(frozen=True, slots=True)
class ReleaseExpiredClaim:
    """Take a mail from a process that has let its lease expire."""

    mail_id: UUID
    claim: UUID

    def prefetch(self, uow: NotifierUnitOfWork) -> None:
        """The mail."""
        uow.mails.prefetch(self.mail_id)

    def execute(self, uow: NotifierUnitOfWork) -> bool:
        """Whether the mail is in doubt.

        What counts is its state now: a process that was only slow may have begun to hand it over since the expired
        claim was found.
        """
        mail = _mail(uow, self.mail_id)
        in_doubt = (mail.state, mail.claim) == ("sending", self.claim)
        if in_doubt:
            MarkInDoubt(self.mail_id, self.claim).execute(uow)
        else:
            PostponeMail(self.mail_id, self.claim, "the claim expired").execute(uow)
        return in_doubt


@dataclass(frozen=True, slots=True)
class MarkFailed:
    """Record that a mail cannot be delivered."""

    mail_id: UUID
    claim: UUID | None
    error: str

    def prefetch(self, uow: NotifierUnitOfWork) -> None:
        """The mail."""
        uow.mails.prefetch(self.mail_id)

    def execute(self, uow: NotifierUnitOfWork) -> None:
        """The failure is published."""
        save_outcome(uow, _mail(uow, self.mail_id).fail(self.claim, self.error, uow.now))


@dataclass(frozen=True, slots=True)
class MarkBounced:
    """Record that the address of a mail does not exist: this mail failed, and the address is suppressed."""

    mail_id: UUID
    claim: UUID
    recipient: Customer
    error: str

    def prefetch(self, uow: NotifierUnitOfWork) -> None:
        """The mail, and what the suppression needs."""
        uow.mails.prefetch(self.mail_id)
        self._suppression.prefetch(uow)

    def execute(self, uow: NotifierUnitOfWork) -> None:
        """Both in one transaction; the failure is published."""
        save_outcome(uow, _mail(uow, self.mail_id).bounce(self.claim, self.error, uow.now))
        self._suppression.execute(uow)

    @property
    def _suppression(self) -> SuppressAddress:
        return SuppressAddress(self.recipient.email, self.recipient.id, self.mail_id, self.error)


@dataclass(frozen=True, slots=True)
class MarkSuppressed:
    """Record that a mail is not attempted, because its address is suppressed."""

    mail_id: UUID
    claim: UUID
    reason: str

    def prefetch(self, uow: NotifierUnitOfWork) -> None:
        """The mail."""
        uow.mails.prefetch(self.mail_id)

    def execute(self, uow: NotifierUnitOfWork) -> None:
        """The failure is published."""
        save_outcome(uow, _mail(uow, self.mail_id).suppress(self.claim, self.reason, uow.now))


@dataclass(frozen=True, slots=True)
class MarkUnwanted:
    """Record that a mail is not sent, because its customer has switched off such mails."""

    mail_id: UUID
    claim: UUID

    def prefetch(self, uow: NotifierUnitOfWork) -> None:
        """The mail."""
        uow.mails.prefetch(self.mail_id)

    def execute(self, uow: NotifierUnitOfWork) -> None:
        """Nothing is published."""
        uow.mails.set(self.mail_id, _mail(uow, self.mail_id).mark_unwanted(self.claim, uow.now))


def _mail(uow: NotifierUnitOfWork, mail_id: UUID) -> Mail:
    mail = uow.mails.get(mail_id)
    if mail is None:
        raise LookupError(f"mail {mail_id} is not in the ledger")
    return mail
