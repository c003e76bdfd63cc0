"""The training state: a request that SageMaker takes on every place, and the way on when a place has no machine."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest

from dropforge.contract.hops import WITHOUT_GPU, Hop
from dropforge.contract.instances import PLACES, PRICES, Place, has_own_disk
from dropforge.contract.names import RunFiles
from dropforge.contract.steps import Inspected, Rerouted, RerouteInput
from dropforge.embedded.training.request import check

from .evaluate import evaluate

RUN = "run-0123456789abcdef"
FILES = RunFiles(RUN)
ROLE, KEY = "arn:aws:iam::123456789012:role/training", "arn:aws:kms:us-east-1:123456789012:key/k"
EVERYWHERE = [*PLACES, *(Place(name, spot=spot) for name in PRICES for spot in (False, True))]
STATE = {"EnteredTime": "2026-11-23T19:00:00.123Z", "RetryCount": 3}


def variables(*places: Place) -> dict[str, Any]:
    """What the execution holds when `Train` is entered."""
    uris = {"data_uri": FILES.data, "plan_uri": FILES.plan, "output_uri": FILES.training}
    return {
        **{name: f"s3://artifacts/{each}" for name, each in uris.items()},
        "checkpoint_uri": f"s3://artifacts/{FILES.checkpoints}",
        "run": RUN,
        "max_seconds": 900,
        "places": [asdict(place) for place in places],
        "place": asdict(places[0]),
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
    assert ("VolumeKmsKeyId" in resources) is (not has_own_disk(name))
    assert resources.get("VolumeKmsKeyId", "<LakeKey").startswith("<LakeKey")


def rerouted(definition: dict[str, Any], outcome: str, wait: int) -> dict[str, Any]:
    """The execution's variables after a job failed at the first place and Reroute has answered."""
    caught = definition["States"]["Train"]["Catch"][0]
    assert caught["Next"] == "Reroute"
    held = {**variables(*PLACES), "model": "houses", "hops": [], "rounds": 0, "wait": 0}
    held |= evaluate(caught["Assign"], states={"errorOutput": {"Error": "States.TaskFailed", "Cause": "why"}})
    state = definition["States"]["Reroute"]
    request = RerouteInput.from_json(evaluate(state["Arguments"]["Payload"], **held))
    assert (request.places, request.place, request.hops) == (PLACES, PLACES[0], ())
    assert (request.error, request.cause) == ("States.TaskFailed", "why")
    hops = (Hop(*PLACES[0].to_json().values(), "no_capacity"),)
    answer = Rerouted(outcome, PLACES[1], hops, 1, wait).to_json()  # type: ignore[arg-type]
    result = {**held["states"], "result": {"Payload": answer}}
    return held | evaluate(state["Assign"], **{**held, "states": result})


@pytest.mark.parametrize("wait", [0, 600])
def test_training_goes_on_where_reroute_says(definition: dict[str, Any], wait: int) -> None:
    """And a run that found its machine at a later place has no failure to tell of."""
    held = rerouted(definition, "train", wait)
    states = definition["States"]
    (choice,) = states["AnotherPlace?"]["Choices"]
    assert evaluate(choice["Condition"], **held) is True
    assert (states["Reroute"]["Next"], choice["Next"]) == ("AnotherPlace?", "WaitForPlace")
    assert evaluate(states["WaitForPlace"]["Seconds"], **held) == wait and states["WaitForPlace"]["Next"] == "Train"
    assert (held["status"], held["step"], held["fault"], held["cause"]) == ("running", "", "", "")
    resources = evaluate(states["Train"]["Arguments"], **held)["ResourceConfig"]
    assert resources["InstanceType"] == PLACES[1].instance_type
    again = RerouteInput.from_json(evaluate(states["Reroute"]["Arguments"]["Payload"], **held))
    assert [hop.obstacle for hop in again.hops] == ["no_capacity"] and again.round == 1


def test_a_run_without_another_place_fails_with_the_job_s_own_error(definition: dict[str, Any]) -> None:
    held = rerouted(definition, "failed", 0)
    (choice,) = definition["States"]["AnotherPlace?"]["Choices"]
    assert evaluate(choice["Condition"], **held) is False
    assert definition["States"]["AnotherPlace?"]["Default"] == "Notify"
    assert (held["status"], held["step"]) == ("failed", "Train")
    assert (held["fault"], held["cause"]) == ("States.TaskFailed", "why")


@pytest.mark.parametrize("places", [PLACES, ()])
def test_a_run_begins_at_the_first_place_if_it_has_one(definition: dict[str, Any], places: tuple[Place, ...]) -> None:
    answer = Inspected("accepted" if places else "rejected", "", places=places).to_json()
    known = evaluate(definition["States"]["Inspect"]["Assign"], states={"result": {"Payload": answer}})
    assert known["place"] == (PLACES[0].to_json() if places else {})
    assert (known["hops"], known["rounds"], known["wait"]) == ([], 0, 0)


def test_a_job_is_told_what_to_do_without_a_gpu(definition: dict[str, Any]) -> None:
    assert request(definition, PLACES[0])["HyperParameters"] == {"run": RUN, WITHOUT_GPU: "fail-over"}


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
