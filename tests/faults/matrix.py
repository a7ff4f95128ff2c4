"""The matrix: everything that is done to the platform under traffic, one cell after another.

Each cell begins with traffic on a whole platform, does its deed, heals what is left broken, and ends when
every order has ended, every mail has left, and the audit has found nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from signal import SIGKILL, SIGTERM

from chassis.runtime.failpoints import POINTS
from tests.faults import deeds
from tests.faults.deeds import Deed
from tests.faults.world import SERVERS


@dataclass(frozen=True)
class Cell:
    """A name, and what is done."""

    name: str
    deed: Deed


def matrix(minute: float = 60.0) -> Iterator[Cell]:
    """All cells; ``minute`` is for how many seconds the event processes are stopped (SIGSTOP)."""
    yield from at_fault_points("die", "term")

    yield Cell("processes: SIGKILL, one after the other", deeds.ended(SIGKILL))
    yield Cell("processes: SIGTERM, one after the other", deeds.ended(SIGTERM))
    yield Cell("processes: all killed at once", deeds.all_killed)
    yield Cell("processes: event processes SIGSTOPped, second ones take over", deeds.frozen(minute))
    yield Cell("processes: REST fronts SIGSTOPped", deeds.fronts_frozen(8))
    yield Cell("processes: a second event process joins and leaves", deeds.joining_and_leaving(1))
    yield Cell("processes: a second and a third join and leave", deeds.joining_and_leaving(2))

    for server in SERVERS:
        yield Cell(f"{server}: killed and started", deeds.crashed(server))
        yield Cell(f"{server}: stopped and started", deeds.restarted(server))
        yield Cell(f"{server}: paused", deeds.paused(server))
        yield Cell(f"{server}: cut off", deeds.cut_off(server))
        yield Cell(f"{server}: connections reset again and again", deeds.flickering(server))
        yield Cell(f"{server}: connections half closed", deeds.half_closed(server))
        yield Cell(f"{server}: slow", deeds.slow(server))
        yield Cell(f"{server}: a black hole", deeds.black_hole(server))
    for server in deeds.LOST:
        yield Cell(f"{server}: answers to commits lost", deeds.answers_lost(server))
    yield Cell("everything: all processes and servers killed at once", deeds.power_cut)

    yield from at_fault_points("raise", "hang")


def at_fault_points(*actions: str) -> Iterator[Cell]:
    """A cell for each family of fault points: every process that comes to one fails there, at each in turn."""
    for action in actions:
        for family, points in groupby(POINTS, key=lambda point: point.partition(".")[0]):
            yield Cell(f"fault points of {family}: {action}", deeds.at(list(points), action))


def cut() -> Iterator[Cell]:
    """The few cells that every run of the tests plays: each kind of harm once, as close together as can be."""
    first = {
        "order": ["groupcommit.commit.after"],
        "product-worker": ["consumer.commit.after"],
        "order-worker": ["relay.send.after"],
        "notifier-worker": ["mail.dot.after"],
    }
    yield Cell("fault points: die after a commit, a send, a dot", deeds.plan(first, "die"))
    yield Cell("answers to commits lost", deeds.answers_lost(*deeds.LOST, times=2))
    yield Cell("kafka: cut off", deeds.cut_off("kafka", 3))
    yield Cell("everything: all processes and servers killed at once", deeds.power_cut)
