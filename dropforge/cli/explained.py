"""Draws explanations as bars: to the right what raises the prediction, to the left what lowers it."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from dropforge.cli.shell import clean
from dropforge.cli.tables import words
from dropforge.contract.figures import figure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dropforge.cli.shell import Shell
    from dropforge.client import Predictions
    from dropforge.client.batches import Batch

SHOWN_ROWS = 5
SHOWN_COLUMNS = 10
WIDTH = 14
"""Characters of the longest bar."""

LONGEST = 32
"""Characters of a column's name with its value."""

EIGHTHS = " ▏▎▍▌▋▊▉"


def show_explained(shell: Shell, answers: Iterator[tuple[Batch, Predictions]]) -> None:
    """Prints the first rows with their largest contributions, and requests no further rows."""
    batch, answer = next(answers)
    explanations: list[Any] = answer.explanations or [None] * len(batch.rows)  # none where every row was refused
    shown = list(islice(zip(batch.rows, explanations, strict=True), SHOWN_ROWS))
    more = len(batch.rows) > SHOWN_ROWS or next(answers, None) is not None
    shell.result({}, Text(clean(f"{answer.model}, version {answer.version}"), style="italic"))
    for at, (row, told) in enumerate(shown):
        if told is None:
            shell.result({}, "", f"row {at + 1}: refused")
            continue
        shell.result({}, "", _title(answer, at, told), bars(row, told))
    if more:
        shell.result({}, "", f"the first {SHOWN_ROWS} rows; --out FILE writes all")


def _title(answer: Predictions, at: int, told: Mapping[str, Any]) -> Text:
    total = told["base"] + sum(told["contributions"].values())
    said = Text(f"row {at + 1}: ").append(words(answer.predictions[at]), style="bold")
    if told["class"] is not None:
        said.append(f", probability of {words(told['class'])} {total:.3f}")
    return said


def bars(row: Mapping[str, Any], told: Mapping[str, Any]) -> Table:
    """The explanation of one row, the largest contribution first; the smallest share one line."""
    found: dict[str, float] = told["contributions"]
    names = sorted(found, key=lambda name: -abs(found[name]))
    longest = abs(found[names[0]]) or 1.0
    spread = 2 * abs(found[names[0]]) or None
    made = Table.grid(padding=(0, 1))
    for justify in ("left", "right", "left", "right", "left"):
        made.add_column(justify=justify, no_wrap=True)
    made.add_row(Text("base", style="dim"), "", "", words(told["base"]), "")
    for name in names[:SHOWN_COLUMNS]:
        error = Text(f"± {words(told['errors'][name])}", style="dim")
        made.add_row(_named(name, row.get(name)), *_bar(found[name], longest), _signed(found[name], spread), error)
    rest = names[SHOWN_COLUMNS:]
    if rest:
        total = sum(found[name] for name in rest)
        made.add_row(Text(f"{len(rest)} others", style="dim"), *_bar(total, longest), _signed(total, spread), "")
    return made


def _signed(value: float, spread: float | None) -> str:
    text = figure(value, spread=spread)
    return text if text.startswith("-") else f"+{text}"


def _named(name: str, value: Any) -> Text:
    shown = clean(f"{name} = {'missing' if value in (None, '') else words(value)}")
    return Text(shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 1]}…")


def _bar(value: float, longest: float) -> tuple[Text, Text]:
    """The parts left and right of the middle; the left has whole blocks only, as eighths exist for the right alone."""
    length = min(1.0, abs(value) / longest) * WIDTH
    if value < 0:
        return Text("█" * round(length), style="red"), Text()
    whole = int(length)
    part = EIGHTHS[int((length - whole) * 8)].strip()
    return Text(), Text("█" * whole + part, style="green")
