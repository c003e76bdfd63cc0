"""The calls of `Dropforge` that drop data sets and follow runs."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Literal, overload
from urllib.parse import urlsplit

from dropforge.client import specs
from dropforge.client.base import TIMEOUT, BaseClient
from dropforge.client.datafiles import as_data_file
from dropforge.client.drops import Dropped, Wishes, upload
from dropforge.client.faults import Fault, readable
from dropforge.client.outcome import Outcome, outcome
from dropforge.client.redrive import Redriven, redrive
from dropforge.client.runs import Clock, Ended, Event, decoded, follow, has_ended, original_of
from dropforge.client.traininglog import TrainingLog
from dropforge.contract.registry import TrainingRun

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from dropforge.client.datafiles import Data
    from dropforge.contract.registry import RunRow


class RunCalls(BaseClient):
    """Drops data sets, and follows and lists runs."""

    @overload
    def drop(
        self,
        data: Data,
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
        data: Data,
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
        data: Data,
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
            data: a `.csv`, `.tsv`, `.jsonl` (each also `.gz`), `.parquet` or `.xlsx` with one observation per row, or
                its S3 URI; pictures with one folder per class, as a folder or a `.zip`; or a table: a frame of pandas
                (a named index is a column) or polars, an Arrow table, columns of values, or rows as mappings.
            model: the model's name; by default derived from the file's name. A table needs it.
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
            Fault: the file cannot be dropped, a table has a value that no file has a form for (`row` and `column` name
                it), S3 refuses the upload, or the run has not ended in `timeout` seconds.

        Example:
            >>> run = forge.drop("houses.csv", target="price").run
            >>> run = forge.drop(pandas.read_excel("houses.xlsx"), model="houses", target="price").run
            >>> outcome = forge.drop("s3://my-bucket/houses.csv", target="price", wait=True)
            >>> outcome.status, outcome.metrics, outcome.baseline
            ('promoted', {'rmse': 48210.5}, {'rmse': 115300.2})
        """
        wishes = Wishes(target, replace, unproven)
        with as_data_file(data, model, self.connection) as file:
            dropped = upload(self.connection, file, model, wishes, progress, spec)
        if not wait:
            return dropped
        row = self.wait(dropped.run, timeout)
        if row.status == "rejected":
            specs.take_back(self.connection, dropped.model, dropped.spec)
        if original := self.still_at_it(row):
            self.wait(original, timeout)
        return self.outcome(row)

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
        same = original_of(row)
        original = self._find(same) if same else None
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

    def redrive(self) -> list[Redriven]:
        """Starts the drops whose events are in the dead-letter queues, and returns what became of each message.

        A message is deleted once its execution was started, or if its drop has a run already.

        Raises:
            Fault: the stack is older than these queues, or refuses a call; messages that were not started stay.

        Example:
            >>> [(event.outcome, event.run) for event in forge.redrive()]
            [('started', 'run-0123456789abcdef')]
        """
        return list(redrive(self.connection, self._find))

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
        original = original_of(row)
        known = (original and self._find(original)) or row
        if not isinstance(known, TrainingRun) or known.report is None:
            raise Fault(f"{run} has no report: it is {row.status!r} and no model of it was judged", "no_report", "run")
        return self._fetched(known.report, self._report_path(run) if to is None else Path(to))

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
