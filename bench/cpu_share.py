"""Gives a process a fixed share of a core, so that it is the limit although the machine has few cores (cgroups)."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

ROOT = Path("/sys/fs/cgroup")
PERIOD_MICROS = 20_000


def can_share() -> bool:
    """Whether this user may limit the CPU of processes here."""
    return os.access(_parent(), os.W_OK) and (_v1() or "cpu" in (ROOT / "cgroup.subtree_control").read_text().split())


@contextmanager
def shared(pid: int, cores: float) -> Iterator[None]:
    """Limit a process to this fraction of a core, until the end of the block or of the process."""
    group, quota = _parent() / f"bench-{uuid4().hex[:8]}", round(cores * PERIOD_MICROS)
    group.mkdir()
    try:
        if _v1():
            (group / "cpu.cfs_period_us").write_text(str(PERIOD_MICROS))
            (group / "cpu.cfs_quota_us").write_text(str(quota))
        else:
            (group / "cpu.max").write_text(f"{quota} {PERIOD_MICROS}")
        (group / "cgroup.procs").write_text(str(pid))
        yield
    finally:
        for left in (group / "cgroup.procs").read_text().split():
            (_parent() / "cgroup.procs").write_text(left)
        group.rmdir()


def _v1() -> bool:
    return (ROOT / "cpu" / "cgroup.procs").exists()


def _parent() -> Path:
    return ROOT / "cpu" if _v1() else ROOT
