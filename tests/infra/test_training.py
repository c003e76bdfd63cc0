"""The training state: a request that SageMaker takes on every place, and the way on when a place has no machine."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest

from dropforge.contract.instances import OWN_DISK, PLACES, PRICES, Place
from dropforge.contract.names import RunFiles
from dropforge.embedded.training.request import check

from .evaluate import evaluate

RUN = "run-0123456789abcdef"
FILES = RunFiles(RUN)
ROLE, KEY = "arn:aws:iam::123456789012:role/training", "arn:aws:kms:us-east-1:123456789012:key/k"
EVERYWHERE = [*PLACES, *(Place(name, spot=spot) for name in PRICES for spot in (False, True))]
STATE = {"EnteredTime": "2026-11-23T19:00:00.123Z", "RetryCount": 3}
NO_QUOTA = (
    "The account-level service limit is 0 Instances (Service: AmazonSageMaker; Error Code: ResourceLimitExceeded)"
)


def variables(*places: Place) -> dict[str, Any]:
    """What the execution holds when `Train` is entered."""
    uris = {"data_uri": FILES.data, "plan_uri": FILES.plan, "output_uri": FILES.training}
    return {
        **{name: f"s3://artifacts/{each}" for name, each in uris.items()},
        "checkpoint_uri": f"s3://artifacts/{FILES.checkpoints}",
        "run": RUN,
        "max_seconds": 900,
        "places": [asdict(place) for place in places],
        "states": {"context": {"State": STATE}},
    }


def request(definition: dict[str, Any], place: Place) -> dict[str, Any]:
    """The CreateTrainingJob request for one place, its references as real ARNs."""
    found: dict[str, Any] = evaluate(definition["States"]["Train"]["Arguments"], **variables(place))
    return {**found, "RoleArn": ROLE}


@pytest.mark.parametrize("place", EVERYWHERE, ids=str)
def test_sagemaker_takes_the_request_on_every_place(definition: dict[str, Any], place: Place) -> None:
    asked = request(definition, place)
    check(asked)
    assert asked["TrainingJobName"].startswith(f"dropforge-{RUN}-")
    assert asked["TrainingJobName"].endswith("-3")
    assert asked["EnableManagedSpotTraining"] is place.spot
    waits = {"MaxWaitTimeInSeconds": 1800} if place.spot else {}
    assert asked["StoppingCondition"] == {"MaxRuntimeInSeconds": 900, **waits}
    assert asked["ResourceConfig"]["InstanceType"] == place.instance_type


@pytest.mark.parametrize("name", PRICES)
def test_a_volume_has_our_key_unless_the_instance_encrypts_its_own_disk(definition: dict[str, Any], name: str) -> None:
    resources = request(definition, Place(name, spot=False))["ResourceConfig"]
    assert ("VolumeKmsKeyId" in resources) is (name not in OWN_DISK)
    assert resources.get("VolumeKmsKeyId", "<LakeKey").startswith("<LakeKey")


@pytest.mark.parametrize(
    ("fault", "cause", "goes_on"),
    [
        ("SageMaker.ResourceLimitExceededException", "ml.g6.xlarge for training job usage is 0 Instances", True),
        ("SageMaker.AmazonSageMakerException", NO_QUOTA, True),
        ("States.TaskFailed", '{"FailureReason":"CapacityError: Unable to provision requested capacity"}', True),
        ("States.TaskFailed", '{"SecondaryStatus":"MaxWaitTimeExceeded"}', True),
        ("SageMaker.AmazonSageMakerException", "ValidationException: Unsupported instance type ml.g6.xlarge", True),
        ("SageMaker.AmazonSageMakerException", "ml.g6.xlarge is not supported in eu-central-2", True),
        ("States.TaskFailed", '{"FailureReason":"AlgorithmError: the target has one value"}', False),
        ("States.TaskFailed", '{"SecondaryStatus":"MaxRuntimeExceeded"}', False),
        ("States.Timeout", "", False),
    ],
)
def test_only_the_want_of_a_machine_leads_to_the_next_place(
    definition: dict[str, Any], fault: str, cause: str, goes_on: bool
) -> None:
    (choice,) = definition["States"]["AnotherPlace?"]["Choices"]
    left = {**variables(*PLACES), "fault": fault, "cause": cause}
    assert evaluate(choice["Condition"], **left) is goes_on
    last = {**variables(PLACES[-1]), "fault": fault, "cause": cause}
    assert evaluate(choice["Condition"], **last) is False


def test_places_are_tried_in_order_to_the_last(definition: dict[str, Any]) -> None:
    """And a run that found its machine at a later place has no failure to tell of."""
    tried, left = [PLACES[0]], variables(*PLACES)
    while len(left["places"]) > 1:
        left |= evaluate(definition["States"]["NextPlace"]["Assign"], **left)
        tried.append(Place(**left["places"][0]))
        assert (left["status"], left["step"], left["fault"], left["cause"]) == ("running", "", "", "")
    assert tuple(tried) == PLACES


@pytest.mark.parametrize(("extra", "billable"), [({"BillableTimeInSeconds": 7}, 7), ({}, 9)])
def test_what_comes_after_knows_the_job(definition: dict[str, Any], extra: dict[str, int], billable: int) -> None:
    described = {
        "TrainingJobName": "dropforge-run",
        "ModelArtifacts": {"S3ModelArtifacts": "s3://artifacts/model"},
        "ResourceConfig": {"InstanceType": "ml.m5.xlarge"},
        "TrainingTimeInSeconds": 9,
        **extra,
    }
    known = evaluate(definition["States"]["Train"]["Assign"], states={"result": described})
    assert known == {
        "job": "dropforge-run",
        "artifacts": "s3://artifacts/model",
        "instance": "ml.m5.xlarge",
        "billable": billable,
    }


def test_a_job_that_failed_is_not_trained_again(definition: dict[str, Any]) -> None:
    tried_again = [name for each in definition["States"]["Train"]["Retry"] for name in each["ErrorEquals"]]
    assert "States.ALL" not in tried_again
    assert "States.TaskFailed" not in tried_again
