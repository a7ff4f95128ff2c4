"""The image: built first, from files that exist, with everything in it that the commands import."""

import re
import tomllib
from pathlib import PurePosixPath

from tests.compose.corruptions import Corruptions, remove, replace_text, set_value
from tests.compose.deployment import ROOT, Deployment, module_of
from tests.compose.programs import first_party, source_of


def commands_exist(deployment: Deployment) -> list[str]:
    return [
        f"{name}: no program {module_of(service)}"
        for name, service in deployment.programs.items()
        if not source_of(module_of(service))
    ]


def image_has_what_commands_import(deployment: Deployment) -> list[str]:
    copied, wrong = image_files(deployment), set()
    for service in deployment.programs.values():
        path = source_of(module_of(service))
        for file in first_party(path) if path else ():
            relative = PurePosixPath(file.relative_to(ROOT))
            source = next((one for one in (relative, *relative.parents) if one in copied), None)
            if source is None:
                wrong.add(f"{relative} is not copied")
            elif copied[source] / relative.relative_to(source) != PurePosixPath("/app") / relative:
                wrong.add(f"{relative} is copied to a wrong place")
    return sorted(wrong)


def image_has_the_program_for_operators(deployment: Deployment) -> list[str]:
    """``shop``, in the environment that is on the PATH of the image, with the code that is copied there."""
    script = image_files(deployment).get(PurePosixPath("deploy/install.sh"))
    installed = re.findall(r"^RUN sh (\S+) (\S+) (\S+)$", deployment.dockerfile, re.M)
    on_path = re.findall(r"PATH=(\S+)/bin:\$PATH", deployment.dockerfile)
    if installed != [(str(script), *on_path, "/app")]:
        return [f"installed: {installed}, with {on_path} on the PATH"]
    return []


def image_is_built_first(deployment: Deployment) -> list[str]:
    """One container builds the image; every process waits for it, so that ``up --build SERVICE`` builds, too."""
    builders = [name for name, service in deployment.programs.items() if "build" in service]
    waiting = [
        name for name, service in deployment.processes.items() if not set(builders) & set(service["depends_on"])
    ]
    return [f"built by {builders}"] * (len(builders) != 1) + [
        f"{name} does not wait for the build" for name in waiting
    ]


def image_is_built_from_existing_files(deployment: Deployment) -> list[str]:
    sources = image_files(deployment)
    allowed = {PurePosixPath(path) for path in re.findall(r"^!(.+)$", deployment.dockerignore, re.M)}
    wrong = [f"no {source}" for source in sources if not (ROOT / source).exists()]
    wrong += [f".dockerignore excludes {source}" for source in sources if source not in allowed]
    wrong += [f".dockerignore includes {source}, which nothing copies" for source in allowed - set(sources)]
    if re.findall(r"^USER (\S+)$", deployment.dockerfile, re.M)[-1:] != ["10001:10001"]:
        wrong.append("it runs as root")
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]["find"]
    known = {name.rstrip("*") for name in packages["include"]}
    return wrong + [f"{source} is not one of our packages" for source in sources if source.parts[0] not in known]


def image_files(deployment: Deployment) -> dict[PurePosixPath, PurePosixPath]:
    """The files that the Dockerfile copies from the repository: path in the image by path in the repository."""
    copied = {}
    for line in re.findall(r"^COPY (?!--from)(.+)$", deployment.dockerfile, re.M):
        *sources, target = line.split()
        for source in map(PurePosixPath, sources):
            into = target.endswith("/")
            copied[source] = PurePosixPath(target) / source.name if into else PurePosixPath(target)
    return copied


CORRUPTIONS: Corruptions = {
    commands_exist: [
        set_value("order/command", ["python", "-m", "order_svc.mian"]),
        set_value("topics/command", ["python", "-m", "deployment.topics"]),
        set_value("order/command", ["python", "-m", "order_svc"]),
    ],
    image_has_what_commands_import: [
        replace_text("dockerfile", "COPY chassis /app/chassis\n", ""),
        replace_text("dockerfile", "COPY schemas /app/schemas", "COPY schemas /app/events"),
        replace_text("dockerfile", "deploy/topics.py ", ""),
    ],
    image_has_the_program_for_operators: [
        replace_text("dockerfile", "RUN sh /tmp/install.sh /opt/venv /app\n", ""),
        replace_text("dockerfile", "RUN sh /tmp/install.sh /opt/venv /app", "RUN sh /tmp/install.sh /opt/venv /srv"),
        replace_text("dockerfile", "ENV PATH=/opt/venv/bin", "ENV PATH=/srv/venv/bin"),
    ],
    image_is_built_first: [
        remove("topics/build"),
        remove("order/depends_on/topics"),
    ],
    image_is_built_from_existing_files: [
        replace_text("dockerfile", "COPY chassis", "COPY chasis"),
        replace_text("dockerfile", "COPY chassis", "COPY tests"),
        replace_text("dockerfile", "USER 10001:10001", "USER root"),
        replace_text("dockerignore", "!chassis", "chassis"),
        replace_text("dockerignore", "!chassis", "!chassis\n!tests"),
    ],
}
