"""Finds a Python of the functions' minor version, whose byte code no other version reads."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from aws_cdk import Annotations

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aws_cdk import Stack

PYTHON = "3.13"
"""The minor version that runs the functions."""
MANAGED = (
    ("PYENV_ROOT", ".pyenv", "versions/{python}*/bin"),
    ("UV_PYTHON_INSTALL_DIR", ".local/share/uv/python", "cpython-{python}*/bin"),
    ("MISE_DATA_DIR", ".local/share/mise", "installs/python/{python}*/bin"),
    ("ASDF_DATA_DIR", ".asdf", "installs/python/{python}*/bin"),
)
"""Where version managers keep interpreters that are not on the PATH: the variable that says so, the folder below the
home otherwise, and what lies in there."""
PATIENCE = 30
"""Seconds that an interpreter may take to say its version."""


@cache
def compiler(python: str = PYTHON) -> str | None:
    """Path of a Python of exactly that minor version; None when none is installed.

    Each candidate is run: pyenv's shims are on the PATH for versions that are not there.
    """
    return next((path for path in _candidates(python) if _version(path) == python), None)


def warn_without_compiler(stack: Stack) -> None:
    """Makes `cdk synth` and `cdk deploy` say, before anything is deployed, that the functions have no byte code."""
    if compiler() is None:
        Annotations.of(stack).add_warning_v2(
            "dropforge:no-byte-code",
            f"no Python {PYTHON} was found, so the functions are packed without byte code and compile every module at "
            f"each cold start: install one (`uv python install {PYTHON}`, `pyenv install {PYTHON}`) and deploy again",
        )


def _candidates(python: str) -> Iterator[str]:
    yield sys.executable
    folders = [Path(folder) for folder in os.environ.get("PATH", os.defpath).split(os.pathsep) if folder]
    for variable, below_home, pattern in MANAGED:
        root = Path(os.environ.get(variable) or Path.home() / below_home)
        folders += sorted(root.glob(pattern.format(python=python)))
    for path in (folder / f"python{python}" for folder in folders):
        if path.is_file() and os.access(path, os.X_OK):
            yield str(path)


def _version(path: str) -> str:
    """The minor version that the interpreter says it is; empty when it cannot be run."""
    command = [path, "-c", "import sys; print('{}.{}'.format(*sys.version_info))"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
