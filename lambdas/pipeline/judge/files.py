"""The files of a training job, checked against the manifest, then copied to the run's own folder."""

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


def collect(request: JudgeInput, artifacts: Artifacts) -> tuple[Manifest, dict[str, bytes]]:
    """Reads the manifest and every file that it names, and checks each file's SHA-256.

    Raises:
        ArtifactFault: the manifest is another run's, or a file is missing or changed.
    """
    prefix = urlsplit(request.artifacts_uri).path.strip("/")
    raw = artifacts.read(f"{prefix}/{names.MANIFEST_FILE}")
    manifest = Manifest.from_json(json.loads(raw))
    if (manifest.run, manifest.model) != (request.run, request.model):
        actual = f"{manifest.run} of {manifest.model!r}"
        raise ArtifactFault(f"{names.MANIFEST_FILE}: expected {request.run} of {request.model!r}, got {actual}")
    files = {name: artifacts.read_checked(f"{prefix}/{name}", fact.sha256) for name, fact in manifest.files.items()}
    return manifest, {**files, names.MANIFEST_FILE: raw}


def keep(run: str, files: dict[str, bytes], artifacts: Artifacts) -> None:
    """Writes the files to `runs/<run>/`; repeating it writes the same bytes."""
    for name, body in files.items():
        ending = name[name.rfind(".") :] if "." in name else ""
        kind = CONTENT_TYPES.get(ending, "application/octet-stream")
        artifacts.write(names.RunFiles(run).key(name), body, kind)
