"""The training seam against a real MiniStack: a real state machine, a real process, and what SageMaker would answer."""

from __future__ import annotations

import importlib
import importlib.metadata
import inspect
import json
import os
import re
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from dropforge.embedded import sagemaker
from tests.embedded.conftest import Cloud, eventually

if TYPE_CHECKING:
    from pathlib import Path

Maker = "Callable[..., dict[str, Any]]"
MOVED = (
    "MiniStack changed under the seam: read its services/stepfunctions.py again, then dropforge/embedded/sagemaker.py: "
)


def test_the_private_names_of_the_pinned_ministack() -> None:
    """Guards the one private seam; when this fails, look at what replaced the name before changing the pin."""
    engine: Any = importlib.import_module("ministack.services.stepfunctions")
    assert importlib.metadata.version("ministack") == sagemaker.MINISTACK, f"{MOVED} another version"
    assert "arn:aws:states:::sqs:sendMessage" in engine._SERVICE_DISPATCH, f"{MOVED} the dict of integrations"
    assert list(inspect.signature(engine._ExecutionError.__init__).parameters)[1:] == ["error", "cause"], (
        f"{MOVED} errors"
    )
    body = inspect.getsource(engine._invoke_resource)
    assert 'replace(".sync", "")' in body and "handler(resource, input_data)" in body, f"{MOVED} the look-up"


def test_ministack_alone_still_has_no_sagemaker() -> None:
    """When this fails MiniStack has caught up: see whether its own training can take the seam's place."""
    engine: Any = importlib.import_module("ministack.services.stepfunctions")
    assert not any("sagemaker" in resource for resource in engine._SERVICE_DISPATCH)
    assert "sagemaker" not in engine._AWS_SDK_SERVICE_MAP


def test_a_job_from_request_to_artifacts(cloud: Cloud, request_of: Maker) -> None:
    request = request_of("model")
    ended = cloud.train(request)
    assert ended["status"] == "SUCCEEDED", ended
    output = json.loads(ended["output"])
    job = request["TrainingJobName"]
    assert output["TrainingJobStatus"] == "Completed"
    assert output["TrainingJobArn"].endswith(f":training-job/{job}")
    assert output["ModelArtifacts"] == {"S3ModelArtifacts": f"s3://store/out/{job}/output/model/"}
    assert output["ResourceConfig"]["InstanceType"] == "ml.g6.xlarge"
    assert output["BillableTimeInSeconds"] >= 1
    body = cloud.client("s3").get_object(Bucket="store", Key=f"out/{job}/output/model/deep/model.json")["Body"].read()
    seen = json.loads(body)
    assert seen["argv"] == "train"
    assert seen["data"] == "a,b\n1,2\n"
    assert seen["job"] == job
    assert seen["resources"]["hosts"] == ["algo-1"]
    assert list(seen["channels"]) == ["data"]
    assert not [name for name in seen["environment"] if name.startswith(("AWS_", "DROPFORGE_", "MINISTACK"))]
    assert not (cloud.home.training / job).exists()


def test_the_log_is_in_cloudwatch(cloud: Cloud, request_of: Maker) -> None:
    request = request_of("model")
    cloud.train(request)
    found = cloud.client("logs").filter_log_events(
        logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=f"{request['TrainingJobName']}/"
    )
    assert [event["message"] for event in found["events"]] == ["step=begin do=model"]


def test_an_archive_when_compression_is_left_out(cloud: Cloud, request_of: Maker, tmp_path: Path) -> None:
    request = request_of("model", OutputDataConfig={"S3OutputPath": "s3://store/packed"})
    uri = json.loads(cloud.train(request)["output"])["ModelArtifacts"]["S3ModelArtifacts"]
    assert uri == f"s3://store/packed/{request['TrainingJobName']}/output/model.tar.gz"
    cloud.client("s3").download_file("store", uri.removeprefix("s3://store/"), str(tmp_path / "m.tar.gz"))
    with tarfile.open(tmp_path / "m.tar.gz") as archive:
        assert "./deep/model.json" in archive.getnames()


def test_a_failing_algorithm_fails_the_task_with_its_reason(cloud: Cloud, request_of: Maker) -> None:
    ended = cloud.train(request_of("fail"))
    assert (ended["status"], ended["error"]) == ("FAILED", "States.TaskFailed")
    cause = json.loads(ended["cause"])
    assert cause["TrainingJobStatus"] == "Failed"
    assert cause["FailureReason"] == "AlgorithmError: the target has one class, exit code: 3"


def test_a_killed_algorithm_says_how_and_with_how_much_memory(cloud: Cloud, request_of: Maker) -> None:
    cause = json.loads(cloud.train(request_of("die"))["cause"])
    said = (
        r"AlgorithmError: the trainer was killed by SIGKILL; its largest process had used [0-9.]+ GB of the machine's "
    )
    assert re.fullmatch(said + r"[0-9.]+ GB, after \d+ s, exit code: 137", cause["FailureReason"])


def test_a_missing_input_is_a_client_error(cloud: Cloud, request_of: Maker) -> None:
    request = request_of("model")
    request["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"] = "s3://store/nothing/"
    cause = json.loads(cloud.train(request)["cause"])
    assert cause["FailureReason"].startswith("ClientError: Data download failed")


def test_out_of_time_is_asked_to_stop_and_keeps_its_checkpoints(cloud: Cloud, request_of: Maker) -> None:
    checkpoints = {"S3Uri": "s3://store/checkpoints/obeys/"}
    request = request_of("obey", StoppingCondition={"MaxRuntimeInSeconds": 1}, CheckpointConfig=checkpoints)
    cause = json.loads(cloud.train(request)["cause"])
    assert (cause["TrainingJobStatus"], cause["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")
    saved = cloud.client("s3").get_object(Bucket="store", Key="checkpoints/obeys/last")["Body"].read()
    assert saved == b"saved at SIGTERM"


def test_out_of_time_and_deaf_is_killed(cloud: Cloud, request_of: Maker) -> None:
    request = request_of("resist", StoppingCondition={"MaxRuntimeInSeconds": 1})
    cause = json.loads(cloud.train(request)["cause"])
    assert cause["TrainingJobStatus"] == "Stopped"
    key = f"out/{request['TrainingJobName']}/output/data/pid"
    pid = int(cloud.client("s3").get_object(Bucket="store", Key=key)["Body"].read())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_name_is_used_once(cloud: Cloud, request_of: Maker) -> None:
    request = request_of("fail")
    cloud.train(request)
    again = cloud.train(request)
    assert again["error"] == "SageMaker.ResourceInUseException"
    assert request["TrainingJobName"] in again["cause"]


@pytest.mark.parametrize(
    ("change", "telling"),
    [
        ({"TrainingJobName": "under_score"}, "under_score"),
        ({"TrainingJobName": "x" * 64}, "less than or equal to 63"),
        ({"RoleArn": "arn:aws:iam::role/nobody-at-all"}, "roleArn"),
        ({"ResourceConfig": {"InstanceType": "ml.g6.xlarg", "InstanceCount": 1, "VolumeSizeInGB": 1}}, "ml.g6.xlarg"),
        ({"StoppingCondition": None}, "StoppingCondition"),
        ({"HyperParameters": {"do": 1}}, "HyperParameters"),
        ({"EnableManagedSpotTraining": True}, "MaxWaitTimeInSeconds"),
        (
            {
                "EnableManagedSpotTraining": True,
                "StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 59},
            },
            "greater than or equal to MaxRuntimeInSeconds",
        ),
        ({"Unheard": True}, "Unheard"),
    ],
)
def test_what_sagemaker_refuses_is_refused(
    cloud: Cloud, request_of: Maker, change: dict[str, Any], telling: str
) -> None:
    ended = cloud.train(request_of("model", **change))
    assert ended["error"] == "SageMaker.AmazonSageMakerException"
    assert telling in ended["cause"] and "ValidationException" in ended["cause"]


def test_spot_with_enough_wait_runs(cloud: Cloud, request_of: Maker) -> None:
    stopping = {"MaxRuntimeInSeconds": 30, "MaxWaitTimeInSeconds": 30}
    ended = cloud.train(request_of("model", EnableManagedSpotTraining=True, StoppingCondition=stopping))
    assert json.loads(ended["output"])["EnableManagedSpotTraining"] is True


def test_the_server_answers_while_a_job_runs(cloud: Cloud, request_of: Maker) -> None:
    request = request_of("obey", StoppingCondition={"MaxRuntimeInSeconds": 2})
    execution = cloud.start(request)
    eventually(lambda: (cloud.home.training / request["TrainingJobName"] / "input").exists())
    assert cloud.client("s3").list_buckets()["Buckets"]
    cloud.result(execution)
