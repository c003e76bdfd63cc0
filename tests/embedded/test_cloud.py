"""`up`, `down` and `status` with the real CDK CLI and a stack of one queue, whose assembly needs no synthesis."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from dropforge.embedded import cloud, node, process, sources
from dropforge.embedded.fault import CloudFault
from dropforge.embedded.home import Home, read_json
from dropforge.embedded.settings import Address

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

APP = """
import json, os, pathlib
out = pathlib.Path(os.environ["CDK_OUTDIR"])
text = pathlib.Path("cdk_app/name.txt").read_text().strip()
template = {
    "Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": text}}},
    "Outputs": {
        "ApiUrl": {"Value": "https://abc.execute-api.us-east-1.amazonaws.com/v1/"},
        "ApiId": {"Value": "abc"},
        "Queue": {"Value": {"Ref": "Queue"}},
    },
}
(out / "Dropforge.template.json").write_text(json.dumps(template))
stack = {
    "type": "aws:cloudformation:stack",
    "environment": "aws://000000000000/us-east-1",
    "properties": {"templateFile": "Dropforge.template.json"},
}
(out / "manifest.json").write_text(json.dumps({"version": "36.0.0", "artifacts": {"Dropforge": stack}}))
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with the CDK CLI of this one."""
    root = tmp_path / "project"
    (root / "cdk_app").mkdir(parents=True)
    (root / "cdk_app/name.txt").write_text("first")
    (root / "app.py").write_text(APP)
    (root / "cdk.json").write_text(json.dumps({"app": "python3 app.py"}))
    (root / "node_modules").symlink_to(sources.project_root() / "node_modules")
    monkeypatch.setattr(sources, "project_root", lambda: root)
    return root


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "home"
    cloud.down(tmp_path / "home")


def queues(connection: dict[str, Any]) -> list[str]:
    client = boto3.client(
        "sqs",
        endpoint_url=connection["endpoint_url"],
        region_name=connection["region"],
        aws_access_key_id=connection["access_key"],
        aws_secret_access_key=connection["secret_key"],
        verify=connection["ca_bundle"],
    )
    return [url.rpartition("/")[2] for url in client.list_queues().get("QueueUrls", [])]


@pytest.mark.parametrize("strict", [False, True], ids=["plain", "strict"])
def test_the_life_of_a_cloud(project: Path, home: Path, strict: bool) -> None:
    said: list[str] = []
    first = cloud.up(home=home, port=0, strict=strict, report=said.append)
    assert queues(first) == ["first"]
    assert first["api_url"] == f"{first['endpoint_url']}/_aws/execute-api/abc/v1"
    assert read_json(Home(home).connection) == first
    assert Home(home).connection.stat().st_mode & 0o077 == 0
    now = cloud.status(home)
    assert (now.running, now.healthy, now.deployed, now.current, now.strict) == (True, True, True, True, strict)

    again = cloud.up(home=home, port=None, strict=strict, report=said.append)
    assert again == first
    assert "the deployed stack is up to date" in said

    (project / "cdk_app/name.txt").write_text("second")
    assert not cloud.status(home).current
    assert queues(cloud.up(home=home, port=0, strict=strict, report=said.append)) == ["second"]

    assert cloud.down(home)
    assert not cloud.status(home).running
    assert not cloud.down(home)
    back = cloud.up(home=home, port=0, strict=strict, report=said.append)
    assert back["port"] == first["port"]
    assert queues(back) == ["second"]


def test_a_failing_deployment_is_one_line_and_leaves_nothing_running(project: Path, home: Path) -> None:
    (project / "app.py").write_text("raise SystemExit('error: the app is broken')")
    with pytest.raises(CloudFault, match="cdk synth failed: error: the app is broken"):
        cloud.up(home=home, port=0, report=lambda _: None)
    assert not cloud.status(home).running


def test_another_wish_for_a_running_cloud_is_refused(project: Path, home: Path) -> None:
    del project
    home.mkdir()
    process.start(Home(home), Address(process.choose_port(0, None), strict=False))
    with pytest.raises(CloudFault, match="plain mode, expected strict"):
        cloud.up(home=home, port=0, strict=True, report=lambda _: None)
    with pytest.raises(CloudFault, match="expected 1:"):
        cloud.up(home=home, port=1, report=lambda _: None)


def test_nothing_is_known_of_a_home_that_is_not_there(home: Path) -> None:
    found = cloud.status(home)
    assert (found.running, found.deployed, found.port) == (False, False, None)
    assert not home.exists()


def test_a_missing_node_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CloudFault, match="Node 20 or newer is needed for the CDK CLI, none found"):
        node.find(tmp_path)


def test_an_old_node_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "node").write_text("#!/bin/sh\necho v18.19.0\n")
    (tmp_path / "node").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CloudFault, match=r"is v18\.19\.0"):
        node.find(tmp_path)


def test_a_missing_cdk_says_what_to_run(tmp_path: Path) -> None:
    assert shutil.which("node")
    with pytest.raises(CloudFault, match="run `make setup`"):
        node.find(tmp_path)


def test_the_digest_sees_sources_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "training_container/__pycache__").mkdir(parents=True)
    (tmp_path / "training_container/trainer.py").write_text("1")
    before = sources.trainer_image(tmp_path)
    (tmp_path / "training_container/__pycache__/trainer.pyc").write_text("x")
    assert sources.trainer_image(tmp_path) == before
    (tmp_path / "training_container/trainer.py").write_text("2")
    assert sources.trainer_image(tmp_path) != before
