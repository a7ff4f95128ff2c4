"""What can go wrong in a local run. Every message is one line that says what to do."""


class LocalError(Exception):
    """A local run cannot go on; ``detail`` holds log lines that help to see why."""

    def __init__(self, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.detail = detail


class PrerequisiteMissing(LocalError):
    """Something that a run needs is missing on this machine."""


class DownloadFailed(LocalError):
    """A file could not be downloaded, or is not the one its lock file names."""


class PortUnavailable(LocalError):
    """A port from the settings is no port, or belongs to another process."""


class HomeInUse(LocalError):
    """Another run uses the same SHOP_HOME."""


class JobFailed(LocalError):
    """A one-off command ended with a non-zero status."""


class StartFailed(LocalError):
    """A process ended, or did not become ready in time, while it was starting."""


class ProcessCrashed(LocalError):
    """A process that should stay up has ended by itself."""


class SampleOrderFailed(LocalError):
    """The sample order did not end with a receipt."""


class RunIsStopping(Exception):
    """The run is stopping: no process may be started any more."""


def first_line(error: Exception) -> str:
    """Return the first line of an error's text, short enough for one of our messages."""
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:300]
