"""Shows what was left out, changed or guessed on the way from a file to its model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from dropforge.cli.shell import clean
from dropforge.contract.remarks import leak

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dropforge.client.outcome import Outcome
    from dropforge.contract.registry import TrainingRun
    from dropforge.contract.remarks import Remark


def remarks_of(result: Outcome | TrainingRun) -> Sequence[Remark]:
    """The remarks of a run; those on leakage suspects alone of one that an older version has judged."""
    return result.remarks or [leak(suspect.column, suspect.why) for suspect in result.suspects]


def remarks_text(result: Outcome | TrainingRun) -> list[Text]:
    """What was left out, changed or guessed, the worst first, a paragraph each; nothing where nothing was."""
    lines = [remark_text(remark) for remark in remarks_of(result)]
    if result.more_remarks:
        lines.append(Text(f"  and {result.more_remarks:,} more, which profile.json names"))
    return [Text("left out, changed or guessed:", style="bold"), *lines] if lines else []


def warnings_text(row: TrainingRun) -> list[Text]:
    """The remarks of a run that are warnings."""
    return [remark_text(remark) for remark in row.remarks if remark.severity == "warning"]


def remark_text(remark: Remark) -> Text:
    """One remark, with the line of spec.yaml that overrules it."""
    return Text(clean(f"- {remark.text}"), style="yellow" if remark.severity == "warning" else "")
