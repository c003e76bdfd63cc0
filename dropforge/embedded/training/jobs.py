"""Runs one training job from its request to its description; only its outputs, log and name remain."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from dropforge.embedded.home import write_json
from dropforge.embedded.settings import ACCOUNT, REGION
from dropforge.embedded.training import algorithm, container, faults, transfer
from dropforge.embedded.training.layout import Layout
from dropforge.embedded.training.request import Refusal, check
from dropforge.embedded.training.stream import LogStream

if TYPE_CHECKING:
    from dropforge.embedded.home import Home
    from dropforge.embedded.settings import Address
    from dropforge.embedded.training.faults import Fault

COPIED = (
    "TrainingJobName",
    "HyperParameters",
    "AlgorithmSpecification",
    "RoleArn",
    "InputDataConfig",
    "OutputDataConfig",
    "ResourceConfig",
    "StoppingCondition",
    "CheckpointConfig",
    "Environment",
)
"""Fields of the request that the description repeats."""


def run_job(home: Home, address: Address, request: dict[str, Any]) -> dict[str, Any]:
    """Run the job until it ends; returns what DescribeTrainingJob would, with times in milliseconds.

    Raises:
        Refusal: the request is not valid, its name was used before, or its role cannot be assumed.
    """
    check(request)
    staged = faults.take(request)
    staged.refuse(request)
    job = request["TrainingJobName"]
    _take_name(home, job)
    session = _session(home, address, request)
    layout = Layout(home.training / job)
    description = _first_description(request)
    try:
        layout.make(request, names_machine=staged.hides_gpu)
        with LogStream(session.client("logs", endpoint_url=address.url), job) as log:
            description |= _train(home, request, session.client("s3", endpoint_url=address.url), layout, log, staged)
    finally:
        if (layout.root / container.MARK).exists():
            container.remove(job)
        shutil.rmtree(layout.root, ignore_errors=True)
    description |= {"TrainingEndTime": _now(), "LastModifiedTime": _now()}
    write_json(home.jobs / f"{job}.json", description)
    return description


def _take_name(home: Home, job: str) -> None:
    home.jobs.mkdir(parents=True, exist_ok=True)
    try:
        (home.jobs / f"{job}.json").touch(exist_ok=False)
    except FileExistsError:
        raise Refusal(
            "ResourceInUse", f"Training job names must be unique within an AWS account and region: {job} was used"
        ) from None


def _session(home: Home, address: Address, request: dict[str, Any]) -> Any:
    try:
        return transfer.role_session(home, address, request["RoleArn"], request["TrainingJobName"])
    except ClientError as fault:
        raise Refusal("ValidationException", f"Could not assume role {request['RoleArn']}: {fault}") from fault


def _first_description(request: dict[str, Any]) -> dict[str, Any]:
    copied = {name: request[name] for name in COPIED if name in request}
    now = _now()
    flags = ("EnableNetworkIsolation", "EnableManagedSpotTraining", "EnableInterContainerTrafficEncryption")
    return {
        **copied,
        **{name: bool(request.get(name, False)) for name in flags},
        "TrainingJobArn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:training-job/{request['TrainingJobName']}",
        "CreationTime": now,
        "TrainingStartTime": now,
    }


def _train(
    home: Home, request: dict[str, Any], s3: Any, layout: Layout, log: LogStream, staged: Fault
) -> dict[str, Any]:
    """Transfer inputs, run the algorithm, transfer outputs; returns the result for the description."""
    if staged.reason is not None:
        return _ended("Failed", "Failed", 1, staged.reason)
    try:
        transfer.fetch_inputs(s3, request, layout)
    except (transfer.TransferFault, ClientError) as fault:
        return _ended("Failed", "Failed", 0, f"ClientError: {fault}")
    image = request["AlgorithmSpecification"]["TrainingImage"]
    if algorithm.process_of(image) is None and (why := container.missing()) is not None:
        return _ended("Failed", "Failed", 0, f"ClientError: cannot run the image {image}: {why}")
    arn = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:training-job/{request['TrainingJobName']}"
    words = algorithm.command(image, request["TrainingJobName"], layout, algorithm.variables(request, arn))
    limit = staged.seconds or request.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", 86400)
    environ = {**algorithm.environment(home, request, arn), **staged.variables}
    began = time.monotonic()
    ended = algorithm.run(words, layout, environ, limit, log.write)
    seconds = max(1, round(time.monotonic() - began))
    try:
        transfer.store_checkpoints(s3, request, layout)
        artifacts = transfer.store_outputs(s3, request, layout)
    except ClientError as fault:
        return _ended("Failed", "Failed", seconds, f"ClientError: Artifact upload failed: {fault}")
    return {**_outcome(ended, layout, seconds, staged.stopped), "ModelArtifacts": {"S3ModelArtifacts": artifacts}}


def _outcome(ended: algorithm.Ended, layout: Layout, seconds: int, stopped: str) -> dict[str, Any]:
    if ended.out_of_time:
        return _ended("Stopped", stopped, seconds)
    if ended.exit_code:
        why = layout.failure() or (f"{ended.death}, after {seconds} s" if ended.death else "the trainer said nothing")
        return _ended("Failed", "Failed", seconds, f"AlgorithmError: {why}, exit code: {ended.exit_code}")
    return _ended("Completed", "Completed", seconds)


def _ended(status: str, secondary: str, seconds: int, reason: str | None = None) -> dict[str, Any]:
    return {
        "TrainingJobStatus": status,
        "SecondaryStatus": secondary,
        "TrainingTimeInSeconds": seconds,
        "BillableTimeInSeconds": seconds,
        **({"FailureReason": reason} if reason else {}),
    }


def _now() -> int:
    return int(time.time() * 1000)
