"""A clean environment, an API on this machine, and AWS in memory."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from dropforge.client import Connection, Dropforge
from tests.client.server import ApiServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OUTPUTS = {"DropBucket": "drops", "ArtifactBucket": "artifacts", "ApiId": "api1", "StateMachineArn": "arn:machine"}
KEYS = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION", "DROPFORGE_HOME")


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An empty folder, nobody's credentials, nobody's profile."""
    for name in (*KEYS, "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "no-such-file"))
    monkeypatch.chdir(tmp_path)


def set_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials of an account."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret")


@pytest.fixture
def api() -> Iterator[ApiServer]:
    with ApiServer() as server:
        yield server


@pytest.fixture
def connection(api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> Connection:
    """A stack in AWS whose API is on this machine."""
    set_keys(monkeypatch)
    url = f"{api.url}/live"
    return Connection("eu-central-1", {**OUTPUTS, "ApiUrl": url}, url)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """AWS in memory."""
    set_keys(monkeypatch)
    with mock_aws():
        yield


@pytest.fixture
def bucket(request: pytest.FixtureRequest) -> Iterator[Any]:
    """The drop bucket in AWS in memory."""
    request.getfixturevalue("aws")
    client = boto3.client("s3", region_name="eu-central-1")
    client.create_bucket(Bucket="drops", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    client.put_bucket_versioning(Bucket="drops", VersioningConfiguration={"Status": "Enabled"})
    yield client


@pytest.fixture
def forge(api: ApiServer, tmp_path: Path) -> Dropforge:
    """The SDK, on an embedded cloud whose API and S3 are the test's server."""
    home = tmp_path / ".dropforge"
    home.mkdir()
    found = {"endpoint_url": api.url, "region": "us-east-1", "access_key": "test", "secret_key": "test"}
    found |= {"ca_bundle": None, "api_url": f"{api.url}/api", "outputs": OUTPUTS, "pid": os.getpid()}
    (home / "connection.json").write_text(json.dumps(found))
    api.say("GET /_ministack/health", {})
    return Dropforge()
