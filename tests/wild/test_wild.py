"""Inputs from the world go the whole way: dropped, trained, served, and predicted over the API.

`make test-wild` runs them and prints a table. Each is a file as somebody's public bug report describes it (`case.json`
names the report), or one that `liked` writes.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .conftest import LINES
from .expect import first_faults
from .table import NOT_YET, TABLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from .seen import Seen

CASES = Path(__file__).parent / "cases"

EXPECTED = [
    pytest.param(name, marks=pytest.mark.xfail(strict=True, reason=NOT_YET[name])) if name in NOT_YET else name
    for name in TABLE
]


@pytest.mark.wild
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("name", EXPECTED)
def test_an_input_from_the_world(name: str, see: Callable[[str], Seen], request: pytest.FixtureRequest) -> None:
    seen = see(name)
    faults = first_faults(TABLE[name], seen)
    told = seen.case.json("case.json") or {}
    line = (name, told.get("expected", ""), "; ".join([*faults, str(seen)]), "FAIL" if faults else "ok")
    request.config.stash[LINES].append(line)
    assert not faults, f"{'; '.join(faults)}\n{seen}\n{seen.told}"


def test_every_folder_is_in_the_table() -> None:
    assert {path.name for path in CASES.iterdir()} <= set(TABLE)
    assert set(NOT_YET) <= set(TABLE)
