"""The log of a run's training jobs, with progress lines parsed into values."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from dropforge.client.faults import NO_ANSWER, REFUSED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dropforge.client.connection import Connection

GROUP = "/aws/sagemaker/TrainingJobs"
MARK = "dropforge "
OVERLAP = 10_000
"""Milliseconds that are read again, because CloudWatch may insert late lines."""


@dataclass(frozen=True)
class Progress:
    """One progress line of the trainer."""

    step: str
    progress: float | None = None
    """The progress of the whole training job, from 0 to 1."""
    model: str | None = None
    """The model family that is being fitted."""
    epoch: int | None = None
    values: dict[str, float] = field(default_factory=dict)
    """Losses and similar values, by name."""
    budget: float | None = None
    """Seconds that fitting may take; None while nothing is fitted."""
    left: float | None = None
    """Seconds that are left of the budget."""


@dataclass(frozen=True)
class Said:
    """Any other line of the log."""

    text: str


def parse(line: str) -> Progress | Said:
    """`dropforge step=fit model=neural epoch=12 train_loss=0.12 progress=0.4` as values, any other line as `Said`."""
    if not line.startswith(MARK):
        return Said(line)
    words = dict(word.partition("=")[::2] for word in line.removeprefix(MARK).split())
    numbers = {name: value for name, word in words.items() if (value := _number(word)) is not None}
    epoch, budget, left = (numbers.pop(name, None) for name in ("epoch", "budget", "left"))
    return Progress(
        step=words.get("step", ""),
        progress=numbers.pop("progress", None),
        model=words.get("model"),
        epoch=None if epoch is None else int(epoch),
        values={name: value for name, value in numbers.items() if name not in ("step", "model")},
        budget=budget,
        left=left,
    )


def _number(word: str) -> float | None:
    try:
        value = float(word)
    except ValueError:
        return None
    return value if abs(value) != float("inf") and value == value else None


class TrainingLog:
    """Reads the lines of one run's training jobs, each once and in order."""

    def __init__(self, connection: Connection, run: str) -> None:
        self._client = connection.client("logs")
        self._prefix = f"dropforge-{run}"
        self._seen: Counter[tuple[str, int, str]] = Counter()
        self._newest = 0
        self._open = True

    def read(self) -> Iterator[Progress | Said]:
        """The lines since the last call; none before there is a log, or without permission to read it."""
        now: Counter[tuple[str, int, str]] = Counter()
        for event in self._events() if self._open else ():
            line = (str(event["logStreamName"]), int(event["timestamp"]), str(event["message"]))
            now[line] += 1
            if now[line] > self._seen[line]:
                yield parse(line[2])
        self._newest = max([self._newest, *(when for _, when, _ in now)])
        known = self._seen | now
        recent = self._newest - OVERLAP
        self._seen = Counter({line: count for line, count in known.items() if line[1] >= recent})

    def _events(self) -> Iterator[dict[str, Any]]:
        """Every event since shortly before the newest known one."""
        request: dict[str, Any] = {"logGroupName": GROUP, "logStreamNamePrefix": self._prefix}
        if self._newest:
            request["startTime"] = self._newest - OVERLAP
        while True:
            page = self._page(request)
            # Not every server knows the prefix: the names say whose lines they are.
            events = (each for each in page["events"] if each["logStreamName"].startswith(self._prefix))
            yield from events
            if "nextToken" not in page:
                return
            request["nextToken"] = page["nextToken"]

    def _page(self, request: dict[str, Any]) -> dict[str, Any]:
        """One page of events; empty if the log does not exist yet or cannot be read, which is no error."""
        try:
            page: dict[str, Any] = self._client.filter_log_events(**request)
        except ClientError as fault:
            self._open = fault.response["Error"]["Code"] not in REFUSED
            return {"events": []}
        except NO_ANSWER:
            return {"events": []}
        return page
