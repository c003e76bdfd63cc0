"""Predict keeps what it answered, by a thread or as an extension of Lambda; an answer waits for neither."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from lambdas.api.predict import handler
from lambdas.api.predict.capturing import Capturing
from lambdas.api.predict.extension import API, Extension
from tests.api.calls import post
from tests.serving.little import Little, little

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.steps.cloud import Cloud

CALLER = {"requestContext": {"identity": {"userArn": "arn:aws:iam::123456789012:user/ann"}}}


@pytest.fixture
def made(cloud: Cloud, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Little:
    """A live model whose requests are captured."""
    monkeypatch.setenv("CAPTURES", "artifacts")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return little("binary", cloud.serve("binary", "flowers"))


def kept(cloud: Cloud) -> dict[str, list[dict[str, Any]]]:
    """The records of every object; an empty list for the end of a sandbox."""
    listed = cloud.s3.list_objects_v2(Bucket="artifacts", Prefix="captures/").get("Contents", [])
    bodies = {each["Key"]: cloud.s3.get_object(Bucket="artifacts", Key=each["Key"])["Body"].read() for each in listed}
    return {
        key: [json.loads(line) for line in gzip.decompress(body).splitlines()] if body else []
        for key, body in bodies.items()
    }


def test_answers_and_refusals_are_kept_in_the_bucket(cloud: Cloud, made: Little) -> None:
    ids = post(made.rows(2), **CALLER).body["ids"]
    assert post([{"nobody": 1}], **CALLER).status == 422
    assert post(made.rows(1), model="nobody").status == 404
    assert handler.models().capturing is not None
    handler.models().capturing.carrier.end()
    (key, records), (end, _) = sorted(kept(cloud).items(), key=lambda each: each[0].endswith(".end"))
    assert key.startswith("captures/flowers/1/") and key.endswith("-0000000001-0000000003.jsonl.gz")
    assert end.endswith("-0000000003.end")
    assert [each.get("id") for each in records] == [*ids, None]
    assert records[2]["code"] == "missing_column" and len({each["unit"] for each in records}) == 1
    (tag,) = cloud.s3.get_object_tagging(Bucket="artifacts", Key=key)["TagSet"]
    assert tag == {"Key": "dropforge-keep", "Value": "30d"}


def test_nothing_is_kept_where_the_stack_captures_nothing(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CAPTURES", raising=False)
    made = little("binary", cloud.serve("binary", "flowers"))
    assert post(made.rows(1)).status == 200
    assert handler.models().capturing is None and kept(cloud) == {}


class Lambda:
    """The Extensions API: each `next` is answered when the test begins a call."""

    def __init__(self) -> None:
        self.calls = threading.Semaphore(0)
        self.asked: list[str] = []
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self.listening.getsockname()[1]}"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self.listening.accept()
            except OSError:
                return
            with connection, connection.makefile("rwb") as wire:
                while line := wire.readline():
                    self.answer(line.decode().split(" ")[1], wire)

    def answer(self, path: str, wire: Any) -> None:
        length = 0
        while (header := wire.readline().strip().lower()) != b"":
            if header.startswith(b"content-length:"):
                length = int(header.split(b":")[1])
        wire.read(length)
        self.asked.append(path.rpartition("/")[2])
        if path.endswith("/next"):
            self.calls.acquire()
        wire.write(b"HTTP/1.1 200 OK\r\nLambda-Extension-Identifier: one\r\nContent-Length: 2\r\n\r\n{}")
        wire.flush()

    def next_is_asked(self, count: int, within: float = 5.0) -> bool:
        """Whether the extension has asked for so many events in time."""
        until = time.monotonic() + within
        while self.asked.count("next") < count:
            if time.monotonic() > until:
                return False
            time.sleep(0.002)
        return True


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lambda]:
    """A runtime that has the Extensions API."""
    api = Lambda()
    monkeypatch.setenv(API, api.host)
    yield api
    api.listening.close()


def test_an_extension_writes_after_the_answer_and_before_the_next_call(
    cloud: Cloud, made: Little, runtime: Lambda, monkeypatch: pytest.MonkeyPatch
) -> None:
    extension = Extension.registered()
    assert extension is not None and runtime.asked[0] == "register" and runtime.next_is_asked(1)
    monkeypatch.setattr(handler, "EXTENSION", extension)
    runtime.calls.release()
    assert post(made.rows(100), **CALLER).status == 200
    assert runtime.next_is_asked(2), "nothing was due when the call began: the next event is asked for at once"
    assert kept(cloud) == {}
    runtime.calls.release()
    assert not runtime.next_is_asked(3, within=0.2), "what is due waits for the answer of this call"
    assert kept(cloud) == {}
    assert post(made.rows(1), **CALLER).status == 200
    assert runtime.next_is_asked(3)
    assert [len(records) for records in kept(cloud).values()] == [101]
    assert post(made.rows(1), **CALLER).status == 200
    extension.end()
    assert sorted(len(records) for records in kept(cloud).values()) == [0, 1, 101]


def test_a_runtime_without_the_api_has_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    monkeypatch.setenv(API, f"127.0.0.1:{port}")
    assert Extension.registered() is None
    monkeypatch.delenv(API)
    assert Extension.registered() is None
    assert type(Capturing("artifacts", None).carrier).__name__ == "ThreadCarrier"
