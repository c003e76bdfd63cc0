"""Rows of a file that the model cannot read: `predict` answers the others, then counts these and names the first."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from dropforge.client.predictions import PER_ROW

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dropforge.cli.shell import Shell
    from dropforge.client import Predictions
    from dropforge.client.batches import Batch
    from dropforge.contract.api import RefusedRow

SHOWN = 10
"""Rows that are named; all are counted, and `--json` has all."""


@dataclass
class RefusedRows:
    """The rows without an answer among all that passed."""

    count: int = 0
    first: list[RefusedRow] = field(default_factory=list)

    def watch(self, answers: Iterator[tuple[Batch, Predictions]]) -> Iterator[tuple[Batch, Predictions]]:
        """The same answers, whose refused rows are counted as they pass."""
        for batch, answer in answers:
            refused = answer.refused or []
            self.count += len(refused)
            self.first += refused[: SHOWN - len(self.first)]
            yield batch, answer

    def show(self, shell: Shell) -> None:
        """Prints how many rows have no prediction, and why the first of them have none."""
        if not self.count:
            return
        rows = "row has" if self.count == 1 else "rows have"
        shell.note(f"{self.count:,} {rows} no prediction:")
        for refused in self.first:
            column = "" if refused["column"] is None else f", column {refused['column']!r}"
            shell.note(f"  row {refused['row'] + 1}{column}: {refused['reason']}")
        if self.count > len(self.first):
            shell.note(f"  and {self.count - len(self.first):,} more; --json lists all")


def without_refused(batch: Batch, answer: Predictions) -> tuple[Batch, Predictions]:
    """Only the rows that have a prediction; there may be none."""
    if not answer.refused:
        return batch, answer
    kept = [place for place, name in enumerate(answer.ids) if name is not None]
    lists: dict[str, Any] = {name: _picked(getattr(answer, name), kept) for name in PER_ROW}
    texts = _picked(batch.texts, kept)
    return replace(batch, rows=_picked(batch.rows, kept) or [], texts=texts), replace(answer, **lists)


def _picked(values: Sequence[Any] | None, places: list[int]) -> list[Any] | None:
    return None if values is None else [values[place] for place in places]
