"""The help of the command line names what can be set."""

import pytest
from typer.testing import CliRunner

from deploy.local.cli import app
from deploy.system import SYSTEM


@pytest.mark.parametrize("command", [[], ["run"], ["servers"]], ids=["alone", "run", "servers"])
def test_the_help_names_the_settings_that_choose_ports_and_servers(command: list[str]) -> None:
    shown = CliRunner().invoke(app, [*command, "--help"])
    assert shown.exit_code == 0
    settings = {port.setting for port in SYSTEM.ports} | {server.setting for server in SYSTEM.servers}
    assert {"ORDER_PORT", "KAFKA_PORT", "MAIL_PORT", "SMTP_URL"} <= settings
    assert {name for name in settings if name not in shown.output} == set()


def test_the_help_of_a_run_says_when_a_sample_order_is_placed() -> None:
    shown = CliRunner().invoke(app, ["run", "--help"], env={"COLUMNS": "200"})
    assert "--no-sample" in shown.output
    assert "one per SHOP_HOME" in shown.output
