"""Stacks on a second emulator, by other authors than the first: made, beside each other, destroyed, gone on with.

LocalStack's CloudFormation reads the synthesized template with two differences. `packaging=code` and the named image
are those of the embedded cloud. `RetainExceptOnCreate`, which it does not know, is written `Retain`, which differs only
where a first deployment fails. It ignores types that it does not have (dashboard, metric filter) and a bucket's
encryption, and moto keeps functions and tables as records (`second.py`), so that nothing of the stack runs here.

Each test needs the ones before it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from dropforge.embedded import deploy, node, process, sources
from dropforge.embedded.home import Home, read_json
from dropforge.embedded.settings import Address, clean_environment

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.emulator
PROGRAM = Path(__file__).parent / "second.py"
START_SECONDS, STOP_SECONDS = 90, 20


@dataclass
class Account:
    """An account of LocalStack, and the CDK CLI."""

    cdk: deploy.Cdk
    kept: dict[str, Any] = field(default_factory=dict)
    """What a test leaves to those after it."""

    def deploy(self, stack: str, **settings: str) -> dict[str, str]:
        """Deploys a stack; returns its outputs."""
        folder = self.assembly(stack)
        chosen = {"stack": stack, **settings}
        options = [word for name, value in chosen.items() for word in ("-c", f"dropforge:{name}={value}")]
        self.cdk.run("synth", "--quiet", "--output", str(folder), *deploy.context(self.cdk.root), *options,
                     folder=self.cdk.root)  # fmt: skip
        template = folder / f"{stack}.template.json"
        template.write_text(template.read_text().replace('"RetainExceptOnCreate"', '"Retain"'))
        options = ["--all", "--require-approval", "never", "--method", "direct", "--app", str(folder)]
        self.cdk.run("deploy", *options, folder=self.cdk.home.cdk)
        (found,) = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
        return {each["OutputKey"]: each["OutputValue"] for each in found["Outputs"]}

    def destroy(self, stack: str) -> None:
        self.cdk.run("destroy", "--all", "--force", "--app", str(self.assembly(stack)), folder=self.cdk.home.cdk)

    def assembly(self, stack: str) -> Path:
        return self.cdk.home.cdk / f"assembly-{stack}"


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    python = sources.project_root() / ".venv-clients/localstack/bin/python"
    assert python.exists(), "make test-emulator makes this environment"
    home, address = Home(tmp_path_factory.mktemp("second")), Address(process.choose_port(None, None), strict=False)
    home.cdk.mkdir(parents=True)
    server = started(python, home, address)
    patch = pytest.MonkeyPatch()
    for name, value in deploy.environment(home, address).items():
        if name.startswith("AWS_"):
            patch.setenv(name, value)
    root = sources.project_root()
    made = Account(deploy.Cdk(home, root, node.find(root), address, print))
    try:
        deploy._bootstrap(made.cdk)
        yield made
    finally:
        patch.undo()
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def started(python: Path, home: Home, address: Address) -> subprocess.Popen[bytes]:
    """The emulator on the loopback, without any of its own downloads, once it answers."""
    settings = {
        "GATEWAY_LISTEN": f"127.0.0.1:{address.port}",
        "LOCALSTACK_VOLUME_DIR": str(home.root),
        "DNS_ADDRESS": "0",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "DISABLE_EVENTS": "1",
        "VALIDATE_LAMBDA_S3": "false",  # moto looks for the code in a bucket of its own
    }
    environment = {name: value for name, value in clean_environment().items() if name != "PYTHONPATH"}
    with (home.root / "localstack.log").open("wb") as log:
        server = subprocess.Popen(
            [python, PROGRAM],
            env={**environment, **settings},
            cwd=home.root,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{address.url}/_localstack/health", timeout=2):
                return server
        except OSError:
            time.sleep(0.5)
    os.killpg(server.pid, signal.SIGKILL)
    raise AssertionError(f"LocalStack did not start:\n{(home.root / 'localstack.log').read_text()[-2000:]}")


def data() -> set[str]:
    """Buckets, tables and usable keys, whoever made them."""
    kms = boto3.client("kms")
    keys = [kms.describe_key(KeyId=each["KeyId"])["KeyMetadata"] for each in kms.list_keys()["Keys"]]
    usable = [each["Arn"] for each in keys if each["KeyState"] == "Enabled" and each["KeyManager"] == "CUSTOMER"]
    buckets = [each["Name"] for each in boto3.client("s3").list_buckets()["Buckets"]]
    return {*buckets, *boto3.client("dynamodb").list_tables()["TableNames"], *usable}


def resources(stack: str) -> dict[str, dict[str, Any]]:
    """The resources of a stack by logical id."""
    pages = boto3.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    return {each["LogicalResourceId"]: each for page in pages for each in page["StackResourceSummaries"]}


def test_every_resource_is_made_twice_beside_itself(account: Account) -> None:
    first, second = account.deploy("First"), account.deploy("Second")
    account.kept |= {"First": first, "Second": second}
    assert not set(first.values()) & set(second.values())
    template = read_json(account.assembly("First") / "First.template.json")
    assert template is not None
    made = resources("First")
    expected = {name for name, each in template["Resources"].items() if each["Type"] != "AWS::CDK::Metadata"}
    assert made.keys() == expected
    assert {each["ResourceStatus"] for each in made.values()} == {"CREATE_COMPLETE"}
    kinds = Counter(each["ResourceType"] for each in made.values())
    print(f"LocalStack made {len(made)} resources of {len(kinds)} types, twice side by side")


def test_what_was_made_is_what_the_template_says(account: Account) -> None:
    """Seen through the services' own calls, not through CloudFormation's list."""
    outputs = account.kept["First"]
    machine = boto3.client("stepfunctions").describe_state_machine(stateMachineArn=outputs["StateMachineArn"])
    assert '"QueryLanguage":"JSONata"' in machine["definition"].replace(" ", "")
    s3 = boto3.client("s3")
    for bucket in (outputs["DropBucket"], outputs["ArtifactBucket"]):
        assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
        assert all(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values())
    alarms = boto3.client("cloudwatch").describe_alarms()["MetricAlarms"]
    of_first = [each for each in alarms if outputs["TopicArn"] in each["AlarmActions"]]
    assert len(of_first) * 2 == len(alarms) > 20
    routes = boto3.client("apigateway").get_resources(restApiId=outputs["ApiId"], limit=500)["items"]
    methods = [name for each in routes for name in each.get("resourceMethods", {})]
    assert len(methods) > 20
    print(f"{len(methods)} methods, {len(of_first)} alarms a stack, buckets versioned and closed")


def test_destroying_one_leaves_its_data_and_the_other(account: Account) -> None:
    outputs = account.kept["First"]
    boto3.client("s3").put_object(Bucket=outputs["ArtifactBucket"], Key="runs/a/model.onnx", Body=b"model")
    row = {"pk": {"S": "model"}, "sk": {"S": "LIVE"}}
    boto3.client("dynamodb").put_item(TableName=outputs["RegistryTable"], Item=row)
    before, others = data(), resources("Second")
    account.destroy("First")
    assert data() == before
    assert resources("Second") == others
    stacks = boto3.client("cloudformation").list_stacks()["StackSummaries"]
    assert "DELETE_COMPLETE" in {each["StackStatus"] for each in stacks if each["StackName"] == "First"}
    print(f"destroyed one of two stacks: {len(before)} buckets, tables and keys stay")


def test_kept_data_are_gone_on_with(account: Account) -> None:
    before, outputs = data(), account.kept["First"]
    third = account.deploy("Third", adopt=outputs["Adopt"])
    assert data() == before, "it made data of its own"
    assert third["Adopt"] == outputs["Adopt"]
    found = boto3.client("s3").get_object(Bucket=third["ArtifactBucket"], Key="runs/a/model.onnx")["Body"].read()
    assert found == b"model"
    assert boto3.client("dynamodb").scan(TableName=third["RegistryTable"])["Count"] == 1
    account.destroy("Third")
    assert data() == before
    print("a stack that adopts made no data of its own, and left them again")
