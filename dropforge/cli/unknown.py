"""What `predict` says of values that the model does not know: the rows have a prediction nevertheless."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dropforge.cli.shell import Shell
    from dropforge.client.batches import Batch
    from dropforge.contract.api import Predictions, ValueWarning

SHOWN = 5
"""Values that are named."""

WORDS = {
    "unknown_category": "a category that the model does not know",
    "unknown_boolean": "no word for yes or no",
    "unknown_id": "an id that the model does not know",
    "missing_word": "a word that counted as missing in the data",
    "short_code": "a code without its leading zeros",
}


@dataclass
class UnknownValues:
    """The unknown values among all answers that passed."""

    count: int = 0
    first: list[ValueWarning] = field(default_factory=list)

    def watch(self, answers: Iterator[tuple[Batch, Predictions]]) -> Iterator[tuple[Batch, Predictions]]:
        """The same answers, whose warnings are counted as they pass."""
        for batch, answer in answers:
            self.count += answer.warning_count
            self.first += answer.warnings[: SHOWN - len(self.first)]
            yield batch, answer

    def show(self, shell: Shell) -> None:
        """Prints how many values the model does not know, and which the first of them are."""
        if not self.count:
            return
        shell.note(f"{self.count:,} values are not known to the model; --strict refuses them:")
        for warning in self.first:
            kind = WORDS.get(warning["kind"], warning["kind"])
            shell.note(
                f"  row {warning['row'] + 1}, column {warning['column']!r}: {kind}; taken for {warning['taken_for']}"
            )
        if self.count > len(self.first):
            shell.note(f"  and {self.count - len(self.first):,} more; --json lists them")
