"""What stops a command without being a bug in it."""


class CannotDo(Exception):
    """What was asked for cannot be done. The message is one line for the user: what is in the way, and where."""
