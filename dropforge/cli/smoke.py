"""`smoke` tries a deployment from end to end."""

from __future__ import annotations

from typing import Any

import typer  # noqa: TC002  # typer reads the annotations

from dropforge.cli.shell import Home, Json, Shell, Timeout
from dropforge.client.smoke import smoke as steps_of


def register(app: typer.Typer) -> None:
    """Adds the command to the program."""
    app.command()(smoke)


def smoke(
    context: typer.Context,
    timeout: Timeout = 3600,
    as_json: Json = False,
    home: Home = None,
) -> None:
    """Try a deployment from end to end, and clean up.

    Drops a small data set of its own, waits for its model, predicts, explains, removes the model, rolls back, and
    deletes what it dropped; prints how long each step took. On AWS it trains one job, which costs a few cents.

    Example: dropforge smoke
    """
    shell = Shell.of(context, as_json, home)
    done: list[dict[str, Any]] = []
    shell.note(f"trying {shell.forge.connection.where}")
    for step in steps_of(shell.forge, timeout):
        done.append({"step": step.name, "seconds": round(step.seconds, 3), "seen": step.seen})
        shell.note(f"{step.seconds:8.1f} s  {step.name}: {step.seen}")
    total = round(sum(step["seconds"] for step in done), 3)
    shell.result({"ok": True, "seconds": total, "steps": done}, f"everything works; {total:.0f} s in all")
