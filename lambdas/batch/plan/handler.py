"""Plan reads a claimed batch once, pins the model's version, and cuts the rows into pieces.

Wrong files, or a model without a live version, are an outcome, not an exception.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dropforge.contract.batch import BatchPlan, Piece
from dropforge.contract.environment import load
from dropforge.contract.log import begin_step, log
from dropforge.contract.names import BATCH_PLAN, NameFault, RunFiles, drop_at, text_file
from dropforge.contract.results import Manifest
from dropforge.contract.settings import PlanSettings
from dropforge.contract.steps import PlanInput, Planned
from dropforge.datasets.faults import DataFault
from lambdas.batch.plan.commas import CommaCensus
from lambdas.batch.plan.cutting import cuts, open_file
from lambdas.batch.plan.limits import check_drop, check_pieces, piece_size
from lambdas.common.artifacts import Artifacts
from lambdas.common.registry import Registry
from lambdas.common.sources import fetch, sources
from lambdas.common.uploads import Upload

if TYPE_CHECKING:
    from dropforge.contract.batch import BatchFile
    from dropforge.contract.names import Drop
    from dropforge.contract.registry import RunRow, VersionRow
    from lambdas.batch.plan.cutting import OpenFile
    from lambdas.common.sources import Source


def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Takes `PlanInput` and returns `Planned`."""
    begin_step("Plan", event, context)
    return plan(PlanInput.from_json(event), load(PlanSettings)).to_json()


def plan(request: PlanInput, settings: PlanSettings) -> Planned:
    """Writes the batch's plan, or returns why the batch is rejected."""
    registry = Registry(settings.registry)
    registry.update_run(request.run, step="Plan")
    row = registry.run(request.run)
    try:
        batch_plan = make_plan(row, registry, settings)
    except (DataFault, NameFault) as fault:
        registry.end(row.run, "rejected", str(fault))
        log("rejected", run=row.run, model=row.model)
        return Planned("rejected", str(fault))
    Artifacts(settings.artifacts).write_json(f"{RunFiles(row.run).batch}{BATCH_PLAN}", batch_plan.to_json())
    registry.update_run(row.run, step="Answer", pieces=len(batch_plan.pieces), version=batch_plan.version, progress={})
    log("planned", run=row.run, model=row.model, pieces=len(batch_plan.pieces))
    return Planned("planned", "", len(batch_plan.pieces))


def make_plan(row: RunRow, registry: Registry, settings: PlanSettings) -> BatchPlan:
    """The plan of a claimed batch.

    Raises:
        DataFault: the batch cannot be predicted; the message says what to do.
        NameFault: the same of its key or a file's name.
    """
    drop = drop_at(row.key).checked()
    version = live_version(row.model, registry)
    card = Manifest.from_json(Artifacts(settings.artifacts).read_json(version.manifest)).card
    files = sources(row, drop, registry)
    check_drop(drop, card, [source.size for source in files])
    return cut_up(
        row,
        drop,
        files,
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
    """The live version; `DataFault` if the model has none."""
    live = registry.live(model)
    version = None if live is None else registry.version(model, live.version)
    if version is None:
        raise DataFault(
            f"no version of {model!r} is live; expected a live one: drop a data set under datasets/{model}/ "
            "first, and this file again once its run is promoted"
        )
    return version


def cut_up(row: RunRow, drop: Drop, sources: list[Source], bare: BatchPlan, settings: PlanSettings) -> BatchPlan:
    """The plan with its files and pieces; only one file at a time is on disk."""
    size = piece_size([source.size for source in sources], int(settings.piece_bytes))
    census = CommaCensus(bare.card)
    files: list[BatchFile] = []
    pieces: list[Piece] = []
    for source in sources:
        with tempfile.TemporaryDirectory() as folder:
            output = f"{drop.name}/{source.name}" if drop.kind == "set" else drop.name
            file = open_file(fetch(source, Path(folder)), source.name, output, bare.card)
            key = f"{RunFiles(row.run).batch}{text_file(len(files))}"
            pieces += pieces_of(file, len(files), source, TextObject(settings.artifacts, key), size, census)
            check_pieces(len(pieces))
            files.append(file.file)
    return replace(bare, files=tuple(files), pieces=tuple(pieces), commas=census.meanings)


@dataclass(frozen=True)
class TextObject:
    """Where the text of a file is written that cannot be cut in place."""

    bucket: str
    key: str


def pieces_of(
    file: OpenFile, number: int, source: Source, text_object: TextObject, size: int, census: CommaCensus
) -> list[Piece]:
    """The pieces of one file: ranges of the file itself, or of its text, which is then written to `text_object`."""
    if file.in_place:
        return [
            Piece(number, source.bucket, source.key, source.version, cut.start, cut.end, cut.line)
            for cut in cuts(file, size, census, lambda _block: None)
        ]
    with Upload(text_object.bucket, text_object.key) as text:
        return [
            Piece(number, text_object.bucket, text_object.key, "", cut.start, cut.end, cut.line)
            for cut in cuts(file, size, census, text.write)
        ]
