"""``make compose-check``: start compose.yaml on an engine of its own, use the shop, break it, take it down.

Needs root and Debian's ``docker.io``, ``iptables`` and ``mmdebstrap``; says what is missing where it cannot run. See
``--help``, and docs/how-to/compose.md.
"""

import signal
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

import typer

from deploy.local.errors import LocalError
from deploy.local.home import cache_home
from tests.compose.engine.backup import back_up_and_restore
from tests.compose.engine.boundaries import BOUNDARIES
from tests.compose.engine.docker import Docker, add_compose, own_engine, why_not
from tests.compose.engine.errors import CheckFailed, Unavailable
from tests.compose.engine.outside import DISTURBANCES, OUTSIDE
from tests.compose.engine.progress import Progress
from tests.compose.engine.project import Project
from tests.compose.engine.standins import build_image, build_standins, images_needed
from tests.compose.engine.steps import (
    containers_are_well,
    kill_and_order,
    order_and_mail,
    postman,
    require,
    restart_all,
)
from tests.compose.engine.upgrade import upgrade

CACHE = cache_home() / "compose-check"
Promise = Callable[[Project], Iterator[str]]
"""Yields what is wrong."""


def main(
    postman_too: Annotated[bool, typer.Option("--postman/--no-postman", help="Run the Postman collection.")] = True,
    backup_too: Annotated[bool, typer.Option("--backup", help="Back up and restore as well.")] = False,
    upgraded: Annotated[
        bool, typer.Option("--upgrade", help="Instead: upgrade the previous release, with data.")
    ] = False,
) -> None:
    """Start compose.yaml on an engine of its own, and use the shop."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    progress = Progress()
    if reason := why_not():
        print(f"skipped: {reason}")
        return
    try:
        with own_engine(CACHE) as docker:
            version = docker.run("version", "--format", "{{.Server.Version}}").strip()
            progress.report(f"✓ Docker {version} runs, an engine of its own")
            with tempfile.TemporaryDirectory(prefix="compose-check-files-") as files:
                project = Project(docker, Path(files))
                prepare(docker, progress)
                if upgraded:
                    upgrade(project, CACHE, progress)
                else:
                    project.configure()
                    build(project, progress)
                    use(project, progress, postman_too=postman_too, backup_too=backup_too)
        progress.report("✓ everything works")
    except Unavailable as error:
        print(f"skipped: {error}")
    except (CheckFailed, LocalError) as error:
        progress.report(f"✗ {error}")
        raise typer.Exit(1) from error
    except KeyboardInterrupt:
        progress.report("✗ interrupted")
        raise typer.Exit(130) from None


def prepare(docker: Docker, progress: Progress) -> None:
    """Bring Compose, and say what the images are."""
    add_compose(docker)
    progress.report("  NOTE: the images are stand-ins, not the real ones: tests/compose/standins/README.md")


def build(project: Project, progress: Progress) -> None:
    """Build the images that are missing, and ours."""
    build_standins(project.docker, images_needed(), CACHE, progress)
    with progress.step("image of the shop"):
        build_image(project.docker)


def use(project: Project, progress: Progress, *, postman_too: bool, backup_too: bool) -> None:
    """Everything that is done with the shop."""
    with progress.step("docker compose up: all healthy"):
        project.up()
        require("containers", containers_are_well(project))
    with progress.step("accounts of staff and ops"):
        project.make_accounts()
    with progress.step("an order, and its mail"):
        order = order_and_mail(project)
    with ThreadPoolExecutor() as pool:
        collection = pool.submit(postman, project) if postman_too else None
        keep(progress, project, (*BOUNDARIES, *OUTSIDE))
        if collection:
            with progress.step("Postman collection, meanwhile"):
                progress.report(f"  {collection.result()}")
    keep(progress, project, DISTURBANCES)
    with progress.step("order-worker killed"):
        kill_and_order(project, progress)
    if backup_too:
        with progress.step("backed up, removed and restored, with a mail that waited"):
            back_up_and_restore(project, order)
    with progress.step("all restarted, and another order"):
        restart_all(project)
        order_and_mail(project)
    with progress.step("audit"):
        progress.report(f"  {project.audit().strip().splitlines()[-1]}")
    with progress.step("docker compose down"):
        project.compose("down", "--volumes", "--timeout", "30")


def keep(progress: Progress, project: Project, promises: Iterable[Promise]) -> None:
    """Require that promises are kept; raise ``CheckFailed``."""
    for promise in promises:
        name = promise.__name__.replace("_", " ")
        with progress.step(name):
            require(name, promise(project))


if __name__ == "__main__":
    typer.run(main)
