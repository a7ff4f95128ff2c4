"""What the check does with the shop, once it is up."""

import os
import signal
import subprocess
from collections.abc import Iterator

from deploy.local.errors import SampleOrderFailed
from deploy.local.sample_order import SampleOrder, place_sample_order
from deploy.postman.newman import newman
from tests.compose.engine.errors import CheckFailed
from tests.compose.engine.progress import Progress
from tests.compose.engine.project import SERVICES, Project, service_of, wait_for
from tests.contracts.generated import COLLECTION
from tests.contracts.postman.steps import ENVIRONMENT

RESTARTED_SECONDS = 60
HEALTHY_SECONDS = 120


def require(what: str, problems: Iterator[str]) -> None:
    """Raise ``CheckFailed`` with everything that is wrong."""
    if found := list(problems):
        raise CheckFailed("\n  ".join([f"{what}:", *found]))


def containers_are_well(project: Project, *, restarts: bool = False) -> Iterator[str]:
    """Servers and processes are healthy, jobs have ended with 0; the engine restarted none, unless it may."""
    for one in project.containers():
        state, name = one["State"], service_of(one)
        if one["HostConfig"]["RestartPolicy"]["Name"] in ("", "no"):
            if (state["Status"], state["ExitCode"]) != ("exited", 0):
                yield f"{name}: {state['Status']} ({state['ExitCode']})"
        elif state["Status"] != "running" or state["Health"]["Status"] != "healthy":
            yield f"{name}: {state['Status']}, {state.get('Health', {}).get('Status')}"
        if one["RestartCount"] and not restarts:
            yield f"{name}: was restarted {one['RestartCount']} times"


def order_and_mail(project: Project) -> SampleOrder:
    """Register, order, and read the receipt that arrived; raise ``CheckFailed``."""
    try:
        return place_sample_order(project.rest, project.staff, project.mail_page)
    except SampleOrderFailed as error:
        raise CheckFailed(f"{error} {error.detail}") from error


def kill_and_order(project: Project, progress: Progress) -> None:
    """Kill an event process: it is started again, and the next order is mailed."""
    before = project.container("order-worker")["State"]
    os.kill(before["Pid"], signal.SIGKILL)
    order_and_mail(project)

    def restarted() -> bool:
        state = project.container("order-worker")["State"]
        return state["Pid"] not in (0, before["Pid"]) and state["Health"]["Status"] == "healthy"

    seconds = wait_for("order-worker again", restarted, RESTARTED_SECONDS)
    progress.report(f"  the next order was mailed; order-worker was healthy {seconds:.1f} s later")


def restart_all(project: Project) -> None:
    """Restart all servers and processes at a time; raise ``CheckFailed`` unless they become healthy by themselves."""
    staying = [service_of(one) for one in project.containers() if one["State"]["Running"]]
    project.compose("restart", "--timeout", "30", *staying)
    wait_for(
        "everything healthy again", lambda: not list(containers_are_well(project, restarts=True)), HEALTHY_SECONDS
    )


def postman(project: Project) -> str:
    """Run the Postman collection; return its summary, or raise ``CheckFailed``."""
    logins = {"staff_email": project.staff.email, "staff_password": project.staff.password}
    logins |= {"ops_email": project.ops.email, "ops_password": project.ops.password}
    variables = ENVIRONMENT | logins | {f"{name}_url": project.rest[name] for name in SERVICES}
    variables["mail_url"] = project.mail_page
    options = [part for name, value in variables.items() for part in ("--env-var", f"{name}={value}")]
    reporter = ["--color", "off", "--disable-unicode", "--reporter-cli-no-success-assertions"]
    command = [*newman(), "run", str(COLLECTION), *options, *reporter]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    if done.returncode:
        raise CheckFailed("the collection failed:\n" + "\n".join(lines[-60:]))
    return next((" ".join(line.replace("|", " ").split()) for line in lines if "assertions" in line), "")
