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

from dropforge.contract.steps import ASIDE, STEPS

from .evaluate import evaluate

ROOT = Path(__file__).parents[2]
JSONATA_FUNCTIONS = """
abs append assert average base64decode base64encode boolean ceil clone contains count decodeUrl decodeUrlComponent
distinct each encodeUrl encodeUrlComponent error eval exists filter floor formatBase formatInteger formatNumber
fromMillis hash join keys length lookup lowercase map match max merge millis min not now number pad parse parseInteger
partition power random range reduce replace reverse round shuffle sift single sort split spread sqrt string substring
substringAfter substringBefore sum toMillis trim type uppercase uuid zip
"""
WORKING = (*STEPS, *ASIDE)
GOLDEN = ROOT / "tests" / "golden" / "pipeline.asl.json"


def shown(name: str) -> str:
    """The step that a run shows while the state works."""
    return name if name in STEPS else "Train"


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
    assert set(tasks(definition)) == set(WORKING)
    for name in set(WORKING) - {"Train"}:
        assert (ROOT / "lambdas" / "pipeline" / name.lower() / "handler.py").exists()
        assert f"Pipeline{name}Function" in tasks(definition)[name]["Arguments"]["FunctionName"]


@pytest.mark.parametrize("name", WORKING)
def test_every_task_has_timeout_retry_with_jitter_and_catch(definition: dict[str, Any], name: str) -> None:
    task = tasks(definition)[name]
    assert task["TimeoutSeconds"]
    for retry in task["Retry"]:
        assert retry["JitterStrategy"] == "FULL"
        assert 1 <= retry["MaxAttempts"] <= (40 if retry["ErrorEquals"] == ["Lambda.TooManyRequestsException"] else 6)
        assert retry["MaxDelaySeconds"] == 60
    assert task["Catch"][-1]["ErrorEquals"] == ["States.ALL"]


@pytest.mark.parametrize("name", sorted({*WORKING} - {"Train"}))
def test_a_lambda_that_is_full_is_asked_again_for_longer_than_one_that_fails(
    definition: dict[str, Any], name: str
) -> None:
    attempts = {
        error: each["MaxAttempts"] for each in tasks(definition)[name]["Retry"] for error in each["ErrorEquals"]
    }
    assert (attempts["Lambda.TooManyRequestsException"], attempts["Lambda.ServiceException"]) == (40, 6)
    assert attempts["States.Timeout"] == 1
    assert attempts["States.ALL"] == 3


@pytest.mark.parametrize("name", WORKING)
def test_an_error_without_a_cause_is_caught_too(definition: dict[str, Any], name: str) -> None:
    assign = tasks(definition)[name]["Catch"][0]["Assign"]
    left = evaluate(assign, states={"errorOutput": {"Error": "States.Timeout"}})
    assert left == {"status": "failed", "step": shown(name), "fault": "States.Timeout", "cause": ""}
    left = evaluate(assign, states={"errorOutput": {"Error": "E", "Cause": "why"}})
    assert (left["fault"], left["cause"]) == ("E", "why")


def test_no_variable_has_the_name_of_a_function(definition: dict[str, Any]) -> None:
    """Of JSONata's own: `$error` and `$number` are functions, and whoever reads them may get those."""
    assigned = {name for state in definition["States"].values() for name in state.get("Assign", {})}
    assert not assigned & set(JSONATA_FUNCTIONS.split())


def test_whatever_fails_is_told_and_then_fails(definition: dict[str, Any]) -> None:
    states = definition["States"]
    for name in ("Claim", "Inspect", "Judge", "Register", "Rehearse", "Promote"):
        caught = states[name]["Catch"][0]
        assert caught["Next"] == "Notify"
        assert caught["Assign"]["step"] == name
        assert caught["Assign"]["status"] == "failed"
    assert states["Train"]["Catch"][0]["Next"] == "Reroute"
    assert states["Reroute"]["Catch"][0]["Next"] == states["AnotherPlace?"]["Default"] == "Notify"
    assert states["Notify"]["Catch"][0]["Next"] == "Failed"
    assert states["Ended"]["Default"] == "Failed"
    assert states["Failed"]["Type"] == "Fail"


def test_only_pointers_and_verdicts_travel(definition: dict[str, Any]) -> None:
    assert definition["QueryLanguage"] == "JSONata"
    for name in set(WORKING) - {"Train"}:
        payload = tasks(definition)[name]["Arguments"]["Payload"]
        assert all(value.startswith("{% $") for value in payload.values())
        assert not any(value == "{% $states.input %}" for value in payload.values())


def statelint(definition: dict[str, Any], folder: Path) -> None:
    """Fails with what statelint finds. It does not know that Seconds may be JSONata, as the language has it."""
    checked = valid(definition)
    for state in checked["States"].values():
        if str(state.get("Seconds", "")).startswith("{%"):
            state["Seconds"] = 1
    path = folder / "machine.json"
    path.write_text(json.dumps(checked))
    command = [str(Path(sys.executable).with_name("statelint")), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stdout + done.stderr


def asl_validator(definition: dict[str, Any], folder: Path) -> None:
    """Fails with what asl-validator finds."""
    path = folder / "machine.asl.json"
    path.write_text(json.dumps(valid(definition)))
    command = [str(ROOT / "node_modules" / ".bin" / "asl-validator"), "--json-path", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_statelint_finds_nothing(definition: dict[str, Any], tmp_path: Path) -> None:
    statelint(definition, tmp_path)


def test_asl_validator_finds_nothing(definition: dict[str, Any], tmp_path: Path) -> None:
    asl_validator(definition, tmp_path)


@pytest.mark.parametrize(
    ("outcome", "status", "then"),
    [("promoted", "promoted", "Notify"), ("refused", "refused", "Notify"), ("overtaken", "running", "Judge"),
     ("rolling", "rolling", "Rolling")],
)  # fmt: skip
def test_what_was_overtaken_is_judged_anew(definition: dict[str, Any], outcome: str, status: str, then: str) -> None:
    promote, choice = definition["States"]["Promote"], definition["States"]["Overtaken?"]
    left = evaluate(promote["Assign"], states={"result": {"Payload": {"outcome": outcome, "reason": ""}}})
    assert left["status"] == status and promote["Next"] == "Overtaken?"
    chosen = [each["Next"] for each in choice["Choices"] if evaluate(each["Condition"], **left)]
    assert [*chosen, choice["Default"]][0] == then
    judged = {"outcome": "refused", "reason": "worse", "champion": "3"}
    left |= evaluate(definition["States"]["Judge"]["Assign"], states={"result": {"Payload": judged}})
    assert (left["status"], left["champion"]) == ("refused", "3")
