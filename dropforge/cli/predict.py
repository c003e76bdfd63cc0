"""`predict`: sends rows or pictures to a model and shows or writes its predictions."""

from __future__ import annotations

import json
import sys
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from dropforge.cli.explained import show_explained
from dropforge.cli.refused import RefusedRows, without_refused
from dropforge.cli.shell import Home, Json, Model, Shell
from dropforge.cli.tables import table, words
from dropforge.cli.unknown import UnknownValues
from dropforge.cli.writers import opened, writer_for
from dropforge.client.pictures import is_picture
from dropforge.client.predictions import collect
from dropforge.contract.figures import spread_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dropforge.client import Predictions
    from dropforge.client.batches import Batch
    from dropforge.client.predictions import Errors
    from dropforge.contract.api import RecommendedItem

SHOWN_ROWS = 20
SHOWN_COLUMNS = 6


Explain = Annotated[bool, typer.Option("--explain", help="Show the contribution of each column to each prediction.")]
OfClass = Annotated[
    str | None, typer.Option("--class", metavar="CLASS", help="Explain this class instead of the predicted one.")
]
Strict = Annotated[
    bool | None,
    typer.Option(
        "--strict/--no-strict",
        help="Refuse rows with a category that the model does not know. By default, the model's own setting.",
        show_default=False,
    ),
]


def register(app: typer.Typer) -> None:
    """Adds the command to the program."""
    app.command()(predict)


def predict(
    context: typer.Context,
    model: Model,
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[PICTURE]...", help="Picture files, or one file of rows.")
    ] = None,
    rows: Annotated[
        str | None,
        typer.Option("--rows", metavar="JSON", help="Rows as a JSON list of objects; - reads standard input."),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option("--file", metavar="FILE", help="A .csv, .tsv, .jsonl (also .gz), .parquet or .xlsx of rows."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Write rows and predictions to a .csv or .jsonl."),
    ] = None,
    explain: Explain = False,
    of_class: OfClass = None,
    strict: Strict = None,
    as_json: Json = False,
    home: Home = None,
) -> None:
    """Predict rows with a model's live version.

    Prints the first rows as a table, or all of them with --json. With --out, writes all rows to a file: the input
    columns, the prediction, a probability per class, and an id of the prediction. Rows of a file with a value that the
    model cannot read are left out and named on standard error, and the exit code is 1. Values that the model does not
    know, such as a new category, are named there too; their rows have a prediction. For a row without an item, a
    recommender returns a list of items. With --explain, draws the contributions of the first rows as bars, and --out
    adds them as columns; see docs/explain.md.

    \b
    Example: dropforge predict houses --file new-houses.csv --out priced.csv
    Example: dropforge predict flowers rose.jpg tulip.png
    Example: dropforge predict houses --rows '[{"rooms": 4, "district": "north"}]' --explain
    """
    if sum((rows is not None, file is not None, bool(files))) != 1:
        raise typer.BadParameter("expected one of --rows, --file, or picture files")
    shell = Shell.of(context, as_json, home)
    given = _given(rows, file, files or [])
    errors: Errors = "skip" if _is_table(given) else "raise"
    refused, unknown = RefusedRows(), UnknownValues()
    stream = shell.forge.predict_stream(model, given, explain=explain, of_class=of_class, errors=errors, strict=strict)
    answers = unknown.watch(refused.watch(stream))
    if out is not None:
        _write(shell, answers, out)
    elif shell.json:
        shell.result(collect(answer for _, answer in answers).to_json())
    elif explain:
        show_explained(shell, answers)
    else:
        _show(shell, answers)
    unknown.show(shell)
    refused.show(shell)
    if refused.count:
        raise typer.Exit(1)


def _given(rows: str | None, file: Path | None, files: list[Path]) -> Any:
    """What to predict: rows, a file of rows, or picture files."""
    if rows is not None:
        return parsed_rows(rows)
    if file is not None:
        return file
    return files[0] if len(files) == 1 else files


def _is_table(given: Any) -> bool:
    """Whether it is a file of rows, whose other rows are answered if one cannot be read."""
    return isinstance(given, Path) and not is_picture(given)


def parsed_rows(text: str) -> list[dict[str, Any]]:
    """The rows that `--rows` holds, or standard input for `-`; one object counts as one row."""
    source = sys.stdin.read() if text == "-" else text
    try:
        value = json.loads(source)
    except ValueError as fault:
        raise typer.BadParameter(f"--rows: expected JSON such as '[{{\"rooms\": 4}}]': {fault}") from fault
    rows = [value] if isinstance(value, dict) else value
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise typer.BadParameter(f"--rows: expected a list of objects, got {words(source)[:60]}")
    return rows


def _write(shell: Shell, answers: Iterator[tuple[Batch, Predictions]], out: Path) -> None:
    """Writes the predictions as they arrive; the file appears when it is complete."""
    parts, count = [], 0
    make = writer_for(out)
    with shell.err.status(Text("predicting")) as status, opened(out) as target:
        writer = make(target)
        for batch, answer in answers:
            rows, known = without_refused(batch, answer)
            if rows.rows:
                writer(rows, known)
            count += len(rows.rows)
            status.update(Text(f"predicting: {count} rows"))
            parts.append(answer if shell.json else _bare(answer))
    whole = collect(parts)
    line = f"{count} rows predicted by version {whole.version} of {whole.model}: {out}"
    shell.result({**whole.to_json(), "out": str(out)}, line)


def _bare(answer: Predictions) -> Predictions:
    """The response without its rows: only model and version are needed once the rows are written."""
    return type(answer)(answer.model, answer.version, [], None, [])


def _show(shell: Shell, answers: Iterator[tuple[Batch, Predictions]]) -> None:
    """Prints a table of the first rows, and requests no further ones."""
    batch, answer = next(answers)
    more = len(batch.rows) > SHOWN_ROWS or next(answers, None) is not None
    shown = islice(zip(batch.rows, range(SHOWN_ROWS), strict=False), SHOWN_ROWS)
    names = list(batch.rows[0])[:SHOWN_COLUMNS]
    classes = [] if answer.probabilities is None else ["probability"]
    spreads = {name: spread_of(row.get(name) for row in batch.rows[:SHOWN_ROWS]) for name in names}
    lines = (_line(row, at, spreads, answer) for row, at in shown)
    title = f"{answer.model}, version {answer.version}"
    note = f"the first {SHOWN_ROWS} rows; --out FILE writes all" if more else ""
    lists = [] if answer.recommendations is None else ["recommended"]
    columns: Sequence[str] = ("", "prediction", *classes, *lists, *names)
    shell.result({}, table(columns, lines, title), *([note] if note else []))


def _line(row: Mapping[str, Any], at: int, spreads: Mapping[str, float | None], answer: Predictions) -> list[Any]:
    """The cells of a row; `spreads` are those of the numbers in the shown columns."""
    shares = [] if answer.probabilities is None else [_share(answer, at)]
    if answer.refused is not None and answer.ids[at] is None:
        gaps = [""] * (len(shares) + (answer.recommendations is not None))
        values = (words(row.get(name), spread) for name, spread in spreads.items())
        return [str(at + 1), Text("refused", style="yellow"), *gaps, *values]
    known = [value for value in answer.predictions[:SHOWN_ROWS] if value is not None]
    prediction = Text(words(answer.predictions[at], spread_of(known)), style="bold")
    lists = [] if answer.recommendations is None else [_items(answer.recommendations[at])]
    given = (words(row.get(name), spread) for name, spread in spreads.items())
    return [str(at + 1), prediction, *shares, *lists, *given]


def _items(recommended: list[RecommendedItem] | None) -> str:
    """The items of a list, best first."""
    return ", ".join(str(item["item"]) for item in recommended or [])


def _share(answer: Predictions, at: int) -> str:
    """The probability of the predicted class; empty in a refused row."""
    shares = (answer.probabilities or [])[at]
    return f"{max(shares.values()):.3f}" if shares else ""
