"""Two audiences: people read standard error and tables, programs read one JSON document on standard output."""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console

from dropforge.client import ApiFault, Dropforge, Fault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass
class Screen:
    """Where and how a command answers; one a call."""

    home: Path | None = None
    profile: str | None = None
    json: bool = False
    out: Console = field(default_factory=lambda: Console(highlight=False))
    err: Console = field(default_factory=lambda: Console(stderr=True, highlight=False))

    def forge(self) -> Dropforge:
        """The SDK, connected."""
        return Dropforge(self.home, profile=self.profile)

    def say(self, text: str) -> None:
        """A line for people; it goes to standard error where programs read the output."""
        (self.err if self.json else self.out).print(text)

    def document(self, value: Any) -> None:
        """The one JSON document on standard output."""
        sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")

    @contextmanager
    def faults(self) -> Iterator[None]:
        """Turns what can go wrong into one line and exit code 1; `DROPFORGE_DEBUG=1` lets the traceback through."""
        try:
            yield
        except (typer.Exit, KeyboardInterrupt):
            raise
        except Exception as fault:
            if os.environ.get("DROPFORGE_DEBUG") == "1":
                raise
            self.fail(fault)

    def fail(self, fault: Exception) -> None:
        """Tells of a fault and ends the command."""
        known = fault if isinstance(fault, Fault) else _unexpected(fault)
        if self.json:
            self.document(known.to_json())
        self.err.print(f"[red]error:[/] {_escaped(known.message)}")
        if isinstance(fault, ApiFault) and fault.status == 403:
            self.err.print("  you need the right execute-api:Invoke on this API")
        raise typer.Exit(1)


def _unexpected(fault: Exception) -> Fault:
    return Fault(f"{type(fault).__name__}: {fault} (DROPFORGE_DEBUG=1 shows where)", "unexpected")


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)
