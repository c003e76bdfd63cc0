"""`redrive` starts what the dead-letter queues hold."""

from __future__ import annotations

import dataclasses
from collections import Counter

import typer  # noqa: TC002  # typer reads the annotations

from dropforge.cli.shell import Home, Json, Shell
from dropforge.cli.tables import table


def register(app: typer.Typer) -> None:
    """Adds the command to the program."""
    app.command()(redrive)


def redrive(context: typer.Context, as_json: Json = False, home: Home = None) -> None:
    """Start the drops whose events are in the dead-letter queues.

    Every event without a run is started, and its message deleted; a message that is no event of a drop stays.

    Example: dropforge redrive
    """
    shell = Shell.of(context, as_json, home)
    events = shell.forge.redrive()
    counts = Counter(event.outcome for event in events)
    rows = [(event.outcome, event.run or "", event.key or event.message) for event in events]
    said = ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
    document = {"redriven": [dataclasses.asdict(event) for event in events]}
    shell.result(document, *([table(("outcome", "run", "key"), rows), said] if rows else ["the queues are empty"]))
