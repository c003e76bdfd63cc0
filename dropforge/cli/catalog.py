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
from dropforge.client.sdk import TIMEOUT

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
        page = shell.forge.model(model) | (_all_of(shell, model) if whole else {})
        shell.result(page, *_page(page))
        return
    found = shell.forge.models()
    shell.result({"models": found}, models_table(found) if found else "no model serves yet: dropforge drop FILE.csv")


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
    shell.result(row, f"{model} is removed; version {row['version']} served last: `dropforge rollback {model}`")


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
    shell.result(row, f"version {row['version']} of {model} serves")


def _all_of(shell: Shell, model: str) -> dict[str, Any]:
    """What the page of a model shows the newest of, whole."""
    versions, history = shell.forge.versions(model), shell.forge.history(model)
    return {"versions": versions, "versions_next": None, "history": history, "history_next": None}


def _page(page: dict[str, Any]) -> Iterator[Any]:
    live = page["version"]
    words = {"model": page["model"], "live": live or "no version: every one was refused"}
    words |= {"task": f"{page['task']} of {page['target']!r}", "classes": ", ".join(page["card"]["classes"])}
    yield facts(words)
    yield ""
    yield scores(page["metrics"], page["baseline"], page["metric"], page.get("intervals"))
    yield from notes_text(page.get("notes", ()))
    yield ""
    if page.get("importances"):
        yield importances_table(page["importances"], page["metric"])
        yield ""
    yield columns_table(page["card"])
    yield ""
    yield versions_table(page)
    if page.get("versions_next"):
        yield f"the newest {len(page['versions'])} versions: dropforge models {page['model']} --all lists every one"
