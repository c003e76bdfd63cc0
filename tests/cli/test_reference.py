"""Every command has help with an example, a section in docs/cli.md, and a twin in the SDK that exists."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dropforge.cli.main import app
from dropforge.cli.reference import SDK, command, reference
from dropforge.client import Dropforge

ROOT = Path(__file__).parents[2]
COMMANDS = list(command().commands)


def test_the_page_is_what_the_program_says() -> None:
    assert (ROOT / "docs" / "cli.md").read_text() == reference(), "run python -m dropforge.cli.reference > docs/cli.md"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name: str) -> None:
    ran = CliRunner().invoke(app, [name, "--help"], prog_name="dropforge")
    assert ran.exit_code == 0
    assert f"Example: dropforge {name}" in ran.output
    for parameter in command().commands[name].params:
        assert parameter.help or "--help" in parameter.opts, f"{name}: {parameter.opts} has no help"


@pytest.mark.parametrize("name", COMMANDS)
def test_a_commands_summary_is_not_cut(name: str) -> None:
    listing = CliRunner().invoke(app, ["--help"], prog_name="dropforge").output
    summary = next(line for line in listing.splitlines() if line.strip().startswith(f"{name} "))
    assert not summary.endswith("...")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_twin_that_exists(name: str) -> None:
    tree = ast.parse(SDK[name].replace("\n        ", "\n"))
    used = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)]
    methods = {node.attr for node in used if isinstance(node.value, ast.Name) and node.value.id == "forge"}
    assert methods or name in ("up", "down", "status", "serve", "price", "doctor", "smoke")
    assert all(callable(getattr(Dropforge, method)) for method in methods)


def test_no_twin_is_left_of_a_command_that_is_gone() -> None:
    assert list(SDK) == COMMANDS
