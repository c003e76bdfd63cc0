"""`drop`, `runs`, `show` and `report`: data sets and what became of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dropforge.cli import outcome
from dropforge.cli.live import watch
from dropforge.cli.options import Json, screen
from dropforge.cli.tables import facts_table, runs_table

if TYPE_CHECKING:
    from dropforge.cli.screen import Screen
    from dropforge.client import Dropforge, Dropped

File = Annotated[
    Path, typer.Argument(help="The data set: .csv, .csv.gz, .tsv, .parquet or .jsonl.", show_default=False)
]
Model = Annotated[str | None, typer.Option(help="The model's name.", show_default="the file's name")]
Target = Annotated[str | None, typer.Option(help="Column to predict.", show_default="by spec.yaml, or by rule")]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Show the run until it has ended.")]
Timeout = Annotated[float, typer.Option(help="Minutes to wait at most.")]
Run = Annotated[str, typer.Argument(help="The run's id, such as run-0123456789abcdef.", show_default=False)]


def drop(
    context: typer.Context,
    file: File,
    model: Model = None,
    target: Target = None,
    wait: Wait = False,
    timeout: Timeout = 60.0,
    json: Json = False,
) -> None:
    """Drop a data set; its arrival starts a run. With --wait the exit code is 0 for promoted and duplicate alone.

    Example: dropforge drop houses.csv --target price --wait
    """
    here = screen(context, json)
    with here.faults():
        forge = here.forge()
        dropped = forge.drop(file, model=model, target=target)
        here.say(f"dropped s3://{dropped.bucket}/{dropped.key} as {dropped.run}")
        if wait:
            _wait(forge, dropped, timeout * 60, here)
        elif here.json:
            here.document({**dropped.to_json(), "status": "dropped"})
        else:
            here.say(f"look at it with: dropforge show {dropped.run}")


def _wait(forge: Dropforge, dropped: Dropped, seconds: float, here: Screen) -> None:
    """Follows the run to its end and tells of it; a row of its own is the last thing seen."""
    try:
        row = watch(forge.follow(dropped.run, seconds), here.err if here.json else here.out)
    except KeyboardInterrupt:
        here.say(f"the run goes on; look at it with: dropforge show {dropped.run}")
        raise typer.Exit(130) from None
    ended = forge.outcome(row)
    if here.json:
        here.document(ended.to_json())
    else:
        outcome.tell(ended, here)
    raise typer.Exit(0 if ended.good else 1)


def runs(
    context: typer.Context,
    model: Annotated[str | None, typer.Option(help="Runs of this model alone.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many.")] = 20,
    json: Json = False,
) -> None:
    """List the newest runs.

    Example: dropforge runs --model houses
    """
    here = screen(context, json)
    with here.faults():
        found = here.forge().runs(limit, model)
        if here.json:
            here.document({"runs": [row.to_json() for row in found]})
        else:
            here.out.print(runs_table(found) if found else "no run yet: dropforge drop FILE")


def show(context: typer.Context, run: Run, json: Json = False) -> None:
    """Show one run.

    Example: dropforge show run-0123456789abcdef
    """
    here = screen(context, json)
    with here.faults():
        found = here.forge().run(run).to_json()
        if here.json:
            here.document(found)
        else:
            here.out.print(facts_table(found))


def report(
    context: typer.Context,
    run: Run,
    out: Annotated[Path | None, typer.Option(help="Where to write it.", show_default="RUN.html")] = None,
    json: Json = False,
) -> None:
    """Fetch a run's report.

    Example: dropforge report run-0123456789abcdef --out houses.html
    """
    here = screen(context, json)
    with here.faults():
        path = here.forge().report(run, out or Path(f"{run}.html"))
        if here.json:
            here.document({"run": run, "report": str(path)})
        else:
            here.say(str(path))
