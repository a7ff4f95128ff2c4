"""The previous release, with data, upgraded to this one as docs/how-to/upgrade.md says."""

import re
import secrets
from dataclasses import replace
from pathlib import Path

import httpx

from deploy.local.errors import SampleOrderFailed
from deploy.local.sample_order import ADDRESS, SampleOrder, place_sample_order
from tests.compose.engine.backup import read_order
from tests.compose.engine.errors import CheckFailed
from tests.compose.engine.progress import Progress
from tests.compose.engine.project import Project
from tests.compose.engine.standins import build_image, build_standins, images_needed
from tests.compose.engine.steps import containers_are_well, order_and_mail, require
from tests.upgrades.previous_release import previous_release, unpack

WORKERS = ("customer-worker", "product-worker", "order-worker", "notifier-worker")
OLD_ADDRESS = {name: value for name, value in ADDRESS.items() if name not in ("line2", "phone")}
"""Without the fields that are new in this release."""


def upgrade(project: Project, cache: Path, progress: Progress) -> None:
    """Place an order at the previous release, upgrade, and read it there; raise ``CheckFailed``."""
    release, docker = previous_release(), project.docker
    before = replace(project, code=project.files / f"release-{release.version}")
    before.code.mkdir()
    unpack(release, before.code)
    build_standins(docker, [*images_needed(before.code), *images_needed()], cache, progress)
    with progress.step(f"image of release {release.version}"):
        build_image(docker, before.code)
    # It had its secrets in .env.
    names = re.findall(r"^([A-Z_]+)=", (before.code / "deploy/compose/env.example").read_text(), re.M)
    before.configure({name: secrets.token_urlsafe(24).replace("-", "x") for name in names})
    with progress.step(f"docker compose up: release {release.version}"):
        before.up()
    with progress.step("an order there, and its mail"):
        order = _order(before)
    with progress.step("image of the shop"):
        build_image(docker)
    after = replace(project, ports=before.ports)
    with progress.step("upgraded: all healthy"):
        after.compose("up", "--detach", "--wait", *WORKERS)
        after.up()
        require("containers", containers_are_well(after))
    with progress.step("the order of before, another one, and its mail"):
        with httpx.Client(timeout=30, trust_env=False) as client:
            read_order(client, after, order, order.order_id)
        order_and_mail(after)
    with progress.step("audit"):
        progress.report(f"  {after.audit().strip().splitlines()[-1]}")


def _order(before: Project) -> SampleOrder:
    for account, role in ((before.staff, "staff"), (before.ops, "ops")):
        given = {"BOOTSTRAP_PASSWORD": account.password}
        before.compose("run", "--rm", "--no-deps", "-T", f"{role}-account", variables=given)
    try:
        return place_sample_order(before.rest, before.staff, before.mail_page, OLD_ADDRESS)
    except SampleOrderFailed as error:
        raise CheckFailed(f"{error} {error.detail}") from error
