"""An embedded cloud of the inputs' own. They are dropped two at a time; each test waits for the run of its input."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from dropforge.embedded import cloud as embedded

from .liked import write_all
from .seen import Case, Cloud
from .table import TABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from .seen import Seen

AT_ONCE = 2
"""Runs that are under way at the same time: one per core of a small machine."""

LINES = pytest.StashKey[list[tuple[str, str, str, str]]]()
"""Name, what was expected, what was seen, and `ok` or `FAIL`."""


@pytest.fixture(scope="session")
def see(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Callable[[str], Seen]]:
    """Waits for the input of this name."""
    home = tmp_path_factory.mktemp("embedded")
    embedded.up(home=home, port=0, report=print)
    cloud = Cloud(home)
    wanted = {item.callspec.params["name"] for item in request.session.items if hasattr(item, "callspec")
              and "name" in item.callspec.params}  # fmt: skip
    cases = [case for case in every_case(tmp_path_factory.mktemp("own")) if case.name in wanted]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        slow_first = sorted(cases, key=lambda case: not case.name.startswith("wide"))
        runs = {case.name: pool.submit(cloud.see, case) for case in slow_first}
        yield lambda name: runs[name].result()
        pool.shutdown(cancel_futures=True)
    embedded.down(home)


def every_case(folder: Path) -> list[Case]:
    """The inputs of `cases/`, and those that `liked` writes into `folder`; in the order of the table."""
    from .test_wild import CASES

    own = write_all(folder)
    return [own[name] if name in own else Case.read(CASES / name) for name in TABLE]


def pytest_configure(config: pytest.Config) -> None:
    config.stash[LINES] = []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    lines = config.stash[LINES]
    if not lines:
        return
    terminalreporter.section(f"inputs from the world: {sum(ok == 'ok' for *_, ok in lines)} of {len(lines)} ok")
    for name, expected, seen, ok in lines:
        terminalreporter.write_line(f"{ok:4} {name:28} expected: {expected[:80]:80} seen: {seen[:160]}")
