"""Training jobs that fail on the embedded cloud as they fail on SageMaker, through the faults that tests may stage."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from dropforge.contract.hops import OBSTACLES
from dropforge.embedded.training.faults import FAULTS
from lambdas.pipeline.reroute.obstacles import Ended

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.embedded.conftest import Cloud

PLACE = "ml.g6.xlarge on spot"
SPOT = {"EnableManagedSpotTraining": True, "StoppingCondition": {"MaxRuntimeInSeconds": 30, "MaxWaitTimeInSeconds": 60}}
OBSTACLE_OF = {**{name: name for name in OBSTACLES}, "call_failed": "internal", "unsupported_type": "unknown_type"}


def stage(cloud: Cloud, *faults: str) -> None:
    """Has the next jobs on spot fail so."""
    cloud.faults.write_text(json.dumps({PLACE: faults}))


@pytest.mark.parametrize("name", sorted(FAULTS.keys() - {"gpu_not_seen"}))
def test_a_staged_fault_is_read_from_what_step_functions_says_of_it(
    cloud: Cloud, request_of: Callable[..., dict[str, Any]], name: str
) -> None:
    stage(cloud, name)
    ended = cloud.train(request_of("obey", **SPOT))
    assert Ended(ended["error"], ended["cause"]).obstacle == OBSTACLE_OF[name]
    assert json.loads(cloud.faults.read_text()) == {PLACE: []}


def test_a_job_of_another_place_and_the_next_job_run_as_they_are(
    cloud: Cloud, request_of: Callable[..., dict[str, Any]]
) -> None:
    stage(cloud, "no_capacity")
    assert cloud.train(request_of("model"))["status"] == "SUCCEEDED"
    cloud.faults.unlink()
    assert cloud.train(request_of("model", TrainingJobName="unstaged", **SPOT))["status"] == "SUCCEEDED"


def test_spot_that_is_taken_away_leaves_its_checkpoints(
    cloud: Cloud, request_of: Callable[..., dict[str, Any]]
) -> None:
    stage(cloud, "no_spot")
    cloud.train(request_of("obey", CheckpointConfig={"S3Uri": "s3://store/checkpoints/lost/"}, **SPOT))
    saved = cloud.client("s3").get_object(Bucket="store", Key="checkpoints/lost/last")["Body"].read()
    assert saved == b"saved at SIGTERM"


@pytest.mark.parametrize(("faults", "named"), [([], "local"), (["gpu_not_seen"], "ml.g6.xlarge")])
def test_a_job_is_told_the_type_that_was_requested_only_to_miss_its_gpu(
    cloud: Cloud, request_of: Callable[..., dict[str, Any]], faults: list[str], named: str
) -> None:
    stage(cloud, *faults)
    request = request_of("model", TrainingJobName=f"machine-{named.replace('.', '-')}", **SPOT)
    cloud.train(request)
    key = f"out/{request['TrainingJobName']}/output/model/deep/model.json"
    seen = json.loads(cloud.client("s3").get_object(Bucket="store", Key=key)["Body"].read())
    assert seen["resources"]["current_instance_type"] == named
    assert ("CUDA_VISIBLE_DEVICES" in seen["environment"]) is bool(faults)
