"""`runs`, `show`, `models` and `report` read the registry; `remove` and `rollback` change what is live."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  # typer reads the annotations at run time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dropforge.cli.drop import finish, watch
from dropforge.cli.remarks import remarks_text
from dropforge.cli.rollout import Because  # noqa: TC001  # typer reads the annotations at run time
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
from dropforge.client.runs import original_of
from dropforge.client.sdk import TIMEOUT
from dropforge.contract.api import ModelPage
from dropforge.contract.registry import TrainingRun

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
    model: Annotated[str | None, typer.Option("--model", metavar="NAME", help="List only this model's runs.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="The largest number of runs to list.")] = 20,
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
    wait: Annotated[bool, typer.Option("--wait", help="Watch the run until it ends.")] = False,
    timeout: Timeout = TIMEOUT,
    as_json: Json = False,
    home: Home = None,
) -> None:
    """Show one run; with --wait, watch it until it ends.

    Shows status, reason, scores, cost and the place of the report.

    Example: dropforge show run-0123456789abcdef
    """
    shell = Shell.of(context, as_json, home)
    if wait:
        finish(shell, watch(shell, run, timeout))
        return
    row = shell.forge.run(run)
    original = original_of(row)
    scored = shell.forge.run(original) if original else row
    texts = scores_text(scored) if isinstance(scored, TrainingRun) and scored.metrics else []
    said = remarks_text(scored) if isinstance(scored, TrainingRun) else []
    shell.result(row.to_json(), run_facts(row), *said, *texts)


def models(
    context: typer.Context,
    model: Annotated[str | None, typer.Argument(metavar="[MODEL]", help="A model to show in detail.")] = None,
    whole: Annotated[
        bool, typer.Option("--all", help="List every version and move of the model, not the newest 20.")
    ] = False,
    as_json: Json = False,
    home: Home = None,
) -> None:
    """List the live models, or show one.

    With a name, shows the model's scores, the columns that a row must have, and its newest versions.

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
    shell.result(document, models_table(lines) if lines else "no model is live yet: dropforge drop FILE.csv")


def report(
    context: typer.Context,
    run: Run,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Where to write the report.")] = None,
    as_json: Json = False,
    home: Home = None,
) -> None:
    """Download a run's report.

    The report is one self-contained HTML page.

    Example: dropforge report run-0123456789abcdef --out report.html
    """
    shell = Shell.of(context, as_json, home)
    path = shell.forge.report(run, out)
    shell.result({"run": run, "report": str(path)}, str(path))


def remove(
    context: typer.Context, model: Model, because: Because = "", as_json: Json = False, home: Home = None
) -> None:
    """Take a model off the API, within seconds.

    Its versions and history stay; `dropforge rollback` restores it.

    Example: dropforge remove houses
    """
    shell = Shell.of(context, as_json, home)
    row = shell.forge.remove(model, because)
    shell.result(row.to_json(), f"{model} is removed; `dropforge rollback {model}` restores version {row.version}")


def rollback(
    context: typer.Context,
    model: Model,
    to: Annotated[
        str | None, typer.Option("--to", metavar="VERSION", help="The version; the previous one by default.")
    ] = None,
    because: Because = "",
    as_json: Json = False,
    home: Home = None,
) -> None:
    """Roll back to the previous version, or to a chosen one.

    After `dropforge remove`, restores the version that was removed. While a version is on trial, the live one answers
    everybody again, and the rollout ends.

    Example: dropforge rollback houses --to 3
    """
    shell = Shell.of(context, as_json, home)
    row = shell.forge.rollback(model, to, because)
    shell.result(row.to_json(), f"version {row.version} of {model} is live")


def _with_all(shell: Shell, page: ModelPage) -> ModelPage:
    """The page of a model with every version and move, where it shows the newest."""
    versions = [row.to_json() for row in shell.forge.versions(page.model)]
    history = [move.to_json() for move in shell.forge.history(page.model)]
    listed = {"versions": versions, "versions_next": None, "history": history, "history_next": None}
    return read(ModelPage, {**page.to_json(), **listed})


def _page(page: ModelPage) -> Iterator[Any]:
    words = {"model": page.model, "live": page.version or "no version; every one was refused"}
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
