"""`Dropforge`: drop data, follow runs, ask models; the same against the embedded cloud and AWS."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload
from urllib.parse import urlsplit

from dropforge.client import batches, pictures, rowfiles
from dropforge.client.api import Api
from dropforge.client.batchruns import BatchOutcome, batch_outcome, fetch
from dropforge.client.connection import STACK, Connection
from dropforge.client.drops import Dropped, Wishes, upload, upload_batch
from dropforge.client.faults import Fault, readable
from dropforge.client.moves import served_before
from dropforge.client.outcome import Outcome, outcome
from dropforge.client.predictions import collect, stream, wishes
from dropforge.client.runs import Clock, Ended, Event, decoded, follow, has_ended
from dropforge.client.traininglog import TrainingLog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from dropforge.client.batches import Batch
    from dropforge.contract.api import ModelLine, ModelPage, Predictions
    from dropforge.contract.models import LiveRow, VersionRow
    from dropforge.contract.registry import RunRow

    Given = Iterable[Mapping[str, Any]] | str | Path | Sequence[str | Path]

TIMEOUT = 3_600.0
"""Seconds that a run is waited for."""


def batches_of(rows: Given) -> Iterator[Batch]:
    """What is asked for, request by request: rows, a file of rows, a picture's file, or a list of pictures' files."""
    if isinstance(rows, str | Path):
        path = Path(rows)
        return pictures.of_pictures([path]) if pictures.is_picture(path) else rowfiles.of_file(path)
    if isinstance(rows, list | tuple) and rows and all(isinstance(each, str | Path) for each in rows):
        return pictures.of_pictures([Path(each) for each in rows])
    return batches.of_rows(rows)  # type: ignore[arg-type]  # no paths are left


class Dropforge:
    """One Dropforge: the embedded cloud that runs here, otherwise the stack in your AWS account.

    Args:
        home: folder of an embedded cloud.
        profile: AWS profile; asks for AWS even where an embedded cloud runs.
        region: AWS region; the same.
        stack: name of the CloudFormation stack.

    Raises:
        Fault: neither is there; every method raises it too, always one readable line.
    """

    def __init__(
        self,
        home: str | Path | None = None,
        *,
        profile: str | None = None,
        region: str | None = None,
        stack: str = STACK,
    ) -> None:
        self.connection = Connection.load(home, stack, profile, region)
        self._api = Api(self.connection)

    @overload
    def drop(
        self,
        path: str | Path,
        *,
        model: str | None = ...,
        target: str | None = ...,
        wait: Literal[True],
        timeout: float = ...,
        progress: Callable[[int], None] | None = ...,
        spec: str | Path | None = ...,
        replace: Sequence[str] = ...,
        unproven: bool = ...,
    ) -> Outcome: ...

    @overload
    def drop(
        self,
        path: str | Path,
        *,
        model: str | None = ...,
        target: str | None = ...,
        wait: Literal[False] = ...,
        timeout: float = ...,
        progress: Callable[[int], None] | None = ...,
        spec: str | Path | None = ...,
        replace: Sequence[str] = ...,
        unproven: bool = ...,
    ) -> Dropped: ...

    def drop(
        self,
        path: str | Path,
        *,
        model: str | None = None,
        target: str | None = None,
        wait: bool = False,
        timeout: float = TIMEOUT,
        progress: Callable[[int], None] | None = None,
        spec: str | Path | None = None,
        replace: Sequence[str] = (),
        unproven: bool = False,
    ) -> Dropped | Outcome:
        """Uploads a data set; its arrival starts a run.

        Args:
            path: one row an observation: `.csv`, `.tsv`, `.jsonl` (each also `.gz`) or `.parquet`; or pictures, one
                folder a class: a folder or a `.zip`.
            model: the model's name; made from the file's name when left out.
            target: column to predict; by spec.yaml, or by rule, when left out.
            wait: whether to come back when the run has ended, with its outcome.
            timeout: seconds to wait at most.
            progress: called with the number of bytes just sent.
            spec: a `spec.yaml` of wishes, laid beside the model's data first; it stays for later drops.
            replace: in what the new version may differ from the live one and still take its place, of this drop alone:
                `target`, `task`, `classes`, `columns`, `uncompared`, `worse`.
            unproven: whether the new version may serve although its gain over the trivial baseline may be chance.

        Raises:
            Fault: the file cannot be dropped, or S3 refuses.
        """
        dropped = upload(self.connection, path, model, Wishes(target, replace, unproven), progress, spec)
        if not wait:
            return dropped
        row = self.wait(dropped.run, timeout)
        if original := self.still_at_it(row):
            self.wait(original, timeout)
        return self.outcome(row)

    @overload
    def batch(
        self,
        model: str,
        path: str | Path,
        *,
        wait: Literal[True],
        timeout: float = ...,
        progress: Callable[[int], None] | None = ...,
    ) -> BatchOutcome: ...

    @overload
    def batch(
        self,
        model: str,
        path: str | Path,
        *,
        wait: Literal[False] = ...,
        timeout: float = ...,
        progress: Callable[[int], None] | None = ...,
    ) -> Dropped: ...

    def batch(
        self,
        model: str,
        path: str | Path,
        *,
        wait: bool = False,
        timeout: float = TIMEOUT,
        progress: Callable[[int], None] | None = None,
    ) -> Dropped | BatchOutcome:
        """Uploads a file of rows to predict; its arrival starts a batch, which answers files of any size.

        Args:
            model: the model, which must be live.
            path: `.csv`, `.tsv`, `.jsonl` (each also `.gz`) or `.parquet`, with every column that the model reads.
            wait: whether to come back when the batch has ended, with its outcome.
            timeout: seconds to wait at most.
            progress: called with the number of bytes just sent.

        Raises:
            Fault: the file cannot be dropped, or S3 refuses.
        """
        dropped = upload_batch(self.connection, path, model, progress)
        return batch_outcome(self.wait(dropped.run, timeout)) if wait else dropped

    def fetch(self, ended: BatchOutcome, to: str | Path) -> Path:
        """Downloads the predictions of a batch of one file; `Fault` when it has none."""
        return fetch(self.connection, ended, Path(to))

    def follow(self, run: str, timeout: float = TIMEOUT) -> Iterator[Event]:
        """The run as it goes; the last event is `Ended`. `Fault` when it has not ended in `timeout` seconds."""
        clock = Clock(pace=self.connection.pace, timeout=timeout)
        return follow(self._api, TrainingLog(self.connection, run), run, clock)

    def wait(self, run: str, timeout: float = TIMEOUT) -> RunRow:
        """The run's row once it has ended; `Fault` when it has not in `timeout` seconds."""
        return next(event.row for event in self.follow(run, timeout) if isinstance(event, Ended))

    def still_at_it(self, row: RunRow) -> str | None:
        """For a duplicate, the run that has the same data, while it has not ended."""
        original = self._find(row.duplicate_of) if row.duplicate_of else None
        return original.run if original is not None and not has_ended(original) else None

    def outcome(self, row: RunRow) -> Outcome:
        """How an ended run ended; its report lies on this machine where the cloud does."""
        ended = outcome(row, self._find)
        if ended.report is None or self.connection.home is None:
            return ended
        return dataclasses.replace(ended, report=str(self._fetched(ended.report, self._report_path(ended.run))))

    def run(self, run: str) -> RunRow:
        """One run; `ApiFault` with status 404 when there is none."""
        return decoded(self._api.run(run))

    def runs(self, limit: int = 20, model: str | None = None) -> list[RunRow]:
        """The newest runs first, at most `limit`."""
        return [decoded(each) for each in self._api.runs(limit, model)]

    def models(self) -> list[ModelLine]:
        """Every model that serves, with its scores."""
        return self._api.models()

    def model(self, name: str) -> ModelPage:
        """One model: what is live, its card (the columns it reads), the newest 20 versions and moves."""
        return self._api.model(name)

    def versions(self, model: str) -> list[VersionRow]:
        """All versions of a model, the newest first."""
        return list(self._api.versions(model))

    def history(self, model: str) -> list[LiveRow]:
        """What served when: all moves of a model's live pointer, the last one first."""
        return list(self._api.history(model))

    def predict(self, model: str, rows: Given, *, explain: bool = False, of_class: str | None = None) -> Predictions:
        """Answers for rows, for those of a file, for a picture's file or a list of them, in requests of at most 1,000.

        Args:
            model: the model's name.
            rows: what to predict.
            explain: whether to tell what each column contributes to each answer (docs/explain.md), ten rows a request.
            of_class: whose probability is explained, instead of each row's own prediction.

        Raises:
            ApiFault: no such model, or a row that it cannot answer; `field` names the place.
            Fault: no rows, a file that cannot be read, or a model that was replaced between two requests.
        """
        return collect(answer for _, answer in self.predict_stream(model, rows, explain=explain, of_class=of_class))

    def predict_stream(
        self, model: str, rows: Given, *, explain: bool = False, of_class: str | None = None
    ) -> Iterator[tuple[Batch, Predictions]]:
        """As `predict`, some rows at a time with their answers: for files larger than memory."""
        return stream(self._api, model, batches_of(rows), wishes(explain, of_class))

    def remove(self, model: str) -> LiveRow:
        """Takes a model back: within seconds nothing answers under its name. Versions and history stay.

        `rollback` brings it back, and so does a data set that is dropped afterwards. Raises `ApiFault` with status 404
        when nothing ever served under this name.
        """
        return self._api.remove(model)

    def rollback(self, model: str, version: str | None = None) -> LiveRow:
        """Lets an approved version serve: by default the one that served before, or before the model was removed.

        Raises:
            ApiFault: no such model or version, or the version was refused.
            Fault: nothing served before.
        """
        wanted = version or served_before(self._moves(model))
        if wanted is None:
            raise Fault(f"model {model!r}: nothing served before; name a version", "no_version", "version")
        return self._api.serve(model, wanted)

    def report(self, run: str, to: str | Path | None = None) -> Path:
        """Fetches the run's report.html to `to`; `Fault` when the run has none.

        Without `to` it goes into `reports/` of the embedded cloud, on AWS into the current folder.
        """
        row = self.run(run)
        known = (row.duplicate_of and self._find(row.duplicate_of)) or row
        if known.report is None:
            raise Fault(f"{run} has no report: it is {row.status!r} and no model of it was judged", "no_report", "run")
        return self._fetched(known.report, self._report_path(run) if to is None else Path(to))

    def _moves(self, model: str) -> Iterator[LiveRow]:
        page = self.model(model)
        yield from page.history
        if page.history_next:
            yield from self._api.history(model, page.history_next)

    def _find(self, run: str) -> RunRow | None:
        found = self._api.find_run(run)
        return None if found is None else decoded(found)

    def _report_path(self, run: str) -> Path:
        home = self.connection.home
        return home / "reports" / f"{run}.html" if home else Path(f"{run}.html")

    def _fetched(self, uri: str, path: Path) -> Path:
        place = urlsplit(uri)
        with readable(f"fetching the report {uri}", self.connection.where):
            s3 = self.connection.client("s3")
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                s3.download_file(place.netloc, place.path.lstrip("/"), str(path))
            except OSError as fault:
                raise Fault(f"{path}: cannot be written: {fault.strerror or fault}", "out", "out") from fault
        return path
