"""Lists, as tables for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table

from dropforge.cli.outcome import COLOURS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dropforge.client import Predictions
    from dropforge.contract.registry import RunRow

SHOWN = 20
"""Rows of predictions on the screen; --out has them all."""
WIDEST = 5
"""Columns of the rows themselves."""


def runs_table(rows: Sequence[RunRow]) -> Table:
    """Runs, newest first."""
    table = Table("run", "model", "status", "version", "score", "began", "reason")
    for row in rows:
        score = f"{row.metric} {row.metrics[row.metric]:.4g}" if row.metric else ""
        colour = COLOURS.get(row.status, "yellow")
        status = f"[{colour}]{row.status}[/]" if row.status != "running" else f"[{colour}]{row.step}…[/]"
        began = row.created[:19].replace("T", " ")
        table.add_row(row.run, row.model, status, row.version or "", score, began, row.reason[:60])
    return table


def models_table(models: Sequence[Mapping[str, Any]]) -> Table:
    """Models that serve."""
    table = Table("model", "version", "task", "target", "score", "baseline", "since")
    for each in models:
        metric = each["metric"]
        scores = [f"{metric} {each[kind][metric]:.4g}" for kind in ("metrics", "baseline")]
        table.add_row(each["model"], each["version"], each["task"], each["target"], *scores, each["moved"][:19])
    return table


def facts_table(value: Mapping[str, Any]) -> Table:
    """A run's row, a field a line; empty ones are left out."""
    table = Table.grid(padding=(0, 2))
    for name, each in value.items():
        if each not in (None, "", {}, []):
            table.add_row(f"[bold]{name}[/]", str(each))
    return table


def predictions_table(rows: Sequence[Mapping[str, Any]], answers: Predictions) -> Table:
    """The first rows with their answers, and the probability of the answer for classes."""
    names = list(rows[0])[:WIDEST]
    table = Table(*names, "prediction", "probability", title=f"{answers.model}, version {answers.version}")
    for at, row in enumerate(rows[:SHOWN]):
        given = answers.predictions[at]
        share = max(answers.probabilities[at].values()) if answers.probabilities else None
        shown = f"{given:.6g}" if isinstance(given, float) else str(given)
        table.add_row(*[str(row[name]) for name in names], shown, "" if share is None else f"{share:.3f}")
    return table
