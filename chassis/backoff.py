"""Pauses between tries: doubling, capped, and jittered so that many waiters do not come back as one."""

import random
from collections.abc import Iterator


def backoff(first: float, most: float) -> Iterator[float]:
    """Endless pauses in seconds, each between half and all of a bound that doubles up to ``most``.

    Source: M. Brooker, *Exponential Backoff and Jitter*, AWS Architecture Blog, 2015 ("equal jitter").
    """
    bound = first
    while True:
        yield bound * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, guards nothing
        bound = min(bound * 2, most)
