"""The output of a command: its result on standard output, everything else on standard error."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from dropforge.client import Dropforge
from dropforge.client.embedded import FOLDER, find_home

if TYPE_CHECKING:
    from collections.abc import Mapping

PIPED_WIDTH = 160
"""Characters per line of a table that is written to a file or a pipe."""

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]
Home = Annotated[
    Path | None,
    typer.Option("--home", metavar="DIR", help="The folder of the embedded cloud; the nearest .dropforge/ by default."),
]
Model = Annotated[str, typer.Argument(metavar="MODEL", help="The model's name.")]
Run = Annotated[str, typer.Argument(metavar="RUN", help="The run's id: run- and 16 hex digits.")]
Timeout = Annotated[float, typer.Option("--timeout", metavar="SECONDS", min=0, help="The longest time to wait.")]


@dataclass(frozen=True)
class Shell:
    """The output options of one command, and the cloud it works on."""

    json: bool = False
    home: Path | None = None
    profile: str | None = None
    stack: str | None = None

    @classmethod
    def of(cls, context: typer.Context, as_json: bool, home: Path | None) -> Shell:
        """Combines the options of the program and of the command; those of the command take precedence."""
        before = context.obj if isinstance(context.obj, Shell) else cls()
        return cls(as_json or before.json, home or before.home, before.profile, before.stack)

    @cached_property
    def out(self) -> Console:
        """Standard output, for people."""
        return _console(stderr=False)

    @cached_property
    def err(self) -> Console:
        """Standard error: the live view, notes and faults."""
        return _console(stderr=True)

    @cached_property
    def forge(self) -> Dropforge:
        """The SDK, connected to the cloud."""
        return Dropforge(self.home, profile=self.profile, stack=self.stack)

    @property
    def place(self) -> Path:
        """The folder of an embedded cloud, which may not exist yet."""
        wanted = self.home or os.environ.get("DROPFORGE_HOME")
        if wanted:
            return Path(wanted).expanduser()
        return find_home(Path.cwd()) or Path(FOLDER)

    def note(self, text: str) -> None:
        """Prints a line for people, which is never part of the result."""
        self.err.print(Text(clean(text)), soft_wrap=True)

    def result(self, document: Mapping[str, Any], *shown: Any) -> None:
        """Prints the result of the command: `document` with `--json`, `shown` otherwise."""
        if self.json:
            print_json(document)
            return
        for each in shown:
            if isinstance(each, str | Text):
                self.out.print(Text(each) if isinstance(each, str) else each, soft_wrap=True)
            else:
                self.out.print(each)


def print_json(document: Mapping[str, Any]) -> None:
    """Prints one JSON document on standard output."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False) + "\n")
    sys.stdout.flush()


def clean(text: str) -> str:
    """Replaces characters that could control a terminal."""
    return "".join(each if each.isprintable() or each == "\n" else "\N{REPLACEMENT CHARACTER}" for each in text)


def _console(*, stderr: bool) -> Console:
    console = Console(stderr=stderr, markup=False, highlight=False, emoji=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = PIPED_WIDTH
    return console
