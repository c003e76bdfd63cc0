"""A server of the tests' own, on a free port, and the ways to look at it."""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from dropforge.embedded import process
from dropforge.embedded.home import Home
from dropforge.embedded.settings import ACCOUNT, Address

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ALGORITHM = Path(__file__).with_name("algorithm.py")
ROLE = f"arn:aws:iam::{ACCOUNT}:role/training"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(look: Callable[[], Any], seconds: float = 20.0) -> Any:
    """What `look` gives as soon as it gives anything true; fails after the deadline."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.05)
    pytest.fail(f"nothing within {seconds} s")


class Cloud:
    """A running server with clients and a state machine that trains."""

    def __init__(self, home: Home, address: Address) -> None:
        self.home, self.address = home, address
        self.machine = ""
        self.faults = home.root / "faults.json"

    def client(self, service: str) -> Any:
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        return boto3.client(service, endpoint_url=self.address.url, region_name="us-east-1", **keys)

    def make(self) -> None:
        s3 = self.client("s3")
        s3.create_bucket(Bucket="store")
        s3.put_object(Bucket="store", Key="in/data/sub/rows.csv", Body=b"a,b\n1,2\n")
        trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        self.client("iam").create_role(RoleName="training", AssumeRolePolicyDocument=policy)
        state = {
            "Type": "Task",
            "Resource": "arn:aws:states:::sagemaker:createTrainingJob.sync",
            "Arguments": "{% $states.input %}",
            "TimeoutSeconds": 60,
            "End": True,
        }
        definition = {"QueryLanguage": "JSONata", "StartAt": "Train", "States": {"Train": state}}
        made = self.client("stepfunctions").create_state_machine(
            name="train", definition=json.dumps(definition), roleArn=f"arn:aws:iam::{ACCOUNT}:role/states"
        )
        self.machine = made["stateMachineArn"]

    def start(self, request: dict[str, Any]) -> str:
        states = self.client("stepfunctions")
        return str(states.start_execution(stateMachineArn=self.machine, input=json.dumps(request))["executionArn"])

    def result(self, execution: str) -> dict[str, Any]:
        """The ended execution, as DescribeExecution shows it."""
        states = self.client("stepfunctions")

        def ended() -> Any:
            found = states.describe_execution(executionArn=execution)
            return None if found["status"] == "RUNNING" else found

        return dict(eventually(ended))

    def train(self, request: dict[str, Any]) -> dict[str, Any]:
        return self.result(self.start(request))


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    home = Home(tmp_path_factory.mktemp("cloud"))
    patch = pytest.MonkeyPatch()
    patch.setenv("DROPFORGE_ALGORITHMS", json.dumps({"stand-in:": [sys.executable, str(ALGORITHM)]}))
    patch.setenv("DROPFORGE_TRAINING_GRACE", "1")
    patch.setenv("DROPFORGE_TRAINING_FAULTS", str(home.root / "faults.json"))
    patch.setenv("AWS_PROFILE", "somebody-elses")
    address = Address(free_port(), strict=False)
    server = process.start(home, address)
    patch.undo()
    made = Cloud(home, address)
    try:
        made.make()
        yield made
    finally:
        process.stop(server)


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """A server that a test may kill."""
    monkeypatch.setenv("DROPFORGE_ALGORITHMS", json.dumps({"stand-in:": [sys.executable, str(ALGORITHM)]}))
    monkeypatch.setenv("DROPFORGE_TRAINING_GRACE", "0.2")
    monkeypatch.setenv("DROPFORGE_SAVE_SECONDS", "0.3")
    home, address = Home(tmp_path / "home"), Address(free_port(), strict=False)
    home.root.mkdir()
    process.start(home, address)
    yield Cloud(home, address)
    if (server := process.find(home)) is not None:
        process.stop(server)


@pytest.fixture
def request_of(request: pytest.FixtureRequest) -> Callable[..., dict[str, Any]]:
    """A valid CreateTrainingJob request, its name from the test's, with changes."""
    name = request.node.name.replace("_", "-").replace("[", "-").replace("]", "")[-40:].strip("-")

    def make(do: str = "model", **changes: Any) -> dict[str, Any]:
        source = {"S3DataType": "S3Prefix", "S3Uri": "s3://store/in/data/"}
        base: dict[str, Any] = {
            "TrainingJobName": f"{name}-{os.getpid()}",
            "RoleArn": ROLE,
            "AlgorithmSpecification": {"TrainingImage": "stand-in:1", "TrainingInputMode": "File"},
            "HyperParameters": {"do": do},
            "InputDataConfig": [{"ChannelName": "data", "DataSource": {"S3DataSource": source}}],
            "OutputDataConfig": {"S3OutputPath": "s3://store/out/", "CompressionType": "NONE"},
            "ResourceConfig": {"InstanceType": "ml.g6.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30},
            "StoppingCondition": {"MaxRuntimeInSeconds": 30},
            "EnableNetworkIsolation": True,
        }
        return {**base, **changes}

    return make
