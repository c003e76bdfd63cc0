"""Drops under names that break the contract: each ends as a rejected run, and its owner is told what to do."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from lambdas.batch.plan.handler import handle as plan
from lambdas.pipeline.inspect.handler import handle as inspect
from tests.steps.cloud import HANDLERS, Cloud, run_of

LONG = f"{'é' * 440}.csv"
"""A name of 884 bytes; a key of S3 may have 1,024."""


@pytest.fixture(autouse=True)
def places(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PLACES": "", "MOST_COST": "", "PRICES": "", "PIECE_BYTES": "1000"}.items():
        monkeypatch.setenv(name, value)


def go(cloud: Cloud, key: str) -> dict[str, Any]:
    """Claim, Inspect or Plan, and Notify, as the state machines chain them; the first one's answer."""
    claimed = cloud.claim(key, f"a,b\n{key}\n".encode())
    assert claimed["outcome"] == "claimed"
    known = {"run": claimed["run"], "model": claimed["model"]}
    answer = (plan if key.startswith("batch/") else inspect)(known, None)
    assert answer["outcome"] == "rejected"
    ending = {"execution": "exe-1", **known, "status": "rejected", "reason": answer["reason"]}
    assert HANDLERS["notify"](ending, None) == {"status": "rejected"}
    return claimed


@pytest.mark.parametrize(
    ("key", "model", "reason"),
    [
        ("My Model/x.csv", "my-model", "model name 'My Model': expected .*; drop it under {top}/my-model/"),
        ("My Model/monday/_SUCCESS", "my-model", "drop it under {top}/my-model/"),
        ("houses.csv", "houses", "expected {top}/<model>/<file>; drop it under {top}/houses/"),
        (f"{'m' * 900}/x.csv", "m" * 63, "a text of 900 characters: expected 1 to 63"),
        (f"{'m' * 100}/{'x' * 890}.csv", "m" * 63, "expected 1 to 63"),
    ],
)
@pytest.mark.parametrize("top", ["datasets", "batch"])
def test_an_invalid_name_is_rejected_with_a_reason(cloud: Cloud, top: str, key: str, model: str, reason: str) -> None:
    is_rejected(cloud, f"{top}/{key}", model, reason.format(top=top))


@pytest.mark.parametrize("name", [LONG, "x" * 890, f"{'folder/' * 100}x.csv"])
def test_a_name_too_long_for_a_file_is_rejected_with_a_reason(cloud: Cloud, name: str) -> None:
    is_rejected(cloud, f"datasets/flowers/{name}", "flowers", "expected")


def test_a_file_to_predict_with_a_name_too_long_is_rejected_with_a_reason(cloud: Cloud) -> None:
    cloud.serve("regression", "flowers")
    cloud.messages()
    is_rejected(cloud, f"batch/flowers/{LONG}", "flowers", "a file name of 884 bytes: expected at most 240; drop it")
    is_rejected(cloud, f"batch/flowers/{'folder/' * 100}x.csv", "flowers", "lies in a folder; expected")
    is_rejected(cloud, f"batch/flowers/{'x' * 890}", "flowers", "expected a file ending in")


def is_rejected(cloud: Cloud, key: str, model: str, reason: str) -> None:
    """The run's row, the message and the quarantine say why, without a path of a machine."""
    run = go(cloud, key)["run"]
    row = cloud.registry.run(run)
    assert (row.status, row.model, row.key) == ("rejected", model, key)
    assert re.search(reason, row.reason), row.reason
    assert "/tmp" not in row.reason and "Errno" not in row.reason
    (message,) = cloud.messages()
    assert row.reason in message["Message"] and message["MessageAttributes"]["model"]["Value"] == model
    if key.startswith("datasets/"):
        kept = cloud.s3.list_objects_v2(Bucket="artifacts", Prefix=f"quarantine/{run}/")["Contents"]
        assert len(kept) == 2
        told = cloud.s3.get_object(Bucket="artifacts", Key=f"quarantine/{run}/reason.json")["Body"].read()
        assert json.loads(told)["reason"].startswith(row.reason.removesuffix("…"))


def test_the_same_data_under_the_right_name_are_no_duplicate(cloud: Cloud) -> None:
    """An invalid name has no claim on a content, not even while its run is at work."""
    assert cloud.claim("datasets/My Model/x.csv", b"same")["outcome"] == "claimed"
    assert cloud.claim("datasets/my-model/x.csv", b"same", "two")["outcome"] == "claimed"


def test_a_claim_of_an_invalid_name_is_repeatable_and_exclusive(cloud: Cloud) -> None:
    given = cloud.drop("datasets/My Model/x.csv")
    answers = [HANDLERS["claim"]({**given, "execution": name}, None)["outcome"] for name in ("one", "one", "two")]
    assert answers == ["claimed", "claimed", "duplicate"]


def test_a_claim_that_failed_leaves_a_run_for_an_invalid_name_too(cloud: Cloud) -> None:
    given = cloud.drop("datasets/My Model/x.csv")
    ending = {**given, "execution": "exe-1", "run": "", "model": "", "status": "failed", "reason": "", "step": "Claim"}
    ending.pop("sequencer")
    assert HANDLERS["notify"](ending, None) == {"status": "failed"}
    assert cloud.registry.run(run_of(given)).model == "my-model"
