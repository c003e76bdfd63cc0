"""Runs whose executions never came to Notify are closed, told of, and give their data back."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from tests.steps.cloud import HANDLERS, Cloud

KEY = "datasets/flowers/a.csv"


def ended(given: dict[str, Any], execution: str, status: str = "ABORTED", **more: Any) -> dict[str, Any]:
    """EventBridge's word of an execution, as AWS documents it."""
    found = {"bucket": {"name": given["bucket"]}, "object": {"key": given["key"], "version-id": given["version"]}}
    detail = {"executionArn": execution, "status": status, "input": json.dumps({"detail": found}), **more}
    return {"source": "aws.states", "detail-type": "Step Functions Execution Status Change", "detail": detail}


def tell(event: dict[str, Any]) -> dict[str, Any]:
    return HANDLERS["notify"](event, None)


def begun(cloud: Cloud) -> tuple[dict[str, Any], str]:
    """A claimed drop that trains, and its run."""
    given = cloud.drop(KEY, b"same")
    run = str(HANDLERS["claim"]({**given, "execution": "exe-1"}, None)["run"])
    cloud.registry.update_run(run, step="Train")
    return given, run


@pytest.mark.parametrize(
    ("status", "more", "why"),
    [
        ("ABORTED", {}, "Train failed: its execution was stopped"),
        ("TIMED_OUT", {}, "Train failed: its execution took longer than its limit"),
        ("FAILED", {"error": "States.Runtime", "cause": "no such variable"}, "Train failed: no such variable"),
        ("FAILED", {"error": "States.DataLimitExceeded", "cause": None}, "Train failed: States.DataLimitExceeded"),
    ],
)
def test_an_early_end_closes_the_run_and_frees_its_data(
    cloud: Cloud, status: str, more: dict[str, Any], why: str
) -> None:
    given, run = begun(cloud)
    assert tell(ended(given, "exe-1", status, **more)) == {"status": "failed"}
    row = cloud.registry.run(run)
    assert (row.status, row.reason) == ("failed", why)
    (message,) = cloud.messages()
    assert why in message["Message"]
    assert cloud.claim(KEY, b"same", "exe-2")["outcome"] == "claimed"
    assert tell(ended(given, "exe-1", status, **more)) == {} and cloud.messages() == []  # told twice, closed once


def test_an_early_end_is_understood_in_another_spelling_of_the_key(cloud: Cloud) -> None:
    given = cloud.drop("datasets/flowers/House Prices.csv")
    run = HANDLERS["claim"]({**given, "key": quote(given["key"]), "execution": "exe-1"}, None)["run"]
    assert tell(ended({**given, "key": quote(given["key"])}, "exe-1")) == {"status": "failed"}
    assert cloud.registry.run(run).status == "failed"


def test_what_notify_closed_and_what_others_own_is_left_alone(cloud: Cloud) -> None:
    given, run = begun(cloud)
    assert tell(ended(given, "a repeated event's")) == {}
    assert cloud.registry.run(run).status == "running"
    told = {"execution": "exe-1", "run": run, "model": "flowers", "status": "promoted", "reason": ""}
    tell(told)
    assert tell(ended(given, "exe-1", "FAILED")) == {}
    assert cloud.registry.run(run).status == "promoted"


@pytest.mark.parametrize("given", [None, "", "no json", "[]", "{}", '{"detail": {"bucket": "drops"}}'])
def test_an_execution_that_was_given_something_else_is_nobody_s_run(cloud: Cloud, given: str | None) -> None:
    event = ended(cloud.drop(KEY), "exe-1")
    event["detail"]["input"] = given
    assert tell(event) == {} and cloud.messages() == []
