"""`up`, `down` and `status`: the embedded cloud."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Annotated, Any

import typer

from dropforge.cli.options import Json, screen
from dropforge.client import Fault
from dropforge.client.embedded import FOLDER

Port = Annotated[
    int | None, typer.Option(help="Port on 127.0.0.1; 0 takes a free one. Default: 4566, or the last one.")
]
Strict = Annotated[bool, typer.Option("--strict", help="TLS, and IAM enforced on every call.")]


def up(context: typer.Context, port: Port = None, strict: Strict = False, json: Json = False) -> None:
    """Start the embedded cloud and deploy the stack into it; what runs is used as it is.

    Example: dropforge up
    """
    here = screen(context, json)
    with here.faults():
        embedded = _embedded()
        told = _told(embedded, lambda: embedded.up(home=_home(here.home), port=port, strict=strict, report=here.say))
        if here.json:
            here.document(told)


def down(context: typer.Context, json: Json = False) -> None:
    """Stop the embedded cloud; its state stays for the next `up`.

    Example: dropforge down
    """
    here = screen(context, json)
    with here.faults():
        embedded = _embedded()
        stopped = _told(embedded, lambda: embedded.down(_home(here.home)))
        here.say("stopped" if stopped else "nothing was running")
        if here.json:
            here.document({"stopped": stopped})


def status(context: typer.Context, json: Json = False) -> None:
    """Show what runs, and where.

    Example: dropforge status --json
    """
    here = screen(context, json)
    with here.faults():
        found = _embedded().status(_home(here.home)).to_json()
        if here.json:
            here.document(found)
        else:
            from dropforge.cli.tables import facts_table

            here.out.print(facts_table(found))


def _home(wished: Path | None) -> Path:
    return wished or Path.cwd() / FOLDER


def _embedded() -> Any:
    try:
        return importlib.import_module("dropforge.embedded.cloud")
    except ImportError as fault:
        raise Fault(
            f"the embedded cloud is not installed ({fault}): pip install 'dropforge[local]'", "not_installed"
        ) from fault


def _told(embedded: Any, act: Any) -> Any:
    """Does `act`; the embedded cloud's own fault is one the caller can mend."""
    try:
        return act()
    except embedded.CloudFault as fault:
        raise Fault(str(fault), "embedded_cloud") from fault
