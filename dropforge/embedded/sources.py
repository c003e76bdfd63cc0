"""The folder of the project, and digests of the sources that a deployment depends on."""

from __future__ import annotations

import hashlib
from pathlib import Path

from dropforge.embedded.fault import CloudFault

SHARED = tuple(f"dropforge/{name}" for name in ("contract", "metrics", "datasets", "pictures.py"))
TRAINER = ("training_container", *SHARED)
STACK = ("cdk_app", "lambdas", "dropforge/inference", *TRAINER, "cdk.json")
LEFT_OUT = {"__pycache__"}


def project_root() -> Path:
    """The folder with cdk.json: above this package.

    Raises:
        CloudFault: the package was installed without the project around it.
    """
    for folder in Path(__file__).resolve().parents:
        if (folder / "cdk.json").exists():
            return folder
    raise CloudFault("no cdk.json above the installed package: run from a checkout, installed with `make setup`")


def stack_digest(root: Path) -> str:
    """SHA-256 over everything that determines the templates and the functions' code."""
    return _digest(root, STACK)


def trainer_image(root: Path) -> str:
    """The image name that stands for the current trainer: `dropforge-trainer:<16 hex digits>`."""
    return f"dropforge-trainer:{_digest(root, TRAINER)[:16]}"


def _digest(root: Path, names: tuple[str, ...]) -> str:
    total = hashlib.sha256()
    for name in names:
        for file in sorted(_files(root / name)):
            total.update(f"{file.relative_to(root)}\0".encode())
            total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    found = path.rglob("*") if path.is_dir() else []
    return [file for file in found if file.is_file() and not LEFT_OUT.intersection(file.parts)]
