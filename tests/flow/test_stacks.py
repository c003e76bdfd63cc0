"""Stacks that come and go in one account: a failed one leaves nothing, two do not meet, kept data are gone on with.

Each test needs the ones before it; all run on one embedded cloud, into which the CDK CLI deploys under several names.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from dropforge.client import Dropforge
from dropforge.embedded import deploy, node, process, sources
from dropforge.embedded.fault import CloudFault
from dropforge.embedded.home import Home
from dropforge.embedded.settings import Address

from .conftest import hurry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

MODEL = "signs"
"""A model of this name is in both stacks, each taught the opposite of the other."""


@dataclass
class Account:
    """An embedded account without a stack, and the CDK CLI."""

    cdk: deploy.Cdk
    kept: dict[str, Any] = field(default_factory=dict)
    """What a test leaves to those after it."""

    def synthesize(self, stack: str, **settings: str) -> Path:
        """Writes the stack's template; returns the folder of its assembly."""
        assembly = self.cdk.home.cdk / f"assembly-{stack}"
        chosen = {"stack": stack, **{name.replace("_", "-"): value for name, value in settings.items()}}
        options = [word for name, value in chosen.items() for word in ("-c", f"dropforge:{name}={value}")]
        words = ["synth", "--quiet", "--output", str(assembly), *deploy.context(self.cdk.root), *options]
        self.cdk.run(*words, folder=self.cdk.root)
        return assembly

    def deploy(self, stack: str, **settings: str) -> Dropforge:
        """Deploys a stack; returns the SDK that has chosen it by its name."""
        self.deploy_assembly(self.synthesize(stack, **settings))
        return Dropforge(stack=stack)

    def deploy_assembly(self, assembly: Path) -> None:
        options = ["--all", "--require-approval", "never", "--method", "direct", "--app", str(assembly)]
        self.cdk.run("deploy", *options, folder=self.cdk.home.cdk)

    def destroy(self, stack: str) -> None:
        assembly = self.cdk.home.cdk / f"assembly-{stack}"
        self.cdk.run("destroy", "--all", "--force", "--app", str(assembly), folder=self.cdk.home.cdk)

    def data(self) -> set[str]:
        """Buckets, tables and usable keys, whoever made them."""
        buckets = [each["Name"] for each in boto3.client("s3").list_buckets()["Buckets"]]
        kms = boto3.client("kms")
        keys = [kms.describe_key(KeyId=each["KeyId"])["KeyMetadata"] for each in kms.list_keys()["Keys"]]
        usable = [each["Arn"] for each in keys if each["KeyState"] == "Enabled" and each["KeyManager"] == "CUSTOMER"]
        return {*buckets, *boto3.client("dynamodb").list_tables()["TableNames"], *usable}

    def stacks(self) -> dict[str, str]:
        """The status of every stack that was not deleted."""
        found = boto3.client("cloudformation").list_stacks()["StackSummaries"]
        return {each["StackName"]: each["StackStatus"] for each in found if each["StackStatus"] != "DELETE_COMPLETE"}


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    home = Home(tmp_path_factory.mktemp("account"))
    home.cdk.mkdir(parents=True)
    address = Address(process.choose_port(None, None), strict=False)
    server = process.start(home, address)
    patch = pytest.MonkeyPatch()
    for name, value in deploy.environment(home, address).items():
        if name.startswith("AWS_"):
            patch.setenv(name, value)
    patch.chdir(home.root)
    root = sources.project_root()
    made = Account(deploy.Cdk(home, root, node.find(root), address, print))
    try:
        deploy._bootstrap(made.cdk)
        yield made
    finally:
        process.stop(server)
        patch.undo()


def broken(assembly: Path, stack: str) -> Path:
    """The assembly with one more resource, made last, that cannot be made."""
    path = assembly / f"{stack}.template.json"
    template = json.loads(path.read_text())
    wrong = {"AliasName": "alias/aws/not-ours", "TargetKeyId": "nothing"}
    template["Resources"]["Last"] = {
        "Type": "AWS::KMS::Alias",
        "Properties": wrong,
        "DependsOn": sorted(template["Resources"]),
    }
    path.write_text(json.dumps(template))
    return assembly


def test_a_first_deployment_that_fails_leaves_no_data(account: Account) -> None:
    before = account.data()
    with pytest.raises(CloudFault, match="cdk deploy failed"):
        account.deploy_assembly(broken(account.synthesize("Failing"), "Failing"))
    assert account.stacks()["Failing"] == "ROLLBACK_COMPLETE"
    assert account.data() == before


def signs(path: Path, right: str, wrong: str) -> Path:
    """Two columns that tell the class, which is `right` where the first is the larger."""
    rows = [(number * 37 % 101, number * 61 % 89) for number in range(400)]
    path.write_text("a,b,sign\n" + "".join(f"{a},{b},{right if a > b else wrong}\n" for a, b in rows))
    return path


def taught(forge: Dropforge, path: Path) -> str:
    """The status of the run that learns from a file, and its end."""
    hurry(forge, MODEL)
    return str(forge.wait(forge.drop(path, model=MODEL, target="sign").run).status)


ROWS = [{"a": 90, "b": 3}, {"a": 2, "b": 80}]


def test_two_stacks_stand_side_by_side(account: Account, tmp_path: Path) -> None:
    first, second = account.deploy("First"), account.deploy("Second")
    account.kept["adopt"] = outputs("First")["Adopt"]
    assert not set(first.connection.outputs.values()) & set(second.connection.outputs.values())
    assert taught(first, signs(tmp_path / "first.csv", "plus", "minus")) == "promoted"
    assert second.models() == []
    assert taught(second, signs(tmp_path / "second.csv", "minus", "plus")) == "promoted"
    assert first.predict(MODEL, ROWS).predictions == ["plus", "minus"]
    assert second.predict(MODEL, ROWS).predictions == ["minus", "plus"]
    jobs = [forge.runs()[0].job for forge in (first, second)]
    assert [str(job).partition("-run-")[0] for job in jobs] == ["first", "second"]


def outputs(stack: str) -> dict[str, str]:
    (found,) = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    return {each["OutputKey"]: each["OutputValue"] for each in found["Outputs"]}


def test_destroying_one_leaves_its_data_and_the_other_as_they_are(account: Account) -> None:
    data, role = account.data(), boto3.client("apigateway").get_account()["cloudwatchRoleArn"]
    account.destroy("First")
    assert "First" not in account.stacks()
    assert account.data() == data
    policy = boto3.client("s3").get_bucket_policy(Bucket=account.kept["adopt"].split(",")[0].removeprefix("drop="))
    assert "aws:SecureTransport" in policy["Policy"]
    assert boto3.client("apigateway").get_account()["cloudwatchRoleArn"] == role
    assert boto3.client("iam").get_role(RoleName=role.rpartition("/")[2])
    assert Dropforge(stack="Second").predict(MODEL, ROWS).predictions == ["minus", "plus"]


def test_kept_data_are_gone_on_with(account: Account, tmp_path: Path) -> None:
    data = account.data()
    third = account.deploy("Third", adopt=account.kept["adopt"])
    assert account.data() == data, "it made data of its own"
    assert third.predict(MODEL, ROWS).predictions == ["plus", "minus"]
    (live,) = third.models()
    assert (live.model, len(third.runs())) == (MODEL, 1)
    assert taught(third, signs(tmp_path / "third.csv", "right", "left")) in ("promoted", "refused")
    assert len(third.runs()) == 2
    account.destroy("Third")
    assert account.data() == data
