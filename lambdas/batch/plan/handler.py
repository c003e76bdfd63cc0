"""Plan: a claimed batch is looked through once, its model's version pinned, its rows cut into pieces.

What is wrong with the files, or that no version is live, is an answer and no exception.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dropforge.contract.batch import BatchPlan, Piece
from dropforge.contract.environment import load
from dropforge.contract.log import log
from dropforge.contract.names import BATCH_PLAN, RunFiles, parse_batch, text_file
from dropforge.contract.results import Manifest
from dropforge.contract.settings import PlanSettings
from dropforge.contract.steps import PlanInput, Planned
from dropforge.datasets.faults import DataFault
from lambdas.batch.plan.commas import CommaCensus
from lambdas.batch.plan.cutting import cuts, opened
from lambdas.batch.plan.limits import check_drop, check_pieces, piece_size
from lambdas.common.artifacts import Artifacts
from lambdas.common.registry import Registry
from lambdas.common.sources import fetch, sources
from lambdas.common.uploads import Upload

if TYPE_CHECKING:
    from dropforge.contract.batch import BatchFile
    from dropforge.contract.names import Drop
    from dropforge.contract.registry import RunRow, VersionRow
    from lambdas.batch.plan.cutting import Opened
    from lambdas.common.sources import Source


def handle(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """The state's task: `PlanInput` in, `Planned` out."""
    return plan(PlanInput.from_json(event), load(PlanSettings)).to_json()


def plan(request: PlanInput, settings: PlanSettings) -> Planned:
    """Writes the batch's plan, or says why there is none."""
    registry = Registry(settings.registry)
    registry.update_run(request.run, step="Plan")
    row = registry.run(request.run)
    try:
        made = made_plan(row, registry, settings)
    except DataFault as fault:
        log("rejected", step="Plan", run=row.run, model=row.model)
        return Planned("rejected", str(fault))
    Artifacts(settings.artifacts).write_json(f"{RunFiles(row.run).batch}{BATCH_PLAN}", made.to_json())
    registry.update_run(row.run, step="Answer", pieces=len(made.pieces), version=made.version, progress={})
    log("planned", step="Plan", run=row.run, model=row.model, pieces=len(made.pieces))
    return Planned("planned", "", len(made.pieces))


def made_plan(row: RunRow, registry: Registry, settings: PlanSettings) -> BatchPlan:
    """The plan of a claimed batch.

    Raises:
        DataFault: it cannot be predicted; the message says what to do.
    """
    drop = parse_batch(row.key)
    version = live_version(row.model, registry)
    card = Manifest.from_json(Artifacts(settings.artifacts).read_json(version.manifest)).card
    found = sources(row, drop)
    check_drop(drop, card, [source.size for source in found])
    return cut_up(
        row,
        drop,
        found,
        BatchPlan(
            run=row.run,
            model=row.model,
            version=version.version,
            artifact=version.artifact,
            sha256=version.sha256,
            card=card,
        ),
        settings,
    )


def live_version(model: str, registry: Registry) -> VersionRow:
    """The version that serves now; `DataFault` when none does."""
    live = registry.live(model)
    version = None if live is None else registry.version(model, live.version)
    if version is None:
        raise DataFault(
            f"no version of {model!r} is live; expected one that answers: drop a data set under datasets/{model}/ "
            "first, and this file again once its run is promoted"
        )
    return version


def cut_up(row: RunRow, drop: Drop, found: list[Source], bare: BatchPlan, settings: PlanSettings) -> BatchPlan:
    """The plan with its files and pieces; one file at a time lies on disk."""
    size = piece_size([source.size for source in found], int(settings.piece_bytes))
    census = CommaCensus(bare.card)
    files: list[BatchFile] = []
    pieces: list[Piece] = []
    for source in found:
        with tempfile.TemporaryDirectory() as folder:
            output = f"{drop.name}/{source.name}" if drop.kind == "set" else drop.name
            file = opened(fetch(source, Path(folder)), source.name, output, bare.card)
            texts = f"{RunFiles(row.run).batch}{text_file(len(files))}"
            pieces += placed(file, len(files), source, Texts(settings.artifacts, texts), size, census)
            check_pieces(len(pieces))
            files.append(file.file)
    return replace(bare, files=tuple(files), pieces=tuple(pieces), commas=census.found)


@dataclass(frozen=True)
class Texts:
    """Where the text of a file is put that is not cut where it lies."""

    bucket: str
    key: str


def placed(file: Opened, number: int, source: Source, texts: Texts, size: int, census: CommaCensus) -> list[Piece]:
    """The pieces of one file, of its own bytes or of its text written anew."""
    if file.in_place:
        return [
            Piece(number, source.bucket, source.key, source.version, cut.start, cut.end, cut.line)
            for cut in cuts(file, size, census, lambda _block: None)
        ]
    with Upload(texts.bucket, texts.key) as text:
        return [
            Piece(number, texts.bucket, texts.key, "", cut.start, cut.end, cut.line)
            for cut in cuts(file, size, census, text.write)
        ]
