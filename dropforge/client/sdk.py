"""`Dropforge`: drops data, follows runs and queries models, on the embedded cloud and on AWS alike."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload
from urllib.parse import urlsplit

from dropforge.client import batches, pictures, rowfiles, specs
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
"""Seconds to wait for a run, by default."""


def batches_of(rows: Given) -> Iterator[Batch]:
    """Splits rows, a file of rows, a picture file or a list of picture files into requests."""
    if isinstance(rows, str | Path):
        path = Path(rows)
        return pictures.of_pictures([path]) if pictures.is_picture(path) else rowfiles.of_file(path)
    if isinstance(rows, list | tuple) and rows and all(isinstance(each, str | Path) for each in rows):
        return pictures.of_pictures([Path(each) for each in rows])
    return batches.of_rows(rows)  # type: ignore[arg-type]  # no paths are left


class Dropforge:
    """A client of one Dropforge stack: in the embedded cloud that runs here, otherwise in your AWS account.

    Args:
        home: the folder of an embedded cloud.
        profile: the AWS profile; selects AWS even if an embedded cloud is running.
        region: the AWS region; selects AWS too.
        stack: the name of the CloudFormation stack.

    Raises:
        Fault: no stack is reachable. Every method raises `Fault` too; its message is one readable line.

    Example:
        >>> forge = Dropforge()
        >>> outcome = forge.drop("houses.csv", model="houses", target="price", wait=True)
        >>> forge.predict("houses", [{"rooms": 4, "district": "north"}]).predictions
        [251300.0]
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
        """Uploads a data set, which starts a run.

        Args:
            path: a `.csv`, `.tsv`, `.jsonl` (each also `.gz`) or `.parquet` with one observation per row; or pictures
                with one folder per class, as a folder or a `.zip`.
            model: the model's name; by default derived from the file's name.
            target: the column to predict; by default that of spec.yaml, or else chosen by rule.
            wait: whether to return the outcome after the run has ended, instead of returning immediately.
            timeout: the longest time to wait, in seconds.
            progress: called with the number of bytes sent since the last call.
            spec: a `spec.yaml` with options, which is checked and then uploaded next to the model's data. It also
                applies to later drops, unless the run is rejected while `wait` waits for it.
            replace: differences in which the new version may replace the live one, for this drop alone: `target`,
                `task`, `classes`, `columns`, `uncompared`, `worse`.
            unproven: whether to promote the new version even if its gain over the trivial baseline may be chance.

        Returns:
            The uploaded data set and its run, or with `wait` the outcome of the run.

        Raises:
            Fault: the file cannot be dropped, S3 refuses it, or the run has not ended in `timeout` seconds.

        Example:
            >>> run = forge.drop("houses.csv", target="price").run
            >>> outcome = forge.drop("houses.csv", target="price", wait=True)
            >>> outcome.status, outcome.metrics, outcome.baseline
            ('promoted', {'rmse': 48210.5}, {'rmse': 115300.2})
        """
        dropped = upload(self.connection, path, model, Wishes(target, replace, unproven), progress, spec)
        if not wait:
            return dropped
        row = self.wait(dropped.run, timeout)
        if row.status == "rejected":
            specs.take_back(self.connection, dropped.model, dropped.spec)
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
        """Uploads a file of up to 9 GiB to predict, which starts a batch.

        Args:
            model: the model's name; it must be live.
            path: a `.csv`, `.tsv`, `.jsonl` (each also `.gz`) or `.parquet` with every column that the model reads.
            wait: whether to return the outcome after the batch has ended, instead of returning immediately.
            timeout: the longest time to wait, in seconds.
            progress: called with the number of bytes sent since the last call.

        Returns:
            The uploaded file and its run, or with `wait` the outcome of the batch.

        Raises:
            Fault: the file cannot be uploaded, S3 refuses it, or the batch has not ended in `timeout` seconds.

        Example:
            >>> ended = forge.batch("houses", "new-houses.csv", wait=True)
            >>> ended.predicted, ended.failed
            (120000, 3)
            >>> forge.fetch(ended, "priced.csv")
            PosixPath('priced.csv')
        """
        dropped = upload_batch(self.connection, path, model, progress)
        return batch_outcome(self.wait(dropped.run, timeout)) if wait else dropped

    def fetch(self, ended: BatchOutcome, to: str | Path) -> Path:
        """Downloads the predictions of a batch of one file to `to`, and returns that path.

        Raises:
            Fault: the batch has no predictions or several files of them, or the file cannot be written.

        Example:
            >>> forge.fetch(forge.batch("houses", "new-houses.csv", wait=True), "priced.csv")
            PosixPath('priced.csv')
        """
        return fetch(self.connection, ended, Path(to))

    def follow(self, run: str, timeout: float = TIMEOUT) -> Iterator[Event]:
        """Yields the events of a run as they happen: `Changed`, `Progress`, `Said`, and `Ended` at the end.

        Raises:
            Fault: the run has not ended in `timeout` seconds, or no such run starts.

        Example:
            >>> for event in forge.follow("run-0123456789abcdef", timeout=600):
            ...     print(event)
        """
        clock = Clock(pace=self.connection.pace, timeout=timeout)
        return follow(self._api, TrainingLog(self.connection, run), run, clock)

    def wait(self, run: str, timeout: float = TIMEOUT) -> RunRow:
        """Waits until a run has ended, and returns its row.

        Raises:
            Fault: the run has not ended in `timeout` seconds, or no such run starts.

        Example:
            >>> forge.wait("run-0123456789abcdef", timeout=600).status
            'promoted'
        """
        return next(event.row for event in self.follow(run, timeout) if isinstance(event, Ended))

    def still_at_it(self, row: RunRow) -> str | None:
        """Returns the id of the run with the same data, if `row` is a duplicate and that run has not ended.

        Example:
            >>> row = forge.wait("run-0123456789abcdef")
            >>> if original := forge.still_at_it(row):
            ...     forge.wait(original)
        """
        original = self._find(row.duplicate_of) if row.duplicate_of else None
        return original.run if original is not None and not has_ended(original) else None

    def outcome(self, row: RunRow) -> Outcome:
        """Returns the outcome of an ended run.

        With the embedded cloud it also downloads the report, and `report` is its path on this machine.

        Example:
            >>> forge.outcome(forge.wait("run-0123456789abcdef")).reason
            ''
        """
        ended = outcome(row, self._find)
        if ended.report is None or self.connection.home is None:
            return ended
        return dataclasses.replace(ended, report=str(self._fetched(ended.report, self._report_path(ended.run))))

    def run(self, run: str) -> RunRow:
        """Returns the row of one run.

        Raises:
            ApiFault: there is no such run (status 404).

        Example:
            >>> forge.run("run-0123456789abcdef").status
            'running'
        """
        return decoded(self._api.run(run))

    def runs(self, limit: int = 20, model: str | None = None) -> list[RunRow]:
        """Returns at most `limit` runs, of all models or of one, the newest first.

        Example:
            >>> [run.status for run in forge.runs(limit=3, model="houses")]
            ['promoted', 'duplicate', 'refused']
        """
        return [decoded(each) for each in self._api.runs(limit, model)]

    def models(self) -> list[ModelLine]:
        """Returns every live model with its scores, as `GET /models` does.

        Example:
            >>> [model.model for model in forge.models()]
            ['churn', 'houses']
        """
        return self._api.models()

    def model(self, name: str) -> ModelPage:
        """Returns one model: its live version, scores, card (the columns it reads), newest 20 versions and moves.

        Raises:
            ApiFault: there is no such model (status 404).

        Example:
            >>> page = forge.model("houses")
        """
        return self._api.model(name)

    def versions(self, model: str) -> list[VersionRow]:
        """Returns all versions of a model, the newest first.

        Raises:
            ApiFault: there is no such model (status 404).

        Example:
            >>> len(forge.versions("houses"))
            31
        """
        return list(self._api.versions(model))

    def history(self, model: str) -> list[LiveRow]:
        """Returns all moves of a model's live pointer (which version was live from when), the latest first.

        Raises:
            ApiFault: there is no such model (status 404).

        Example:
            >>> latest, *older = forge.history("houses")
        """
        return list(self._api.history(model))

    def spec(self, model: str) -> str | None:
        """Returns the text of a model's `spec.yaml`, whose options apply to every drop; None if it has none.

        Example:
            >>> forge.spec("houses")
            'target: price\\n'
        """
        return specs.stored(self.connection, model)

    def set_spec(self, model: str, spec: str | Path | None) -> None:
        """Checks the file `spec` and makes it the `spec.yaml` of a model; None removes the one that it has.

        Raises:
            Fault: there is no such file, or an option in it is invalid.

        Example:
            >>> forge.set_spec("houses", "spec.yaml")
            >>> forge.set_spec("houses", None)
        """
        if spec is None:
            specs.clear(self.connection, model)
        else:
            specs.place(self.connection, model, specs.checked(spec))

    def predict(self, model: str, rows: Given, *, explain: bool = False, of_class: str | None = None) -> Predictions:
        """Predicts rows with the live version of a model, in requests of at most 1,000 rows.

        Args:
            model: the model's name.
            rows: rows as mappings of column to value, the path of a file of rows, the path of a picture, or a list of
                paths of pictures.
            explain: whether to return the contribution of each column to each prediction (docs/explain.md), in
                requests of ten rows.
            of_class: the class whose probability is explained; by default the class that is predicted for the row.

        Returns:
            One entry per row, in the order of the rows.

        Raises:
            ApiFault: there is no such model, or a row is invalid; `field` names its place, such as `rows[3].price`.
            Fault: there are no rows, a file cannot be read, or another version went live between two requests.

        Example:
            >>> answer = forge.predict("houses", [{"rooms": 4, "district": "north"}], explain=True)
            >>> answer.predictions
            [251300.0]
            >>> forge.predict("houses", "new-houses.csv").ids
            >>> forge.predict("flowers", ["rose.jpg", "tulip.png"]).probabilities
        """
        return collect(answer for _, answer in self.predict_stream(model, rows, explain=explain, of_class=of_class))

    def predict_stream(
        self, model: str, rows: Given, *, explain: bool = False, of_class: str | None = None
    ) -> Iterator[tuple[Batch, Predictions]]:
        """Predicts like `predict`, but yields some rows at a time with their predictions.

        Use it for files that are larger than memory. Arguments and errors are those of `predict`.

        Example:
            >>> for batch, answer in forge.predict_stream("houses", "large.csv"):
            ...     print(len(batch.rows), answer.predictions[0])
        """
        return stream(self._api, model, batches_of(rows), wishes(explain, of_class))

    def remove(self, model: str) -> LiveRow:
        """Takes a model off the API within seconds; its versions and history stay.


        `rollback` restores it, and so does a data set that is dropped and promoted afterwards.

        Raises:
            ApiFault: no version of such a model was ever live (status 404).

        Example:
            >>> forge.remove("houses")
            >>> forge.rollback("houses")
        """
        return self._api.remove(model)

    def rollback(self, model: str, version: str | None = None) -> LiveRow:
        """Rolls back to the previous version, or to a chosen one.

        Args:
            model: the model's name; a removed one is restored.
            version: an approved version; by default the previous one, or the live one from before the removal.


        Raises:
            ApiFault: there is no such model or version, or the version was refused.
            Fault: no version was live before.

        Example:
            >>> forge.rollback("houses")
            >>> forge.rollback("houses", "3")
        """
        wanted = version or served_before(self._moves(model))
        if wanted is None:
            raise Fault(f"model {model!r}: nothing served before; name a version", "no_version", "version")
        return self._api.serve(model, wanted)

    def report(self, run: str, to: str | Path | None = None) -> Path:
        """Downloads the report of a run, one HTML page, and returns its path.

        Args:
            run: the run's id.
            to: the file to write; by default `reports/<run>.html` in the folder of the embedded cloud, and
                `<run>.html` in the current folder on AWS.

        Raises:
            ApiFault: there is no such run (status 404).
            Fault: the run has no report, or the file cannot be written.

        Example:
            >>> forge.report("run-0123456789abcdef", "report.html")
            PosixPath('report.html')
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
