"""``make compose-check``: start compose.yaml on an engine of its own, use the shop, break it, take it down.

Needs root and Debian's ``docker.io``, ``iptables`` and ``mmdebstrap``; says what is missing where it cannot run. See
``--help``, and docs/how-to/compose.md.
"""

import signal
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from deploy.local.errors import LocalError
from deploy.local.home import cache_home
from tests.compose.deployment import ROOT
from tests.compose.engine.backup import back_up_and_restore
from tests.compose.engine.boundaries import BOUNDARIES
from tests.compose.engine.docker import Docker, add_compose, own_engine, why_not
from tests.compose.engine.errors import CheckFailed, Unavailable
from tests.compose.engine.outside import OUTSIDE
from tests.compose.engine.progress import Progress
from tests.compose.engine.project import Project
from tests.compose.engine.standins import build_standins, images_needed
from tests.compose.engine.steps import (
    containers_are_well,
    kill_and_order,
    order_and_mail,
    postman,
    require,
)


def main(
    postman_too: Annotated[bool, typer.Option("--postman/--no-postman", help="Run the Postman collection.")] = True,
) -> None:
    """Start compose.yaml on an engine of its own, and use the shop."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    progress = Progress()
    if reason := why_not():
        print(f"skipped: {reason}")
        return
    try:
        _check(cache_home() / "compose-check", progress, postman_too=postman_too)
    except Unavailable as error:
        print(f"skipped: {error}")
    except (CheckFailed, LocalError) as error:
        progress.report(f"✗ {error}")
        raise typer.Exit(1) from error
    except KeyboardInterrupt:
        progress.report("✗ interrupted")
        raise typer.Exit(130) from None


def _check(cache: Path, progress: Progress, *, postman_too: bool) -> None:
    progress.report("starting an engine of its own …")
    with own_engine(cache) as docker, tempfile.TemporaryDirectory(prefix="compose-check-") as files:
        version = docker.run("version", "--format", "{{.Server.Version}}").strip()
        progress.report(f"✓ Docker {version} runs")
        add_compose(docker)
        images = images_needed()
        progress.report(f"  NOTE: {', '.join(images)} are stand-ins, see tests/compose/standins/README.md")
        build_standins(docker, images, cache, progress)
        with progress.step("image of the shop"):
            build_image(docker)
        project = Project(docker, Path(files))
        project.configure()
        use(project, progress, postman_too=postman_too)
    progress.report("✓ everything works")


def build_image(docker: Docker) -> None:
    """Build the image of the shop from this repository, as compose.yaml does."""
    docker.run(
        "build",
        "--network=host",
        "--quiet",
        "--tag=shopstream",
        "-f",
        f"{ROOT}/deploy/Dockerfile",
        str(ROOT),
        seconds=480,
    )


def use(project: Project, progress: Progress, *, postman_too: bool) -> None:
    """Everything that is done with the shop."""
    with progress.step("docker compose up: all healthy"):
        project.up()
        require("containers", containers_are_well(project))
    with progress.step("accounts of staff and ops"):
        project.make_accounts()
    with progress.step("an order, and its mail"):
        order = order_and_mail(project)
    for promise in (*BOUNDARIES, *OUTSIDE):
        with progress.step(promise.__name__.replace("_", " ")):
            require(promise.__name__, promise(project))
    if postman_too:
        with progress.step("Postman collection"):
            progress.report(f"  {postman(project)}")
    with progress.step("order-worker killed"):
        kill_and_order(project, progress)
    with progress.step("all stopped, backed up, removed, restored, and another order"):
        back_up_and_restore(project, order)
        order_and_mail(project)
    with progress.step("audit"):
        progress.report(f"  {project.audit().strip().splitlines()[-1]}")
    with progress.step("docker compose down"):
        project.compose("down", "--volumes", "--timeout", "30")


if __name__ == "__main__":
    typer.run(main)
