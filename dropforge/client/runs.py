"""Following a run: what changes in its row and what its training says, as typed events, until it has ended."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from dropforge.client.faults import Fault
from dropforge.client.traininglog import Progress, Said
from dropforge.contract.documents import DocumentError
from dropforge.contract.registry import RunRow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

UNCLAIMED = 120.0
"""Seconds after which an event that started nothing is called lost; usually a run is claimed within a few."""

TRAINED = ("Train", "Judge")
"""Steps during which the training log may have news."""


@dataclass(frozen=True)
class Changed:
    """The run's row is another than before."""

    row: RunRow


@dataclass(frozen=True)
class Ended:
    """The run has ended; no event follows."""

    row: RunRow


Event = Changed | Progress | Said | Ended


class Runs(Protocol):
    """Where the row of a run is found."""

    def find_run(self, run: str) -> dict[str, Any] | None:
        """The row, None as long as there is none."""


class Log(Protocol):
    """Where the lines of its training come from."""

    def read(self) -> Iterable[Progress | Said]:
        """The lines since the last call."""


@dataclass(frozen=True)
class Clock:
    """Time as `follow` sees it."""

    pace: float
    """Seconds between two looks."""
    timeout: float
    """Seconds after which following ends; the run itself goes on."""
    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


def follow(runs: Runs, log: Log, run: str, clock: Clock) -> Iterator[Event]:
    """Every event of `run` until it has ended; the last is `Ended`.

    Raises:
        Fault: no run was started, the time is up (code `timeout`), or the cloud does not answer.
    """
    start, last = clock.now(), None
    while True:
        found = runs.find_run(run)
        row = None if found is None else decoded(found)
        ended = row is not None and row.status != "running"
        if row is not None and (ended or row.step in TRAINED):
            yield from log.read()
        if row is not None and row != last:
            yield Ended(row) if ended else Changed(row)
        if ended:
            return
        last = row
        _check(run, clock.now() - start, clock.timeout, claimed=row is not None)
        clock.sleep(clock.pace)


def decoded(found: dict[str, Any]) -> RunRow:
    """The row that the API describes; `Fault` when it speaks of another version's."""
    try:
        return RunRow.from_json(found)
    except DocumentError as fault:
        message = f"the API describes runs in another way than this version knows ({fault}): update dropforge"
        raise Fault(message, "version_mismatch") from fault


def _check(run: str, spent: float, timeout: float, *, claimed: bool) -> None:
    if spent >= timeout:
        raise Fault(f"{run} has not ended within {timeout:.0f} s; it goes on", "timeout")
    if not claimed and spent >= UNCLAIMED:
        message = f"{run} was not claimed within {UNCLAIMED:.0f} s: look at the state machine's failed executions"
        raise Fault(f"{message} and the dead-letter queue", "not_started")
