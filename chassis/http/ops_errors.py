"""The errors of the ops API."""

from collections.abc import Mapping
from typing import Any, ClassVar

from chassis.http.errors import Conflict, NotFound, ShopError


class LetterNotFound(NotFound):
    """There is no dead letter of this event."""

    code = "letter_not_found"


class LetterClosed(Conflict):
    """The dead letter was redriven or discarded already."""

    code = "letter_closed"
    example: ClassVar[Mapping[str, Any]] = {"state": "redriven"}


class LetterRedacted(Conflict):
    """The value of the dead letter was removed, because its customer was erased."""

    code = "letter_redacted"


class LetterUndecodable(ShopError):
    """The new value cannot be decoded as the event that the letter's headers name."""

    status, code = 422, "letter_undecodable"
    example: ClassVar[Mapping[str, Any]] = {"reason": "bad_payload"}


class NothingSelected(ShopError):
    """No open dead letter matches."""

    status, code = 422, "nothing_selected"


class TooManySelected(ShopError):
    """More dead letters match than one job redrives; narrow the selection."""

    status, code = 422, "too_many_selected"
    example: ClassVar[Mapping[str, Any]] = {"limit": 10000}


class JobNotFound(NotFound):
    """There is no such job."""

    code = "job_not_found"


class JobRunning(Conflict):
    """Another job is being worked on; pause, cancel or await it."""

    code = "job_running"
    example: ClassVar[Mapping[str, Any]] = {"job_id": "019b7c61-0000-7000-8000-00009395c3f3"}


class JobStateConflict(Conflict):
    """The job's state does not allow this."""

    code = "job_state_conflict"
    example: ClassVar[Mapping[str, Any]] = {"state": "done"}


class MailsUndecided(Conflict):
    """This replay would send mails: say whether to send or withhold them."""

    code = "mails_undecided"
    example: ClassVar[Mapping[str, Any]] = {"new": 409}


class ReplicaNotFound(NotFound):
    """The service has no such replica."""

    code = "replica_not_found"
    example: ClassVar[Mapping[str, Any]] = {"replicas": ["customers"]}


class RebuildSuperseded(Conflict):
    """A newer rebuild of the replica has taken the place of this one."""

    code = "rebuild_superseded"
    example: ClassVar[Mapping[str, Any]] = {"newer": "019b7c61-0000-7000-8000-00009395c3f3"}
