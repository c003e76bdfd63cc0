"""Formats numbers, facts, scores, runs and models as text and tables for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from dropforge.cli.remarks import remarks_of
from dropforge.cli.shell import clean
from dropforge.client.batchruns import rows_done
from dropforge.contract.figures import figure
from dropforge.contract.registry import BatchRun, TrainingRun

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dropforge.client.batchruns import BatchOutcome
    from dropforge.client.outcome import Outcome
    from dropforge.contract.api import ModelLine, ModelPage
    from dropforge.contract.models import VersionRow
    from dropforge.contract.registry import RunRow
    from dropforge.contract.schema import ModelCard
    from dropforge.contract.scores import Importance, Interval

STYLES = {
    "promoted": "green", "predicted": "green", "duplicate": "green", "running": "cyan", "refused": "yellow",
    "rejected": "yellow", "failed": "red", "unknown": "yellow",
}  # fmt: skip


def words(value: Any, spread: float | None = None) -> str:
    """The text of one cell; `spread` is that of the numbers in its column."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return figure(value, spread=spread) if isinstance(value, float) else clean(str(value)).replace("\n", " ")


def cell(value: Any, style: str = "") -> Text:
    """The text of one cell, without interpreting markup."""
    return Text(words(value), style=style)


def table(columns: Iterable[str], rows: Iterable[Iterable[Any]], title: str | None = None) -> Table:
    """A plain table; long texts are wrapped, never cut."""
    made = Table(title=title and Text(clean(title)), title_justify="left", box=None, padding=(0, 2, 0, 0))
    for name in columns:
        made.add_column(Text(clean(name)), overflow="fold", header_style="bold")
    for row in rows:
        made.add_row(*(each if isinstance(each, Text) else cell(each) for each in row))
    return made


def facts(values: Mapping[str, Any]) -> Table:
    """One line per name and value; empty values are left out."""
    made = Table.grid(padding=(0, 2))
    made.add_column(style="dim", no_wrap=True)
    made.add_column(overflow="fold")
    for name, value in values.items():
        if value not in (None, "", {}):
            made.add_row(Text(name), value if isinstance(value, Text) else cell(value))
    return made


def scores(
    metrics: Mapping[str, float],
    baseline: Mapping[str, float],
    first: str | None = None,
    intervals: Mapping[str, Interval] | None = None,
) -> Table:
    """Hold-out scores with their intervals next to the trivial baseline's; `first` is the deciding metric."""
    names, known = sorted(metrics, key=lambda name: (name != first, name)), intervals or {}
    rows = (
        (cell(name, "bold" if name == first else ""), metrics[name], *_between(known, name), baseline.get(name))
        for name in names
    )
    return table(("hold-out", "model", *(["95 % interval"] if known else []), "baseline"), rows)


def _between(intervals: Mapping[str, Interval], name: str) -> list[str]:
    """The cell of an interval; no cell if no interval is known."""
    found = intervals.get(name)
    if found is None:
        return [""] if intervals else []
    return [_span(found)]


def _span(interval: Interval) -> str:
    low, high = (words(end, interval.high - interval.low) for end in (interval.low, interval.high))
    return f"{low} to {high}"


def scores_text(result: Outcome | TrainingRun) -> list[Table | Text]:
    """The scores of a run, with what says how far to trust them: chance and notes."""
    table = scores(result.metrics, result.baseline, result.metric, result.intervals)
    said = {line for remark in remarks_of(result) for line in (remark.text, remark.sentence)}
    return [table, *_chance(result), *notes_text(note for note in result.notes if note not in said)]


def _chance(result: Outcome | TrainingRun) -> list[Text]:
    """The gain in the deciding metric, with a warning if it may be chance; nothing if no gain was stored."""
    gain = result.gains.get(result.metric or "")
    if gain is None:
        return []
    between = f"95 % interval {_span(gain.interval)}"
    told = f"better than the trivial baseline by {words(gain.value)}, {between}"
    return [Text(told) if gain.is_sure else Text(f"{told}: the difference may be chance", style="yellow")]


def notes_text(notes: Iterable[str]) -> list[Text]:
    """The notes of a run, one paragraph each."""
    return [Text(clean(f"note: {each}"), style="yellow") for each in notes]


def importances_table(importances: Sequence[Importance], metric: str, most: int = 10) -> Table:
    """The most important columns, with how much the metric worsens when each is shuffled."""
    shown = importances[:most]
    rows = ((column.column, column.fall, *_between({"": column.interval}, "")) for column in shown)
    return table(("importance", f"{metric} worsens by", "95 % interval"), rows)


def status_word(status: str) -> Text:
    """The status of a run, coloured."""
    return cell(status, STYLES.get(status, ""))


def score(row: TrainingRun | ModelLine | VersionRow) -> str:
    """The score of a run, a model or a version in the deciding metric."""
    value = (row.metrics or {}).get(row.metric or "")
    return "" if value is None else f"{row.metric} {words(value)}"


def when(stamp: str) -> str:
    """A timestamp of the registry, to the second."""
    return stamp[:19].replace("T", " ")


def runs_table(rows: Iterable[RunRow]) -> Table:
    """One line per run."""
    lines = (
        (row.run, row.model, status_word(row.status), row.version, _came_to(row), when(row.created)) for row in rows
    )
    return table(("run", "model", "status", "version", "score or rows", "created (UTC)"), lines)


def _came_to(row: RunRow) -> str:
    """The score of a training run, or the number of rows of a batch."""
    if isinstance(row, BatchRun):
        return counted(row) if row.predicted is not None else rows_done(row)
    return score(row) if isinstance(row, TrainingRun) else ""


def counted(row: BatchRun | BatchOutcome) -> str:
    """The totals of a finished batch."""
    return f"{row.predicted:,} rows" + (f", {row.failed:,} without" if row.failed else "")


def run_facts(row: RunRow) -> Table:
    """The details of one run."""
    training, batch = row if isinstance(row, TrainingRun) else None, row if isinstance(row, BatchRun) else None
    return facts(
        {
            "run": row.run,
            "model": row.model,
            "status": status_word(row.status),
            "step": row.step if row.status in ("running", "failed", "unknown") else None,
            "reason": row.reason,
            "duplicate of": training and training.duplicate_of,
            "version": row.version,
            "task": training and _task(training),
            "data": f"s3://{row.bucket}/{row.key} ({size(row.size)})",
            "created": f"{when(row.created)} UTC",
            "cost": training and _cost(training),
            "report": training and training.report,
            "predicted": batch and _came_to(batch),
            "predictions": batch and batch.output,
        }
    )


def _cost(run: TrainingRun) -> str:
    """The cost of a run, or its limit while it is not known."""
    return dollars(run.cost) or (f"at most {dollars(run.forecast)}" if run.forecast else "")


def models_table(rows: Iterable[ModelLine]) -> Table:
    """One line per live model."""
    lines = ((row.model, row.version, _task(row), score(row), _against(row), when(row.moved)) for row in rows)
    return table(("model", "version", "task", "score", "baseline", "live since (UTC)"), lines)


def columns_table(card: ModelCard) -> Table:
    """The columns that a row for this model must have."""
    return table(("column", "kind"), ((column.name, column.kind) for column in card.columns))


def versions_table(page: ModelPage) -> Table:
    """The versions on a model's page, the newest first."""
    lines = (
        (
            cell(f"{row.version} live" if row.version == page.version else row.version),
            row.outcome,
            score(row),
            row.run,
            row.reason,
        )
        for row in page.versions
    )
    return table(("version", "verdict", "score", "run", "reason"), lines)


def size(count: int) -> str:
    """A number of bytes with its unit."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= factor:
            return f"{count / factor:.1f} {unit}"
    return f"{count} bytes"


def minutes(count: float) -> str:
    """A number of minutes in words."""
    return f"{count:g} minute" if count == 1 else f"{count:g} minutes"


def dollars(amount: float | None) -> str:
    """An amount in US dollars, which may be tiny."""
    if not amount:
        return ""
    return f"${amount:,.2f}" if amount >= 0.01 else f"${figure(amount, digits=2)}"


def _task(row: ModelLine | TrainingRun) -> str:
    return f"{row.task} of {row.target!r}" if row.task else ""


def _against(row: ModelLine) -> str:
    return words((row.baseline or {}).get(row.metric or ""))
