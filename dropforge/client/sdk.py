"""`Dropforge`: drop data, follow runs, ask models; the same against the embedded cloud and AWS."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from dropforge.client.api import Api
from dropforge.client.connection import Connection
from dropforge.client.drops import Dropped, upload
from dropforge.client.faults import Fault, readable
from dropforge.client.outcome import Outcome, outcome
from dropforge.client.predictions import Predictions, joined
from dropforge.client.tabular import read_rows
from dropforge.client.runs import Clock, Ended, Event, follow
from dropforge.client.traininglog import TrainingLog
from dropforge.contract.registry import RunRow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

CHUNK = 1_000
"""Rows a request."""
HOUR = 3_600.0


class Dropforge:
    """One Dropforge: the embedded cloud that runs here, otherwise the stack in your AWS account.

    Args:
        home: folder of an embedded cloud.
        profile: AWS profile; asks for AWS even where an embedded cloud runs.

    Raises:
        Fault: neither is there.
    """

    def __init__(self, home: str | Path | None = None, *, profile: str | None = None) -> None:
        self.connection = Connection.load(home, profile=profile)
        self._api = Api(self.connection)

    @overload
    def drop(
        self, path: str | Path, *, model: str | None = ..., target: str | None = ..., wait: Literal[True]
    ) -> Outcome: ...

    @overload
    def drop(
        self,
        path: str | Path,
        *,
        model: str | None = ...,
        target: str | None = ...,
        wait: Literal[False] = ...,
        progress: Callable[[int], None] | None = ...,
    ) -> Dropped: ...

    def drop(
        self,
        path: str | Path,
        *,
        model: str | None = None,
        target: str | None = None,
        wait: bool = False,
        progress: Callable[[int], None] | None = None,
    ) -> Dropped | Outcome:
        """Uploads a data set; its arrival starts a run.

        Args:
            path: one row an observation.
            model: the model's name; made from the file's name when left out.
            target: column to predict; by spec.yaml, or by rule, when left out.
            wait: whether to come back when the run has ended, with its outcome.
            progress: called with the number of bytes just sent.

        Raises:
            Fault: the file cannot be dropped, or S3 refuses.
        """
        dropped = upload(self.connection, path, model, target, progress)
        return self.outcome(self.wait(dropped.run)) if wait else dropped

    def follow(self, run: str, timeout: float = HOUR) -> Iterator[Event]:
        """The run as it goes; the last event is `Ended`. `Fault` when it has not ended in `timeout` seconds."""
        clock = Clock(pace=self.connection.pace, timeout=timeout)
        return follow(self._api, TrainingLog(self.connection, run), run, clock)

    def wait(self, run: str, timeout: float = HOUR) -> RunRow:
        """The run's row once it has ended; `Fault` when it has not in `timeout` seconds."""
        return next(event.row for event in self.follow(run, timeout) if isinstance(event, Ended))

    def outcome(self, row: RunRow) -> Outcome:
        """How an ended run ended; its report lies on this machine where the cloud does."""
        ended = outcome(row, self.run)
        if ended.report is None or self.connection.home is None:
            return ended
        run = row.duplicate_of or row.run
        path = self.connection.home / "reports" / f"{run}.html"
        return replace(ended, report=str(self.report(run, path)))

    def run(self, run: str) -> RunRow:
        """One run; `ApiFault` with status 404 when there is none."""
        return RunRow.from_json(self._api.run(run))

    def runs(self, limit: int = 20, model: str | None = None) -> list[RunRow]:
        """The newest runs first, at most `limit` (1 to 100)."""
        return [RunRow.from_json(each) for each in self._api.runs(limit, model)]

    def models(self) -> list[dict[str, Any]]:
        """Every model that serves."""
        return self._api.models()

    def model(self, name: str) -> dict[str, Any]:
        """One model: what is live, its card, versions and history."""
        return self._api.model(name)

    def predict(self, model: str, rows: Sequence[dict[str, Any]] | str | Path) -> Predictions:
        """Answers for rows, or for those of a file, in requests of at most 1,000.

        Raises:
            ApiFault: no such model, or a row that it cannot answer; `field` names the place.
            Fault: no rows, a file that cannot be read, or a model that was replaced between two requests.
        """
        given = self.read_rows(model, rows) if isinstance(rows, str | Path) else rows
        if not given:
            raise Fault("expected at least one row to predict, got none", "no_rows")
        starts = range(0, len(given), CHUNK)
        return joined([self._api.predict(model, _body(given[start : start + CHUNK])) for start in starts])

    def read_rows(self, model: str, path: str | Path) -> list[dict[str, Any]]:
        """The rows of a file as `predict` takes them for this model."""
        kinds = {column["name"]: column["kind"] for column in self.model(model)["card"]["columns"]}
        return list(read_rows(Path(path), kinds))

    def report(self, run: str, to: str | Path) -> Path:
        """Writes the run's report.html to `to`; `Fault` when the run has none."""
        row = self.run(run)
        if row.report is None:
            raise Fault(f"{run} has no report: it is {row.status!r} and no model of it was judged", "no_report")
        bucket, _, key = row.report.removeprefix("s3://").partition("/")
        path = Path(to)
        path.parent.mkdir(parents=True, exist_ok=True)
        with readable("fetching the report", self.connection.where):
            self.connection.client("s3").download_file(bucket, key, str(path))
        return path


def _body(rows: Sequence[dict[str, Any]]) -> bytes:
    return json.dumps(list(rows), allow_nan=False).encode()
