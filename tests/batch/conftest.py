"""A cloud in memory with a live model, and the states of a batch, one after the other, as the state machine goes."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from dropforge.contract import names
from lambdas.api.predict.handler import handle as predict
from lambdas.batch.answer.handler import handle as answer
from lambdas.batch.answer.handler import loaded
from lambdas.batch.join.handler import handle as join
from lambdas.batch.plan.handler import handle as plan
from lambdas.pipeline.claim.handler import handle as claim
from lambdas.pipeline.notify.handler import handle as notify
from tests.serving.little import little
from tests.steps.cloud import Cloud, cloud_in_memory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dropforge.contract.registry import BatchRun


@dataclass
class Batches:
    """What a test does with batches."""

    cloud: Cloud

    def drop(self, name: str, body: bytes, model: str = "flowers") -> dict[str, Any]:
        """The input of Claim."""
        return {**self.cloud.drop(names.batch_key(model, name), body), "execution": "exe-1"}

    def run(self, name: str, body: bytes, model: str = "flowers") -> BatchRun:
        """Drops a file and goes the whole way; the run's row at its end."""
        return self.go(self.drop(name, body, model))

    def go(self, given: dict[str, Any]) -> BatchRun:
        """The whole way from Claim on."""
        claimed = claim(given, None)
        assert claimed["outcome"] == "claimed"
        known = {"run": claimed["run"], "model": claimed["model"]}
        planned = plan(known, None)
        status, reason = planned["outcome"], planned["reason"]
        if status == "planned":
            for piece in range(1, planned["pieces"] + 1):
                answer({**known, "piece": piece}, None)
            join(known, None)
            status = "predicted"
        notify({"execution": "exe-1", **known, "status": status, "reason": reason}, None)
        return self.cloud.registry.batch_run(known["run"])

    def text(self, name: str, model: str = "flowers") -> bytes:
        """A file beside the predictions."""
        key = names.predictions_key(model, name)
        return bytes(self.cloud.s3.get_object(Bucket="artifacts", Key=key)["Body"].read())

    def rows(self, name: str, model: str = "flowers", delimiter: str = ",") -> list[dict[str, str]]:
        """The predictions of a delimited file."""
        return list(csv.DictReader(io.StringIO(self.text(name, model).decode(), newline=""), delimiter=delimiter))

    def errors(self, name: str, model: str = "flowers") -> list[dict[str, Any]]:
        """The faults of a batch."""
        return [json.loads(line) for line in self.text(f"{name}.errors.jsonl", model).splitlines()]

    def summary(self, name: str, model: str = "flowers") -> dict[str, Any]:
        """The totals of a batch."""
        found: dict[str, Any] = json.loads(self.text(f"{name}.summary.json", model))
        return found

    def keys(self, prefix: str) -> list[str]:
        """The artifacts under a prefix."""
        found = self.cloud.s3.list_objects_v2(Bucket="artifacts", Prefix=prefix).get("Contents", [])
        return [each["Key"] for each in found]

    def predicted(self, body: str, model: str = "flowers") -> dict[str, Any]:
        """What the predict function answers to the same text."""
        event = {
            "httpMethod": "POST",
            "resource": "/models/{model}/predict",
            "pathParameters": {"model": model},
            "headers": {"Content-Type": "text/csv"},
            "body": body,
        }
        response = predict(event, None)
        assert response["statusCode"] == 200, response["body"]
        found: dict[str, Any] = json.loads(response["body"])
        return found


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> Iterator[Batches]:
    """A cloud where a model of three classes is live as `flowers`."""
    monkeypatch.setenv("PIECE_BYTES", str(1 << 20))
    with cloud_in_memory(monkeypatch) as cloud:
        loaded.cache_clear()
        cloud.serve("multiclass", "flowers")
        yield Batches(cloud)


def table(count: int = 150, task: str = "multiclass", **beside: str) -> str:
    """Rows of the model's data as CSV, and more columns with one value each."""
    made = little(task)
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*made.columns, *beside])
    for at in range(count):
        row = made.row(at % len(made.target))
        writer.writerow(["" if value is None else value for value in row.values()] + list(beside.values()))
    return out.getvalue()
