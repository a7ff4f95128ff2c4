"""How the check on an engine ends, if not well."""


class Unavailable(Exception):
    """The check cannot run on this machine, and says why."""


class CheckFailed(Exception):
    """Something does not work as it should."""
