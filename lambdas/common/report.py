"""A run's report that has changed since the trainer wrote it, with a manifest that matches."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING

from dropforge.contract import names
from dropforge.contract.results import FileFact

if TYPE_CHECKING:
    from dropforge.contract.results import Manifest


def renewed(page: bytes, manifest: Manifest) -> dict[str, bytes]:
    """The two files: the report as it is now, and the manifest with its size and its SHA-256."""
    fact = FileFact(hashlib.sha256(page).hexdigest(), len(page))
    updated = replace(manifest, files={**manifest.files, names.REPORT_FILE: fact})
    return {names.REPORT_FILE: page, names.MANIFEST_FILE: json.dumps(updated.to_json(), indent=1).encode()}
