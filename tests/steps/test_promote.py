"""Register, Promote, Notify: numbered once, moved once, told; and every lost answer of every step made good."""

from __future__ import annotations

import itertools
import json
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from dropforge.contract.fitting import LONGEST_REASON
from dropforge.contract.registry import TrainingRun
from lambdas.common import run_row
from lambdas.common.messages import failure
from lambdas.common.registry import RegistryFault
from tests.steps.cloud import HANDLERS, Cloud


def given(run: str, **more: Any) -> dict[str, Any]:
    return {"run": run, "model": "flowers", **more}


def registered(cloud: Cloud, name: str) -> tuple[str, str]:
    """A judged and registered run: its id and version."""
    run = cloud.claim(f"datasets/flowers/{name}.csv", name.encode())["run"]
    answer = cloud.judged("regression", run)
    return run, HANDLERS["register"](given(run, **answer), None)["version"]


def promote(run: str, version: str) -> dict[str, Any]:
    return HANDLERS["promote"](given(run, version=version), None)


def test_versions_count_up_and_the_same_run_keeps_its_number(cloud: Cloud) -> None:
    (first, one), (second, two) = registered(cloud, "a"), registered(cloud, "b")
    assert (one, two) == ("1", "2")
    told = given(first, outcome="approved", reason="")
    assert HANDLERS["register"](told, None) == {"version": "1"}
    assert [each.version for each in cloud.registry.versions("flowers")] == ["2", "1"]
    assert cloud.registry.run(second).version == "2"


def test_runs_that_register_at_once_get_different_numbers(cloud: Cloud) -> None:
    runs = [cloud.claim(f"datasets/flowers/{at}.csv", b"%d" % at)["run"] for at in range(6)]
    for run in runs:
        assert cloud.judged("regression", run)["outcome"] == "approved"
    told = [given(run, outcome="approved", reason="") for run in runs for _ in range(2)]
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda each: HANDLERS["register"](each, None)["version"], told))
    assert answers[::2] == answers[1::2] and sorted(answers[::2]) == [str(at) for at in range(1, 7)]


def test_promotions_move_the_pointer_and_keep_its_history(cloud: Cloud) -> None:
    (first, one), (second, two) = registered(cloud, "a"), registered(cloud, "b")
    assert promote(first, one) == promote(second, two) == {"outcome": "promoted", "reason": ""}
    live = cloud.registry.live("flowers")
    assert live is not None and (live.version, live.previous, live.generation) == ("2", "1", 2)
    assert [move.version for move in cloud.registry.history("flowers")] == ["2", "1"]


def test_an_older_run_does_not_displace_a_later_one(cloud: Cloud) -> None:
    (old, one), (new, two) = registered(cloud, "a"), registered(cloud, "b")
    assert promote(new, two)["outcome"] == "promoted"
    answer = promote(old, one)
    assert answer["outcome"] == "refused" and new in answer["reason"]
    live = cloud.registry.live("flowers")
    assert live is not None and live.version == two


def test_the_order_of_s3_decides_and_no_clock_of_ours(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newer version of a key is claimed first, by a clock that is then set back: neither refuses the newer one."""
    older, newer = (cloud.drop("datasets/flowers/a.csv", body) for body in (b"older", b"newer"))
    made = []
    for hour, each in ((12, newer), (11, older)):
        monkeypatch.setattr(run_row, "now", lambda hour=hour: f"2026-11-30T{hour}:00:00.000000+00:00")
        run = HANDLERS["claim"]({**each, "execution": f"exe-{hour}"}, None)["run"]
        answer = cloud.judged("regression", run)
        made.append((run, HANDLERS["register"](given(run, **answer), None)["version"]))
    (new, two), (old, one) = made
    assert promote(old, one)["outcome"] == "promoted"
    assert promote(new, two)["outcome"] == promote(new, two)["outcome"] == "promoted"
    refused, version = registered(cloud, "z")
    assert promote(refused, version)["outcome"] == "promoted", "dropped later, claimed by a clock that was set back"


@pytest.mark.parametrize(
    ("one", "other", "later"),
    [
        ({"sequencer": "0055AED6DCD90281E6"}, {"sequencer": "0055AED6DCD90281E5"}, True),
        ({"sequencer": "0055AED6DCD90281E5"}, {"sequencer": "0055AED6DCD90281E5FF"}, False),
        ({"sequencer": "0055aed6dcd90281e6"}, {"sequencer": "0055AED6DCD90281E5"}, True),
        ({"sequencer": "02", "dropped": "2026-11-30T10:00:00+00:00"},
         {"sequencer": "01", "dropped": "2026-11-30T11:00:00+00:00"}, True),
        ({"key": "b", "sequencer": "02", "dropped": "2026-11-30T10:00:00+00:00"},
         {"key": "a", "sequencer": "01", "dropped": "2026-11-30T11:00:00+00:00"}, False),
        ({"key": "b", "sequencer": "02", "dropped": "2026-11-30T10:00:00+00:00"},
         {"key": "a", "sequencer": "01", "dropped": "2026-11-30T10:00:00+00:00"}, True),
        ({"dropped": "2026-11-30T10:00:01+00:00"}, {"dropped": "2026-11-30T10:00:00+00:00", "sequencer": "9"}, True),
        ({"created": "2026-11-30T12:00:00.5+00:00"}, {"created": "2026-11-30T12:00:00.4+00:00"}, True),
    ],
)  # fmt: skip
def test_which_of_two_drops_is_later(one: dict[str, str], other: dict[str, str], later: bool) -> None:
    def row(changes: dict[str, str]) -> TrainingRun:
        fields = {"status": "running", "step": "Claim", "created": "", "updated": "", "execution": "e", "bucket": "b"}
        return TrainingRun(
            **{"run": "r", "model": "m", **fields, "key": "a", "object_version": "", "size": 1, **changes}
        )

    assert row(one).is_later_than(row(other)) is later
    assert row(other).is_later_than(row(one)) is not later


@pytest.mark.parametrize("step", ["promoted", "failed"])
def test_what_promote_ended_is_told_as_it_is_and_never_undone(cloud: Cloud, step: str) -> None:
    """Promote wrote, and its answer or Notify was lost for good: the model serves, and nobody says it failed."""
    run, version = registered(cloud, "a")
    promote(run, version)
    assert cloud.registry.run(run).status == "promoted"
    told = given(run, execution="exe-1", status=step, reason="", step="Promote", error="States.Timeout", cause="")
    assert HANDLERS["notify"](told, None) == {"status": "promoted"}
    row = cloud.registry.run(run)
    assert (row.status, row.reason) == ("promoted", "")
    (message,) = cloud.messages()
    assert message["Subject"] == "Dropforge: flowers promoted"
    assert cloud.claim("datasets/flowers/b.csv", b"a", "two")["outcome"] == "duplicate"


def test_a_run_that_was_stopped_promotes_nothing(cloud: Cloud) -> None:
    run, version = registered(cloud, "a")
    cloud.registry.end(run, "failed", "its execution was stopped")
    assert promote(run, version) == {"outcome": "refused", "reason": "its execution was stopped"}
    assert cloud.registry.live("flowers") is None


def test_the_same_promotion_again_is_done_once_even_when_a_later_one_came_between(cloud: Cloud) -> None:
    (first, one), (second, two) = registered(cloud, "a"), registered(cloud, "b")
    promote(first, one)
    assert promote(first, one)["outcome"] == "promoted"
    promote(second, two)
    assert promote(first, one)["outcome"] == "promoted"
    live = cloud.registry.live("flowers")
    assert live is not None and (live.version, live.generation) == ("2", 2)


def test_promotions_at_once_end_with_the_latest_run(cloud: Cloud) -> None:
    made = [registered(cloud, name) for name in "abcd"]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda each: promote(*each)["outcome"], made))
    history = cloud.registry.history("flowers")
    assert history[0].run == made[-1][0] and answers[-1] == "promoted"
    assert [move.generation for move in reversed(history)] == list(range(1, len(history) + 1))
    assert len(history) == answers.count("promoted")


def test_what_was_not_approved_is_not_promoted(cloud: Cloud) -> None:
    run = cloud.claim("datasets/flowers/a.csv")["run"]
    cloud.judged("regression", run)
    version = HANDLERS["register"](given(run, outcome="refused", reason="worse"), None)["version"]
    with pytest.raises(RegistryFault, match="expected it registered as approved"):
        promote(run, version)


def test_the_log_lines_of_a_step_name_what_they_are_about(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    run = cloud.claim("datasets/flowers/1.csv", b"1")["run"]
    claimed = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert list(claimed)[:4] == ["level", "event", "function", "execution"]
    assert (claimed["function"], claimed["run"], claimed["model"]) == ("Claim", run, "flowers")
    told = prepared(cloud, "register", run)
    capsys.readouterr()
    HANDLERS["register"](told, SimpleNamespace(aws_request_id="request-1"))
    (line,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert line == {
        "level": "info",
        "event": "registered",
        "function": "Register",
        "request": "request-1",
        "run": run,
        "model": "flowers",
        "version": "1",
    }


def test_a_run_without_a_row_is_a_fault(cloud: Cloud) -> None:  # noqa: ARG001
    with pytest.raises(RegistryFault, match="expected the row that Claim writes"):
        promote("run-0000000000000000", "1")


@pytest.mark.parametrize("step", ["judge", "register", "promote", "notify"])
def test_every_lost_answer_is_made_good_by_a_retry(cloud: Cloud, step: str) -> None:
    for lost in itertools.count(1):
        run = cloud.claim(f"datasets/flowers/{lost}.csv", b"%d" % lost)["run"]
        told = prepared(cloud, step, run)
        cloud.line.writes = 0
        cloud.line.lose = lambda _operation, count, lost=lost: count == lost  # type: ignore[misc]
        try:
            HANDLERS[step](told, None)
            assert lost > 1
            return  # fewer writes than that: each was lost once
        except ReadTimeoutError:
            cloud.line.lose = lambda _operation, _count: False
        check(cloud, step, run, HANDLERS[step](told, None))


def prepared(cloud: Cloud, step: str, run: str) -> dict[str, Any]:
    """The way up to `step`; its input."""
    uri = cloud.train("regression", "flowers", run)
    job = {"job": "dropforge-job", "instance_type": "ml.m5.xlarge", "billable_seconds": 90, "artifacts_uri": uri}
    if step == "judge":
        return given(run, **job)
    answer = HANDLERS["judge"](given(run, **job), None)
    assert answer["outcome"] == "approved"
    if step == "register":
        return given(run, **answer)
    version = HANDLERS["register"](given(run, **answer), None)["version"]
    if step == "promote":
        return given(run, version=version)
    return given(run, execution="exe-1", status=promote(run, version)["outcome"], reason="")


def check(cloud: Cloud, step: str, run: str, answer: dict[str, Any]) -> None:
    """The retry's answer, and that the work was done once."""
    row = cloud.registry.run(run)
    if step == "judge":
        assert answer["outcome"] == "approved" and row.metrics
    elif step == "register":
        assert [each.version for each in cloud.registry.versions("flowers") if each.run == run] == [answer["version"]]
        assert row.version == answer["version"]
    elif step == "promote":
        assert answer["outcome"] == "promoted"
        assert [move.run for move in cloud.registry.history("flowers")].count(run) == 1
    else:
        assert (answer["status"], row.status) == ("promoted", "promoted")


def test_a_failure_before_any_run_was_known_is_still_told(cloud: Cloud) -> None:
    told = {"execution": "arn:exe", "run": "", "model": "", "status": "failed", "reason": "", "step": "Claim"}
    HANDLERS["notify"]({**told, "error": "Lambda.Unknown", "cause": ""}, None)
    (message,) = cloud.messages()
    assert message["Subject"] == "Dropforge: a drop failed" and "arn:exe" in message["Message"]
    assert "Claim failed: Lambda.Unknown" in message["Message"]


@pytest.mark.parametrize(
    ("step", "error", "cause", "parts"),
    [
        ("Train", "SageMaker.ResourceLimitExceededException", "ml.g6.xlarge for training job usage is 0 Instances",
         ["Train failed", "ml.g6.xlarge", "quota"]),
        ("Train", "States.TaskFailed", json.dumps({"FailureReason": "CapacityError: no capacity"}),
         ["CapacityError: no capacity", "later"]),
        ("Train", "States.TaskFailed", json.dumps({"SecondaryStatus": "MaxRuntimeExceeded", "FailureReason": "x"}),
         ["budget"]),
        ("Train", "States.TaskFailed", json.dumps({"FailureReason": "AlgorithmError: , exit code: 137"}),
         ["exit code: 137", "memory ran out", "larger instance"]),
        ("Judge", "ArtifactFault", json.dumps({"errorMessage": "model.onnx:\n expected", "errorType": "ArtifactFault"}),
         ["Judge failed: model.onnx: expected"]),
        ("Judge", "States.Timeout", "", ["States.Timeout", "longer than its limit"]),
        ("Inspect", "E", "[1]", ["[1]"]),
        ("", "", "", ["no cause was given"]),
        ("Train", "E", "x" * 30_000, ["Train failed: xxx"]),
    ],
)  # fmt: skip
def test_errors_become_sentences(step: str, error: str, cause: str, parts: list[str]) -> None:
    said = failure(step, error, cause)
    assert all(part in said for part in parts) and len(said) <= LONGEST_REASON and "\n" not in said
