"""What the runner shows when everything is up: the sample's outcome, all addresses, the next commands."""

import json
import shlex
from collections.abc import Mapping
from typing import Any

from rich.markup import escape
from rich.table import Table

from deploy.local.console import Console
from deploy.local.external import SETTINGS
from deploy.local.files import write_atomically
from deploy.local.layout import ROLES, Layout
from deploy.local.provision import password_file
from deploy.local.sample import ADDRESS, Sample


def sample(console: Console, outcome: Sample) -> None:
    """Print the order's timeline and the receipt."""
    console.print(f"\n[bold]The order's timeline[/] {outcome.order}")
    table = Table("At (UTC)", "Event", "Detail", box=None, pad_edge=False, padding=(0, 3, 0, 0))
    for entry in outcome.timeline["entries"]:
        at = str(entry["at"])[11:23]
        table.add_row(at, escape(str(entry["type"])), escape(_detail(entry.get("detail") or {})))
    console.print(table)
    if outcome.receipt is None:
        console.print("\nThe receipt went to the server of SMTP_URL.")
    else:
        console.print("\n[bold]The receipt, as it arrived by SMTP[/]")
        console.verbatim("\n".join(f"  {line}".rstrip() for line in outcome.receipt.splitlines()))


def _detail(detail: dict[str, Any]) -> str:
    return ", ".join(
        f"{name} {value if isinstance(value, str | int) else json.dumps(value)}" for name, value in detail.items()
    )


def running(console: Console, layout: Layout, outcome: Sample | None, seconds: float) -> None:
    """Print every address and what to do next."""
    console.print(f"\n[bold]Everything is up[/]  [dim]{seconds:.1f} s[/]\n")
    for name, url in layout.rest.items():
        console.verbatim(f"  {name:<10} {url}/docs   health {url}/health/ready")
    if layout.mail_page:
        console.verbatim(f"  {'mail':<10} {layout.mail_page}")
    for role in ROLES if layout.rest else ():
        console.verbatim(f"  {role:<10} {layout.account(role).email}   password {password_file(layout.home, role)}")
    console.verbatim(f"  {'details':<10} {layout.home / 'run.json'}   logs {layout.home / 'logs'}")
    if outcome:
        console.print("\n[bold]Log in and place the next order[/] (the token is good for a while)\n")
        console.verbatim(next_order(layout.rest, outcome))
    if not layout.rest:
        _environment(console, layout)
    console.print("\nCtrl-C stops everything; the data stays.")


def next_order(rest: Mapping[str, str], outcome: Sample) -> str:
    """Return shell commands that log the sample's customer in and place one more order."""
    customer = {"email": outcome.customer.email, "password": outcome.customer.password}
    order = {"lines": outcome.lines, "shipping_address": ADDRESS}
    json_type = "-H 'Content-Type: application/json'"
    bearer = '-H "Authorization: Bearer $TOKEN"'
    from_answer = r"""sed -n 's/.*"access_token" *: *"\([^"]*\)".*/\1/p'"""
    return "\n".join(
        [
            f"TOKEN=$(curl -s {rest['customer']}/v1/sessions {json_type} -d {_quoted(customer)} | {from_answer})",
            f"curl -i {rest['order']}/v1/orders {bearer} {json_type}"
            f' -H "Idempotency-Key: $(date +%s%N)" -d {_quoted(order)}',
            f"curl -s {rest['order']}/v1/orders/{outcome.order}/timeline {bearer}",
        ]
    )


def _quoted(body: object) -> str:
    return shlex.quote(json.dumps(body, ensure_ascii=False))


def _environment(console: Console, layout: Layout) -> None:
    lines = [f"export {setting}={shlex.quote(layout.servers[name].url)}" for name, (setting, _) in SETTINGS.items()]
    path = layout.home / "servers.env"
    write_atomically(path, "\n".join(lines) + "\n")
    console.print("[bold]Settings[/] of the servers:\n")
    console.verbatim("\n".join(lines))
    console.verbatim(f"\nor: . {path}")
