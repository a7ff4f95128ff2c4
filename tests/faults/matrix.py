"""The fault matrix: everything that is done to the platform under traffic, one cell after another.

Each cell starts traffic on an intact platform, performs its action, heals what is still broken, and ends when every
order has ended, every mail is sent, and the audit has run.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from signal import SIGKILL, SIGTERM

from chassis.runtime.failpoints import POINTS
from tests.faults import fault_actions, rebuild_actions, redrive_actions, replay_actions
from tests.faults.fault_actions import Action
from tests.faults.world import SERVERS

OF_OPS = {"redrive", "replay", "repeat", "rebuild", "swap", "undo"}


@dataclass(frozen=True)
class Cell:
    """A name and an action."""

    name: str
    action: Action


def matrix(minute: float = 60.0, times: int = 1) -> Iterator[Cell]:
    """All cells.

    ``minute`` is for how many seconds the event processes are stopped (SIGSTOP), ``times`` how often a process is
    killed at each point of a job of ops, each time of another job.
    """
    yield from at_fail_points("die", "term")

    yield Cell("processes: SIGKILL, one after the other", fault_actions.signalled(SIGKILL))
    yield Cell("processes: SIGTERM, one after the other", fault_actions.signalled(SIGTERM))
    yield Cell("processes: all killed at once", fault_actions.all_killed)
    yield Cell("processes: event processes SIGSTOPped, other instances take over", fault_actions.frozen(minute))
    yield Cell("processes: REST processes SIGSTOPped", fault_actions.rest_processes_frozen(8))
    yield Cell("processes: a second event process joins and leaves", fault_actions.joining_and_leaving(1))
    yield Cell("processes: a second and a third join and leave", fault_actions.joining_and_leaving(2))

    for server in SERVERS:
        yield Cell(f"{server}: killed and started", fault_actions.crashed(server))
        yield Cell(f"{server}: stopped and started", fault_actions.restarted(server))
        yield Cell(f"{server}: paused", fault_actions.paused(server))
        yield Cell(f"{server}: cut off", fault_actions.cut_off(server))
        yield Cell(f"{server}: connections reset repeatedly", fault_actions.flickering(server))
        yield Cell(f"{server}: connections half closed", fault_actions.half_closed(server))
        yield Cell(f"{server}: slow", fault_actions.slow(server))
        yield Cell(f"{server}: a black hole", fault_actions.black_hole(server))
    for server in fault_actions.LOST:
        yield Cell(f"{server}: responses to commits lost", fault_actions.responses_lost(server))
    for service in ("notifier", "order", "product"):
        yield Cell(
            f"replay into {service}_svc: killed at every point",
            fault_actions.repeated(times, replay_actions.killed_at_every_point(service)),
        )
    yield Cell("replay: kafka away", replay_actions.while_away("notifier", "kafka"))
    yield Cell("replay: postgres away", replay_actions.while_away("order", "postgres"))
    yield Cell("replay: mongo away", replay_actions.while_away("product", "mongo"))
    for service in ("order", "product"):
        yield Cell(
            f"redrive into {service}_svc: killed at every point",
            fault_actions.repeated(times, redrive_actions.killed_at_every_point(service)),
        )
    for service in ("order", "notifier"):
        yield Cell(
            f"rebuild in {service}_svc: killed at every point",
            fault_actions.repeated(times, rebuild_actions.killed_at_every_point(service)),
        )
    yield Cell("everything: all processes and servers killed at once", fault_actions.power_cut)

    yield from at_fail_points("raise", "hang")


def at_fail_points(*actions: str) -> Iterator[Cell]:
    """A cell for each family of fail points: every process fails at each of them that it can reach."""
    for action in actions:
        for family, points in groupby(POINTS, key=lambda point: point.partition(".")[0]):
            if family in OF_OPS:
                # Reached only while ops have something done; they have cells of their own.
                continue
            yield Cell(f"fail points of {family}: {action}", fault_actions.at(list(points), action))


def selection() -> Iterator[Cell]:
    """The few cells that every test run plays: each kind of fault once, in as little time as possible."""
    first = {
        "order": ["groupcommit.commit.after"],
        "product-worker": ["consumer.commit.after"],
        "order-worker": ["relay.send.after"],
        "notifier-worker": ["mail.dot.after"],
    }
    yield Cell("fail points: die after a commit, a send, a dot", fault_actions.plan(first, "die"))
    yield Cell("responses to commits lost", fault_actions.responses_lost(*fault_actions.LOST, times=2))
    yield Cell("kafka: cut off", fault_actions.cut_off("kafka", 3))
    yield Cell("everything: all processes and servers killed at once", fault_actions.power_cut)
