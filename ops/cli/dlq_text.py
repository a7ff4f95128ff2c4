"""How dead letters are printed for people."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from ops.cli import show

Document = Mapping[str, Any]
MAX_RESULTS = 50
"""At most so many letters that failed or were skipped are printed."""


def print_letters(letters: Sequence[Document]) -> None:
    """A line for each letter."""
    table = show.new_table("event", "group", "state", "type", "place", "key", "reason", "fingerprint", "at (UTC)")
    for one in letters:
        place = f"{one['topic']}/{one['partition']}@{one['offset']}"
        row = [one[name] for name in ("event_id", "group", "state", "type")]
        row += [place, one["key"], one["reason"], one["fingerprint"], datetime.fromisoformat(one["at"])]
        show.add_row(table, *row)
    show.screen().print(table if letters else "no dead letters")


def print_groups(by: str, groups: Sequence[Document]) -> None:
    """A line for each cause, type or key."""
    columns = (by, "group", "dead", "parked", "type", "reason", "first (UTC)", "last (UTC)", "example", "detail")
    table = show.new_table(*columns, right=("dead", "parked"))
    for one in groups:
        times = [datetime.fromisoformat(one[name]) for name in ("first_at", "last_at")]
        row = [one[name] for name in ("value", "group", "dead", "parked", "type", "reason")]
        show.add_row(table, *row, *times, one["example"], one["detail"])
    show.screen().print(table if groups else "no dead letters")


def print_letter(letter: Document) -> None:
    """Everything about a letter; its value last, if it was revealed."""
    table = show.new_table("", "")
    table.show_header = False
    values = {name: letter[name] for name in ("value", "original") if letter.get(name) is not None}
    for name, value in letter.items():
        if name not in ("value", "original"):
            at = datetime.fromisoformat(value) if name == "at" else value
            show.add_row(table, name.replace("_", " "), str(at) if isinstance(at, bool) else at)
    show.screen().print(table)
    for name, value in values.items():
        show.screen().print(f"\n{name}", style="bold")
        show.screen().print(printable(pretty(value)), markup=False, soft_wrap=True)


def print_redrive(summary: Document) -> None:
    """What a redrive has done."""
    would = "would be " if summary["dry_run"] else ""
    for job in summary["jobs"]:
        counts = " · ".join(f"{name} {job[name]:,}" for name in ("failed", "skipped"))
        line = f"{job['group']}  {would}brought {job['brought']:,} · {counts}"
        show.screen().print(line, markup=False, soft_wrap=True)
    others = [one for one in summary["results"] if one["outcome"] != "brought"]
    for one in others[:MAX_RESULTS]:
        line = f"  {one['event_id']}  {one['outcome']}  {printable(one['reason'] or '')}"
        show.screen().print(line, markup=False, soft_wrap=True)
    if len(others) > MAX_RESULTS:
        show.screen().print(f"  and {len(others) - MAX_RESULTS:,} more: see --json, or shop dlq list")
    if summary["dry_run"]:
        show.screen().print("nothing was changed")


def print_results(results: Sequence[Document]) -> None:
    """What became of each letter."""
    table = show.new_table("event", "group", "state", "")
    for one in results:
        show.add_row(table, one["event_id"], one["group"], one["state"], one["error"] or "")
    show.screen().print(table)


def pretty(value: str) -> str:
    """JSON as people write it; anything else as it is."""
    try:
        return orjson.dumps(orjson.loads(value), option=orjson.OPT_INDENT_2).decode() + "\n"
    except orjson.JSONDecodeError:
        return value


def printable(text: str) -> str:
    """Without what a terminal would obey: the text may come from anywhere."""
    return "".join(one if one.isprintable() or one == "\n" else "\N{REPLACEMENT CHARACTER}" for one in text)
