"""The function that has training images built, on ECR and CodeBuild in memory, and a CloudFormation that it answers."""

from __future__ import annotations

import json
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from lambdas.deploy.image.builds import TAKEN
from lambdas.deploy.image.handler import handle

if TYPE_CHECKING:
    from collections.abc import Iterator

REGION, ACCOUNT = "us-east-1", "123456789012"
TAG = "cpu-0123456789abcdef"
IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/images:{TAG}"
OCI = "application/vnd.oci.image.manifest.v1+json"
LOG = "https://console.aws.amazon.com/cloudwatch/home?region=us-east-1#logsV2:log-groups/log-group/x"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/build"


class Answers(HTTPServer):
    """CloudFormation's end of a custom resource: it keeps what is put."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.taken: list[dict[str, Any]] = []
        self.statuses: list[int] = []
        """What to answer the next requests with; 200 after them."""

    @property
    def url(self) -> str:
        """Where answers go."""
        return f"http://127.0.0.1:{self.server_port}/answer?signature=abc"


class Answer(BaseHTTPRequestHandler):
    """Takes one answer."""

    server: Answers

    def do_PUT(self) -> None:  # the base class's name
        """Keeps the body, unless another status is wanted."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = self.server.statuses.pop(0) if self.server.statuses else 200
        if status == 200:
            assert self.headers["Content-Type"] == ""  # the URL's signature is over an empty one
            self.server.taken.append(json.loads(body))
        self.send_response(status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Logs nothing."""


@pytest.fixture
def answers() -> Iterator[Answers]:
    """A server that takes answers."""
    with Answers() as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """The requests of started builds, in an account with an empty repository and the project."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("PROJECT", "builder")
    monkeypatch.setenv("REPOSITORY", "images")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        boto3.client("ecr").create_repository(repositoryName="images")
        boto3.client("codebuild").create_project(
            name="builder",
            source={"type": "S3", "location": "assets/sources.zip"},
            artifacts={"type": "NO_ARTIFACTS"},
            environment={"type": "LINUX_CONTAINER", "image": "x", "computeType": "BUILD_GENERAL1_MEDIUM"},
            serviceRole=ROLE,
        )
        with recorded() as requests:
            yield requests


@contextmanager
def recorded() -> Iterator[list[dict[str, Any]]]:
    """The arguments of every StartBuild; moto forgets the environment that a build is given."""
    requests: list[dict[str, Any]] = []
    boto3.setup_default_session()
    assert boto3.DEFAULT_SESSION is not None
    boto3.DEFAULT_SESSION.events.register(
        "provide-client-params.codebuild.StartBuild", lambda params, **_: requests.append(params)
    )
    yield requests
    boto3.DEFAULT_SESSION = None


def push(media_type: str = TAKEN) -> None:
    """The image is in the repository, under a manifest of this type."""
    config = {"mediaType": "application/vnd.docker.container.image.v1+json", "size": 2, "digest": f"sha256:{'0' * 64}"}
    manifest = {"schemaVersion": 2, "mediaType": media_type, "config": config, "layers": []}
    boto3.client("ecr").put_image(
        repositoryName="images", imageTag=TAG, imageManifest=json.dumps(manifest), imageManifestMediaType=media_type
    )


def question(answers: Answers, kind: str = "Create") -> dict[str, Any]:
    """CloudFormation's event."""
    return {
        "RequestType": kind,
        "ResponseURL": answers.url,
        "StackId": "arn:aws:cloudformation:us-east-1:123456789012:stack/Dropforge/1",
        "RequestId": "8f0c1d6e",
        "LogicalResourceId": "CpuImage",
        "ResourceProperties": {"ServiceToken": "arn", "Image": IMAGE, "Arguments": {"CUDA": "12"}},
    }


def ended(request: dict[str, Any], status: str) -> dict[str, Any]:
    """CodeBuild's event of a build's end (AWS CodeBuild User Guide, "Build notifications input format reference")."""
    variables = request["environmentVariablesOverride"]
    return {
        "source": "aws.codebuild",
        "detail-type": "CodeBuild Build State Change",
        "detail": {
            "build-status": status,
            "project-name": "builder",
            "build-id": f"arn:aws:codebuild:{REGION}:{ACCOUNT}:build/builder:8745a7a9",
            "additional-information": {
                "environment": {"privileged-mode": True, "environment-variables": variables},
                "logs": {"deep-link": LOG},
            },
        },
    }


def only_answer(answers: Answers, status: str) -> str:
    """The reason of the one answer, which has this status and is for the question."""
    (answer,) = answers.taken
    assert {name: answer[name] for name in ("Status", "StackId", "RequestId", "LogicalResourceId")} == {
        "Status": status,
        "StackId": "arn:aws:cloudformation:us-east-1:123456789012:stack/Dropforge/1",
        "RequestId": "8f0c1d6e",
        "LogicalResourceId": "CpuImage",
    }
    assert (answer["PhysicalResourceId"], answer["Data"]) == (IMAGE, {"Image": IMAGE})
    return str(answer["Reason"])


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_an_image_that_is_missing_is_built_and_then_answered(
    started: list[dict[str, Any]], answers: Answers, kind: str
) -> None:
    handle(question(answers, kind), None)
    (request,) = started
    variables = {each["name"]: each["value"] for each in request["environmentVariablesOverride"]}
    assert (request["projectName"], variables["IMAGE"], variables["CUDA"]) == ("builder", IMAGE, "12")
    assert request["idempotencyToken"] == "8f0c1d6e"
    assert answers.taken == []
    push()
    handle(ended(request, "SUCCEEDED"), None)
    only_answer(answers, "SUCCESS")


def test_an_image_that_is_there_is_answered_at_once(started: list[dict[str, Any]], answers: Answers) -> None:
    push()
    handle(question(answers), None)
    only_answer(answers, "SUCCESS")
    assert started == []


@pytest.mark.parametrize("status", ["FAILED", "FAULT", "STOPPED", "TIMED_OUT"])
def test_a_build_that_failed_fails_the_deployment_with_its_log(
    started: list[dict[str, Any]], answers: Answers, status: str
) -> None:
    handle(question(answers), None)
    handle(ended(started[0], status), None)
    reason = only_answer(answers, "FAILED")
    assert f"ended as {status}" in reason and LOG in reason


@pytest.mark.parametrize("built", [True, False], ids=["built", "there before"])
def test_a_manifest_that_sagemaker_refuses_fails_the_deployment(
    started: list[dict[str, Any]], answers: Answers, built: bool
) -> None:
    if built:
        handle(question(answers), None)
        push(OCI)
        handle(ended(started[0], "SUCCEEDED"), None)
    else:
        push(OCI)
        handle(question(answers), None)
    reason = only_answer(answers, "FAILED")
    assert f"{IMAGE}: expected a manifest of type {TAKEN}, got '{OCI}'; delete the image" in reason


def test_a_build_that_pushed_nothing_fails_the_deployment(started: list[dict[str, Any]], answers: Answers) -> None:
    handle(question(answers), None)
    handle(ended(started[0], "SUCCEEDED"), None)
    assert "is not in the repository, although its build succeeded" in only_answer(answers, "FAILED")


def test_an_error_is_an_answer_too(
    started: list[dict[str, Any]], answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CloudFormation would wait for an hour."""
    monkeypatch.setenv("PROJECT", "somebody-elses")
    handle(question(answers), None)
    assert "ResourceNotFoundException" in only_answer(answers, "FAILED")
    answers.taken.clear()
    monkeypatch.setenv("REPOSITORY", "none")
    handle(ended(started[0], "SUCCEEDED"), None)
    assert "RepositoryNotFoundException" in only_answer(answers, "FAILED")


@pytest.mark.usefixtures("started")
def test_removing_the_resource_removes_no_image(answers: Answers) -> None:
    push()
    handle(question(answers, "Delete"), None)
    only_answer(answers, "SUCCESS")
    assert len(boto3.client("ecr").list_images(repositoryName="images")["imageIds"]) == 1


@pytest.mark.usefixtures("started")
def test_an_answer_is_given_again_until_it_is_taken(answers: Answers) -> None:
    push()
    answers.statuses = [503]
    handle(question(answers), None)
    only_answer(answers, "SUCCESS")


def test_a_build_that_somebody_started_by_hand_is_answered_to_nobody(
    started: list[dict[str, Any]], answers: Answers
) -> None:
    handle(ended({"environmentVariablesOverride": []}, "FAILED"), None)
    assert (answers.taken, started) == ([], [])
