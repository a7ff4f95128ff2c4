"""A trace as people read it: a tree. Each event is below the one that led to it, with the time in between."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from rich.markup import escape
from rich.tree import Tree

from ops.trace.model import GroupVerdict, Record, Trace, TracedEvent

STYLES = {"handled": "green", "redriven": "green", "discarded": "yellow", "unknown": "yellow"}
"""Verdict → its colour; dead and parked are red."""
NOT_YET = "not handled yet"


def tree(trace: Trace) -> Tree:
    """The whole trace."""
    kind = trace.kind.replace("_", " ")
    root = Tree(f"[bold]{kind}[/] {trace.key}")
    if trace.account:
        account = trace.account
        root.add(f"account {account['role']}, {account['status']}, version {account['version']}")
    for order in trace.orders:
        _add_order(root, trace, order)
    shown = {order["id"] for order in trace.orders}
    others = [event for event in trace.events if event.order_id not in shown]
    if others:
        _add_events(root.add("events" if not trace.orders else "other events"), trace, others, None)
    _add_mails(root, [mail for mail in trace.mails if mail["order_id"] not in shown])
    for note in trace.notes:
        root.add(f"[yellow]![/] {escape(note)}")
    return root


def _add_order(root: Tree, trace: Trace, order: Record) -> None:
    placed, id_ = _moment(order["placed_at"]), order["id"]
    events = [event for event in trace.events if event.order_id == id_]
    branch = root.add(f"order {id_}  [bold]{order['state']}[/]  version {order['version']}")
    first = next((event for event in events if event.trace_id), None)
    trace_id = f"  trace {escape(first.trace_id or '')}" if first else ""
    branch.add(f"placed  {_time(placed)}  customer {order['customer_id']}{trace_id}")
    _add_events(branch.add("events"), trace, events, placed)
    saga = branch.add("timeline")
    for entry, before in _with_previous(order["timeline"], placed):
        detail = "  ".join(f"{name} {value}" for name, value in entry["detail"].items() if name != "mail_id")
        saga.add(f"{escape(entry['type'])}  {_since(before, _moment(entry['at']))}  [dim]{escape(detail)}[/]")
    _add_stock(branch, trace, id_)
    _add_mails(branch, [mail for mail in trace.mails if mail["order_id"] == id_])


def _add_events(branch: Tree, trace: Trace, events: Sequence[TracedEvent], start: datetime | None) -> None:
    """Add events, each below its cause if that is among them: clocks differ, so not by their order alone."""
    ids = {event.id for event in events if event.id}

    def add(parent: Tree, cause: str | None, before: datetime | None) -> None:
        for event in events:
            if (event.cause if event.cause in ids and event.cause != event.id else None) == cause:
                node = parent.add(_event(trace, event, before))
                for one in trace.verdicts(event):
                    node.add(_verdict(one))
                if event.id:
                    add(node, event.id, event.at)

    add(branch, None, start)


def _event(trace: Trace, event: TracedEvent, before: datetime | None) -> str:
    when = _since(before, event.at) if before else _time(event.at)
    mark = "[bold reverse] → [/] " if event.id in trace.marked else ""
    place = f"{event.topic}/{event.partition}@{event.offset}"
    return f"{mark}[bold]{escape(event.type)}[/]  {when}  [dim]{place}  {escape(event.id or '')}[/]"


def _verdict(one: GroupVerdict) -> str:
    style = STYLES.get(one.verdict, "bold red")
    verdict = NOT_YET if one.verdict == "unknown" else one.verdict
    at = f"  {_time(_moment(one.at))}" if one.at else ""
    return f"{one.group} [{style}]{verdict}[/]{at}"


def _add_stock(branch: Tree, trace: Trace, order_id: str) -> None:
    for one in trace.reservations:
        if one["order_id"] == order_id:
            held = ", ".join(f"{line['sku']} × {line['quantity']}" for line in one["held"]) or "nothing"
            changed = _time(_moment(one["changed_at"]))
            branch.add(f"reservation [bold]{one['state']}[/]  revision {one['revision']}  {escape(held)}  {changed}")
    for one in trace.movements:
        if one["order_id"] == order_id:
            at, on_hand = _time(_moment(one["at"])), one["on_hand"]
            branch.add(f"stock {one['reason']}  {escape(one['sku'])}  {one['delta']:+d}  on hand {on_hand}  {at}")


def _add_mails(branch: Tree, mails: Iterable[Record]) -> None:
    for mail in mails:
        attempts = f"{mail['attempts']} attempt{'' if mail['attempts'] == 1 else 's'}"
        doubts = f", in doubt {mail['doubts']}" if mail["doubts"] else ""
        again = "  sent again by staff" if mail["resend_of"] else ""
        at = _time(_moment(mail["changed_at"]))
        state = f"[bold]{mail['state']}[/]  {attempts}{doubts}{again}  {at}"
        branch.add(f"mail {mail['template']}  {state}  [dim]{mail['id']}[/]")


def _with_previous(entries: Iterable[Record], start: datetime) -> Iterator[tuple[Record, datetime]]:
    """Each entry, with the time of the one before it."""
    before = start
    for entry in entries:
        yield entry, before
        before = _moment(entry["at"])


def _since(before: datetime, at: datetime) -> str:
    """The time that has passed, or the time by the clock after more than a day."""
    seconds = (at - before).total_seconds()
    if abs(seconds) >= 86_400:
        return _time(at)
    if abs(seconds) >= 60:
        return f"{'+' if seconds >= 0 else '-'}{int(abs(seconds) // 60)} min {abs(seconds) % 60:.0f} s"
    return f"{seconds:+.1f} s" if abs(seconds) >= 1 else f"{seconds * 1000:+.0f} ms"


def _time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + "Z"


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
