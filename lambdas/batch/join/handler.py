"""Join writes the predictions of a batch from its pieces, after its errors and totals."""

from __future__ import annotations

import zlib
from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dropforge.contract.artifacts import ArtifactSettings
from dropforge.contract.batch import BatchPlan, BatchSummary, PieceReport
from dropforge.contract.environment import load
from dropforge.contract.log import begin_step, log
from dropforge.contract.names import (
    BATCH_PLAN,
    ERRORS_SUFFIX,
    SUCCESS,
    SUMMARY_SUFFIX,
    RunFiles,
    parse_batch,
    piece_file,
    predictions_key,
    text_file,
)
from dropforge.contract.steps import Joined, JoinInput
from lambdas.common import aws
from lambdas.common.artifacts import Artifacts
from lambdas.common.clock import now
from lambdas.common.registry import Registry
from lambdas.common.uploads import Upload

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dropforge.contract.registry import BatchRun

BLOCK_BYTES = 1 << 20


def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Takes `JoinInput` and returns `Joined`."""
    begin_step("Join", event, context)
    return join(JoinInput.from_json(event), load(ArtifactSettings)).to_json()


def join(request: JoinInput, settings: ArtifactSettings) -> Joined:
    """Writes the files under `predictions/`; once they are whole, the run has ended.

    Repeating it after it has finished only deletes the pieces.
    """
    registry, artifacts = Registry(settings.registry), Artifacts(settings.artifacts)
    row = registry.batch_run(request.run)
    plan = BatchPlan.from_json(artifacts.read_json(f"{RunFiles(request.run).batch}{BATCH_PLAN}"))
    if row.predicted is None or row.failed is None:
        registry.update_run(request.run, step="Join")
        totals = summary(row, plan, settings.artifacts)
        version = write_all(plan, totals, settings.artifacts, parse_batch(row.key).kind == "set")
        counts = {"predicted": totals.predicted, "failed": totals.failed}
        registry.update_run(request.run, output=totals.predictions, output_version=version, **counts)
        log("joined", run=request.run, model=request.model, predicted=totals.predicted, failed=totals.failed)
    else:
        counts = {"predicted": row.predicted, "failed": row.failed}
    registry.end(request.run, "predicted", "")
    delete_pieces(plan, settings.artifacts)
    return Joined(**counts)


def summary(row: BatchRun, plan: BatchPlan, bucket: str) -> BatchSummary:
    """The totals of all pieces."""
    artifacts, name = Artifacts(bucket), parse_batch(row.key).name
    keys = [f"{key}.json" for key in piece_keys(plan)]
    reports = [PieceReport.from_json(artifacts.read_json(key)) for key in keys]
    predicted, failed = sum(report.predicted for report in reports), sum(report.failed for report in reports)
    uri = f"s3://{bucket}/{predictions_key(plan.model, name)}"
    elapsed = datetime.fromisoformat(now()) - datetime.fromisoformat(row.created)
    return BatchSummary(
        run=plan.run,
        model=plan.model,
        version=plan.version,
        file=name,
        rows=predicted + failed,
        predicted=predicted,
        failed=failed,
        pieces=len(plan.pieces),
        seconds=round(elapsed.total_seconds(), 3),
        predictions=uri if parse_batch(row.key).kind == "file" else f"{uri}/",
        errors=f"{uri}{ERRORS_SUFFIX}",
        warnings=dict(sum((Counter(report.warnings) for report in reports), Counter())),
    )


def write_all(plan: BatchPlan, totals: BatchSummary, bucket: str, is_set: bool) -> str | None:
    """Writes errors, totals and predictions, and for a set `_SUCCESS` at the very end.

    Returns the version id of a file's predictions, None for a set.
    """
    key = predictions_key(plan.model, totals.file)
    with Upload(bucket, f"{key}{ERRORS_SUFFIX}", "application/jsonl") as errors:
        for piece in piece_keys(plan):
            for block in read(bucket, f"{piece}.errors"):
                errors.write(block)
    Artifacts(bucket).write_json(f"{key}{SUMMARY_SUFFIX}", totals.to_json())
    version = None
    for number, file in enumerate(plan.files):
        with Upload(bucket, predictions_key(plan.model, file.name)) as upload:
            write(rows_of(plan, number, bucket), file.packing, plan, upload)
        version = upload.version
    if not is_set:
        return version
    Artifacts(bucket).write(f"{key}/{SUCCESS}", b"")
    return None


def write(rows: Iterator[bytes], packing: str, plan: BatchPlan, upload: Upload) -> None:
    """Writes the rows of one file, compressed as the file was."""
    if packing == "parquet":
        from lambdas.batch.join.parquet import write_parquet

        write_parquet(rows, plan.card, upload)
        return
    if packing == "excel":
        from lambdas.batch.join.excel import write_excel

        write_excel(rows, plan.card, upload)
        return
    for block in gzipped(rows) if packing == "gzip" else rows:
        upload.write(block)


def rows_of(plan: BatchPlan, number: int, bucket: str) -> Iterator[bytes]:
    """The predictions of one file, from all its pieces in order."""
    for piece, key in zip(plan.pieces, piece_keys(plan), strict=True):
        if piece.file == number:
            yield from read(bucket, f"{key}.rows")


def piece_keys(plan: BatchPlan) -> list[str]:
    """The keys of the pieces' files, without their suffixes."""
    return [f"{RunFiles(plan.run).batch}{piece_file(number)}" for number in range(1, len(plan.pieces) + 1)]


def read(bucket: str, key: str) -> Iterator[bytes]:
    """An object's bytes, in blocks."""
    yield from aws.s3().get_object(Bucket=bucket, Key=key)["Body"].iter_chunks(BLOCK_BYTES)


def gzipped(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The blocks as one gzip stream."""
    packer = zlib.compressobj(6, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    for block in blocks:
        yield packer.compress(block)
    yield packer.flush()


def delete_pieces(plan: BatchPlan, bucket: str) -> None:
    """Deletes the pieces and texts of the batch, and keeps its plan."""
    keys = [f"{key}.{ending}" for key in piece_keys(plan) for ending in ("rows", "errors", "json")]
    keys += [f"{RunFiles(plan.run).batch}{text_file(number)}" for number in range(len(plan.files))]
    for start in range(0, len(keys), 1_000):
        objects: Any = [{"Key": key} for key in keys[start : start + 1_000]]
        aws.s3().delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
