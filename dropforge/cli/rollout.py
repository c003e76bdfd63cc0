"""`rollout` shows and begins a rollout; `advance`, `promote`, `pause`, `resume` and `abort` move it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer
from rich.live import Live

from dropforge.cli.shell import Home, Json, Model, Shell
from dropforge.cli.tables import facts, table
from dropforge.contract.figures import figure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.table import Table

    from dropforge.contract.api import RolloutPage
    from dropforge.contract.models import Candidate

Because = Annotated[str, typer.Option("--because", metavar="TEXT", help="Why, for the history.")]
SECONDS = 2.0
"""Between two looks of the live view."""


def register(app: typer.Typer) -> None:
    """Adds the commands to the program."""
    for command in (rollout, advance, promote, pause, resume, abort):
        app.command()(command)


def rollout(
    context: typer.Context,
    model: Model,
    begin: Annotated[
        str | None, typer.Option("--begin", metavar="VERSION", help="Put this approved version on trial.")
    ] = None,
    share: Annotated[
        float, typer.Option("--share", min=0, max=1, help="With --begin: of the callers that it answers; 0 to shadow.")
    ] = 0.0,
    unit: Annotated[
        str,
        typer.Option("--unit", metavar="COLUMN", help="With --begin: whose requests stay with one version."),
    ] = "",
    because: Because = "",
    watch: Annotated[bool, typer.Option("--watch", help="Show every move until the rollout has ended.")] = False,
    as_json: Json = False,
    home: Home = None,
) -> None:
    """Show the rollout of a model, or begin one.

    Shows the version on trial, its stage and share, and who made each move and why.

    Example: dropforge rollout houses --begin 4 --share 0.05 --unit customer_id
    """
    shell = Shell.of(context, as_json, home)
    if begin is not None:
        page = shell.forge.begin_rollout(model, begin, share, unit, because)
    else:
        page = shell.forge.rollout(model)
    if watch:
        page = _watched(shell, page)
    _show(shell, page)


def advance(
    context: typer.Context,
    model: Model,
    share: Annotated[float, typer.Option("--share", min=0, max=1, help="Of the callers; more than now, less than 1.")],
    because: Because = "",
    as_json: Json = False,
    home: Home = None,
) -> None:
    """Let the version on trial answer a larger share of the callers.

    Nobody switches back: who had the new version before has it still.

    Example: dropforge advance houses --share 0.5
    """
    shell = Shell.of(context, as_json, home)
    _show(shell, shell.forge.advance(model, share, because))


def promote(
    context: typer.Context, model: Model, because: Because = "", as_json: Json = False, home: Home = None
) -> None:
    """Give all traffic to the version on trial.

    The former version stays beside it: `dropforge rollback` goes back to it.

    Example: dropforge promote houses --because "a day without a difference"
    """
    shell = Shell.of(context, as_json, home)
    _show(shell, shell.forge.promote(model, because))


def pause(
    context: typer.Context, model: Model, because: Because = "", as_json: Json = False, home: Home = None
) -> None:
    """Mark the rollout as paused: it stays where it stands.

    Example: dropforge pause houses --because "a release of the web site"
    """
    shell = Shell.of(context, as_json, home)
    _show(shell, shell.forge.pause(model, because))


def resume(
    context: typer.Context, model: Model, because: Because = "", as_json: Json = False, home: Home = None
) -> None:
    """Let a paused rollout go on.

    Example: dropforge resume houses
    """
    shell = Shell.of(context, as_json, home)
    _show(shell, shell.forge.resume(model, because))


def abort(
    context: typer.Context, model: Model, because: Because = "", as_json: Json = False, home: Home = None
) -> None:
    """End the rollout: the live version answers everybody.

    Example: dropforge abort houses --because "the new version is slower"
    """
    shell = Shell.of(context, as_json, home)
    _show(shell, shell.forge.abort(model, because))


def _show(shell: Shell, page: RolloutPage) -> None:
    shell.result(page.to_json(), *_lines(page))


def _watched(shell: Shell, page: RolloutPage) -> RolloutPage:
    """The page once nothing is on trial any more; until then every move is shown on standard error."""
    if shell.err.is_terminal:
        with Live(_facts(page), console=shell.err) as live:
            while _trial(page) is not None:
                time.sleep(SECONDS)
                page = shell.forge.rollout(page.model)
                live.update(_facts(page))
        return page
    told = -1
    while _trial(page) is not None:
        if page.generation != told:
            told = page.generation
            shell.note(standing(page))
        time.sleep(SECONDS)
        page = shell.forge.rollout(page.model)
    return page


def _lines(page: RolloutPage) -> Iterator[Table | str]:
    yield _facts(page)
    if page.moves:
        yield ""
        moves = ((move.moved, _stage(move.candidate), move.by, move.because) for move in page.moves)
        yield table(("moved", "stage", "by", "because"), moves)


def _facts(page: RolloutPage) -> Table:
    candidate = page.candidate
    known = {"model": page.model, "live": page.version or "no version", "rollout": standing(page)}
    if candidate is not None:
        known |= {"since": candidate.since, "unit": candidate.by or "the caller's identity"}
    return facts(known)


def standing(page: RolloutPage) -> str:
    """Where a rollout stands, in words."""
    candidate = page.candidate
    if candidate is None:
        return "none is under way"
    held = ", paused" if candidate.paused else ""
    match candidate.stage:
        case "shadow":
            return f"version {candidate.version} shadows, and answers nobody{held}"
        case "canary":
            return f"version {candidate.version} answers {figure(candidate.share * 100)} % of the callers{held}"
        case "after":
            return f"version {page.version} answers everybody, and the former version {candidate.version} shadows{held}"


def _stage(candidate: Candidate | None) -> str:
    if candidate is None:
        return ""
    share = f" {figure(candidate.share * 100)} %" if candidate.stage == "canary" else ""
    return f"{candidate.stage}{share}{', paused' if candidate.paused else ''}"


def _trial(page: RolloutPage) -> Candidate | None:
    candidate = page.candidate
    return None if candidate is None or candidate.stage == "after" else candidate
