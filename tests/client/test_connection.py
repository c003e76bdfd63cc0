"""Which cloud is meant: homes, endpoints, accounts, and the words when there is none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from dropforge.client import Connection, Fault
from tests.client.conftest import OUTPUTS, set_keys

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.client.server import ApiServer


def write_home(folder: Path, url: str, **changes: Any) -> Path:
    home = folder / ".dropforge"
    home.mkdir(parents=True, exist_ok=True)
    found = {
        "endpoint_url": url,
        "region": "us-east-1",
        "access_key": "test",
        "secret_key": "test",
        "ca_bundle": None,
        "api_url": f"{url}/_aws/execute-api/api1/live/",
        "outputs": OUTPUTS,
        "pid": os.getpid(),
        "port": 1,
    }
    (home / "connection.json").write_text(json.dumps({**found, **changes}))
    return home


def finished_process() -> int:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


@pytest.fixture
def home(api: ApiServer, tmp_path: Path) -> Path:
    """An embedded cloud that answers."""
    api.say("GET /_ministack/health", {"services": {}})
    return write_home(tmp_path, api.url)


def make_stack(
    outputs: dict[str, str], region: str = "eu-central-1", endpoint: str | None = None, stack: str = "Dropforge"
) -> None:
    template = {
        "Resources": {"Bucket": {"Type": "AWS::S3::Bucket"}},
        "Outputs": {name: {"Value": value} for name, value in outputs.items()},
    }
    client = boto3.client("cloudformation", region_name=region, endpoint_url=endpoint)
    client.create_stack(StackName=stack, TemplateBody=json.dumps(template))


def test_the_embedded_cloud_of_a_parent_folder_is_found(
    home: Path, tmp_path: Path, api: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / "notebooks" / "today"
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    found = Connection.load()
    assert (found.home, found.endpoint_url, found.outputs) == (home, api.url, OUTPUTS)
    assert found.api_url == f"{api.url}/_aws/execute-api/api1/live"
    assert found.where == f"the embedded cloud at {api.url}"


@pytest.mark.usefixtures("home")
def test_the_users_own_profile_has_no_say_in_the_embedded_cloud(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "else")
    found = Connection.load()
    keys = found.credentials()
    assert (keys.access_key, keys.secret_key) == ("test", "test")
    assert found.client("s3").meta.endpoint_url == found.endpoint_url


def test_a_home_can_be_named_by_argument_and_environment(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir("/")
    assert Connection.load(home).home == home
    monkeypatch.setenv("DROPFORGE_HOME", str(home))
    assert Connection.load().home == home
    with pytest.raises(Fault, match=r"elsewhere is not running: start it with `dropforge up`"):
        Connection.load(elsewhere)


@pytest.mark.parametrize("how", ["dead process", "silent server"])
def test_a_stopped_cloud_is_named_when_there_is_no_other(how: str, tmp_path: Path, api: ApiServer) -> None:
    if how == "dead process":
        api.say("GET /_ministack/health", {})  # another cloud has taken the port
        write_home(tmp_path, api.url, pid=finished_process())
    else:
        api.say("GET /_ministack/health", (500, {}))
        write_home(tmp_path, api.url)
    with pytest.raises(Fault, match="is not running: start it with `dropforge up`") as caught:
        Connection.load()
    assert caught.value.code == "not_running"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"endpoint_url": 1}', "\x00"])
def test_a_damaged_connection_file_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / ".dropforge").mkdir()
    (tmp_path / ".dropforge" / "connection.json").write_text(text)
    with pytest.raises(Fault, match="connection.json cannot be used.*dropforge up"):
        Connection.load()


def test_nothing_at_all_says_both_ways() -> None:
    with pytest.raises(Fault, match=r"dropforge up.*log in to AWS") as caught:
        Connection.load()
    assert caught.value.code == "no_cloud"


@pytest.mark.usefixtures("aws")
def test_the_stack_of_the_account_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    make_stack({**OUTPUTS, "ApiUrl": "https://api1.execute-api.eu-central-1.amazonaws.com/live/"})
    found = Connection.load()
    assert found.home is None
    assert found.api_url == "https://api1.execute-api.eu-central-1.amazonaws.com/live"
    assert found.outputs["DropBucket"] == "drops"
    assert found.where == "AWS in eu-central-1"


@pytest.mark.usefixtures("aws")
def test_one_of_several_stacks_is_chosen_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    for stack in ("Dropforge", "Dropforge-Two"):
        make_stack({**OUTPUTS, "DropBucket": f"drops-of-{stack.lower()}", "ApiUrl": "https://x/live/"}, stack=stack)
    assert Connection.load().outputs["DropBucket"] == "drops-of-dropforge"
    assert Connection.load(stack="Dropforge-Two").outputs["DropBucket"] == "drops-of-dropforge-two"
    monkeypatch.setenv("DROPFORGE_STACK", "Dropforge-Two")
    assert Connection.load().outputs["DropBucket"] == "drops-of-dropforge-two"
    with pytest.raises(Fault, match="no stack 'Three' in AWS in eu-central-1"):
        Connection.load(stack="Three")


@pytest.mark.usefixtures("home", "aws")
def test_a_region_that_is_asked_for_means_aws() -> None:
    make_stack({**OUTPUTS, "ApiUrl": "https://x/live/"})
    assert Connection.load(region="eu-central-1").home is None


@pytest.mark.usefixtures("aws")
def test_a_missing_stack_an_old_one_and_a_missing_region_are_told_apart(
    tmp_path: Path, api: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Fault, match="no AWS region: set AWS_REGION"):
        Connection.load()
    monkeypatch.setenv("AWS_REGION", "us-east-2")
    with pytest.raises(Fault, match="no stack 'Dropforge' in AWS in us-east-2: deploy it"):
        Connection.load()
    make_stack({"DropBucket": "drops"}, "us-east-2")
    with pytest.raises(Fault, match="has no output ArtifactBucket: deploy it again"):
        Connection.load()
    write_home(tmp_path, api.url, pid=finished_process())
    with pytest.raises(Fault, match="and the embedded cloud in .* is not running"):
        Connection.load()


def test_an_unknown_profile_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    with pytest.raises(Fault, match="profile .*nobody"):
        Connection.load(profile="nobody")


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A server that plays all services."""
    set_keys(monkeypatch)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def test_the_endpoint_of_the_environment_is_respected(
    endpoint: str, home: Path, api: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    make_stack({**OUTPUTS, "ApiUrl": "https://api1.execute-api.us-east-1.amazonaws.com/live/"}, "us-east-1", endpoint)
    found = Connection.load()
    assert found.home is None
    assert found.api_url == f"{endpoint}/_aws/execute-api/api1/live"
    client = found.client("s3")
    client.create_bucket(Bucket="drops")  # a bucket is a path there, not a host name
    assert [each["Name"] for each in client.list_buckets()["Buckets"]].count("drops") == 1
    monkeypatch.setenv("AWS_ENDPOINT_URL", api.url.replace("127.0.0.1", "localhost"))
    assert Connection.load().home == home  # the same server by another name
