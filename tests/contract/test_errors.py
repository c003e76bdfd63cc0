"""The tree of exceptions: drawn once, and drawn as it is."""

from __future__ import annotations

import ast
import builtins
import re
from pathlib import Path

import pytest

from dropforge.client import ApiFault, Fault
from dropforge.contract import errors
from dropforge.contract.errors import CallerError, DropforgeError, OwnerError
from dropforge.contract.names import NameFault, check_model

ROOT = Path(__file__).parents[2]
ROOMS = ("dropforge", "lambdas", "training_container", "cdk_app")

SIGNALS = {
    "dropforge/serve/connections.py": {"TooLong"},
    "dropforge/serve/explaining.py": {"Gone"},
    "training_container/models/linear.py": {"OutOfBudget"},
    "training_container/models/racing.py": {"Outraced"},
    "training_container/stopping.py": {"Stopped"},
    "lambdas/batch/common/jsonlines.py": {"_InvalidRow"},
    "lambdas/batch/common/rows.py": {"_LeftOpen"},
    "dropforge/client/answers.py": {"_Unknown"},
}
"""Exceptions that only steer the code next to them: no caller sees one, so the tree leaves them out."""

BUILT_IN = {
    name for name, value in vars(builtins).items() if isinstance(value, type) and issubclass(value, BaseException)
}


def drawn() -> dict[str, str]:
    """The parent of each class, as the docstring of the module draws the tree."""
    parents, path = {}, ["DropforgeError"]
    for line in (errors.__doc__ or "").splitlines():
        branch = re.match(r"([│ ]*)[├└]── (\w+)", line)
        if branch:
            depth = len(branch[1]) // 4 + 1
            path[depth:] = [branch[2]]
            parents[branch[2]] = path[depth - 1]
    return parents


def written() -> dict[str, list[str]]:
    """The bases of each exception class of the packages."""
    found: dict[str, list[str]] = {}
    classes = [
        (file.relative_to(ROOT).as_posix(), node)
        for room in ROOMS
        for file in sorted((ROOT / room).rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.ClassDef)
    ]
    known = {*BUILT_IN, *drawn(), "DropforgeError"}
    for file, node in classes:
        bases = [base.id for base in node.bases if isinstance(base, ast.Name)]
        if set(bases) & known and node.name not in SIGNALS.get(file, set()):
            found[node.name] = bases
    return found


def test_the_drawing_is_the_tree() -> None:
    classes = written()
    assert classes.pop("DropforgeError") == ["Exception"]
    own = {name: [base for base in bases if base not in BUILT_IN] for name, bases in classes.items()}
    assert own == {name: [parent] for name, parent in drawn().items()}


def test_one_except_clause_catches_what_the_sdk_raises() -> None:
    for fault in (Fault("wrong", "code"), ApiFault(404, "no_such_model", "model 'x': no version is live")):
        assert isinstance(fault, CallerError) and isinstance(fault, DropforgeError) and isinstance(fault, RuntimeError)
    with pytest.raises(OwnerError):
        check_model("Bad Name")
    assert issubclass(NameFault, ValueError)
