"""The calls of `Dropforge` that predict: a few rows at once, or a large file in a batch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal, overload

from dropforge.client.answerframes import answer_frame, checked_frame
from dropforge.client.base import TIMEOUT
from dropforge.client.batchruns import BatchOutcome, batch_outcome, fetch
from dropforge.client.datafiles import as_data_file
from dropforge.client.drops import Dropped, upload_batch
from dropforge.client.inputs import batches_of
from dropforge.client.predictions import collect, stream, wishes
from dropforge.client.rowfiles import Named
from dropforge.client.runcalls import RunCalls

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dropforge.client.answerframes import F
    from dropforge.client.batches import Batch
    from dropforge.client.datafiles import Data
    from dropforge.client.inputs import Rows
    from dropforge.client.predictions import Errors
    from dropforge.contract.api import Predictions


class PredictCalls(RunCalls):
    """Predicts rows, pictures and files; a batch is a run, and is waited for as one."""

    def predict(
        self,
        model: str,
        rows: Rows,
        *,
        explain: bool = False,
        of_class: str | None = None,
        errors: Errors = "raise",
        strict: bool | None = None,
    ) -> Predictions:
        """Predicts rows with the live version of a model, in requests of at most 1,000 rows.

        Args:
            model: the model's name.
            rows: rows as mappings of column to value; a frame of pandas (a named index is a column) or polars, an Arrow
                table, or columns of values; the path or the S3 URI of a file of rows or of a picture, or a list of
                pictures.
            explain: whether to return the contribution of each column to each prediction (docs/explain.md), in
                requests of ten rows.
            of_class: the class whose probability is explained; by default the class that is predicted for the row.
            errors: with "skip", rows with a value that the model cannot read have None as their answer, and are listed
                in `refused` with the reason; by default the first such row raises. For models of tables.
            strict: whether rows with a category, a boolean or an id that the model does not know are refused; with
                False they have a prediction and are listed in `warnings`. By default the model's spec.yaml decides.

        Returns:
            One entry per row, in the order of the rows.

        Raises:
            ApiFault: there is no such model, or a row is invalid; `field` names its place, such as `rows[3].price`.
            Fault: there are no rows, a value cannot be sent as JSON (`row` and `column` name it), a file cannot be
                read, or another version went live between two requests.

        Example:
            >>> answer = forge.predict("houses", [{"rooms": 4, "district": "north"}], explain=True)
            >>> answer.predictions
            [251300.0]
            >>> forge.predict("houses", "s3://my-bucket/new-houses.csv").ids
            >>> forge.predict("houses", {"rooms": [4, "four"], "district": ["north", "south"]}, errors="skip").refused
            [{'row': 1, 'column': 'rooms', 'code': 'wrong_type', 'reason': "expected a number or null, got 'four'"}]
            >>> forge.predict("flowers", ["rose.jpg", "tulip.png"]).probabilities
        """
        stream = self.predict_stream(model, rows, explain=explain, of_class=of_class, errors=errors, strict=strict)
        return collect(answer for _, answer in stream)

    def predict_frame(
        self,
        model: str,
        frame: F,
        *,
        explain: bool = False,
        of_class: str | None = None,
        errors: Errors = "raise",
        strict: bool | None = None,
    ) -> F:
        """Predicts the rows of a frame like `predict`, and returns a frame of the same kind, of pandas with its index.

        Args:
            model: the model's name.
            frame: a frame of pandas or polars, or an Arrow table.
            explain: as in `predict`; adds the columns `base` and `contribution_<column>`.
            of_class: as in `predict`.
            errors: as in `predict`; with "skip", the column `refused` has the reason of each row without an answer.
            strict: as in `predict`; the column `warnings` names values that the model does not know, if there are any.

        Returns:
            One row per row, in their order: `prediction`, `probability_<class>` (for classes and clusters),
            `recommendations` (of recommenders) and `prediction_id`.

        Raises:
            Fault: it is no such frame; otherwise as `predict`.

        Example:
            >>> houses = pandas.read_csv("new-houses.csv", index_col="listing")
            >>> houses.join(forge.predict_frame("houses", houses))
        """
        checked_frame(frame)
        return answer_frame(
            frame, self.predict(model, frame, explain=explain, of_class=of_class, errors=errors, strict=strict)
        )

    def predict_stream(
        self,
        model: str,
        rows: Rows,
        *,
        explain: bool = False,
        of_class: str | None = None,
        errors: Errors = "raise",
        strict: bool | None = None,
    ) -> Iterator[tuple[Batch, Predictions]]:
        """Predicts like `predict`, but yields some rows at a time with their predictions.

        Use it for files that are larger than memory. Arguments and errors are those of `predict`.

        Example:
            >>> for batch, answer in forge.predict_stream("houses", "large.csv"):
            ...     print(len(batch.rows), answer.predictions[0])
        """
        query = wishes(explain, of_class, errors, strict)
        return stream(self._api, model, batches_of(rows, self.connection, lambda: self._named(model)), query)

    def _named(self, model: str) -> Named:
        """What the owner of the model's data set named of its file."""
        card = self._api.model(model).card
        return Named(card.encoding, card.sheet)

    @overload
    def batch(
        self,
        model: str,
        data: Data,
        *,
        wait: Literal[True],
        timeout: float = ...,
        progress: Callable[[int], None] | None = ...,
    ) -> BatchOutcome: ...

    @overload
    def batch(
        self,
        model: str,
        data: Data,
        *,
        wait: Literal[False] = ...,
        timeout: float = ...,
        progress: Callable[[int], None] | None = ...,
    ) -> Dropped: ...

    def batch(
        self,
        model: str,
        data: Data,
        *,
        wait: bool = False,
        timeout: float = TIMEOUT,
        progress: Callable[[int], None] | None = None,
    ) -> Dropped | BatchOutcome:
        """Uploads a file of up to 9 GiB, or a table, to predict, which starts a batch.

        Args:
            model: the model's name; it must be live.
            data: a `.csv`, `.tsv`, `.jsonl` (each also `.gz`), `.parquet` or `.xlsx` with every column that the
                model reads, its S3 URI, or a table as in `drop`, whose file is named after the model.
            wait: whether to return the outcome after the batch has ended, instead of returning immediately.
            timeout: the longest time to wait, in seconds.
            progress: called with the number of bytes sent since the last call.

        Returns:
            The uploaded file and its run, or with `wait` the outcome of the batch.

        Raises:
            Fault: the file or the table cannot be uploaded, S3 refuses it, or the batch has not ended in `timeout`
                seconds.

        Example:
            >>> ended = forge.batch("houses", "new-houses.csv", wait=True)
            >>> ended.predicted, ended.failed
            (120000, 3)
            >>> forge.fetch(ended, "priced.csv")
            PosixPath('priced.csv')
        """
        with as_data_file(data, model, self.connection) as file:
            dropped = upload_batch(self.connection, file, model, progress)
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
