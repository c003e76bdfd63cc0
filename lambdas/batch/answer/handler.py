"""Answer predicts one piece of a planned batch: it streams the rows from S3 and their predictions back."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from dropforge.contract.artifacts import ArtifactSettings
from dropforge.contract.batch import BatchPlan, PieceReport
from dropforge.contract.environment import load
from dropforge.contract.log import begin_step, log
from dropforge.contract.names import BATCH_PLAN, RunFiles, piece_file
from dropforge.contract.steps import AnswerInput
from dropforge.inference.model import ServedModel
from lambdas.batch.common.answering import Totals, Work, answer_piece
from lambdas.batch.common.rows import BLOCK_BYTES
from lambdas.common import aws
from lambdas.common.artifacts import ArtifactFault, Artifacts
from lambdas.common.registry import Registry
from lambdas.common.uploads import Upload

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dropforge.contract.batch import Piece

PROGRESS_SECONDS = 2.0
"""Time between two updates of the progress in the run's row."""


def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Takes `AnswerInput` and returns the piece's report."""
    begin_step("Answer", event, context)
    request, settings = AnswerInput.from_json(event), load(ArtifactSettings)
    try:
        return answer(request, settings).to_json()
    except Exception as fault:
        # A Distributed Map reports only that children failed, so the reason goes into the run's row.
        message = " ".join(str(fault).split())[:300]
        Registry(settings.registry).update_run(
            request.run, reason=f"piece {request.piece}: {type(fault).__name__}: {message}"
        )
        raise


def answer(request: AnswerInput, settings: ArtifactSettings) -> PieceReport:
    """Predicts one piece; repeating it writes the same files."""
    artifacts, files = Artifacts(settings.artifacts), RunFiles(request.run)
    plan = BatchPlan.from_json(artifacts.read_json(f"{files.batch}{BATCH_PLAN}"))
    piece = plan.pieces[request.piece - 1]
    model = loaded(settings.artifacts, plan.artifact, plan.sha256)
    work = Work(model, plan.files[piece.file], plan.run, plan.commas)
    key = f"{files.batch}{piece_file(request.piece)}"
    with Upload(settings.artifacts, f"{key}.rows") as rows, Upload(settings.artifacts, f"{key}.errors") as errors:
        if is_first(plan, request.piece):
            rows.write(work.writer().header().encode())
        totals = track_progress(
            answer_piece(work, blocks_of(piece), piece.line, rows.write, errors.write), request, settings
        )
    report = PieceReport(totals.predicted, totals.failed, dict(totals.warnings))
    artifacts.write_json(f"{key}.json", report.to_json())
    log(
        "answered",
        run=request.run,
        model=request.model,
        piece=request.piece,
        predicted=report.predicted,
        failed=report.failed,
    )
    return report


def track_progress(steps: Iterator[Totals], request: AnswerInput, settings: ArtifactSettings) -> Totals:
    """Writes the number of rows done into the run's row, now and then and at the end; returns the last totals."""
    registry, last, totals = Registry(settings.registry), time.monotonic(), Totals()
    for totals in steps:
        if time.monotonic() - last > PROGRESS_SECONDS:
            registry.note_progress(request.run, request.piece, totals.predicted + totals.failed)
            last = time.monotonic()
    registry.note_progress(request.run, request.piece, totals.predicted + totals.failed)
    return totals


@lru_cache(maxsize=1)
def loaded(bucket: str, key: str, sha256: str) -> ServedModel:
    """The model, which a warm function keeps for its next piece."""
    return ServedModel.from_bytes(Artifacts(bucket).read_checked(key, sha256), sha256)


def is_first(plan: BatchPlan, number: int) -> bool:
    """Whether this piece is the first of its file."""
    return number == 1 or plan.pieces[number - 1].file != plan.pieces[number - 2].file


def blocks_of(piece: Piece) -> Iterator[bytes]:
    """The piece's bytes, in blocks."""
    if piece.start == piece.end:
        return
    at_version: Any = {"VersionId": piece.version} if piece.version else {}
    span = f"bytes={piece.start}-{piece.end - 1}"
    response = aws.s3().get_object(Bucket=piece.bucket, Key=piece.key, Range=span, **at_version)
    if response["ContentLength"] != piece.end - piece.start:
        raise ArtifactFault(f"s3://{piece.bucket}/{piece.key}: expected {span}, got {response['ContentLength']} bytes")
    yield from response["Body"].iter_chunks(BLOCK_BYTES)
