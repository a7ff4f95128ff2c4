"""What can go wrong in a local run. Every message is one line that says what to do."""


class LocalError(Exception):
    """A local run cannot go on; ``detail`` holds log lines that help to see why."""

    def __init__(self, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.detail = detail


class Prerequisite(LocalError):
    """Something this machine has to have is missing."""


class FetchFailed(LocalError):
    """A file could not be fetched, or is not the one its lock file names."""


class PortTaken(LocalError):
    """A port that was asked for belongs to another process."""


class HomeInUse(LocalError):
    """Another run works in the same SHOP_HOME."""


class JobFailed(LocalError):
    """A one-off command ended with a non-zero status."""


class DidNotStart(LocalError):
    """A process ended, or did not answer in time, while it was starting."""


class Crashed(LocalError):
    """A process that should stay up has ended by itself."""


class SampleFailed(LocalError):
    """The sample order did not end as a receipt."""


class Closed(Exception):
    """No process may be started any more: the run is stopping."""


def first_line(error: Exception) -> str:
    """Return the part of an error's text that fits into a line of ours."""
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:300]
