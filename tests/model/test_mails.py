"""The ledger against a mail server, over any interleaving of the processes that send what it holds.

Processes take a mail up, hand it over, and hang before any step, some for ever. The server takes the mail,
refuses it, for now or for good, or gives no answer. Some mails are not to be sent at all. However that goes, the
server takes a mail once, and once more if that was in doubt; and every mail comes to an end.
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
from notifier_svc.mails.domain import FINAL_STATES, Mail
from schemas import CustomerRegistered, Event, MailFailed, MailSent, OrderCancelled
from tests.model.explore import explore
from tests.model.world import World

CUSTOMER = UUID(int=1)
Outcome = Literal["taken", "taken, and not heard of", "lost", "refused for now", "refused for good"]

some = st.integers(0, 5)


@dataclass(eq=False)
class Job:
    """A mail in the hands of a process, and what that is about to note in the ledger, if it lives to do so."""

    mail_id: UUID
    claim: UUID
    begun: bool = False
    note: Any = None


class Senders(RuleBasedStateMachine):
    """Mails, one after another, and every process between any two of its steps."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.jobs: list[Job] = []
        self.taken: Counter[UUID] = Counter()
        """By the mail server."""
        self.told: Counter[tuple[type[Event], UUID]] = Counter()

    @initialize()
    def open(self) -> None:
        self.publish(CustomerRegistered(customer_id=CUSTOMER, email="ada@example.com", name="Ada"))
        self.another_mail()

    @precondition(lambda self: self.last.state in FINAL_STATES)
    @rule()
    def another_mail(self) -> None:
        order_id = UUID(int=len(self.world.rows("mails")))
        self.publish(OrderCancelled(order_id=order_id, customer_id=CUSTOMER, reason="staff"))
        self.world.settle()

    @precondition(lambda self: self.last.state == "queued")
    @rule()
    def take_up(self) -> None:
        claim = self.world.take_up(self.last.id)
        assert claim
        self.jobs.append(Job(self.last.id, claim))

    @precondition(lambda self: self.fresh)
    @rule(which=some, refusal=st.sampled_from([None, None, "451", "550"]))
    def begin(self, which: int, refusal: str | None) -> None:
        """Or be refused before the message."""
        job = chosen(self.fresh, which)
        if refusal:
            refused = MarkFailed if refusal == "550" else PostponeMail
            job.note = refused(job.mail_id, job.claim, refusal)
            return
        job.begun = self.world.mark(BeginSending(job.mail_id, job.claim))
        if not job.begun:
            self.jobs.remove(job)

    @precondition(lambda self: self.fresh)
    @rule(which=some, suppressed=st.booleans())
    def withhold(self, which: int, suppressed: bool) -> None:
        """Its address is known not to exist, or its customer does not want it."""
        job = chosen(self.fresh, which)
        job.note = MarkUnwanted(job.mail_id, job.claim)
        if suppressed:
            job.note = MarkSuppressed(job.mail_id, job.claim, "550")

    @precondition(lambda self: self.begun)
    @rule(which=some, outcome=st.sampled_from(get_args(Outcome)))
    def hand_over(self, which: int, outcome: Outcome) -> None:
        job = chosen(self.begun, which)
        self.taken[job.mail_id] += outcome in ("taken", "taken, and not heard of")
        match outcome:
            case "taken":
                job.note = MarkSent(job.mail_id)
            case "taken, and not heard of" | "lost":
                job.note = MarkInDoubt(job.mail_id, job.claim)
            case "refused for now":
                job.note = PostponeMail(job.mail_id, job.claim, "451")
            case "refused for good":
                job.note = MarkFailed(job.mail_id, job.claim, "550")

    @precondition(lambda self: self.last.state in ("claimed", "sending"))
    @rule()
    def sweep(self) -> None:
        """The lease has lapsed. What the sweeper sees may have changed before it takes the mail back."""
        assert self.last.claim
        note = ReleaseExpiredClaim(self.last.id, self.last.claim)
        self.jobs.append(Job(self.last.id, self.last.claim, note=note))

    @precondition(lambda self: self.noting)
    @rule(which=some, twice=st.booleans())
    def make_the_note(self, which: int, twice: bool) -> None:
        """Twice, where the answer to the first commit was lost."""
        job = chosen(self.noting, which)
        assert job.note
        for _ in range(1 + twice):
            self.world.mark(job.note)
        self.jobs.remove(job)

    @invariant()
    def the_server_takes_a_mail_once_and_once_more_for_a_doubt(self) -> None:
        for event in self.world.hear():
            if isinstance(event, MailSent | MailFailed):
                self.told[type(event), event.mail_id] += 1
        for mail in self.world.rows("mails"):
            assert self.taken[mail.id] <= 1 + mail.doubts <= 2
            assert self.taken[mail.id] or mail.state != "sent"
            assert self.told[MailSent, mail.id] == (mail.state == "sent")
            # Given up as failed, it may turn out to have been taken after all; nothing else follows an end.
            ends = {"failed": [1], "suppressed": [1], "sent": [0, 1]}
            assert self.told[MailFailed, mail.id] in ends.get(mail.state, [0])

    def teardown(self) -> None:
        """All who hang have vanished, and the server takes what it gets: the last mail comes to its end too."""
        with closing(self.world.loop):
            self.jobs.clear()
            while self.last.state not in FINAL_STATES:
                self.sweep() if self.last.claim else self.take_up()
                for _ in self.fresh:
                    self.begin(0, None)
                for _ in self.begun:
                    self.hand_over(0, "taken")
                for _ in self.noting:
                    self.make_the_note(0, twice=False)
            self.the_server_takes_a_mail_once_and_once_more_for_a_doubt()
            self.world.settle()
            self.world.check_versions()

    def publish(self, event: Event) -> None:
        self.world.topics[event.topic][event.key].append(record(enveloped(event)))

    @property
    def last(self) -> Mail:
        mail = self.world.rows("mails")[-1]
        assert isinstance(mail, Mail)
        return mail

    @property
    def fresh(self) -> list[Job]:
        return [job for job in self.jobs if not job.begun and not job.note]

    @property
    def begun(self) -> list[Job]:
        return [job for job in self.jobs if job.begun and not job.note]

    @property
    def noting(self) -> list[Job]:
        return [job for job in self.jobs if job.note]


def chosen(jobs: list[Job], which: int) -> Job:
    return jobs[which % len(jobs)]


def test_a_mail_is_taken_once_and_once_more_for_a_doubt() -> None:
    explore(Senders, 120)
