"""Every CreateTrainingJob request that the state machine can make is one that SageMaker's model allows."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from dropforge.contract.instances import PLACES, PRICES

from .shapes import faults, input_shape

pytestmark = pytest.mark.aws
REFERENCES = {
    "<TrainingRole": "arn:aws:iam::123456789012:role/Dropforge-TrainingRole4C1607BC-AbCdEf",
    "<LakeKey": "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555",
    "dropforge-trainer:tests": "123456789012.dkr.ecr.us-east-1.amazonaws.com/dropforge@sha256:" + "0" * 64,
}
"""What stands for references of the template and for the tests' image."""


@pytest.fixture(scope="module")
def requests(walks: dict[str, Any]) -> list[dict[str, Any]]:
    """All different requests of the walks, but for the job's name."""
    found = {}
    for request in walks["Pipeline"][1]["requests"]:
        known = filled(request)
        found[json.dumps({**known, "TrainingJobName": "", "Tags": [], "HyperParameters": {}}, sort_keys=True)] = known
    return list(found.values())


def filled(value: Any) -> Any:
    """References of the template as real names."""
    if isinstance(value, dict):
        return {name: filled(part) for name, part in value.items()}
    if isinstance(value, list):
        return [filled(part) for part in value]
    if isinstance(value, str):
        return next((real for start, real in REFERENCES.items() if value.startswith(start)), value)
    return value


def test_the_model_allows_every_request(requests: list[dict[str, Any]]) -> None:
    assert [fault for request in requests for fault in faults(request, "sagemaker", "CreateTrainingJob")] == []
    print(f"{len(requests)} different CreateTrainingJob requests are allowed by SageMaker's model")


def test_every_instance_type_is_asked_for_on_spot_and_on_demand(requests: list[dict[str, Any]]) -> None:
    found = {(each["ResourceConfig"]["InstanceType"], each["EnableManagedSpotTraining"]) for each in requests}
    assert found == {(name, spot) for name in PRICES for spot in (True, False)}
    assert {(place.instance_type, place.spot) for place in PLACES} <= found


def test_values_are_short_enough_for_every_reader(requests: list[dict[str, Any]]) -> None:
    """The model allows 2,500 characters in a hyperparameter; up to 256 are known to arrive."""
    assert max(len(value) for each in requests for value in each["HyperParameters"].values()) <= 256


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"TrainingJobName": "dropforge_run"}, "TrainingJobName: expected"),
        ({"TrainingJobName": "d" * 64}, "TrainingJobName: expected 1 to 63, got 64"),
        ({"RoleArn": "arn:aws:iam::1:role/x"}, "RoleArn: expected"),
        ({"ResourceConfig": {"InstanceType": "ml.g99.xlarge", "VolumeSizeInGB": 50}}, "InstanceType: expected one of"),
        ({"OutputDataConfig": {}}, 'Missing required parameter in OutputDataConfig: "S3OutputPath"'),
        ({"StoppingCondition": {"MaxRuntimeInSeconds": 0}}, "MaxRuntimeInSeconds"),
        ({"OutputDataConfig": {"S3OutputPath": "http://artifacts"}}, "S3OutputPath: expected"),
        ({"OutputDataConfig": {"S3OutputPath": "s3://a", "CompressionType": "no"}}, "CompressionType: expected one of"),
        ({"HyperParameters": {"run": "x" * 2501}}, "HyperParameters['run']: expected 0 to 2500, got 2501"),
        ({"Spot": True}, 'Unknown parameter in input: "Spot"'),
    ],
)
def test_a_wrong_request_is_refused(requests: list[dict[str, Any]], change: dict[str, Any], fault: str) -> None:
    found = faults({**copy.deepcopy(requests[0]), **change}, "sagemaker", "CreateTrainingJob")
    assert fault in " ".join(found)


def test_the_model_is_the_services_own() -> None:
    members = input_shape("sagemaker", "CreateTrainingJob").members
    assert {"EnableNetworkIsolation", "CheckpointConfig", "EnableManagedSpotTraining"} <= members.keys()
