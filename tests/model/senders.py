"""A machine that tests the mail ledger in any interleaving of the processes that send its mails.

Processes claim a mail, hand it over, and hang before any step, some for ever. The server accepts the mail, refuses it
temporarily or permanently, or does not respond. Some mails must not be sent at all. In any case the server accepts a
mail once, and once more if the first time was in doubt; and every mail reaches a final state.
"""

from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Literal, get_args
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from chassis.testing import enveloped, record
from notifier_svc.delivery.commands import (
    BeginSending,
    MarkFailed,
    MarkInDoubt,
    MarkSent,
    MarkSuppressed,
    MarkUnwanted,
    PostponeMail,
    ReleaseExpiredClaim,
)
from notifier_svc.mails.domain import CONFIRMATION, FINAL_STATES, Mail
from schemas import CustomerRegistered, Event, MailFailed, MailSent, OrderCancelled
from tests.model.world import World

CUSTOMER = UUID(int=1)
Outcome = Literal["accepted", "accepted without response", "lost", "refused temporarily", "refused permanently"]

some = st.integers(0, 5)


@dataclass(eq=False)
class Job:
    """A mail that a process is sending, and the change of the ledger that it will make if it survives."""

    mail_id: UUID
    claim: UUID
    begun: bool = False
    command: Any = None


class Senders(RuleBasedStateMachine):
    """Processes that send mails, one mail after another, interleaved between any two steps."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.jobs: list[Job] = []
        self.accepted: Counter[UUID] = Counter()
        """How often the mail server accepted each mail."""
        self.published: Counter[tuple[type[Event], UUID]] = Counter()

    @initialize()
    def open(self) -> None:
        self.publish(CustomerRegistered(customer_id=CUSTOMER, email="ada@example.com", name="Ada"))
        self.another_mail()

    @precondition(lambda self: self.last.state in FINAL_STATES)
    @rule()
    def another_mail(self) -> None:
        order_id = UUID(int=len(self.ledger))
        self.publish(OrderCancelled(order_id=order_id, customer_id=CUSTOMER, reason="staff"))
        self.world.settle()

    @precondition(lambda self: self.last.state == "queued")
    @rule()
    def take_up(self) -> None:
        claim = self.world.claim(self.last.id)
        assert claim
        self.jobs.append(Job(self.last.id, claim))

    @precondition(lambda self: self.not_begun)
    @rule(which=some, refusal=st.sampled_from([None, None, "451", "550"]))
    def begin(self, which: int, refusal: str | None) -> None:
        """Begin to send a mail, or be refused before the message."""
        job = chosen(self.not_begun, which)
        if refusal:
            refused = MarkFailed if refusal == "550" else PostponeMail
            job.command = refused(job.mail_id, job.claim, refusal)
            return
        job.begun = self.world.mark(BeginSending(job.mail_id, job.claim))
        if not job.begun:
            self.jobs.remove(job)

    @precondition(lambda self: self.not_begun)
    @rule(which=some, suppressed=st.booleans())
    def without_attempt(self, which: int, suppressed: bool) -> None:
        """The address is known not to exist, or the customer has switched such mails off."""
        job = chosen(self.not_begun, which)
        job.command = MarkUnwanted(job.mail_id, job.claim)
        if suppressed:
            job.command = MarkSuppressed(job.mail_id, job.claim, "550")

    @precondition(lambda self: self.begun)
    @rule(which=some, outcome=st.sampled_from(get_args(Outcome)))
    def hand_over(self, which: int, outcome: Outcome) -> None:
        job = chosen(self.begun, which)
        self.accepted[job.mail_id] += outcome in ("accepted", "accepted without response")
        match outcome:
            case "accepted":
                job.command = MarkSent(job.mail_id)
            case "accepted without response" | "lost":
                job.command = MarkInDoubt(job.mail_id, job.claim)
            case "refused temporarily":
                job.command = PostponeMail(job.mail_id, job.claim, "451")
            case "refused permanently":
                job.command = MarkFailed(job.mail_id, job.claim, "550")

    @precondition(lambda self: self.last.state in ("claimed", "sending"))
    @rule()
    def sweep(self) -> None:
        """The lease has expired. The mail may change before the sweeper takes it back."""
        assert self.last.claim
        command = ReleaseExpiredClaim(self.last.id, self.last.claim)
        self.jobs.append(Job(self.last.id, self.last.claim, command=command))

    @precondition(lambda self: self.to_record)
    @rule(which=some, twice=st.booleans())
    def record_change(self, which: int, twice: bool) -> None:
        """Change the ledger, twice if the response to the first commit was lost."""
        job = chosen(self.to_record, which)
        assert job.command
        for _ in range(1 + twice):
            self.world.mark(job.command)
        self.jobs.remove(job)

    @invariant()
    def the_server_accepts_a_mail_once_or_twice_after_a_doubt(self) -> None:
        for event in self.world.new_events():
            if isinstance(event, MailSent | MailFailed):
                self.published[type(event), event.mail_id] += 1
        for mail in self.ledger:
            assert self.accepted[mail.id] <= 1 + mail.doubts <= 2
            assert self.accepted[mail.id] or mail.state != "sent"
            assert self.published[MailSent, mail.id] == (mail.state == "sent")
            # A mail that was given up as failed may turn out to have been sent; other final states do not change.
            ends = {"failed": [1], "suppressed": [1], "sent": [0, 1]}
            assert self.published[MailFailed, mail.id] in ends.get(mail.state, [0])

    def teardown(self) -> None:
        """Without hanging processes and refusals, the last mail reaches a final state too."""
        with closing(self.world.loop):
            self.jobs.clear()
            while self.last.state not in FINAL_STATES:
                self.sweep() if self.last.claim else self.take_up()
                for _ in self.not_begun:
                    self.begin(0, None)
                for _ in self.begun:
                    self.hand_over(0, "accepted")
                for _ in self.to_record:
                    self.record_change(0, twice=False)
            self.the_server_accepts_a_mail_once_or_twice_after_a_doubt()
            self.world.settle()
            self.world.check_versions()

    def publish(self, event: Event) -> None:
        self.world.topics[event.topic][event.key].append(record(enveloped(event)))

    @property
    def ledger(self) -> list[Mail]:
        """The mails about orders: not the one that confirms an erasure."""
        return [mail for mail in self.world.rows("mails") if mail.template != CONFIRMATION]

    @property
    def last(self) -> Mail:
        return self.ledger[-1]

    @property
    def not_begun(self) -> list[Job]:
        return [job for job in self.jobs if not job.begun and not job.command]

    @property
    def begun(self) -> list[Job]:
        return [job for job in self.jobs if job.begun and not job.command]

    @property
    def to_record(self) -> list[Job]:
        return [job for job in self.jobs if job.command]


def chosen(jobs: list[Job], which: int) -> Job:
    return jobs[which % len(jobs)]
