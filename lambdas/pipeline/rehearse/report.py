"""Draws what a rehearsal saw into the run's report, at the mark that Judge leaves below its verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dropforge.contract import names
from dropforge.contract.results import Manifest
from dropforge.metrics.evidence_page import section
from lambdas.common.report import renewed

if TYPE_CHECKING:
    from dropforge.contract.rollouts import Evidence
    from lambdas.common.artifacts import Artifacts

KINDS = {names.REPORT_FILE: "text/html; charset=utf-8", names.MANIFEST_FILE: "application/json"}


def draw(run: str, evidence: Evidence, artifacts: Artifacts) -> None:
    """Writes the report and its manifest anew; a report without the mark stays as it is."""
    files = names.RunFiles(run)
    page = with_rehearsal(artifacts.read(files.key(names.REPORT_FILE)), evidence)
    if page is None:
        return
    manifest = Manifest.from_json(artifacts.read_json(files.key(names.MANIFEST_FILE)))
    for name, body in renewed(page, manifest).items():
        artifacts.write(files.key(name), body, KINDS[name])


def with_rehearsal(page: bytes, evidence: Evidence) -> bytes | None:
    """The page with the rehearsal between its marks, in place of an earlier one; None for a page without them."""
    begin, end = (mark.encode() for mark in names.REHEARSAL_MARKS)
    before, found, rest = page.partition(begin)
    _, ended, after = rest.partition(end)
    if not found or not ended:
        return None
    drawn = f"\n<h2>Rehearsal: beside version {evidence.against}</h2>\n{section(evidence)}\n"
    return b"".join([before, begin, drawn.encode(), end, after])
