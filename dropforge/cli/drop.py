"""`drop`: uploads a data set and, with `--wait`, watches its run."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  # typer reads the annotations at run time
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Group
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.text import Text

from dropforge.cli.live import follow_live
from dropforge.cli.remarks import remarks_text
from dropforge.cli.shell import Home, Json, Shell, Timeout, clean
from dropforge.cli.tables import STYLES, counted, facts, minutes, scores_text, size
from dropforge.client import specs
from dropforge.client.batchruns import batch_outcome
from dropforge.client.drops import Dropped, Wishes, checked_file, model_name, upload
from dropforge.client.faults import Fault
from dropforge.client.pictures import as_file
from dropforge.client.sdk import TIMEOUT
from dropforge.contract.registry import BatchRun
from dropforge.contract.spec import DIFFERENCES

if TYPE_CHECKING:
    from rich.console import RenderableType

    from dropforge.client import Outcome
    from dropforge.client.batchruns import BatchOutcome
    from dropforge.contract.registry import RunRow

REPLACE_HELP = "Replace the live version even if the new one differs in, or is"
SHOWN_FROM = 5_000_000
"""Bytes: a smaller upload finishes before anybody could read a progress bar."""


def register(app: typer.Typer) -> None:
    """Adds the command to the program."""
    app.command()(drop)


def drop(
    context: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help=".csv, .tsv, .jsonl (also .gz), .parquet, .xlsx, or pictures: a folder or .zip, one folder per class.",
        ),
    ],
    model: Annotated[
        str | None,
        typer.Option("--model", metavar="NAME", help="The model's name; by default that of the file."),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option("--target", metavar="COLUMN", help="The column to predict; chosen by rule by default."),
    ] = None,
    spec: Annotated[
        Path | None, typer.Option("--spec", metavar="FILE", help="Options for this drop and later ones, as spec.yaml.")
    ] = None,
    replace: Annotated[
        list[str] | None,
        typer.Option("--replace", metavar="NAME", help=f"{REPLACE_HELP}: {', '.join(DIFFERENCES)}. Repeatable."),
    ] = None,
    unproven: Annotated[
        bool, typer.Option("--unproven", help="Promote the version even if its gain over the baseline may be chance.")
    ] = False,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Watch the run until it ends.")] = False,
    timeout: Timeout = TIMEOUT,
    as_json: Json = False,
    home: Home = None,
) -> None:
    """Upload a data set; a model is trained, judged and served.

    A data set that cannot be trained on is rejected with a reason. A version is refused if its gain over a trivial
    baseline may be chance, if it scores worse than the live version, or if the two cannot be compared; the reason names
    the option that overrules it. With --wait the exit code is 0 for promoted, and 1 for refused, rejected and failed. A
    duplicate has the exit code of the run with the same data.

    \b
    Example: dropforge drop houses.csv --target price --wait
    Example: dropforge drop flowers/ --wait
    Example: dropforge drop cars.csv --target year --replace target
    """
    shell = Shell.of(context, as_json, home)
    with as_file(file) as ready:
        wishes = Wishes(target, tuple(replace or ()), unproven)
        name = model_name(model, checked_file(ready))
        if model is None:
            shell.note(f"the model is named {name} after the file; --model NAME names it otherwise")
        dropped = _upload(shell, ready, name, wishes, spec)
    if not wait:
        hint = f"watch it with: dropforge show {dropped.run} --wait"
        shell.result(dropped.to_json(), f"{dropped.run} of model {dropped.model} has started", hint)
        return
    row = watch(shell, dropped.run, timeout)
    if row.status == "rejected" and specs.take_back(shell.forge.connection, dropped.model, dropped.spec):
        shell.note(f"the options of this drop were taken back: later drops of {dropped.model} do not use them")
    finish(shell, row)


def _upload(shell: Shell, file: Path, model: str, wishes: Wishes, spec: Path | None) -> Dropped:
    budget = specs.budget_of(shell.forge.connection, model, spec)
    shell.note(f"uploading {file.name} ({size(file.stat().st_size)}) to {shell.forge.connection.where}")
    if budget is not None:
        shell.note(f"training may use up to {minutes(budget)} (`budget:` in spec.yaml)")
    if not shell.err.is_terminal or file.stat().st_size < SHOWN_FROM:
        return upload(shell.forge.connection, file, model, wishes, spec=spec)
    columns = (TextColumn("  uploading"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=shell.err, transient=True) as bar:
        task = bar.add_task("upload", total=file.stat().st_size)
        return upload(shell.forge.connection, file, model, wishes, lambda count: bar.advance(task, count), spec)


def watch(shell: Shell, run: str, timeout: float) -> RunRow:
    """Shows the run until it ends; the message of an error on the way says that the run continues."""
    on = f"watch it with `dropforge show {run} --wait`"
    forge = shell.forge
    forge.connection.client("logs")  # finds an unusable login before the view opens
    try:
        row = follow_live(shell.err, run, forge.follow(run, timeout))
        if original := forge.still_at_it(row):
            shell.note(f"{original} has the same data and has not ended; watching it")
            follow_live(shell.err, original, forge.follow(original, timeout))
        return row
    except KeyboardInterrupt as stop:
        raise Fault(f"stopped watching; {run} continues: {on}", "interrupted") from stop
    except Fault as fault:
        if fault.code in ("run_id", "not_started"):
            raise
        goes_on = "" if fault.code == "timeout" else f"; {run} probably continues"
        raise Fault(f"{fault}{goes_on}: {on}", fault.code) from fault


def finish(shell: Shell, row: RunRow) -> None:
    """Prints the outcome of a run; exits with 1 unless it is good."""
    if isinstance(row, BatchRun):
        finish_batch(shell, row)
        return
    result = shell.forge.outcome(row)
    shell.result(result.to_json(), _summary(result))
    if not result.good:
        raise typer.Exit(1)


def finish_batch(shell: Shell, row: RunRow) -> None:
    """Prints the outcome of a batch: totals, and the places of predictions and errors."""
    ended = batch_outcome(row)
    parts: list[RenderableType] = [Text(_batch_headline(ended), style=f"bold {STYLES[ended.status]}")]
    if row.reason:
        parts.append(Text(clean(f"why: {row.reason}")))
    errors = ended.errors if ended.failed else None
    parts.append(facts({"run": row.run, "predictions": ended.predictions, "errors": errors}))
    shell.result(ended.to_json(), Group(*parts))
    if not ended.good:
        raise typer.Exit(1)


def _batch_headline(ended: BatchOutcome) -> str:
    if ended.status == "predicted":
        return clean(f"{counted(ended)} predicted by version {ended.version} of {ended.model}")
    if ended.status == "unknown":
        return clean(f"{ended.model}: the batch ended with a status that this version does not know")
    return clean(f"{ended.model}: nothing was predicted; the batch is {ended.status}")


def _summary(result: Outcome) -> RenderableType:
    parts: list[RenderableType] = ["", Text(_headline(result), style=f"bold {STYLES[result.status]}")]
    if result.status != "promoted" and result.reason:
        parts.append(Text(clean(f"why: {result.reason}")))
    parts += remarks_text(result)
    if result.metrics:
        parts += ["", *scores_text(result), ""]
    parts.append(facts({"run": result.run, "report": result.report}))
    if result.good and result.version:
        parts.append(Text(f"next: dropforge predict {result.model} --file ROWS.csv --out PREDICTED.csv"))
    return Group(*parts)


def _headline(result: Outcome) -> str:
    about = f": {result.task} of {result.target!r}" if result.task else ""
    lines = {
        "promoted": f"{result.model} is live as version {result.version}{about}",
        "duplicate": f"{result.model} has already been trained on the same data; nothing was trained",
        "refused": f"version {result.version} of {result.model} was refused{about}",
        "rejected": f"{result.model}: this data set cannot be trained on; the file is in quarantine",
        "unknown": f"{result.model}: the run ended with a status that this version does not know",
    }
    return clean(lines.get(result.status, f"{result.model}: the run failed"))
