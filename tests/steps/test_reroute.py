"""Reroute: where a run goes on whose training job failed, and what the run tells of it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from dropforge.contract.hops import OBSTACLES, Hop, hop_remarks
from dropforge.contract.instances import PLACES, SMALL_PLACES, Place, cores, has_gpu, memory
from dropforge.contract.names import MANIFEST_FILE
from dropforge.contract.prices import Prices
from dropforge.contract.remarks import CODES
from dropforge.contract.settings import GPU_NOT_SEEN_METRIC
from dropforge.contract.steps import JudgeInput, Rerouted, RerouteInput
from dropforge.embedded.training.faults import FAULTS
from lambdas.common.aws import cloudwatch
from lambdas.pipeline.judge.handler import price_of
from lambdas.pipeline.reroute.logic import ROUNDS, reroute
from lambdas.pipeline.reroute.obstacles import Ended
from tests.serving.little import little, trained
from tests.steps.cloud import HANDLERS, NAMESPACE, Cloud

REQUEST = {"ResourceConfig": {"InstanceType": "ml.g6.xlarge"}}
EVERYWHERE = (*SMALL_PLACES, *PLACES)


def failed_job(reason: str = "", secondary: str = "Failed", **more: Any) -> str:
    described = {"TrainingJobStatus": "Failed", "SecondaryStatus": secondary, "FailureReason": reason, **more}
    return json.dumps(described)


CAUSES: list[tuple[str, str, str, str | None]] = [
    ("quota of 0", "SageMaker.ResourceLimitExceededException", "'ml.g6.xlarge for training job usage' is 0 Instances, "
     "with current utilization of 0 Instances", "no_quota"),
    ("quota in use", "SageMaker.ResourceLimitExceededException", "limit is 10 Instances, with current utilization of "
     "10 Instances", "quota_in_use"),
    ("quota by code", "SageMaker.AmazonSageMakerException", "(Error Code: ResourceLimitExceeded)", "quota_in_use"),
    ("capacity", "States.TaskFailed", failed_job("CapacityError: Unable to provision requested ML compute capacity"),
     "no_capacity"),
    ("spot", "States.TaskFailed", failed_job(secondary="MaxWaitTimeExceeded"), "no_spot"),
    ("time", "States.TaskFailed", failed_job(secondary="MaxRuntimeExceeded"), "out_of_time"),
    ("enum", "SageMaker.AmazonSageMakerException", "Value 'ml.g6.xlarge' at 'resourceConfig.instanceType' failed to "
     "satisfy constraint: Member must satisfy enum value set: [ml.m5.large]", "unknown_type"),
    ("another enum", "SageMaker.AmazonSageMakerException", "Value 'Zip' at 'outputDataConfig.compressionType' failed "
     "to satisfy constraint: Member must satisfy enum value set: [GZIP, NONE]", None),
    ("unsupported", "SageMaker.AmazonSageMakerException", "Unsupported instance type ml.g6.xlarge", "unknown_type"),
    ("region", "SageMaker.AmazonSageMakerException", "ml.g6.xlarge is not supported in eu-central-2", "unknown_type"),
    ("internal", "States.TaskFailed", failed_job("InternalServerError: We encountered an internal error. Please try "
     "again."), "internal"),
    ("internal call", "SageMaker.AmazonSageMakerException", "null (Service: AmazonSageMaker; Status Code: 500; Error "
     "Code: InternalFailure)", "internal"),
    ("no answer", "SageMaker.SdkClientException", "Unable to execute HTTP request: connection reset", "internal"),
    ("killed", "States.TaskFailed", failed_job("AlgorithmError: , exit code: 137"), "out_of_memory"),
    ("service's word of memory", "States.TaskFailed", failed_job("ClientError: Please use an instance type with more "
     "memory, or reduce the size of training data"), "out_of_memory"),
    ("trainer's word of memory", "States.TaskFailed", failed_job("AlgorithmError: OutOfMemory: CUDA out of memory"),
     "out_of_memory"),
    ("GPU", "States.TaskFailed", failed_job("AlgorithmError: GpuNotSeen: ml.g6.xlarge: expected"), "gpu_not_seen"),
    ("data that say so", "States.TaskFailed", failed_job("AlgorithmError: the target 'CapacityError InternalServerError"
     "' has one value, exit code: 1"), None),
    ("data", "States.TaskFailed", failed_job("ClientError: Data download failed: AccessDenied"), None),
    ("stopped by hand", "States.TaskFailed", failed_job(secondary="Stopped"), None),
    ("the state's own limit", "States.Timeout", "", None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("error", "cause", "obstacle"), [each[1:] for each in CAUSES], ids=[each[0] for each in CAUSES]
)
def test_what_stood_in_the_way_is_read_from_error_and_cause(error: str, cause: str, obstacle: str | None) -> None:
    assert Ended(error, cause).obstacle == obstacle


def test_every_obstacle_has_a_sign_and_every_staged_fault_is_one() -> None:
    assert {each[3] for each in CAUSES} - {None} == set(OBSTACLES)
    assert set(OBSTACLES) <= set(FAULTS)


class Way:
    """A run with its places: each call fails the job at the current place, and gives what Reroute decides."""

    def __init__(self, *places: Place) -> None:
        self.places = places
        self.last = Rerouted("train", places[0], (), 0)

    def fail(self, obstacle: str) -> Rerouted:
        error, cause = next(each[1:3] for each in CAUSES if each[3] == obstacle)
        hops = tuple(Hop.from_json(json.loads(json.dumps(hop.to_json()))) for hop in self.last.hops)
        request = RerouteInput("run", "m", self.places, self.last.place, error, cause, hops, self.last.round)
        self.last = reroute(request, Ended(error, cause))
        return self.last


def on_demand(*types: str) -> tuple[Place, ...]:
    return tuple(Place(name, spot=False) for name in types)


@pytest.mark.parametrize("obstacle", ["no_quota", "unknown_type", "quota_in_use", "no_capacity"])
def test_small_data_reach_every_cpu_of_their_size_before_a_gpu(obstacle: str) -> None:
    way, tried = Way(*EVERYWHERE), [EVERYWHERE[0]]
    while way.fail(obstacle).outcome == "train" and not way.last.wait:
        tried.append(way.last.place)
    assert tuple(tried) == EVERYWHERE
    first_gpu = next(index for index, place in enumerate(tried) if has_gpu(place.instance_type))
    assert first_gpu == len(SMALL_PLACES) >= 3


def test_no_quota_anywhere_ends_the_run_at_once() -> None:
    way = Way(*PLACES)
    for _ in PLACES:
        way.fail("no_quota")
    assert way.last.outcome == "failed"
    assert len(way.last.hops) == len(PLACES)


@pytest.mark.parametrize("passing", ["quota_in_use", "no_capacity"])
def test_a_place_that_may_become_free_is_waited_for(passing: str) -> None:
    """And only such a place is tried again, with growing waits, for hours and not for ever."""
    first, second = on_demand("ml.m5.xlarge", "ml.m5.4xlarge")
    way = Way(first, second)
    assert way.fail(passing).place == second and way.last.wait == 0
    waits = []
    while way.fail("no_quota" if not waits else passing).outcome == "train":
        assert way.last.place == first
        waits.append(way.last.wait)
    assert len(waits) == ROUNDS and waits[0] == 30 and waits == sorted(waits)
    assert 10 * 3600 < sum(waits) < 14 * 3600
    assert [hop.times for hop in way.last.hops if hop.place == first] == [ROUNDS + 1]


def test_an_error_of_the_service_is_tried_again_before_the_next_place() -> None:
    first, second = on_demand("ml.m5.xlarge", "ml.m5.4xlarge")
    way = Way(first, second)
    places = [(way.fail("internal").place, way.last.wait > 0) for _ in range(3)]
    assert places == [(first, True), (first, True), (second, False)]
    for _ in range(3):
        way.fail("internal")
    assert way.last.outcome == "failed"


def test_want_of_memory_leads_to_more_of_it_and_never_back() -> None:
    way = Way(*EVERYWHERE)
    needed = memory(way.last.place.instance_type)
    while way.fail("out_of_memory").outcome == "train":
        assert memory(way.last.place.instance_type) > needed
        needed = memory(way.last.place.instance_type)
    assert needed == max(memory(place.instance_type) for place in EVERYWHERE)


def test_want_of_time_leads_to_more_cores() -> None:
    way = Way(*EVERYWHERE)
    assert cores(way.fail("out_of_time").place.instance_type) == 16
    assert way.fail("out_of_time").outcome == "failed"


def test_an_unseen_gpu_leads_to_a_place_without_one_and_never_to_another_gpu() -> None:
    way = Way(*PLACES)
    assert way.fail("gpu_not_seen").place == Place("ml.m5.4xlarge", spot=False)
    while way.fail("no_quota").outcome == "train":
        assert not has_gpu(way.last.place.instance_type)
    assert Way(*PLACES[:3]).fail("gpu_not_seen").outcome == "failed"


def test_spot_is_left_for_the_same_machine_on_demand() -> None:
    way = Way(*PLACES)
    assert way.fail("no_spot").place == Place("ml.g6.xlarge", spot=False)


def test_what_no_machine_mends_ends_the_run() -> None:
    job = failed_job("AlgorithmError: the target has one value, exit code: 1")
    request = RerouteInput("run", "m", PLACES, PLACES[0], "States.TaskFailed", job)
    assert reroute(request, Ended(request.error, request.cause)) == Rerouted("failed", PLACES[0], (), 0)


@pytest.mark.parametrize(
    ("name", "gpu", "of_cores", "of_memory"),
    [("ml.m5.xlarge", False, 4, 16), ("ml.g6.xlarge", True, 4, 16), ("ml.r5.4xlarge", False, 16, 128),
     ("ml.c5.xlarge", False, 4, 8), ("ml.p4d.24xlarge", True, 96, 768), ("ml.m5.large", False, 2, 8),
     ("local", False, 0, 0), ("", False, 0, 0)],
)  # fmt: skip
def test_a_machine_is_known_by_its_name(name: str, gpu: bool, of_cores: int, of_memory: int) -> None:
    assert (has_gpu(name), cores(name), memory(name)) == (gpu, of_cores, of_memory)


def event(run: str, cause: str, **more: Any) -> dict[str, Any]:
    places = [place.to_json() for place in PLACES]
    job = {"run": run, "model": "flowers", "error": "States.TaskFailed", "cause": cause}
    return {**job, "places": places, "place": places[0], "hops": [], "round": 0, **more}


def test_the_run_tells_of_its_hops_and_its_cost_has_them(cloud: Cloud) -> None:
    run = cloud.claim("datasets/flowers/a.csv")["run"]
    cause = failed_job("AlgorithmError: GpuNotSeen: ml.g6.xlarge: expected a GPU", BillableTimeInSeconds=40)
    rerouted = HANDLERS["reroute"](event(run, cause), None)
    assert (rerouted["outcome"], rerouted["place"]["instance_type"]) == ("train", "ml.m5.4xlarge")
    row = cloud.registry.training_run(run)
    assert (row.step, [hop.obstacle for hop in row.hops]) == ("Train", ["gpu_not_seen"])
    assert [(remark.code, remark.severity) for remark in row.remarks] == [("gpu_not_seen", "warning")]
    again = event(run, failed_job(secondary="MaxRuntimeExceeded", BillableTimeInSeconds=9), hops=rerouted["hops"])
    HANDLERS["reroute"](again, None)
    cloud.judged("regression", run)
    row = cloud.registry.training_run(run)
    assert [remark.code for remark in row.remarks if remark.code in ("gpu_not_seen", "place")] == [
        "gpu_not_seen",
        "place",
    ]
    assert row.cost == pytest.approx((49 * 1.127 + 90 * 0.23) / 3600, abs=1e-6)
    assert row.instance_type == "ml.m5.xlarge"


def test_the_cost_is_at_the_deployment_s_own_prices() -> None:
    request = JudgeInput("run", "m", "job", "s3://artifacts/x", "ml.m5.xlarge", 1800)
    hops = (Hop("ml.g6.xlarge", True, "no_spot", 1, 0, 3600),)
    own = Prices.of({"ml.m5.xlarge": 2, "ml.g6.xlarge": 3, "spot_share": 0.1})
    assert price_of(request, hops, own) == 4.0, "the seconds of a job on spot hold its discount already"
    gone = replace(request, instance_type="ml.g7.xlarge")
    assert price_of(gone, (), own) is None, "the setting with its price was removed while the run trained"


def test_an_unseen_gpu_is_counted_for_the_alarm(cloud: Cloud) -> None:
    run = cloud.claim("datasets/flowers/a.csv")["run"]
    HANDLERS["reroute"](event(run, failed_job(secondary="MaxWaitTimeExceeded")), None)
    HANDLERS["reroute"](event(run, failed_job("AlgorithmError: GpuNotSeen: x")), None)
    assert counted() == [0, 1]


def counted() -> list[int]:
    """The numbers of dimensions under which jobs without their GPU are counted."""
    listed = cloudwatch().list_metrics(Namespace=NAMESPACE)["Metrics"]
    return sorted(len(each["Dimensions"]) for each in listed if each["MetricName"] == GPU_NOT_SEEN_METRIC)


@pytest.mark.parametrize(("machine", "gpus", "rings"), [("ml.g6.xlarge", 0, True), ("ml.g6.xlarge", 1, False),
                                                        ("ml.m5.xlarge", 0, False)])  # fmt: skip
def test_a_job_that_trained_on_without_its_gpu_is_counted_too(
    cloud: Cloud, machine: str, gpus: int, rings: bool
) -> None:
    run = cloud.claim("datasets/flowers/a.csv")["run"]
    files = trained(little("regression", run, "flowers"))
    manifest = {**json.loads(files[MANIFEST_FILE]), "instance_type": machine, "gpus": gpus, "device": "cpu"}
    cloud.judged("regression", run, files={**files, MANIFEST_FILE: json.dumps(manifest).encode()})
    assert counted() == ([0, 1] if rings else [])
    assert cloud.registry.training_run(run).device == "cpu"


def test_a_run_that_found_no_place_names_all_that_it_tried(cloud: Cloud) -> None:
    run = cloud.claim("datasets/flowers/a.csv")["run"]
    hops: list[Any] = []
    for place in PLACES[:2]:
        request = event(run, failed_job("CapacityError: none"), place=place.to_json(), hops=hops)
        hops = HANDLERS["reroute"](request, None)["hops"]
    told = {"execution": "exe-1", "run": run, "model": "flowers", "status": "failed", "reason": "", "step": "Train"}
    HANDLERS["notify"]({**told, "error": "States.TaskFailed", "cause": failed_job("CapacityError: none")}, None)
    reason = cloud.registry.run(run).reason
    assert "ml.g6.xlarge on spot, ml.g6.xlarge: each had no machine free" in reason
    assert reason.endswith("drop the file again later")


def test_a_hop_of_a_newer_version_is_told_by_its_name() -> None:
    (told,) = hop_remarks([Hop("ml.m5.xlarge", False, "eclipse")])
    assert "ml.m5.xlarge eclipse" in told.sentence and told.code in CODES
