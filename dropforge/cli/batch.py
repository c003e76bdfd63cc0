"""`batch`: uploads a large file to predict and, on request, waits for the predictions."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  # typer reads the annotations at run time
from typing import Annotated

import typer

from dropforge.cli.drop import finish_batch, watch
from dropforge.cli.shell import Home, Json, Model, Shell, Timeout
from dropforge.cli.tables import size
from dropforge.client.batchruns import batch_outcome
from dropforge.client.drops import checked_file
from dropforge.client.sdk import TIMEOUT


def register(app: typer.Typer) -> None:
    """Adds the command to the program."""
    app.command()(batch)


def batch(
    context: typer.Context,
    model: Model,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A .csv, .tsv, .jsonl (also .gz), .parquet or .xlsx of rows.")
    ],
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Watch the batch until it ends.")] = False,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Wait, then download the predictions to this file.")
    ] = None,
    timeout: Timeout = TIMEOUT,
    as_json: Json = False,
    home: Home = None,
) -> None:
    """Predict a large file in the cloud.

    Use it for more rows than `predict` should send. The file is uploaded, split, and predicted piece by piece in
    parallel. The complete predictions appear in the artifact bucket as predictions/MODEL/FILE, next to a summary and
    the line numbers of rows without a prediction. With --wait the exit code is 0 for predicted, and 1 for rejected and
    failed.

    \b
    Example: dropforge batch houses new-houses.csv --wait
    Example: dropforge batch houses new-houses.parquet --out priced.parquet
    """
    shell = Shell.of(context, as_json, home)
    checked = checked_file(file)
    shell.note(f"uploading {checked.name} ({size(checked.stat().st_size)}) to {shell.forge.connection.where}")
    dropped = shell.forge.batch(model, checked)
    if not wait and out is None:
        hint = f"watch it with: dropforge show {dropped.run} --wait"
        shell.result(dropped.to_json(), f"{dropped.run} of model {dropped.model} has started", hint)
        return
    row = watch(shell, dropped.run, timeout)
    if out is not None and row.status == "predicted":
        shell.note(f"downloaded {shell.forge.fetch(batch_outcome(row), out)}")
    finish_batch(shell, row)
