"""Reconcile: what was missed is started, what has ended is closed, and a look at nothing reads next to nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lambdas.upkeep.reconcile import handler, missed
from lambdas.upkeep.reconcile.handler import handle as reconcile
from tests.steps.cloud import HANDLERS, Cloud, run_of

KEY = "datasets/flowers/a.csv"


@pytest.fixture(autouse=True)
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reconciler looks a quarter of an hour after the drops, and each time a quarter of an hour later."""
    looks = iter(range(1, 100))

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:  # noqa: ARG003
            return datetime.now(UTC) + timedelta(minutes=15 * next(looks))

    monkeypatch.setattr(handler, "datetime", Clock)


def look() -> tuple[int, int, int]:
    found = reconcile({"detail-type": "Scheduled Event"}, None)
    return found["ended"], found["started"], found["given_up"]


def claim_started(cloud: Cloud, name: str) -> dict[str, Any]:
    """The Claim of the execution `name`, from the event that it was started with."""
    detail = cloud.line.started[name]["detail"]
    given = {"key": detail["object"]["key"], "version": detail["object"]["version-id"], "execution": name}
    return HANDLERS["claim"]({"bucket": detail["bucket"]["name"], "size": detail["object"]["size"], **given}, None)


def test_drops_without_a_run_are_started_once(cloud: Cloud) -> None:
    lost, batch = cloud.drop("datasets/Bad Name/a.csv"), cloud.drop("batch/flowers/new.csv")
    taken = cloud.claim("datasets/flowers/b.csv", b"b")
    for key in ("datasets/flowers/spec.yaml", "datasets/flowers/set/part-1", "datasets/Bad Name/"):
        cloud.drop(key)
    assert look() == (0, 2, 0)
    first, second = f"again-1-{run_of(lost)}", f"again-1-{run_of(batch)}"
    assert {name: each["machine"] for name, each in cloud.line.started.items()} == {first: "trains", second: "predicts"}
    for name in (first, second):
        assert claim_started(cloud, name)["outcome"] == "claimed"
    assert look() == (0, 0, 0)
    assert cloud.registry.run(taken["run"]).execution == "exe-1"


def test_the_lost_event_that_comes_after_all_is_a_duplicate(cloud: Cloud) -> None:
    given = cloud.drop(KEY)
    look()
    claim_started(cloud, f"again-1-{run_of(given)}")
    assert HANDLERS["claim"]({**given, "execution": "at last"}, None)["outcome"] == "duplicate"


def test_a_claim_that_keeps_failing_is_tried_three_times_and_told(cloud: Cloud) -> None:
    given = cloud.drop(KEY)
    for attempt in (1, 2, 3):
        assert look() == (0, 1, 0) == look(), "while it runs, it is the same execution"
        cloud.line.ended.add(f"again-{attempt}-{run_of(given)}")
    assert look() == (0, 0, 1)
    row = cloud.registry.run(run_of(given))
    assert row.status == "failed" and "started 3 times and never claimed" in row.reason
    assert look() == (0, 0, 0)
    (message,) = cloud.messages()
    assert message["Subject"] == "Dropforge: flowers failed"
    assert HANDLERS["claim"]({**given, "execution": "by hand"}, None)["outcome"] == "claimed"


def test_a_run_whose_claim_failed_is_started_again(cloud: Cloud) -> None:
    given = cloud.drop(KEY)
    told = {**given, "execution": "exe-1", "run": "", "model": "", "status": "failed", "reason": "", "step": "Claim"}
    HANDLERS["notify"]({**told, "error": "States.Timeout", "cause": ""}, None)
    assert cloud.registry.run(run_of(given)).status == "failed"
    assert look() == (0, 1, 0)
    assert claim_started(cloud, f"again-1-{run_of(given)}")["outcome"] == "claimed"
    assert look() == (0, 0, 0)


@pytest.mark.parametrize("step", ["Train", "Judge"])
def test_a_run_that_cost_money_is_not_started_again_by_itself(cloud: Cloud, step: str) -> None:
    run = cloud.claim(KEY)["run"]
    told = {"execution": "exe-1", "run": run, "model": "flowers", "status": "failed", "reason": "", "step": step}
    HANDLERS["notify"]({**told, "error": "E", "cause": ""}, None)
    assert look() == (0, 0, 0)


def test_runs_of_ended_executions_are_closed_and_told(cloud: Cloud) -> None:
    dead, alive = cloud.claim(KEY, b"1", "dead")["run"], cloud.claim("datasets/flowers/b.csv", b"2", "alive")["run"]
    cloud.registry.update_run(dead, step="Judge")
    cloud.line.ended.add("dead")
    assert look() == (1, 0, 0)
    row = cloud.registry.run(dead)
    assert (row.status, row.step) == ("failed", "Judge") and row.reason.startswith("Judge failed")
    assert cloud.registry.run(alive).status == "running"
    (message,) = cloud.messages()
    assert message["Subject"] == "Dropforge: flowers failed"
    assert look() == (0, 0, 0) and cloud.messages() == []


def test_a_promoted_model_whose_notify_is_dead_stays_promoted(cloud: Cloud) -> None:
    run = cloud.serve("regression", "flowers", KEY)
    cloud.line.ended.add(cloud.registry.run(run).execution)
    assert look() == (0, 0, 0)
    assert cloud.registry.run(run).status == "promoted"


def test_a_drop_whose_event_may_still_come_is_left_alone(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud.drop(KEY)
    monkeypatch.setattr(handler, "datetime", datetime)
    assert look() == (0, 0, 0)


def test_a_large_bucket_is_listed_less_often(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(missed, "SECONDS_PER_PAGE", 14 * 60)  # as twenty pages were
    assert look() == (0, 0, 0)
    cloud.drop(KEY)
    assert look() == (0, 0, 0), "listed a quarter of an hour ago, at two pages"
    assert look() == (0, 1, 0)


def test_a_look_at_nothing_is_two_lists_and_three_small_calls(cloud: Cloud) -> None:
    before = cloud.line.calls
    look()
    assert cloud.line.calls - before == 6, "runs, live models, the last look, two folders, the look"
