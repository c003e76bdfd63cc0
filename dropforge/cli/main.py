"""The `dropforge` program: its commands, exit codes and error messages."""

from __future__ import annotations

import os
import sys
import traceback
from typing import TYPE_CHECKING, Annotated

import typer

from dropforge import __version__
from dropforge.cli import batch, catalog, cloud, doctor, drop, predict, price, redrive, rollout, serve, smoke, spec
from dropforge.cli.shell import Home, Json, Shell, clean, print_json
from dropforge.client.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Sequence

DEBUG = "DROPFORGE_DEBUG"
INTERRUPTED = 130
USAGE = (
    "no_such_file", "not_a_file", "unknown_format", "file_name", "model_name", "run_id", "target", "out", "spec",
    "instance", "prices",
)  # fmt: skip
"""Codes of faults in the call itself, which exit with 2, as an unknown option does."""

app = typer.Typer(
    name="dropforge", add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)  # fmt: skip
for group in (cloud, drop, spec, catalog, rollout, predict, batch, serve, price, doctor, smoke, redrive):
    group.register(app)


@app.callback(invoke_without_command=True)
def program(
    context: typer.Context,
    as_json: Json = False,
    home: Home = None,
    profile: Annotated[
        str | None,
        typer.Option("--profile", metavar="NAME", help="AWS profile; selects AWS even if an embedded cloud runs."),
    ] = None,
    stack: Annotated[
        str | None,
        typer.Option("--stack", metavar="NAME", help="The CloudFormation stack's name; Dropforge by default."),
    ] = None,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    """Drop a data set; get a tested, explained prediction API.

    Uses the embedded cloud of this folder if one is running, and AWS otherwise.

    Example: dropforge drop houses.csv --target price --wait
    """
    context.obj = Shell(as_json, home, profile, stack)
    if version:
        context.obj.result({"version": __version__}, f"dropforge {__version__}")
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns 0 for success, 1 for failure, 2 for a wrong call, 130 if interrupted."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in given
    try:
        code = app(given, prog_name="dropforge", standalone_mode=False)
    except Fault as fault:
        _say(fault, as_json)
        return INTERRUPTED if fault.code == "interrupted" else 2 if fault.code in USAGE else 1
    except typer.TyperException as fault:
        _say(Fault(fault.format_message(), "usage"), as_json, "; see `dropforge --help`")
        return fault.exit_code
    except typer.Abort:
        return INTERRUPTED
    except Exception as fault:
        hint = "" if _debugging() else f"; {DEBUG}=1 shows where"
        _say(Fault(f"unexpected {type(fault).__name__}: {fault}", "unexpected"), as_json, hint)
        return 1
    return code if isinstance(code, int) else 0


def _say(fault: Fault, as_json: bool, hint: str = "") -> None:
    """Prints one line on standard error and, with `--json`, a document on standard output."""
    if _debugging():
        traceback.print_exc()
    line = " ".join(clean(fault.message).split())
    print(f"error: {line.rstrip('.')}{hint}", file=sys.stderr)
    if as_json:
        print_json(fault.to_json())


def _debugging() -> bool:
    return os.environ.get(DEBUG, "") not in ("", "0")
