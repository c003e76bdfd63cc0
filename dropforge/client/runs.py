"""Follows a run until it ends: changes of its row and lines of its training log, as typed events."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, get_args

from dropforge.client.faults import Fault
from dropforge.client.traininglog import Progress, Said
from dropforge.contract.documents import DocumentError
from dropforge.contract.registry import RunRow, TrainingRun
from dropforge.contract.steps import STEPS, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

UNCLAIMED = 120.0
"""Seconds after which a drop without a run counts as lost; usually a run is claimed within a few."""

UNKNOWN = 120.0
"""Seconds after which a run is no longer followed if its status stays unknown to this version."""

TRAINED = ("Train", "Judge")
"""Steps during which the training log may have new lines."""


@dataclass(frozen=True)
class Changed:
    """The row of the run has changed."""

    row: RunRow


@dataclass(frozen=True)
class Ended:
    """The run has ended; no event follows."""

    row: RunRow


Event = Changed | Progress | Said | Ended


class Runs(Protocol):
    """A source of run rows."""

    def find_run(self, run: str) -> dict[str, Any] | None:
        """The row; None as long as there is none."""


class Log(Protocol):
    """A source of training log lines."""

    def read(self) -> Iterable[Progress | Said]:
        """The lines since the last call."""


@dataclass(frozen=True)
class Clock:
    """The clock of `follow`."""

    pace: float
    """Seconds between two polls."""
    timeout: float
    """Seconds after which following ends; the run itself continues."""
    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


def follow(runs: Runs, log: Log, run: str, clock: Clock) -> Iterator[Event]:
    """Yields every event of `run` until it has ended; the last is `Ended`.

    Raises:
        Fault: no run was started, the time is up (code `timeout`), the run keeps a status that this version does not
            know (code `version_mismatch`), or the cloud does not answer.
    """
    patience, last = Patience(run, clock), None
    while True:
        stored = runs.find_run(run)
        row = None if stored is None else decoded(stored)
        ended = row is not None and has_ended(row)
        if row is not None and (ended or row.step in TRAINED):
            yield from log.read()
        if row is not None and row != last:
            yield Ended(row) if ended else Changed(row)
        if ended:
            return
        last = row
        patience.check(row)
        clock.sleep(clock.pace)


def has_ended(row: RunRow) -> bool:
    """Whether the run has ended. One with an unknown status has ended once its last state has reported."""
    return row.step == STEPS[-1] if row.status == "unknown" else row.status != "running"


def original_of(row: RunRow) -> str | None:
    """For a duplicate, the id of the run with the same data."""
    return row.duplicate_of if isinstance(row, TrainingRun) else None


def decoded(stored: dict[str, Any]) -> RunRow:
    """The row in a response of the API, as far as this version knows it; `Fault` if it cannot be read at all."""
    status = stored.get("status")
    if isinstance(status, str) and status not in get_args(Status):
        reasons = (f"the status {status!r} is of a newer Dropforge than this: update it", stored.get("reason"))
        stored = {**stored, "status": "unknown", "reason": "; ".join(str(reason) for reason in reasons if reason)}
    try:
        return RunRow.from_newer_json(stored)
    except DocumentError as error:
        message = f"the API describes runs in another way than this version knows ({error}): update dropforge"
        raise Fault(message, "version_mismatch") from error


class Patience:
    """The time limits of following one run."""

    def __init__(self, run: str, clock: Clock) -> None:
        self._run = run
        self._clock = clock
        self._start = clock.now()
        self._unknown: float | None = None
        """Records since when the status of the run has been unknown."""

    def check(self, row: RunRow | None) -> None:
        """Raises a `Fault` if the time is up, the run does not exist, or its status stays unknown for too long."""
        now, run = self._clock.now(), self._run
        if now - self._start >= self._clock.timeout:
            raise Fault(f"{run} has not ended within {self._clock.timeout:.0f} s; it goes on", "timeout")
        if row is None and now - self._start >= UNCLAIMED:
            message = f"{run} was not claimed within {UNCLAIMED:.0f} s: look at the state machine's failed executions"
            raise Fault(f"{message} and the dead-letter queue", "not_started")
        if row is None or row.status != "unknown":
            self._unknown = None
            return
        self._unknown = now if self._unknown is None else self._unknown
        if now - self._unknown >= UNKNOWN:
            raise Fault(f"{run}: {row.reason}; this version cannot tell whether it has ended", "version_mismatch")
