"""`dropforge`: the commands and what they share."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  # typer reads the annotations at run time
from typing import Annotated

import typer

from dropforge import __version__
from dropforge.cli import cloud, data, models
from dropforge.cli.screen import Screen

app = typer.Typer(
    name="dropforge",
    help="Drop a data set into S3; get a tested, explained, monitored prediction API.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"dropforge {__version__}")
        raise typer.Exit


@app.callback()
def shared(
    context: typer.Context,
    json: Annotated[bool, typer.Option("--json", help="One JSON document on standard output, nothing else.")] = False,
    home: Annotated[
        Path | None, typer.Option(help="Folder of the embedded cloud.", envvar="DROPFORGE_HOME", show_default=False)
    ] = None,
    profile: Annotated[str | None, typer.Option(help="AWS profile: work on AWS, not on the embedded cloud.")] = None,
    _show_version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Options of every command."""
    context.obj = Screen(home=home, profile=profile, json=json)


for command in (
    cloud.up,
    cloud.down,
    cloud.status,
    data.drop,
    data.runs,
    data.show,
    data.report,
    models.models,
    models.predict,
):
    app.command()(command)


def main() -> None:
    """The entry point."""
    app()


if __name__ == "__main__":
    main()
