"""What a process loads at its start stays for good: the garbage collector need not look at it again and again."""

import gc

YOUNG = 20_000
"""New objects before the collector looks for cycles among them. A batch makes thousands, and few cycles."""


def settle() -> None:
    """Set everything that is in memory now apart from what is searched for garbage."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 20, 50)
