"""A Python for byte code is looked for where people have it, and its absence is told before anything is deployed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from aws_cdk import App, Stack
from aws_cdk.assertions import Annotations, Match

from cdk_app import interpreters
from cdk_app.interpreters import compiler, warn_without_compiler

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VERSION = "3.99"
"""A version that no machine has."""


@pytest.fixture(autouse=True)
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine with an empty home and one empty folder on the PATH."""
    for variable, _, _ in interpreters.MANAGED:
        monkeypatch.delenv(variable, raising=False)
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    compiler.cache_clear()
    yield
    compiler.cache_clear()


def put(path: Path, script: str, mode: int = 0o755) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(mode)
    return str(path)


SHIM = "echo 'pyenv: python3.99: command not found' >&2; exit 127"
REAL = f"echo {VERSION}"


def test_the_interpreter_that_runs_this_is_taken_if_it_is_the_one() -> None:
    assert compiler("{}.{}".format(*sys.version_info)) == sys.executable
    assert compiler(VERSION) is None


@pytest.mark.parametrize(
    ("script", "mode"), [(SHIM, 0o755), ("echo 3.98", 0o755), (f"{REAL}; exit 1", 0o755), (REAL, 0o644), ("", 0o755)]
)
def test_a_program_of_the_name_that_is_no_such_python_is_passed_over(script: str, mode: int, tmp_path: Path) -> None:
    put(tmp_path / "bin" / f"python{VERSION}", script, mode)
    assert compiler(VERSION) is None


def test_a_file_that_is_no_program_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "bin" / f"python{VERSION}").write_bytes(b"\x00")
    (tmp_path / "bin" / f"python{VERSION}").chmod(0o755)
    assert compiler(VERSION) is None


@pytest.mark.parametrize("folder", [f".pyenv/versions/{VERSION}.1", f".local/share/uv/python/cpython-{VERSION}.1-linux",
                                    f".local/share/mise/installs/python/{VERSION}.1", "later"])  # fmt: skip
def test_behind_a_shim_the_real_one_is_found(folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "bin" / f"python{VERSION}", SHIM)
    real = put(tmp_path / folder / "bin" / f"python{VERSION}", REAL)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{tmp_path / 'later' / 'bin'}")
    assert compiler(VERSION) == real


@pytest.mark.parametrize("found", [True, False])
def test_synth_says_that_there_is_none(found: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreters, "compiler", lambda: sys.executable if found else None)
    stack = Stack(App(), "Any")
    warn_without_compiler(stack)
    warnings = Annotations.from_stack(stack).find_warning("*", Match.string_like_regexp("no Python 3.13 was found.*"))
    assert len(warnings) == (0 if found else 1)
