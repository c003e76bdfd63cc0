"""`up`, `down` and `status` start, stop and show the embedded cloud."""

from __future__ import annotations

import importlib.util
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dropforge.cli.shell import Home, Json, Shell
from dropforge.cli.tables import facts
from dropforge.client.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

NEEDED = ("ministack", "aws_cdk")
"""Packages of the `local` extra that the embedded cloud cannot start without."""


def register(app: typer.Typer) -> None:
    """Adds the commands to the program."""
    app.command()(up)
    app.command()(down)
    app.command()(status)


def up(
    context: typer.Context,
    port: Annotated[
        int | None,
        typer.Option("--port", metavar="NUMBER", min=0, max=65535, help="The port on 127.0.0.1; 0 for any free one."),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Use TLS, and enforce IAM on every call.")] = False,
    as_json: Json = False,
    home: Home = None,
) -> None:
    """Start the embedded cloud and deploy into it.

    Reuses a running cloud, and deploys again if the sources have changed.

    Example: dropforge up
    """
    shell = Shell.of(context, as_json, home)
    with _cloud() as cloud:
        connection = cloud.up(home=shell.place, port=port, strict=strict, report=shell.note)
    shown = {name: value for name, value in connection.items() if name != "secret_key"}
    shell.result(shown, "next: dropforge drop FILE.csv --wait")


def down(context: typer.Context, as_json: Json = False, home: Home = None) -> None:
    """Stop the embedded cloud and keep its state.

    The next `up` restores everything.

    Example: dropforge down
    """
    shell = Shell.of(context, as_json, home)
    with _cloud() as cloud:
        stopped = cloud.down(shell.place, report=shell.note)
    said = "stopped; its state is kept" if stopped else "nothing was running"
    shell.result({"home": str(shell.place.resolve()), "stopped": stopped}, f"{said} in {shell.place}")


def status(context: typer.Context, as_json: Json = False, home: Home = None) -> None:
    """Show whether and where the embedded cloud runs.

    The exit code is 1 if it cannot be used.

    Example: dropforge status
    """
    shell = Shell.of(context, as_json, home)
    with _cloud() as cloud:
        found = cloud.status(shell.place)
    shell.result(found.to_json(), facts(_in_words(found)))
    if not (found.healthy and found.deployed):
        raise typer.Exit(1)


def _in_words(found: Any) -> dict[str, str]:
    running = f"yes, process {found.pid}" if found.running else "no: start it with `dropforge up`"
    if found.running and not found.healthy:
        running += ", but it does not answer"
    stack = "none" if not found.deployed else "current" if found.current else "out of date: `dropforge up` updates it"
    words = {
        "home": found.home,
        "running": running,
        "endpoint": found.endpoint_url,
        "api": found.api_url,
        "drop into": found.drop_bucket and f"s3://{found.drop_bucket}/datasets/<model>/",
    }
    words |= {"mode": "strict: TLS and IAM" if found.strict else None, "stack": stack}
    return {name: word for name, word in words.items() if word}


@contextmanager
def _cloud() -> Iterator[Any]:
    """The module of the embedded cloud; its faults are raised as `Fault`.

    Raises:
        Fault: the `local` extra is not installed, or the embedded cloud reports an error.
    """
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        message = f"the embedded cloud needs {missing[0]}, which is not installed: run `make setup` in a checkout"
        raise Fault(message, "needs_local")
    from dropforge.embedded import cloud

    try:
        yield cloud
    except cloud.CloudFault as fault:
        raise Fault(str(fault), "embedded_cloud") from fault
