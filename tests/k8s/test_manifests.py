"""``deploy/k8s`` fits the code, the system map, itself and the schemas of what reads it.

Each check must find nothing in the real manifests, and something in corrupted copies of them.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator
from inspect import get_annotations, getmembers, isfunction
from pathlib import Path

import pytest
import yaml

from chassis.runtime.exposition import VERSION
from deploy.k8s.files import FILES, K8S
from deploy.k8s.parts import IMAGE
from tests.compose.deployment import ROOT
from tests.k8s import given, network, programs, references, schemas
from tests.k8s.corruptions import Check, Corrupt, Corruptions
from tests.k8s.manifests import OVERLAYS, FastLoader, Manifests, Object, read_manifests

MODULES = (given, network, programs, references, schemas)
CHECKS: Corruptions = {check: corruptions for module in MODULES for check, corruptions in module.CORRUPTIONS.items()}
CORRUPTIONS = [(check, corrupt) for check, corruptions in CHECKS.items() for corrupt in corruptions]
GUIDE = ROOT / "docs" / "how-to" / "deploy-on-kubernetes.md"


@pytest.mark.parametrize("path", FILES)
def test_what_is_generated_is_up_to_date(path: str) -> None:
    assert (K8S / path).read_text() == FILES[path](), "run: python -m deploy.k8s"


@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize("check", CHECKS)
def test_a_check_finds_nothing_in_the_real_manifests(check: Check, overlay: str) -> None:
    assert check(read_manifests(overlay)) == []


@pytest.mark.parametrize(("check", "corrupt"), CORRUPTIONS, ids=lambda one: getattr(one, "__name__", ""))
def test_a_check_finds_a_corruption(check: Check, corrupt: Corrupt) -> None:
    assert any(check(manifests) for manifests in _corrupted(corrupt))


def _corrupted(corrupt: Corrupt) -> Iterator[Manifests]:
    for overlay in OVERLAYS:
        manifests = read_manifests(overlay)
        try:
            corrupt(manifests)
        except KeyError:
            continue  # the other overlay has that object
        yield manifests


def test_production_runs_the_image_of_this_version() -> None:
    images = {
        container["image"].rpartition(":")[2]
        for _, pod in read_manifests("production").pods
        for container in pod["spec"]["containers"]
        if IMAGE in container["image"]
    }
    assert images == {VERSION}


def test_every_check_has_corruptions() -> None:
    functions = [
        one for module in MODULES for _, one in getmembers(module, isfunction) if one.__module__ == module.__name__
    ]
    checks = {one for one in functions if get_annotations(one).get("return") == list[str] and one.__name__[0] != "_"}
    assert checks == set(CHECKS)
    assert all(CHECKS.values())


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_guide_names_every_secret_that_has_to_be_made(overlay: str) -> None:
    guide = GUIDE.read_text()
    assert [name for name in given.PROVIDED[overlay] if f" {name} " not in guide] == []


def test_every_file_is_part_of_an_overlay() -> None:
    used = {path for folder in K8S.rglob("kustomization.yaml") for path in _resources(folder)}
    assert {path for path in K8S.rglob("*.yaml") if path.name != "kustomization.yaml"} == used


def _resources(kustomization: Path) -> set[Path]:
    named = _kustomization(kustomization.parent)["resources"]
    return {kustomization.parent / one for one in named if one.endswith(".yaml")}


def _kustomization(folder: Path) -> Object:
    content: Object = yaml.safe_load((folder / "kustomization.yaml").read_text())
    return content


@pytest.mark.skipif(not shutil.which("kubectl"), reason="kubectl is not installed; the manifests are read without it")
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_kustomize_makes_the_same_of_them(overlay: str) -> None:
    command = ["kubectl", "kustomize", str(K8S / "overlays" / overlay)]
    made = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    for name in (one["name"] for one in _kustomization(K8S / "overlays" / overlay)["configMapGenerator"]):
        # With the hash that a change of its content changes.
        made = re.sub(rf"(?<=[ ]){name}-[a-z0-9]{{10}}$", name, made, flags=re.M)
    assert _by_name(list(yaml.load_all(made, FastLoader))) == _by_name(read_manifests(overlay).objects)


def _by_name(objects: list[Object]) -> dict[str, Object]:
    return {f"{one['kind']}/{one['metadata']['name']}": one for one in objects}
