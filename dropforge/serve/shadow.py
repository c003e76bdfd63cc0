"""`--shadow`: another model is asked the same rows after each answer, and `/metrics` says how the two differ.

Nobody waits for it: a thread works through what was answered, and what comes while too much waits is counted and left.
"""

from __future__ import annotations

from dataclasses import replace
from queue import Full, Queue
from threading import Thread
from typing import TYPE_CHECKING

from dropforge.contract.log import log
from dropforge.contract.models import Candidate
from dropforge.inference.faults import ModelFault
from dropforge.serve.faults import ServeFault
from dropforge.serve.modelfiles import opened

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Protocol

    from dropforge.contract.captures import Paired
    from dropforge.contract.registry import LiveRow
    from dropforge.inference.after import Answered
    from dropforge.inference.model import ServedModel

    class Counts(Protocol):
        """Where comparisons are counted."""

        def compared(self, told: Answered, pairs: list[Paired]) -> None:
            """Counts what the other model did with the rows of a request."""

        def left(self) -> None:
            """Counts a request that was not compared, since too many waited."""


MOST_WAITING = 1_000
"""Requests that wait to be compared."""


class Shadow:
    """The other model.

    Args:
        row: of its file; its model's name is that of the model that answers.
        model: the file's.
        counts: where comparisons are counted.
    """

    def __init__(self, row: LiveRow, model: ServedModel, counts: Counts) -> None:
        self.row, self.model, self._counts = row, model, counts
        self._rows: dict[str, LiveRow] = {}
        self._waiting: Queue[Answered] = Queue(MOST_WAITING)
        Thread(target=self._run, name="shadow", daemon=True).start()

    @classmethod
    def of(cls, path: Path, model: str, counts: Counts) -> Shadow:
        """The shadow of a file, beside the model of this name; `ServeFault` where it is no model file."""
        try:
            found = opened(path, model, generation=1)
        except (ModelFault, OSError) as fault:
            raise ServeFault(f"--shadow {path}: {fault}", "not_a_model") from fault
        return cls(found.row, found.model, counts)

    def beside(self, row: LiveRow) -> LiveRow:
        """The row with this model as its candidate."""
        known = self._rows.get(row.sha256)
        if known is None:
            candidate = Candidate(
                version=self.row.version, run=self.row.run, artifact=self.row.artifact, sha256=self.row.sha256,
                stage="shadow", share=0.0, salt="", since=self.row.moved,
            )  # fmt: skip
            known = self._rows[row.sha256] = replace(row, candidate=candidate)
        return known

    def take(self, told: Answered) -> None:
        """Puts an answered request aside for the thread."""
        try:
            self._waiting.put_nowait(told)
        except Full:
            self._counts.left()

    def _run(self) -> None:
        while True:
            told = self._waiting.get()
            try:
                rows = range(len(told.answers.predictions))
                pairs = None if told.beside is None else told.beside.pairs(told, rows)
                if pairs:
                    self._counts.compared(told, pairs)
            except Exception as fault:  # a comparison is worth no thread
                log("not compared", level="warning", type=type(fault).__name__)
            finally:
                self._waiting.task_done()
