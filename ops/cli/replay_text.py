"""How replays are printed for people."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from rich.text import Text

from ops.cli import show

Job = Mapping[str, Any]

_COUNTS = {
    "repeated": "repeated",
    "not_subscribed": "not subscribed",
    "filtered": "not requested",
    "handled": "handled",
    "dead_lettered": "dead-lettered",
    "refused": "not repeatable",
    "erased": "erased customers",
}
_ALWAYS = ("not_subscribed", "handled", "dead_lettered")


def print_plan(job: Job) -> None:
    """What was planned."""
    _print(f"plan {job['id']}  {job['group']}  {job['mode']}  {described_spans(job['spans'])}")
    counts = job["counts"]
    _line("on the topic", counts["on_topic"], f"repeated {counts['repeated']:,}")
    for name, label in list(_COUNTS.items())[1:]:
        if name in _ALWAYS or counts[name]:
            _line(label, counts[name], "→ shop dlq list" if name == "dead_lettered" and counts[name] else "")
    parts = (("late", "late"), ("behind_dead_letter", "behind a dead letter"), ("unreadable", "unreadable"))
    _line("to bring", counts["to_bring"], " · ".join(f"{label} {counts[name]:,}" for name, label in parts))
    for type_, count in job["by_type"].items():
        _line(f"  {type_}", count)
    _print_mails(job)
    _print("  " + "  ".join([*_times(job), f"digest {job['digest']}"]))


def print_run(job: Job) -> None:
    """What a run has done."""
    done = job["done"]
    _print(f"replay {job['id']}  {job['group']}  {job['mode']}  {job['state']}")
    _line("to bring", (job["counts"] or {"to_bring": 0})["to_bring"])
    _line("brought", done["brought"])
    _line("meanwhile", done["meanwhile"], "handled by the live consumer" if done["meanwhile"] else "")
    _line("failed", done["failed"], "→ shop dlq list" if done["failed"] else "")
    if job["state"] == "done":
        _print(f"  digest {job['digest_run']}, {'equal' if job['equal'] else 'not equal'} to the plan's")
    elif job["error"]:
        _print(f"  {job['error']}")


def verdict(job: Job, left: int | None, still_dead: int) -> str:
    """What a verification says; ``left`` is None where nothing was planned anew."""
    if not job["equal"]:
        return "✗ the run was not equal to its plan"
    if left:
        return f"✗ equal to its plan, but {left:,} events are left to bring"
    if still_dead:
        return f"✗ equal to its plan, but some events are dead letters: {still_dead:,} → shop dlq list"
    return "✓ equal to its plan" + ("" if left is None else ", and nothing is left to bring")


def described_spans(spans: Mapping[str, Iterable[int]]) -> str:
    """Topics and partitions: ``order.events, partitions 0–5, up to what the group has committed``."""
    places = sorted((place.rpartition("/")[0], int(place.rpartition("/")[2])) for place in spans)
    topics = [
        f"{topic}, {_ranges([number for _, number in numbers])}"
        for topic, numbers in groupby(places, key=lambda place: place[0])
    ]
    return f"{'; '.join(topics)}, up to what the group has committed" if topics else "nothing"


def _ranges(numbers: list[int]) -> str:
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    texts = [f"{run[0]}–{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs]
    return f"partition{'s' if len(numbers) > 1 else ''} {', '.join(texts)}"


def _print_mails(job: Job) -> None:
    mails, wanted = job["mails"], job["mails_wanted"]
    if not (mails["new"] or mails["known"]):
        return
    line = _text("mails", mails["new"], f"new · {mails['known']:,} in the ledger").append(_mails(mails, wanted, job))
    _print(line)


def _mails(mails: Job, wanted: str | None, job: Job) -> Text:
    if wanted:
        return Text(f"   {wanted}")
    undecided = mails["new"] and job["mode"] == "missing"
    return Text("   ! say --mails send or --mails withhold", style="yellow") if undecided else Text("")


def _times(job: Job) -> list[str]:
    return [f"{name} {_moment(job[name])}" for name in ("oldest", "newest") if job[name]]


def _moment(text: str) -> str:
    return f"{datetime.fromisoformat(text).astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"


def _line(label: str, number: int, note: str = "") -> None:
    _print(_text(label, number, note))


def _text(label: str, number: int, note: str) -> Text:
    return Text(f"  {label:<26}{number:>10,}   {note}".rstrip())


def _print(line: str | Text) -> None:
    show.screen().print(Text(line) if isinstance(line, str) else line, soft_wrap=True)
