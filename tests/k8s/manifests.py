"""The manifests of an overlay as the API server gets them, with those fields of kustomize that the overlays use."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from deploy.k8s.files import K8S

OVERLAYS = ("development", "production")
FIELDS = {"apiVersion", "kind", "resources", "namespace", "images", "replicas", "configMapGenerator"}
Object = dict[str, Any]
FastLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass
class Manifests:
    """What one overlay installs."""

    overlay: str
    objects: list[Object]

    def of(self, *kinds: str) -> list[Object]:
        """The objects of some kinds."""
        return [one for one in self.objects if one["kind"] in kinds]

    def get(self, kind: str, name: str) -> Object:
        """One object; raise ``KeyError`` if there is none."""
        for one in self.of(kind):
            if one["metadata"]["name"] == name:
                return one
        raise KeyError(f"{kind}/{name}")

    @property
    def names(self) -> set[tuple[str, str]]:
        """Kind and name of every object."""
        return {(one["kind"], one["metadata"]["name"]) for one in self.objects}

    @property
    def pods(self) -> Iterator[tuple[str, Object]]:
        """What pods are made from: the name of their Deployment, StatefulSet or Job, and their template."""
        for one in self.of("Deployment", "StatefulSet", "Job"):
            yield one["metadata"]["name"], one["spec"]["template"]

    def pod(self, name: str) -> Object:
        """The template of the pods with this name; raise ``KeyError`` if there is none."""
        return dict(self.pods)[name]


def read_manifests(overlay: str) -> Manifests:
    """An overlay of this repository."""
    return Manifests(overlay, json.loads(_rendered(overlay)))


@cache
def _rendered(overlay: str) -> str:
    """As JSON: fast to read again, for a corrupted copy."""
    return json.dumps(list(_objects(K8S / "overlays" / overlay)))


def _objects(folder: Path) -> Iterator[Object]:
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    assert kustomization.keys() <= FIELDS, "this reads a few fields of kustomize only"
    objects = [one for path in kustomization["resources"] for one in _read(folder / path)]
    objects += [_generated(one) for one in kustomization.get("configMapGenerator", ())]
    counts = {one["name"]: one["count"] for one in kustomization.get("replicas", ())}
    for one in objects:
        if "namespace" in kustomization and one["kind"] != "Namespace":
            one["metadata"]["namespace"] = kustomization["namespace"]
        if one["kind"] in ("Deployment", "StatefulSet") and one["metadata"]["name"] in counts:
            one["spec"]["replicas"] = counts[one["metadata"]["name"]]
        for image in kustomization.get("images", ()):
            _set_image(one, image)
        yield one


def _read(path: Path) -> list[Object]:
    if path.is_dir():
        return list(_objects(path))
    return list(yaml.load_all(path.read_text(), FastLoader))


def _generated(one: Mapping[str, Any]) -> Object:
    """Without the hash that kustomize appends to the name, here and where it is referred to."""
    data = dict(literal.split("=", 1) for literal in one["literals"])
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": one["name"]}, "data": data}


def _set_image(one: Object, image: Mapping[str, str]) -> None:
    for container in one.get("spec", {}).get("template", {}).get("spec", {}).get("containers", ()):
        if container["image"] == image["name"]:
            container["image"] = f"{image.get('newName', image['name'])}:{image['newTag']}"
