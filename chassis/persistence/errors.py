"""How a transaction can fail for reasons that are not the caller's. Drivers' errors are translated into these."""


class ConcurrentUpdate(Exception):
    """Another transaction changed the same rows first. Nothing was changed; a retry on fresh reads may succeed."""


class DatabaseUnavailable(Exception):
    """The database cannot be reached, or not now. Nothing was changed."""


class CommitOutcomeUnknown(DatabaseUnavailable):
    """The connection broke during the commit: either everything was changed, or nothing."""


class LeadershipLost(Exception):
    """This process is no longer the leader; another process has taken over."""
