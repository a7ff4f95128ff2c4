"""What the runner prints when everything is up: the sample order, all addresses, commands to continue with."""

import json
import shlex
from collections.abc import Mapping
from typing import Any

from rich.markup import escape
from rich.table import Table

from deploy.local.console import Console
from deploy.local.files import write_atomically
from deploy.local.layout import Layout
from deploy.local.provision import password_file
from deploy.local.sample_order import ADDRESS, SampleOrder
from deploy.system import ROLES, SYSTEM


def print_sample_order(console: Console, order: SampleOrder) -> None:
    """Print the order's timeline and the receipt."""
    console.print(f"\n[bold]The order's timeline[/] {order.order_id}")
    table = Table("At (UTC)", "Event", "Detail", box=None, pad_edge=False, padding=(0, 3, 0, 0))
    for entry in order.timeline["entries"]:
        at = str(entry["at"])[11:23]
        table.add_row(at, escape(str(entry["type"])), escape(_detail(entry.get("detail") or {})))
    console.print(table)
    console.print("\n[bold]The receipt, as it arrived by SMTP[/]")
    console.verbatim("\n".join(f"  {line}".rstrip() for line in order.receipt.splitlines()))


def _detail(detail: dict[str, Any]) -> str:
    return ", ".join(
        f"{name} {value if isinstance(value, str | int) else json.dumps(value)}" for name, value in detail.items()
    )


def print_addresses(console: Console, layout: Layout, order: SampleOrder | None, seconds: float) -> None:
    """Print every address and what to do next."""
    console.print(f"\n[bold]Everything is up[/]  [dim]{seconds:.1f} s[/]\n")
    for name, url in layout.rest.items():
        console.verbatim(f"  {name:<10} {url}/docs   health {url}/health/ready")
    if layout.mail_page:
        console.verbatim(f"  {'mail':<10} {layout.mail_page}")
    for role in ROLES if layout.rest else ():
        console.verbatim(f"  {role:<10} {layout.account(role).email}   password {password_file(layout.home, role)}")
    console.verbatim(f"  {'details':<10} {layout.home / 'run.json'}   logs {layout.home / 'logs'}")
    if order:
        console.print("\n[bold]Log in and place the next order[/] (the token expires after a while)\n")
        console.verbatim(next_order(layout.rest, order))
        console.print("\n[bold]What ops do[/]\n")
        console.verbatim(f"  .venv/bin/shop trace {order.order_id}")
        console.verbatim("  .venv/bin/shop --help")
        console.verbatim("  docs/how-to/replay.md   break something on this platform, and repair it")
    if not layout.rest:
        _print_settings(console, layout)
    console.print("\nCtrl-C stops everything; the data stays.")


def next_order(rest: Mapping[str, str], order: SampleOrder) -> str:
    """Return shell commands that log in as the sample customer and place one more order."""
    credentials = {"email": order.customer.email, "password": order.customer.password}
    body = {"lines": order.lines, "shipping_address": ADDRESS}
    json_type = "-H 'Content-Type: application/json'"
    bearer = '-H "Authorization: Bearer $TOKEN"'
    extract = r"""sed -n 's/.*"access_token" *: *"\([^"]*\)".*/\1/p'"""
    return "\n".join(
        [
            f"TOKEN=$(curl -s {rest['customer']}/v1/sessions {json_type} -d {_quoted(credentials)} | {extract})",
            f"curl -i {rest['order']}/v1/orders {bearer} {json_type}"
            f' -H "Idempotency-Key: $(date +%s%N)" -d {_quoted(body)}',
            f"curl -s {rest['order']}/v1/orders/{order.order_id}/timeline {bearer}",
        ]
    )


def _quoted(body: object) -> str:
    return shlex.quote(json.dumps(body, ensure_ascii=False))


def _print_settings(console: Console, layout: Layout) -> None:
    lines = [f"export {one.setting}={shlex.quote(layout.servers[one.name].url)}" for one in SYSTEM.servers]
    path = layout.home / "servers.env"
    write_atomically(path, "\n".join(lines) + "\n")
    console.print("[bold]Settings[/] that name these servers:\n")
    console.verbatim("\n".join(lines))
    console.verbatim(f"\nor: . {path}")
