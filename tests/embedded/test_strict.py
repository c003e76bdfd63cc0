"""Strict mode: TLS and IAM on every call, the state machine's role and the training role among them."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

from dropforge.embedded import process
from dropforge.embedded.home import Home
from dropforge.embedded.keys import root_secret
from dropforge.embedded.namespaces import namespace
from dropforge.embedded.settings import ACCOUNT, Address
from dropforge.embedded.tls import certificate
from tests.embedded.conftest import ALGORITHM, Cloud, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

Maker = "Callable[..., dict[str, Any]]"
JOBS = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:training-job/*"
RULES = f"arn:aws:events:us-east-1:{ACCOUNT}:rule/StepFunctionsGetEventsForSageMakerTrainingJobsRule"
PASS = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
LOGS = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]


class StrictCloud(Cloud):
    def client(self, service: str, key: str = "test", secret: str = "") -> Any:
        return boto3.client(
            service,
            endpoint_url=self.address.url,
            region_name="us-east-1",
            aws_access_key_id=key,
            aws_secret_access_key=secret or root_secret(self.home),
            verify=str(self.home.tls / "server.crt"),
        )

    def allow(self, role: str, *statements: dict[str, Any]) -> None:
        """Let the role do this and nothing else."""
        document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **each} for each in statements]}
        self.client("iam").put_role_policy(RoleName=role, PolicyName="all", PolicyDocument=json.dumps(document))


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StrictCloud]:
    home, address = Home(tmp_path_factory.mktemp("strict")), Address(free_port(), strict=True)
    certificate(home.tls)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DROPFORGE_ALGORITHMS", json.dumps({"stand-in:": [sys.executable, str(ALGORITHM)]}))
        server = process.start(home, address)
    made = StrictCloud(home, address)
    try:
        trust = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        made.client("iam").create_role(RoleName="states", AssumeRolePolicyDocument=policy)
        made.make()
        yield made
    finally:
        process.stop(server)


@pytest.fixture
def may_start(strict: StrictCloud) -> None:
    strict.allow(
        "states",
        {"Action": ["sagemaker:*TrainingJob"], "Resource": JOBS},
        {"Action": ["events:PutTargets", "events:PutRule", "events:DescribeRule"], "Resource": RULES},
        {"Action": "iam:PassRole", "Resource": f"arn:aws:iam::{ACCOUNT}:role/training", "Condition": PASS},
    )


@pytest.fixture
def may_train(strict: StrictCloud) -> None:
    strict.allow(
        "training",
        {"Action": "s3:ListBucket", "Resource": "arn:aws:s3:::store"},
        {"Action": "s3:GetObject", "Resource": "arn:aws:s3:::store/in/*"},
        {"Action": "s3:PutObject", "Resource": "arn:aws:s3:::store/out/*"},
        {"Action": LOGS, "Resource": "*"},
    )


@pytest.mark.usefixtures("may_start", "may_train")
def test_both_roles_with_just_what_they_need(strict: StrictCloud, request_of: Maker) -> None:
    ended = strict.train(request_of("model"))
    assert ended["status"] == "SUCCEEDED", ended


@pytest.mark.usefixtures("may_start", "may_train")
def test_a_training_role_that_may_not_read(strict: StrictCloud, request_of: Maker) -> None:
    strict.allow("training", {"Action": "s3:PutObject", "Resource": "*"}, {"Action": LOGS, "Resource": "*"})
    ended = strict.train(request_of("model"))
    assert "AccessDenied" in json.loads(ended["cause"])["FailureReason"]


@pytest.mark.usefixtures("may_train")
def test_a_state_machine_that_may_not_pass_the_role(strict: StrictCloud, request_of: Maker) -> None:
    strict.allow(
        "states",
        {"Action": ["sagemaker:*TrainingJob"], "Resource": JOBS},
        {"Action": ["events:PutTargets", "events:PutRule", "events:DescribeRule"], "Resource": RULES},
    )
    ended = strict.train(request_of("model"))
    assert ended["error"] == "SageMaker.AmazonSageMakerException"
    assert "iam:PassRole" in ended["cause"]


def test_a_count_goes_to_the_namespace_that_its_policy_names(strict: StrictCloud) -> None:
    iam = strict.client("iam")
    iam.create_user(UserName="counter")
    to_ours = {"StringEquals": {"cloudwatch:namespace": "Ours"}}
    statement = {"Effect": "Allow", "Action": "cloudwatch:PutMetricData", "Resource": "*", "Condition": to_ours}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName="counter", PolicyName="count", PolicyDocument=document)
    key = iam.create_access_key(UserName="counter")["AccessKey"]
    counter = strict.client("cloudwatch", key["AccessKeyId"], key["SecretAccessKey"])
    datum = {"MetricName": "Seen", "Value": 1.0}
    counter.put_metric_data(Namespace="Ours", MetricData=[datum])
    with pytest.raises(ClientError, match="AccessDenied|not authorized"):
        counter.put_metric_data(Namespace="Theirs", MetricData=[datum])
    listed = strict.client("cloudwatch").list_metrics(MetricName="Seen")["Metrics"]
    assert [each["Namespace"] for each in listed] == ["Ours"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"Namespace": "Ours", "MetricData": []}', "Ours"),
        (b"Action=PutMetricData&Namespace=Ours%2FTwo&Version=2010-08-01", "Ours/Two"),
        (b"Namespace=Ours&Namespace=Theirs", None),
        (b'{"Namespace": 1}', None),
        (b'{"Namespace": "Ours"}&Namespace=Theirs', None),
        (b"\xa1\xff", None),
        (b"", None),
    ],
)
def test_the_namespace_of_a_request(body: bytes, expected: str | None) -> None:
    assert namespace(body) == expected


def test_a_stranger_gets_nothing(strict: StrictCloud) -> None:
    with pytest.raises(ClientError, match="InvalidAccessKeyId|InvalidClientTokenId"):
        strict.client("s3", "AKIAIOSFODNN7EXAMPLE", "wrong").list_buckets()
