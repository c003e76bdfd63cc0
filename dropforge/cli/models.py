"""`models` and `predict`: what serves, and asking it."""

from __future__ import annotations

import json as json_text
from pathlib import Path  # noqa: TC003  # typer reads the annotations at run time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dropforge.cli.options import Json, screen
from dropforge.cli.tables import SHOWN, models_table, predictions_table
from dropforge.client import Fault
from dropforge.client.tabular import write_answers

if TYPE_CHECKING:
    from dropforge.client import Dropforge


def models(context: typer.Context, json: Json = False) -> None:
    """List the models that serve.

    Example: dropforge models
    """
    here = screen(context, json)
    with here.faults():
        found = here.forge().models()
        if here.json:
            here.document({"models": found})
        else:
            here.out.print(models_table(found) if found else "no model serves yet: dropforge drop FILE --wait")


def predict(
    context: typer.Context,
    model: Annotated[str, typer.Argument(help="The model's name.", show_default=False)],
    rows: Annotated[str | None, typer.Option(help="Rows as JSON: '[{\"rooms\": 4}]'.")] = None,
    file: Annotated[Path | None, typer.Option(help="Rows in a .csv, .tsv, .jsonl or .parquet.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write rows and answers to this .csv or .jsonl.")] = None,
    json: Json = False,
) -> None:
    """Ask a model.

    Example: dropforge predict houses --file new-houses.csv --out priced.csv
    """
    here = screen(context, json)
    with here.faults():
        forge = here.forge()
        given = _rows(forge, model, rows, file)
        answers = forge.predict(model, given)
        if out is not None:
            write_answers(out, given, answers.to_json())
            here.say(f"{out}: {len(given)} predictions")
        if here.json:
            here.document(answers.to_json())
        elif out is None:
            here.out.print(predictions_table(given, answers))
            if len(given) > SHOWN:
                here.say(f"… and {len(given) - SHOWN} more: --out FILE writes them all")


def _rows(forge: Dropforge, model: str, rows: str | None, file: Path | None) -> list[dict[str, Any]]:
    if (rows is None) == (file is None):
        raise Fault("expected either --rows '[{…}]' or --file FILE", "usage")
    if file is not None:
        return forge.read_rows(model, file)
    try:
        found = json_text.loads(rows or "")
    except ValueError as fault:
        raise Fault(f"--rows: expected JSON such as '[{{\"rooms\": 4}}]': {fault}", "usage") from fault
    found = [found] if isinstance(found, dict) else found
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise Fault("--rows: expected a list of objects, one a row", "usage")
    return found
