"""What is answered with OK outlives a kill, and what the disk does not take is not answered with OK."""

from __future__ import annotations

import copy
import json
import os
import resource
import signal
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from dropforge.embedded import cloud as embedded
from dropforge.embedded import process
from dropforge.embedded.home import Home
from dropforge.embedded.journal import Journal
from dropforge.embedded.persistence import captured, let_records_change_while_copied
from dropforge.embedded.settings import ACCOUNT, Address
from tests.embedded.conftest import Cloud, eventually, free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MB = 1024 * 1024
NEVER = "3600"
"""Seconds between two saves, of a server that is to be killed between them."""


@pytest.fixture
def dropped_into(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """A cloud that saves at its end alone, with a bucket whose events start executions."""
    monkeypatch.setenv("DROPFORGE_SAVE_SECONDS", NEVER)
    with cloud_to_kill(tmp_path / "home") as cloud:
        yield cloud


@contextmanager
def cloud_to_kill(root: Path) -> Iterator[Cloud]:
    """A cloud with a bucket whose events start executions, all of which is saved before it is used."""
    home, address = Home(root), Address(free_port(), strict=False)
    home.root.mkdir()
    process.start(home, address)
    cloud = Cloud(home, address)
    make(cloud)
    stop(home)
    process.start(home, address)
    yield cloud
    stop(home)


def make(cloud: Cloud) -> None:
    s3, events = cloud.client("s3"), cloud.client("events")
    s3.create_bucket(Bucket="drop")
    s3.put_bucket_versioning(Bucket="drop", VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_notification_configuration(Bucket="drop", NotificationConfiguration={"EventBridgeConfiguration": {}})
    definition = {"StartAt": "Note", "States": {"Note": {"Type": "Pass", "End": True}}}
    role = f"arn:aws:iam::{ACCOUNT}:role/any"
    cloud.machine = cloud.client("stepfunctions").create_state_machine(
        name="note", definition=json.dumps(definition), roleArn=role
    )["stateMachineArn"]
    pattern = {"source": ["aws.s3"], "detail-type": ["Object Created"]}
    events.put_rule(Name="dropped", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="dropped", Targets=[{"Id": "note", "Arn": cloud.machine, "RoleArn": role}])


def stop(home: Home) -> None:
    if (server := process.find(home)) is not None:
        process.stop(server)


def kill(home: Home) -> None:
    server = process.find(home)
    assert server is not None
    os.kill(server.pid, signal.SIGKILL)
    eventually(lambda: process.find(home) is None)


def seen(cloud: Cloud) -> list[str]:
    """The versions that executions were started for."""
    states = cloud.client("stepfunctions")
    pages = states.get_paginator("list_executions").paginate(stateMachineArn=cloud.machine)
    found = [one for page in pages for one in page["executions"]]
    inputs = [states.describe_execution(executionArn=one["executionArn"])["input"] for one in found]
    return sorted(json.loads(text)["detail"]["object"]["version-id"] for text in inputs)


def test_no_accepted_drop_is_lost_in_a_kill(dropped_into: Cloud) -> None:
    """Nothing is saved between the answers and the kill, so the journal alone knows the drops."""
    s3, home = dropped_into.client("s3"), dropped_into.home
    versions = [s3.put_object(Bucket="drop", Key=f"{i % 3}.csv", Body=b"a\n1\n")["VersionId"] for i in range(12)]
    kill(home)
    process.start(home, dropped_into.address)
    eventually(lambda: seen(dropped_into) == sorted(versions))
    kept = [found["VersionId"] for found in s3.list_object_versions(Bucket="drop")["Versions"]]
    assert sorted(kept) == sorted(versions)


def test_a_delivered_drop_is_not_delivered_again(dropped_into: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    version = dropped_into.client("s3").put_object(Bucket="drop", Key="a.csv", Body=b"a\n")["VersionId"]
    eventually(lambda: seen(dropped_into) == [version])
    stop(dropped_into.home)
    assert dropped_into.home.journal.read_text() == ""
    monkeypatch.setenv("DROPFORGE_SAVE_SECONDS", "0.1")
    process.start(dropped_into.home, dropped_into.address)
    again = dropped_into.client("s3").put_object(Bucket="drop", Key="a.csv", Body=b"b\n")["VersionId"]
    eventually(lambda: dropped_into.home.journal.read_text() == "" and len(seen(dropped_into)) == 2)
    kill(dropped_into.home)
    process.start(dropped_into.home, dropped_into.address)
    assert seen(dropped_into) == sorted([version, again])


def test_a_write_that_fails_is_refused_and_leaves_no_trace(dropped_into: Cloud) -> None:
    """As on a full disk: the server may write no file above a megabyte, so the larger body fails halfway."""
    s3 = dropped_into.client("s3")
    first = s3.put_object(Bucket="drop", Key="a.csv", Body=b"first")["VersionId"]
    server = process.find(dropped_into.home)
    assert server is not None
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (MB, resource.RLIM_INFINITY))
    for key in ("a.csv", "new.csv"):
        with pytest.raises(ClientError, match="InsufficientStorage") as refused:
            s3.put_object(Bucket="drop", Key=key, Body=b"x" * 2 * MB)
        assert refused.value.response["ResponseMetadata"]["RetryAttempts"] == 0
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    for _ in range(2):
        assert s3.get_object(Bucket="drop", Key="a.csv")["Body"].read() == b"first"
        assert [found["VersionId"] for found in s3.list_object_versions(Bucket="drop")["Versions"]] == [first]
        assert seen(dropped_into) == [first]
        stop(dropped_into.home)
        process.start(dropped_into.home, dropped_into.address)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk takes root")
def test_a_full_disk_refuses_drops_and_goes_on_answering(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.system(f"mount -t tmpfs -o size=160m tmpfs {disk}"):
        pytest.skip("no small disk can be mounted here")
    home, address = Home(disk / "home"), Address(free_port(), strict=False)
    home.root.mkdir()
    try:
        process.start(home, address)
        cloud = Cloud(home, address)
        make(cloud)
        stop(home)
        process.start(home, address)
        s3 = cloud.client("s3")
        accepted = []
        with pytest.raises(ClientError, match="InsufficientStorage"):
            for number in range(40):
                s3.put_object(Bucket="drop", Key=f"{number}.csv", Body=os.urandom(5 * MB))
                accepted.append(f"{number}.csv")
        kill(home)
        process.start(home, address)
        assert sorted(found["Key"] for found in s3.list_objects_v2(Bucket="drop")["Contents"]) == sorted(accepted)
        eventually(lambda: len(seen(cloud)) == len(accepted))
        stop(home)
    finally:
        stop(home)
        os.system(f"umount {disk}")


def test_down_does_not_wait_for_a_training_job(own: Cloud, request_of: Callable[..., dict[str, Any]]) -> None:
    own.make()
    request = request_of("resist", StoppingCondition={"MaxRuntimeInSeconds": 30})
    own.start(request)
    pid = own.home.training / request["TrainingJobName"] / "output/data/pid"
    number = int(eventually(lambda: pid.exists() and pid.read_text()))
    began, lines = time.monotonic(), []
    assert embedded.down(own.home.root, lines.append)
    assert time.monotonic() - began < process.STOP_SECONDS / 2
    assert any("training job" in line for line in lines)
    eventually(lambda: not Path(f"/proc/{number}").exists())
    assert not own.home.training.exists()


def test_records_that_change_are_copied() -> None:
    """As they do while requests are served and the state is saved."""
    let_records_change_while_copied()
    records: dict[int, dict[str, Any]] = {number: {"value": [number]} for number in range(2000)}
    done = threading.Event()

    def change() -> None:
        number = 2000
        while not done.is_set():
            records[number] = {"value": [number]}
            del records[number - 2000]
            number += 1

    thread = threading.Thread(target=change)
    thread.start()
    try:
        for _ in range(10):
            copied = copy.deepcopy(records)
            assert all(entry["value"] == [number] for number, entry in copied.items())
    finally:
        done.set()
        thread.join()


def test_a_service_whose_records_change_is_captured_again() -> None:
    attempts = iter([True, True, False])

    def state() -> dict[str, int]:
        if next(attempts):
            raise RuntimeError("dictionary changed size during iteration")
        return {"a": 1}

    text = captured(state, "any")
    assert text is not None and json.loads(text)["payload"] == {"a": 1}


def test_half_a_line_in_the_journal_is_nobodys_drop(tmp_path: Path) -> None:
    file = tmp_path / "events.journal"
    [name] = Journal(file).add([{"key": "a"}])
    with file.open("a") as end:
        end.write('["half", {"key"')
    journal = Journal(file)
    assert journal.pending() == {name: {"key": "a"}}
    journal.add([{"key": "b"}])
    assert [event["key"] for event in Journal(file).pending().values()] == ["a", "b"]
