"""The next row of a live pointer, one generation after the row that was read."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dropforge.contract.registry import LiveRow
from lambdas.common.clock import now

if TYPE_CHECKING:
    from dropforge.contract.registry import VersionRow


def pointing(version: VersionRow, before: LiveRow | None) -> LiveRow:
    """The row that makes `version` live."""
    return LiveRow(
        model=version.model,
        version=version.version,
        run=version.run,
        artifact=version.artifact,
        sha256=version.sha256,
        generation=1 if before is None else before.generation + 1,
        moved=now(),
        previous=None if before is None else before.version,
        fast=version.fast,
    )


def withdrawn(before: LiveRow) -> LiveRow:
    """The row that leaves no version live; it keeps the last one, so that it can be restored."""
    return replace(before, generation=before.generation + 1, moved=now(), previous=before.version, withdrawn=True)
