"""Options that several commands have."""

from __future__ import annotations

from typing import Annotated

import typer

from dropforge.cli.screen import Screen

Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output, nothing else.")]


def screen(context: typer.Context, json: bool) -> Screen:
    """The call's screen; `--json` may stand before the command or after it."""
    found = context.obj
    assert isinstance(found, Screen)
    found.json = found.json or json
    return found
