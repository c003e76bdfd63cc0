"""The progress and the outcome of a batch, and the download of its predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dropforge.client.faults import Fault, readable
from dropforge.contract.documents import Record
from dropforge.contract.names import ERRORS_SUFFIX
from dropforge.contract.registry import BatchRun
from dropforge.contract.steps import ShownStatus

if TYPE_CHECKING:
    from pathlib import Path

    from dropforge.client.connection import Connection
    from dropforge.contract.registry import RunRow


class BatchOutcome(Record):
    """The outcome of a batch.

    Example:
        >>> ended = forge.batch("houses", "new-houses.csv", wait=True)
        >>> if ended.good:
        ...     forge.fetch(ended, "priced.csv")
    """

    run: str
    model: str
    status: ShownStatus
    """`predicted`, even if some rows have no prediction; `rejected` or `failed` if there are none at all."""
    version: str | None
    """The version of the model that predicted every row."""
    predicted: int
    failed: int
    """Number of rows without a prediction; each is one line in `errors`."""
    reason: str
    predictions: str | None
    """S3 URI of the predictions; for a batch of several files, the prefix of its parts."""
    predictions_version: str | None
    """S3 version id of the predictions of one file; a later file of the same name overwrites the key."""
    errors: str | None
    """S3 URI of the rows without a prediction, as JSON lines of `line`, `column` and `why`."""

    @property
    def good(self) -> bool:
        """Whether the predictions exist."""
        return self.status == "predicted"


def batch_outcome(row: RunRow) -> BatchOutcome:
    """The outcome of an ended batch; `Fault` for a run that is none."""
    if not isinstance(row, BatchRun):
        raise Fault(f"{row.run}: expected a batch, got a run of kind {row.kind!r}", "no_batch", "run")
    errors = None if row.output is None else f"{row.output.rstrip('/')}{ERRORS_SUFFIX}"
    return BatchOutcome(
        run=row.run,
        model=row.model,
        status=row.status,
        version=row.version,
        predicted=row.predicted or 0,
        failed=row.failed or 0,
        reason=row.reason,
        predictions=row.output,
        predictions_version=row.output_version,
        errors=errors,
    )


def rows_done(row: BatchRun) -> str:
    """How far a batch is, in words; empty before its first rows."""
    done = sum(row.progress.values())
    if not row.pieces or not done:
        return ""
    pieces = f" in {len(row.progress)} of {row.pieces} pieces" if row.pieces > 1 else ""
    return f"{done:,} rows{pieces}"


def fetch(connection: Connection, ended: BatchOutcome, to: Path) -> Path:
    """Downloads the predictions to `to`; `Fault` when there are none, or several files of them."""
    if ended.predictions is None or ended.predictions.endswith("/"):
        told = "none" if ended.predictions is None else f"several files under {ended.predictions}"
        raise Fault(f"{ended.run}: expected one file of predictions, got {told}", "no_predictions", "run")
    place = urlsplit(ended.predictions)
    with readable(f"fetching {ended.predictions}", connection.where):
        try:
            to.parent.mkdir(parents=True, exist_ok=True)
            version = {"VersionId": ended.predictions_version} if ended.predictions_version else {}
            connection.client("s3").download_file(place.netloc, place.path.lstrip("/"), str(to), ExtraArgs=version)
        except OSError as fault:
            raise Fault(f"{to}: cannot be written: {fault.strerror or fault}", "out", "out") from fault
    return to
