"""The image: built first, of what exists, with everything in it that the commands import."""

import re
import tomllib
from pathlib import PurePosixPath

from tests.compose.deployment import ROOT, Deployment, module_of
from tests.compose.programs import first_party, source_of
from tests.compose.spoiling import Spoiled, drop, put, swap


def commands_exist(deployment: Deployment) -> list[str]:
    return [
        f"{name}: no program {module_of(service)}"
        for name, service in deployment.ours.items()
        if not source_of(module_of(service))
    ]


def image_has_what_commands_import(deployment: Deployment) -> list[str]:
    copied, wrong = image_files(deployment), set()
    for service in deployment.ours.values():
        path = source_of(module_of(service))
        for file in first_party(path) if path else ():
            relative = PurePosixPath(file.relative_to(ROOT))
            source = next((one for one in (relative, *relative.parents) if one in copied), None)
            if source is None:
                wrong.add(f"{relative} is not copied")
            elif copied[source] / relative.relative_to(source) != PurePosixPath("/app") / relative:
                wrong.add(f"{relative} is copied to a wrong place")
    return sorted(wrong)


def image_is_built_first(deployment: Deployment) -> list[str]:
    """One container builds the image; whatever stays waits for it, so ``up --build SERVICE`` builds, too."""
    builders = [name for name, service in deployment.ours.items() if "build" in service]
    waiting = [
        name for name, service in deployment.processes.items() if not set(builders) & set(service["depends_on"])
    ]
    return [f"built by {builders}"] * (len(builders) != 1) + [f"{name} does not wait for it" for name in waiting]


def image_is_made_of_what_exists(deployment: Deployment) -> list[str]:
    sources = image_files(deployment)
    allowed = {PurePosixPath(path) for path in re.findall(r"^!(.+)$", deployment.dockerignore, re.M)}
    wrong = [f"no {source}" for source in sources if not (ROOT / source).exists()]
    wrong += [f".dockerignore keeps {source} away" for source in sources if source not in allowed]
    wrong += [f".dockerignore lets in {source}, which nothing copies" for source in allowed - set(sources)]
    if re.findall(r"^USER (\S+)$", deployment.dockerfile, re.M)[-1:] != ["10001:10001"]:
        wrong.append("it runs as root")
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]["find"]
    known = {name.rstrip("*") for name in packages["include"]}
    return wrong + [f"{source} is no package of ours" for source in sources if source.parts[0] not in known]


def image_files(deployment: Deployment) -> dict[PurePosixPath, PurePosixPath]:
    """Path in the image by path in the repository, of what the Dockerfile copies from it."""
    copied = {}
    for line in re.findall(r"^COPY (?!--from)(.+)$", deployment.dockerfile, re.M):
        *sources, target = line.split()
        for source in map(PurePosixPath, sources):
            into = target.endswith("/")
            copied[source] = PurePosixPath(target) / source.name if into else PurePosixPath(target)
    return copied


SPOILED: Spoiled = {
    commands_exist: [
        put("order/command", ["python", "-m", "order_svc.mian"]),
        put("topics/command", ["python", "-m", "deployment.topics"]),
        put("order/command", ["python", "-m", "order_svc"]),
    ],
    image_has_what_commands_import: [
        swap("dockerfile", "COPY chassis /app/chassis\n", ""),
        swap("dockerfile", "COPY schemas /app/schemas", "COPY schemas /app/events"),
        swap("dockerfile", "deploy/topics.py ", ""),
    ],
    image_is_built_first: [
        drop("topics/build"),
        drop("order/depends_on/topics"),
    ],
    image_is_made_of_what_exists: [
        swap("dockerfile", "COPY chassis", "COPY chasis"),
        swap("dockerfile", "COPY chassis", "COPY tests"),
        swap("dockerfile", "USER 10001:10001", "USER root"),
        swap("dockerignore", "!chassis", "chassis"),
        swap("dockerignore", "!chassis", "!chassis\n!tests"),
    ],
}
