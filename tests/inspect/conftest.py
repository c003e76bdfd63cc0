"""A cloud in memory with the two buckets and the registry, and a way to drop and claim an object in it."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from dropforge.contract.environment import variables
from dropforge.contract.registry import RunRow
from dropforge.contract.settings import InspectSettings
from lambdas.common import aws
from lambdas.common.registry import Registry
from lambdas.pipeline.inspect.handler import handle

if TYPE_CHECKING:
    from collections.abc import Iterator

GOLDEN = Path(__file__).parent / "golden"
SETTINGS = InspectSettings("registry", "artifacts", image="trainer:1", places="", most_cost="", prices="")


def golden(name: str) -> Any:
    """A golden document."""
    return json.loads((GOLDEN / name).read_text())


@dataclass(frozen=True)
class Cloud:
    """What a test does with the cloud."""

    s3: Any
    registry: Registry

    def put(self, key: str, body: str | bytes, **more: Any) -> str:
        """Drops an object; its version."""
        raw = body.encode() if isinstance(body, str) else body
        return str(self.s3.put_object(Bucket="drops", Key=key, Body=raw, **more)["VersionId"])

    def claim(self, key: str, version: str, size: int = 1) -> dict[str, Any]:
        """The row that Claim leaves, and the input of Inspect."""
        row = RunRow.from_json(golden("run-row.json"))
        self.registry.begin(dataclasses.replace(row, key=key, object_version=version, size=size), None)
        given: dict[str, Any] = golden("input.json")
        return given

    def inspect(self, key: str, body: str | bytes, **more: Any) -> dict[str, Any]:
        """Drops, claims, inspects."""
        version = self.put(key, body, **more)
        return handle(self.claim(key, version, len(body)), None)

    def read(self, key: str) -> bytes:
        """An object of the artifact bucket."""
        return bytes(self.s3.get_object(Bucket="artifacts", Key=key)["Body"].read())

    def tags(self, key: str) -> dict[str, str]:
        """The tags of an object of the artifact bucket."""
        return {tag["Key"]: tag["Value"] for tag in self.s3.get_object_tagging(Bucket="artifacts", Key=key)["TagSet"]}

    def keys(self) -> list[str]:
        """All keys of the artifact bucket."""
        return [item["Key"] for item in self.s3.list_objects_v2(Bucket="artifacts").get("Contents", [])]


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """An empty cloud; the functions' clients are made anew for it."""
    for name, value in {**variables(SETTINGS), "AWS_DEFAULT_REGION": "us-east-1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        for client in (aws.s3, aws.dynamodb):
            client.cache_clear()
        s3 = boto3.client("s3")
        for bucket in ("drops", "artifacts"):
            s3.create_bucket(Bucket=bucket)
        s3.put_bucket_versioning(Bucket="drops", VersioningConfiguration={"Status": "Enabled"})
        boto3.client("dynamodb").create_table(
            TableName="registry",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        )
        yield Cloud(s3, Registry("registry"))
    for client in (aws.s3, aws.dynamodb):
        client.cache_clear()


@pytest.fixture
def houses() -> str:
    """A small data set of houses; the price is known for all."""
    rows = [
        f"{20 + at * 37 % 101},{['Köln', 'Bonn'][at % 2]},{'yes' if at % 3 else ''},{at * 7 % 203 + 0.5}"
        for at in range(90)
    ]
    return "\n".join(["area,town,garden,price", *rows]) + "\n"
