"""The files that a training job left: checked against the manifest, then copied to the run's own folder."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dropforge.contract import names
from dropforge.contract.results import Manifest
from lambdas.common.artifacts import ArtifactFault, Artifacts

if TYPE_CHECKING:
    from dropforge.contract.steps import JudgeInput

CONTENT_TYPES = {".html": "text/html; charset=utf-8", ".json": "application/json", ".jsonl": "application/jsonl"}


def collect(given: JudgeInput, artifacts: Artifacts) -> tuple[Manifest, dict[str, bytes]]:
    """The manifest and every file that it names, each with the SHA-256 that the trainer wrote down.

    Raises:
        ArtifactFault: the manifest is another run's, or a file is missing or changed.
    """
    prefix = urlsplit(given.artifacts_uri).path.strip("/")
    raw = artifacts.read(f"{prefix}/{names.MANIFEST_FILE}")
    manifest = Manifest.from_json(json.loads(raw))
    if (manifest.run, manifest.model) != (given.run, given.model):
        found = f"{manifest.run} of {manifest.model!r}"
        raise ArtifactFault(f"{names.MANIFEST_FILE}: expected {given.run} of {given.model!r}, got {found}")
    files = {name: artifacts.read_checked(f"{prefix}/{name}", fact.sha256) for name, fact in manifest.files.items()}
    return manifest, {**files, names.MANIFEST_FILE: raw}


def keep(run: str, files: dict[str, bytes], artifacts: Artifacts) -> None:
    """Writes the files to `runs/<run>/`; doing it again writes the same bytes."""
    for name, body in files.items():
        ending = name[name.rfind(".") :] if "." in name else ""
        kind = CONTENT_TYPES.get(ending, "application/octet-stream")
        artifacts.write(names.RunFiles(run).key(name), body, kind)
