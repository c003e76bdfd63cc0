"""The state machine as it is rendered: reviewed with every change, checked by two validators, and by our own rules."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonata import Jsonata

from dropforge.contract.instances import PLACES
from dropforge.contract.steps import STEPS

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden" / "pipeline.asl.json"


def tasks(definition: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: state for name, state in definition["States"].items() if state["Type"] == "Task"}


def valid(definition: dict[str, Any]) -> dict[str, Any]:
    """The definition with references as real ARNs, since the validators read them."""
    text = re.sub(r"<AWS::Partition>", "aws", json.dumps(definition))
    text = re.sub(r"<[A-Za-z0-9]+Function[A-Za-z0-9]+\.Arn>", "arn:aws:lambda:us-east-1:123456789012:function:f", text)
    loaded: dict[str, Any] = json.loads(re.sub(r"<[A-Za-z0-9.:]+>", "arn:aws:iam::123456789012:role/r", text))
    return loaded


def test_the_rendered_state_machine_is_the_reviewed_one(definition: dict[str, Any]) -> None:
    rendered = json.dumps(definition, indent=2, sort_keys=True) + "\n"
    if os.environ.get("DROPFORGE_WRITE_GOLDEN") == "1":
        GOLDEN.write_text(rendered)
    assert rendered == GOLDEN.read_text(), "write it anew with DROPFORGE_WRITE_GOLDEN=1 and review the difference"


def test_every_step_is_a_task_of_its_own_name(definition: dict[str, Any]) -> None:
    assert set(tasks(definition)) == set(STEPS)
    for name in set(STEPS) - {"Train"}:
        assert (ROOT / "lambdas" / name.lower() / "handler.py").exists()
        assert f"Pipeline{name}Function" in tasks(definition)[name]["Arguments"]["FunctionName"]


@pytest.mark.parametrize("name", STEPS)
def test_every_task_has_timeout_retry_with_jitter_and_catch(definition: dict[str, Any], name: str) -> None:
    task = tasks(definition)[name]
    assert task["TimeoutSeconds"]
    for retry in task["Retry"]:
        assert retry["JitterStrategy"] == "FULL"
        assert retry["MaxAttempts"] >= 2
        assert retry["MaxDelaySeconds"] <= 60
    assert task["Catch"][-1]["ErrorEquals"] == ["States.ALL"]


def test_whatever_fails_is_told_and_then_fails(definition: dict[str, Any]) -> None:
    states = definition["States"]
    for name in ("Claim", "Inspect", "Judge", "Register", "Promote"):
        caught = states[name]["Catch"][0]
        assert caught["Next"] == "Notify"
        assert caught["Assign"]["step"] == name
        assert caught["Assign"]["status"] == "failed"
    assert states["Train"]["Catch"][0]["Next"] == "AnotherPlace?"
    assert states["AnotherPlace?"]["Default"] == "Notify"
    assert states["NextPlace"]["Next"] == "Train"
    assert states["Notify"]["Catch"][0]["Next"] == "Failed"
    assert states["Ended"]["Default"] == "Failed"
    assert states["Failed"]["Type"] == "Fail"


def evaluated(expression: str, **variables: Any) -> Any:
    """What Step Functions' query language makes of an expression, with the execution's variables bound."""
    query = Jsonata(expression.removeprefix("{%").removesuffix("%}"))
    frame = query.create_frame()
    for name, value in variables.items():
        frame.bind(name, value)
    return query.evaluate({}, frame)


def test_a_job_without_a_machine_goes_on_to_the_next_place_until_the_last(definition: dict[str, Any]) -> None:
    (another,) = definition["States"]["AnotherPlace?"]["Choices"]
    onwards = definition["States"]["NextPlace"]["Assign"]["places"]
    places = [place.to_json() for place in PLACES]
    quota = {"error": "SageMaker.ResourceLimitExceededException", "cause": "the quota of ml.g6.xlarge is 0"}
    seen = [places[0]]
    while evaluated(another["Condition"], places=places, **quota):
        places = evaluated(onwards, places=places)
        seen.append(places[0])
    assert seen == [place.to_json() for place in PLACES]
    capacity = {"error": "States.TaskFailed", "cause": '{"FailureReason": "CapacityError: no capacity"}'}
    fault = {"error": "States.TaskFailed", "cause": '{"FailureReason": "AlgorithmError: needs 2 classes"}'}
    whole = [place.to_json() for place in PLACES]
    assert evaluated(another["Condition"], places=whole, **capacity) is True
    assert evaluated(another["Condition"], places=whole, **fault) is False


def test_spot_alone_may_wait_for_longer_than_it_may_run(definition: dict[str, Any]) -> None:
    limits = definition["States"]["Train"]["Arguments"]["StoppingCondition"]
    spot, demand = [PLACES[0].to_json()], [PLACES[1].to_json()]
    assert evaluated(limits, places=demand, max_seconds=900) == {"MaxRuntimeInSeconds": 900}
    waits = {"MaxRuntimeInSeconds": 900, "MaxWaitTimeInSeconds": 1800}
    assert evaluated(limits, places=spot, max_seconds=900) == waits


def test_only_pointers_and_verdicts_travel(definition: dict[str, Any]) -> None:
    assert definition["QueryLanguage"] == "JSONata"
    for name in set(STEPS) - {"Train"}:
        payload = tasks(definition)[name]["Arguments"]["Payload"]
        assert all(value.startswith("{% $") for value in payload.values())
        assert not any(value == "{% $states.input %}" for value in payload.values())


def test_statelint_finds_nothing(definition: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "pipeline.json"
    path.write_text(json.dumps(valid(definition)))
    command = [str(Path(sys.executable).with_name("statelint")), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stdout + done.stderr


def test_asl_validator_finds_nothing(definition: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "pipeline.asl.json"
    path.write_text(json.dumps(valid(definition)))
    command = [str(ROOT / "node_modules" / ".bin" / "asl-validator"), "--json-path", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
