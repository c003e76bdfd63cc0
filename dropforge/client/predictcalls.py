"""The calls of `Dropforge` that predict: a few rows at once, or a large file in a batch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal, overload

from dropforge.client.base import TIMEOUT
from dropforge.client.batchruns import BatchOutcome, batch_outcome, fetch
from dropforge.client.drops import Dropped, upload_batch
from dropforge.client.inputs import batches_of
from dropforge.client.predictions import collect, stream, wishes
from dropforge.client.runcalls import RunCalls

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dropforge.client.batches import Batch
    from dropforge.client.inputs import Given
    from dropforge.contract.api import Predictions


class PredictCalls(RunCalls):
    """Predicts rows, pictures and files; a batch is a run, and is waited for as one."""

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
