"""Where a command speaks: its result on standard output, everything else on standard error."""

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
"""Columns of a table that goes into a file or a pipe."""

Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output, nothing else there.")]
Home = Annotated[
    Path | None,
    typer.Option("--home", metavar="DIR", help="Folder of the embedded cloud, instead of the nearest .dropforge/."),
]
Model = Annotated[str, typer.Argument(metavar="MODEL", help="The model's name.")]
Run = Annotated[str, typer.Argument(metavar="RUN", help="The run's id: run- and 16 hex digits.")]
Timeout = Annotated[float, typer.Option("--timeout", metavar="SECONDS", min=0, help="How long to wait at most.")]


@dataclass(frozen=True)
class Shell:
    """How one command was asked to speak, and which cloud it was pointed at."""

    json: bool = False
    home: Path | None = None
    profile: str | None = None

    @classmethod
    def of(cls, context: typer.Context, as_json: bool, home: Path | None) -> Shell:
        """What the command and the program before it were told; the command has the last word."""
        before = context.obj if isinstance(context.obj, Shell) else cls()
        return cls(as_json or before.json, home or before.home, before.profile)

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
        """The SDK, connected."""
        return Dropforge(self.home, profile=self.profile)

    @property
    def place(self) -> Path:
        """The folder of an embedded cloud that may not exist yet."""
        wanted = self.home or os.environ.get("DROPFORGE_HOME")
        if wanted:
            return Path(wanted).expanduser()
        return find_home(Path.cwd()) or Path(FOLDER)

    def note(self, text: str) -> None:
        """A line for people, never part of the result."""
        self.err.print(Text(clean(text)), soft_wrap=True)

    def result(self, document: Mapping[str, Any], *shown: Any) -> None:
        """The command's result: the document for programs, `shown` for people."""
        if self.json:
            print_json(document)
            return
        for each in shown:
            if isinstance(each, str | Text):
                self.out.print(Text(each) if isinstance(each, str) else each, soft_wrap=True)
            else:
                self.out.print(each)


def print_json(document: Mapping[str, Any]) -> None:
    """One JSON document on standard output."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False) + "\n")
    sys.stdout.flush()


def clean(text: str) -> str:
    """`text` without characters that would steer a terminal."""
    return "".join(each if each.isprintable() or each == "\n" else "\N{REPLACEMENT CHARACTER}" for each in text)


def _console(*, stderr: bool) -> Console:
    console = Console(stderr=stderr, markup=False, highlight=False, emoji=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = PIPED_WIDTH
    return console
