"""A model file of the disk, read and checked: what is served of it, and when it has changed."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dropforge.contract.names import MANIFEST_FILE, METRICS_FILE, MODEL_FILE
from dropforge.contract.registry import LiveRow
from dropforge.contract.results import Metrics
from dropforge.inference.faults import ModelFault
from dropforge.inference.model import ServedModel

if TYPE_CHECKING:
    from pathlib import Path

    from dropforge.contract.scores import Importance

VERSION_DIGITS = 12
"""Hex digits of a file's SHA-256 that are its version, because there is no registry to number versions."""

Stamp = tuple[tuple[int, int, int], ...]
"""What changes when the file, or the manifest beside it, is written or replaced: time in ns, bytes, inode of each."""


@dataclass
class Served:
    """One model under its name, and the file that it was read from."""

    path: Path
    stamp: Stamp
    row: LiveRow
    model: ServedModel
    looked: float
    importances: tuple[Importance, ...] = ()
    """Importances of the model's columns; empty if the metrics of its run are not next to it."""
    before: Served | None = None
    """The model before the file's last change, which a request in progress may still need."""


def opened(path: Path, name: str | None, generation: int) -> Served:
    """Reads a model file; a manifest next to it must name the same content.

    Raises:
        ModelFault: not a model, no card, or other content than the manifest says.
        OSError: it cannot be read.
    """
    stamp = stamp_of(path)
    body = path.read_bytes()
    digest = hashlib.sha256(body).hexdigest()
    model = ServedModel.from_bytes(body, promised(path) or digest)
    row = LiveRow(
        model=name or model.card.model,
        version=digest[:VERSION_DIGITS],
        run=model.card.run,
        artifact=path.name,
        sha256=digest,
        generation=generation,
        moved=datetime.fromtimestamp(stamp[0][0] / 1e9, UTC).isoformat(timespec="seconds"),
    )
    return Served(path, stamp, row, model, time.monotonic(), importances(path))


def promised(path: Path) -> str | None:
    """The SHA-256 in the manifest of a run's folder; None without a manifest.

    Raises:
        ModelFault: the manifest cannot be read.
    """
    manifest = path.with_name(MANIFEST_FILE)
    if path.name != MODEL_FILE or not manifest.is_file():
        return None
    try:
        return str(json.loads(manifest.read_text())["files"][MODEL_FILE]["sha256"])
    except (ValueError, KeyError, TypeError) as fault:
        raise ModelFault(f"{MANIFEST_FILE}: expected the SHA-256 of {MODEL_FILE} in it, got {fault!r}") from fault


def importances(path: Path) -> tuple[Importance, ...]:
    """The importances in `metrics.json` next to the file, if its content matches the manifest; empty otherwise."""
    if path.name != MODEL_FILE:
        return ()
    manifest, metrics = (path.with_name(name) for name in (MANIFEST_FILE, METRICS_FILE))
    try:
        promise = json.loads(manifest.read_text())["files"][METRICS_FILE]["sha256"]
        body = metrics.read_bytes()
        kept = hashlib.sha256(body).hexdigest() == promise
        return Metrics.from_json(json.loads(body)).importances if kept else ()
    except (OSError, ValueError, KeyError, TypeError):
        return ()


def stamp_of(path: Path) -> Stamp:
    """The stamp of a model file (see `Stamp`); `OSError` if the file does not exist."""
    manifest = path.with_name(MANIFEST_FILE)
    facts = (each.stat() for each in (path, manifest) if each == path or each.is_file())
    return tuple((fact.st_mtime_ns, fact.st_size, fact.st_ino) for fact in facts)
