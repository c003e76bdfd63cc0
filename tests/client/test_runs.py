"""Following a run: events in order, patience with an end, the training log without repeats."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

from dropforge.client import Fault
from dropforge.client.outcome import outcome
from dropforge.client.runs import Changed, Clock, Ended, decoded, follow
from dropforge.client.traininglog import GROUP, Progress, Said, TrainingLog, parse
from tests.client.server import RUN, run_row

if TYPE_CHECKING:
    from dropforge.client import Connection

LINE = "dropforge step=fit model=neural epoch=12 train_loss=0.123 validation_loss=0.14 progress=0.45"


@dataclass
class Script:
    """Rows and lines as a run would give them, and a clock that only sleeping moves."""

    rows: list[dict[str, Any] | None]
    lines: list[list[Progress | Said]] = field(default_factory=list)
    time: float = 0.0

    def find_run(self, run: str) -> dict[str, Any] | None:
        assert run == RUN
        return self.rows.pop(0) if len(self.rows) > 1 else self.rows[0]

    def read(self) -> list[Progress | Said]:
        return self.lines.pop(0) if self.lines else []

    def sleep(self, seconds: float) -> None:
        self.time += seconds

    def events(self, timeout: float = 600.0) -> list[Any]:
        clock = Clock(1.0, timeout, lambda: self.time, self.sleep)
        return list(follow(self, self, RUN, clock))


def running(step: str) -> dict[str, Any]:
    return run_row(status="running", step=step, version=None)


def test_a_run_is_told_from_before_its_claim_to_its_end() -> None:
    said = parse(LINE)
    rows = [None, running("Claim"), running("Claim"), running("Train"), running("Train"), running("Judge"), run_row()]
    events = Script(rows, [[], [said], [], [Said("bye")]]).events()
    steps = [event.row.step for event in events if isinstance(event, Changed | Ended)]
    assert steps == ["Claim", "Train", "Judge", "Notify"]
    assert events.index(said) == 2
    assert events[-2:] == [Said("bye"), Ended(decoded(run_row()))]


def test_a_run_that_ended_long_ago_is_one_event() -> None:
    assert Script([run_row(status="refused")]).events() == [Ended(decoded(run_row(status="refused")))]


def test_waiting_has_an_end() -> None:
    script = Script([running("Train")])
    with pytest.raises(Fault, match="has not ended within 30 s; it goes on") as caught:
        script.events(timeout=30.0)
    assert (caught.value.code, script.time) == ("timeout", 30.0)


def test_an_event_that_got_lost_is_told() -> None:
    with pytest.raises(Fault, match="was not claimed within 120 s.*dead-letter") as caught:
        Script([None]).events()
    assert caught.value.code == "not_started"


def test_another_versions_rows_are_no_riddle() -> None:
    with pytest.raises(Fault, match="update dropforge"):
        Script([{"schema": "dropforge.run/2"}]).events()


NEWER = "the status 'paused' is of a newer Dropforge than this: update it"


def paused(step: str = "Train", **changes: Any) -> dict[str, Any]:
    return run_row(status="paused", step=step, version=None, **changes)


def test_a_status_of_a_later_version_is_shown_as_unknown() -> None:
    row = decoded(paused(reason="by hand"))
    assert (row.status, row.reason, row.model) == ("unknown", f"{NEWER}; by hand", "houses")
    assert decoded(paused()).reason == NEWER
    assert outcome(row, lambda _: None).good is False


def test_a_later_schema_is_shown_as_far_as_it_is_known() -> None:
    later = {**run_row(), "schema": "dropforge.run/2", "kind": "tuning", "notes": {"all": "new"}, "queue": 3}
    row = decoded(later)
    assert (row.status, row.metrics, row.kind, row.notes) == ("promoted", {"rmse": 0.5, "mae": 0.3}, "training", ())
    for unreadable in ({**later, "size": "2 kB"}, {**later, "schema": "dropforge.version/2"}, {**later, "schema": 2}):
        with pytest.raises(Fault, match="update dropforge") as caught:
            decoded(unreadable)
        assert caught.value.code == "version_mismatch"


def test_an_unknown_status_of_the_last_step_is_an_end() -> None:
    events = Script([running("Train"), paused("Notify")]).events()
    assert events == [Changed(decoded(running("Train"))), Ended(decoded(paused("Notify")))]


def test_an_unknown_status_that_passes_is_waited_for() -> None:
    events = Script([running("Train"), *[paused()] * 100, running("Judge"), *[paused()] * 100, run_row()]).events()
    assert [event.row.status for event in events] == ["running", "unknown", "running", "unknown", "promoted"]


def test_an_unknown_status_that_stays_is_given_up_with_its_name() -> None:
    script = Script([running("Train"), paused()])
    with pytest.raises(Fault, match=f"{NEWER}; this version cannot tell whether it has ended") as caught:
        script.events()
    assert (caught.value.code, script.time) == ("version_mismatch", 121.0)


def test_a_progress_line_is_read_into_values() -> None:
    values = {"train_loss": 0.123, "validation_loss": 0.14}
    assert parse(LINE) == Progress("fit", 0.45, "neural", 12, values)
    assert parse("dropforge step=read rows=1000 progress=nan") == Progress("read", None, None, None, {"rows": 1000.0})
    limited = parse("dropforge step=fit model=linear budget=300 left=251 progress=0.1")
    assert limited == Progress("fit", 0.1, "linear", None, {}, 300.0, 251.0)
    assert parse("dropforge") == Said("dropforge")
    assert parse("Traceback (most recent call last):") == Said("Traceback (most recent call last):")
    assert parse("dropforge step=fit model=7 epoch=x loss==3") == Progress("fit", None, "7", None, {})


def put(client: Any, stream: str, *lines: tuple[int, str]) -> None:
    client.put_log_events(
        logGroupName=GROUP,
        logStreamName=stream,
        logEvents=[{"timestamp": at, "message": line} for at, line in lines],
    )


@pytest.mark.usefixtures("aws")
def test_every_line_of_the_runs_jobs_comes_once(connection: Connection) -> None:
    client = boto3.client("logs", region_name="eu-central-1")
    log = TrainingLog(connection, RUN)
    assert list(log.read()) == []  # no job has ever run here
    client.create_log_group(logGroupName=GROUP)
    stream, other = f"dropforge-{RUN}-a1/algo-1", "dropforge-run-ffffffffffffffff-a1/algo-1"
    for name in (stream, other):
        client.create_log_stream(logGroupName=GROUP, logStreamName=name)
    now = int(time.time() * 1000)
    put(client, other, (now, "not ours"))
    put(client, stream, (now, "one"), (now, "one"), (now + 1, "two"))
    assert list(log.read()) == [Said("one"), Said("one"), Said("two")]
    assert list(log.read()) == []
    put(client, stream, (now + 1, "three"), (now + 1, "two"))
    assert sorted(list(log.read()), key=str) == [Said("three"), Said("two")]
    second = f"dropforge-{RUN}-b2/algo-1"  # the next place, after no capacity at the first
    client.create_log_stream(logGroupName=GROUP, logStreamName=second)
    put(client, second, (now + 60_000, "again"))
    assert list(log.read()) == [Said("again")]


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize(
    ("code", "calls"),
    [("AccessDeniedException", 1), ("ResourceNotFoundException", 2), ("ThrottlingException", 2), ("404", 2)],
)
def test_a_log_that_cannot_be_read_stops_nobody(
    connection: Connection, monkeypatch: pytest.MonkeyPatch, code: str, calls: int
) -> None:
    log, asked = TrainingLog(connection, RUN), []

    def refuse(**request: Any) -> Any:
        asked.append(request)
        raise ClientError({"Error": {"Code": code, "Message": "no"}}, "FilterLogEvents")

    monkeypatch.setattr(log._client, "filter_log_events", refuse)
    assert [*log.read(), *log.read()] == []
    assert len(asked) == calls  # what is not permitted is not asked for again


def test_a_duplicate_tells_what_is_known_of_the_first_run() -> None:
    first, second = "run-00000000000000aa", "run-00000000000000bb"
    duplicate = run_row(run=second, status="duplicate", duplicate_of=first, version=None, metrics={}, baseline={})
    row = decoded({**duplicate, "task": None, "target": None, "report": None, "reason": "the same data"})
    found = outcome(row, lambda run: decoded(run_row(run=run)))
    assert (found.run, found.status, found.reason, found.good) == (second, "duplicate", "the same data", True)
    assert (found.version, found.task, found.metrics) == ("1", "regression", {"rmse": 0.5, "mae": 0.3})
    gone = outcome(row, lambda _: None)
    assert (gone.status, gone.version, gone.metrics, gone.good) == ("duplicate", None, {}, False)


@pytest.mark.parametrize("status", ["refused", "rejected", "failed"])
def test_only_what_serves_is_good(status: str) -> None:
    assert not outcome(decoded(run_row(status=status)), lambda _: None).good
    duplicate = decoded(run_row(status="duplicate", duplicate_of=RUN))
    found = outcome(duplicate, lambda run: decoded(run_row(run=run, status=status)))
    assert (found.status, found.original, found.good) == ("duplicate", status, False)
