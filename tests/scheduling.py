"""In which order the tests run, and which of them in the same process.

The longest come first: what is long must not be left for the end, when the other processes have nothing to do any
more.
"""

from typing import Any

from xdist.scheduler import LoadFileScheduling

TOGETHER = {
    "tests/contracts/": "the REST APIs",
    "tests/journeys/": "a platform",
    "tests/security/": "a platform",
    "tests/upgrades/": "the previous release",
}
"""Folder → what its tests share that is expensive to start."""
ALONE = ("tests/deploy/test_servers.py", "tests/model/")
"""Tests that share nothing and take long: each can run in another process than the rest of its file."""
LONGEST_FIRST = (
    "tests/faults/test_matrix.py",
    "tests/contracts/",
    "tests/journeys/",
    "tests/security/",
    "tests/deploy/test_run.py",
    "tests/upgrades/",
    "tests/model/",
    "tests/deploy/test_servers.py",
    "tests/deploy/test_replay_page.py",
    "tests/chassis/replay/test_interrupted.py",
    "tests/ops/",
    "tests/customer_svc/",
)
"""What takes more than half a minute. The list of the slowest tests, at the end of a run, shows what is missing."""


class LongestFirst(LoadFileScheduling):  # type: ignore[misc]
    """Runs the tests of a file in one process, and those of some folders; the longest first."""

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith(ALONE):
            return nodeid
        return next(
            (what for folder, what in TOGETHER.items() if nodeid.startswith(folder)), super()._split_scope(nodeid)
        )


def rank(nodeid: str) -> int:
    """The position of a test; those of equal rank stay in their order."""
    return next((place for place, name in enumerate(LONGEST_FIRST) if nodeid.startswith(name)), len(LONGEST_FIRST))


def sort_tests(items: list[Any]) -> None:
    """Sort the collected tests: they are distributed in their order."""
    items.sort(key=lambda item: rank(item.nodeid))
