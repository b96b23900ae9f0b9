"""The manifests of deploy/kubernetes, read once."""

from pathlib import Path
from typing import Any

import yaml

_FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "kubernetes"

Manifest = dict[str, Any]

MANIFESTS: list[Manifest] = [
    manifest
    for path in sorted(_FOLDER.glob("*.yaml"))
    if path.name != "kustomization.yaml"
    for manifest in yaml.safe_load_all(path.read_text(encoding="utf-8"))
]


def of_kind(kind: str) -> list[Manifest]:
    """All of one kind."""
    return [manifest for manifest in MANIFESTS if manifest["kind"] == kind]


def named(kind: str, name: str) -> Manifest:
    """The one of this kind and name."""
    [found] = [manifest for manifest in of_kind(kind) if manifest["metadata"]["name"] == name]
    return found


def containers(manifest: Manifest) -> list[Manifest]:
    """The containers of its pods."""
    found: list[Manifest] = manifest["spec"]["template"]["spec"]["containers"]
    return found
