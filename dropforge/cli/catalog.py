"""`runs`, `show`, `models`, `report`: what is known; `remove` and `rollback`: what serves."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  # typer reads the annotations at run time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dropforge.cli.drop import finish, watch
from dropforge.cli.shell import Home, Json, Model, Run, Shell, Timeout
from dropforge.cli.tables import (
    columns_table,
    facts,
    importances_table,
    models_table,
    notes_text,
    run_facts,
    runs_table,
    scores,
    scores_text,
    versions_table,
)
from dropforge.client.answers import read
from dropforge.client.sdk import TIMEOUT
from dropforge.contract.api import ModelPage

if TYPE_CHECKING:
    from collections.abc import Iterator


def register(app: typer.Typer) -> None:
    """Adds the commands to the program."""
    app.command()(runs)
    app.command()(show)
    app.command()(models)
    app.command()(report)
    app.command()(remove)
    app.command()(rollback)


def runs(
    context: typer.Context,
    model: Annotated[str | None, typer.Option("--model", metavar="NAME", help="Only runs of this model.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many at most.")] = 20,
    as_json: Json = False,
    home: Home = None,
) -> None:
    """List the newest runs.

    Example: dropforge runs --model houses
    """
    shell = Shell.of(context, as_json, home)
    found = shell.forge.runs(limit, model)
    shell.result(
        {"runs": [row.to_json() for row in found]},
        runs_table(found) if found else "no runs yet: dropforge drop FILE.csv --wait",
    )


def show(
    context: typer.Context,
    run: Run,
    wait: Annotated[bool, typer.Option("--wait", help="Watch it until it has ended.")] = False,
    timeout: Timeout = TIMEOUT,
    as_json: Json = False,
    home: Home = None,
) -> None:
    """Show one run; with --wait watch it to its end.

    Status, reason, scores, cost and where the report lies.

    Example: dropforge show run-0123456789abcdef
    """
    shell = Shell.of(context, as_json, home)
    if wait:
        finish(shell, watch(shell, run, timeout))
        return
    row = shell.forge.run(run)
    scored = shell.forge.run(row.duplicate_of) if row.duplicate_of else row
    shell.result(row.to_json(), run_facts(row), *(scores_text(scored) if scored.metrics else []))


def models(
    context: typer.Context,
    model: Annotated[str | None, typer.Argument(metavar="[MODEL]", help="One model, in detail.")] = None,
    whole: Annotated[
        bool, typer.Option("--all", help="Of one model: every version and move, not the newest 20.")
    ] = False,
    as_json: Json = False,
    home: Home = None,
) -> None:
    """List the models that serve, or show one.

    With a name: its scores, the columns that a row must hold, and its newest versions.

    Example: dropforge models houses
    """
    shell = Shell.of(context, as_json, home)
    if model is not None:
        page = shell.forge.model(model)
        if whole:
            page = _with_all(shell, page)
        shell.result(page.to_json(), *_page(page))
        return
    lines = shell.forge.models()
    document = {"models": [line.to_json() for line in lines]}
    shell.result(document, models_table(lines) if lines else "no model serves yet: dropforge drop FILE.csv")


def report(
    context: typer.Context,
    run: Run,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Where to write it.")] = None,
    as_json: Json = False,
    home: Home = None,
) -> None:
    """Fetch a run's report, one HTML page.

    It is self-contained: send it to anybody.

    Example: dropforge report run-0123456789abcdef --out report.html
    """
    shell = Shell.of(context, as_json, home)
    path = shell.forge.report(run, out)
    shell.result({"run": run, "report": str(path)}, str(path))


def remove(context: typer.Context, model: Model, as_json: Json = False, home: Home = None) -> None:
    """Take a model back: within seconds nothing answers under its name.

    Versions and history stay; `dropforge rollback` brings it back.

    Example: dropforge remove houses
    """
    shell = Shell.of(context, as_json, home)
    row = shell.forge.remove(model)
    shell.result(row.to_json(), f"{model} is removed; version {row.version} served last: `dropforge rollback {model}`")


def rollback(
    context: typer.Context,
    model: Model,
    to: Annotated[str | None, typer.Option("--to", metavar="VERSION", help="An approved version.")] = None,
    as_json: Json = False,
    home: Home = None,
) -> None:
    """Let the version serve that served before, or another one.

    After `dropforge remove` it is the one that was removed.

    Example: dropforge rollback houses --to 3
    """
    shell = Shell.of(context, as_json, home)
    row = shell.forge.rollback(model, to)
    shell.result(row.to_json(), f"version {row.version} of {model} serves")


def _with_all(shell: Shell, page: ModelPage) -> ModelPage:
    """The page of a model with every version and move, where it shows the newest."""
    versions = [row.to_json() for row in shell.forge.versions(page.model)]
    history = [move.to_json() for move in shell.forge.history(page.model)]
    listed = {"versions": versions, "versions_next": None, "history": history, "history_next": None}
    return read(ModelPage, {**page.to_json(), **listed})


def _page(page: ModelPage) -> Iterator[Any]:
    words = {"model": page.model, "live": page.version or "no version: every one was refused"}
    words |= {"task": f"{page.task} of {page.target!r}", "classes": ", ".join(page.card.classes)}
    yield facts(words)
    yield ""
    yield scores(page.metrics, page.baseline, page.metric, page.intervals)
    yield from notes_text(page.notes)
    yield ""
    if page.importances:
        yield importances_table(page.importances, page.metric)
        yield ""
    yield columns_table(page.card)
    yield ""
    yield versions_table(page)
    if page.versions_next:
        yield f"the newest {len(page.versions)} versions: dropforge models {page.model} --all lists every one"
