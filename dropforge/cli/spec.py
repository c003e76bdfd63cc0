"""`spec`: shows, sets or clears the options that apply to every drop of a model."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  # typer reads the annotations at run time
from typing import Annotated

import typer

from dropforge.cli.shell import Home, Json, Model, Shell, clean
from dropforge.client.faults import Fault
from dropforge.contract.names import spec_key


def register(app: typer.Typer) -> None:
    """Adds the command to the program."""
    app.command()(spec)


def spec(
    context: typer.Context,
    model: Model,
    new: Annotated[
        Path | None, typer.Option("--set", metavar="FILE", help="Check FILE and use it from now on.")
    ] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Remove the options.")] = False,
    as_json: Json = False,
    home: Home = None,
) -> None:
    """Show, set or clear the options of all drops of a model.

    They are its spec.yaml. A run uses the options of the time of its drop.

    Example: dropforge spec houses
    Example: dropforge spec houses --set spec.yaml
    Example: dropforge spec houses --clear
    """
    shell = Shell.of(context, as_json, home)
    if new is not None and clear:
        raise Fault("--set and --clear: expected one of the two", "spec", "set")
    if new is not None or clear:
        shell.forge.set_spec(model, new)
    text = shell.forge.spec(model)
    shell.result({"model": model, "key": spec_key(model), "spec": text}, _shown(model, text))


def _shown(model: str, text: str | None) -> str:
    return f"{model} has no {spec_key(model)}: every option has its default" if text is None else clean(text.rstrip())
