"""No planted personal value leaves its data set: searched in every log line, row, object and message of the way."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from dropforge.contract.steps import NotifyInput
from lambdas.common.messages import message
from tests.training.test_no_personal_values import PERSONS, PLANTED

if TYPE_CHECKING:
    from tests.inspect.conftest import Cloud

ROWS = 120
KEY = "datasets/houses/houses.csv"
SPEC = "datasets/houses/spec.yaml"
VALUES = [value for values in PLANTED.values() for value in values]
LISTED = "\n".join(f"  - {value}" for value in VALUES)

SPECS = {
    "accepted": "target: price\n",
    "an unknown key": f"target: price\ncontacts:\n{LISTED}\n",
    "a list instead of a text": f"target:\n{LISTED}\n",
    "a list of its own": "\n".join(f"- {value}" for value in VALUES),
    "texts alone": "; ".join(VALUES),
    "a number that is none": f"target: price\nbudget:\n{LISTED}\n",
    "no YAML": f"target: [price\ncontacts: {{{'; '.join(VALUES)}\n",
}
"""What the owner may write, or paste by mistake, and what it is."""


def data() -> str:
    """A table with the planted columns."""
    lines = [",".join([*PLANTED, "rooms", "price"])]
    for row in range(ROWS):
        values = [values[row % 4] for values in PLANTED.values()]
        lines.append(",".join([*values, str(row * 37 % 11), str(100 + row * 37 % 11 * 20 + row * 7919 % 97 / 10)]))
    return "\n".join(lines) + "\n"


def places(cloud: Cloud, logged: str) -> dict[str, str]:
    """All that the way has left but the run's own copy of its data and the quarantined file, as texts."""
    rows = boto3.client("dynamodb").scan(TableName="registry")["Items"]
    (run,) = [each for each in rows if each["pk"]["S"].startswith("RUN#")]
    found = {"log": logged, "registry": json.dumps(rows, ensure_ascii=False)}
    for key in cloud.keys():
        if "/input/data/" not in key and not key.endswith("/houses.csv"):
            found[key] = cloud.read(key).decode("utf-8", "replace")
    status: Any = "promoted" if run["status"]["S"] == "running" else run["status"]["S"]
    reason = run.get("reason", {}).get("S", "")
    row = cloud.registry.run(run["run"]["S"])
    told = NotifyInput("execution", row.run, row.model, status, reason, bucket="drops", key=KEY, version="v")
    return {**found, "message": message(told, row, reason), "reason": reason}


@pytest.mark.parametrize("what", SPECS)
def test_no_planted_value_is_anywhere(cloud: Cloud, capsys: pytest.CaptureFixture[str], what: str) -> None:
    cloud.put(SPEC, SPECS[what])
    answer = cloud.inspect(KEY, data())
    assert (answer["outcome"] == "accepted") == (what == "accepted"), answer
    found = places(cloud, capsys.readouterr().out)
    assert len(found["reason"]) <= 500 and (found["reason"] == "") == (what == "accepted")
    assert KEY in found["registry"] and "Inspect" in found["log"] and "houses" in found["message"]
    assert what != "accepted" or any("price" in text for place, text in found.items() if place.endswith("plan.json"))
    names = [part for person in PERSONS for part in person]
    left = [(place, value) for place, text in found.items() for value in (*VALUES, *names) if value in text]
    assert left == []
