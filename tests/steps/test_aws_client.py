"""The clients without boto3: signatures as botocore makes them, HTTP as servers speak it, and what goes wrong."""

from __future__ import annotations

import datetime
import json
import socket
import ssl
import subprocess
import threading
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from lambdas.common.aws_client import clients, connections, credentials
from lambdas.common.aws_client.connections import ConnectionFault, Host
from lambdas.common.aws_client.signing import Keys, Scope, signed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.steps.cloud import Cloud

AT = 1_790_000_000.0
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize("token", ["", "a-session/token+="])
@pytest.mark.parametrize(
    ("service", "method", "target", "body"),
    [
        ("s3", "GET", "/bucket/runs/run-1/model.onnx", b""),
        ("s3", "GET", "/odd%20name/%C3%A4.onnx", b""),
        ("dynamodb", "POST", "/", b'{"TableName": "registry"}'),
    ],
)
def test_signatures_are_those_of_botocore(
    service: str, method: str, target: str, body: bytes, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"Host": "aws.example:8080", "X-Amz-Target": "DynamoDB_20120810.GetItem"}
    ours = signed(method, target, given, body, Keys("AKID", "secret", token), Scope("eu-west-1", service), AT)
    when = datetime.datetime.fromtimestamp(AT, datetime.UTC)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda **_: when.replace(tzinfo=None))
    request = AWSRequest(method, f"https://aws.example:8080{target}", headers=given, data=body)
    auth = S3SigV4Auth if service == "s3" else SigV4Auth
    auth(Credentials("AKID", "secret", token or None), service, "eu-west-1").add_auth(request)
    assert ours["Authorization"] == request.headers["Authorization"]
    assert ours.get("X-Amz-Content-SHA256", EMPTY_SHA256) == EMPTY_SHA256


@contextmanager
def speaking(*answers: bytes, tls: ssl.SSLContext | None = None) -> Iterator[tuple[str, list[bytes]]]:
    """A server that gives each connection the next of these answers, then closes it; its URL and what it was sent."""
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            for answer in answers:
                try:
                    raw, _ = listening.accept()
                    with tls.wrap_socket(raw, server_side=True) if tls else raw as connection:
                        asked.append(connection.recv(65_536))
                        connection.sendall(answer)
                except OSError:
                    return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"{'https' if tls else 'http'}://127.0.0.1:{listening.getsockname()[1]}", asked
    thread.join(5)


def get(url: str) -> bytes:
    with closing(Host(url)) as host:
        return host.send("GET", "/", {"Host": "x"}).body


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (OK, b"hi"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n10\r\n" + b"d" * 16
         + b"\r\n0\r\nTrailer: x\r\n\r\n", b"abc" + b"d" * 16),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.0 200 \r\nCONTENT-LENGTH:1\r\n\r\nx", b"x"),
    ],
)  # fmt: skip
def test_answers_of_every_framing(answer: bytes, body: bytes) -> None:
    with speaking(answer) as (url, _):
        assert get(url) == body


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"", "closed amid"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "expected the status line"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", "expected 5 bytes, got 3"),
        (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 101 + b"\r\n", "at most 100 headers"),
        (b"HTTP/1.1 200 OK\r\nA: " + b"b" * 70_000, "closed amid"),
    ],
)
def test_what_is_no_answer_is_a_fault(answer: bytes, said: str) -> None:
    with speaking(answer) as (url, _), pytest.raises(ConnectionFault, match=said):
        get(url)


def test_a_connection_that_was_closed_meanwhile_is_made_anew() -> None:
    with speaking(OK, OK) as (url, asked), closing(Host(url)) as host:
        assert host.send("GET", "/1", {"Host": "x"}).body == host.send("GET", "/2", {"Host": "x"}).body == b"hi"
        assert [each.split()[1] for each in asked] == [b"/1", b"/2"]


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Key and certificate of 127.0.0.1, signed by nobody."""
    made = tmp_path / "server.pem"
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=here"]
    words += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(tmp_path / "key.pem"), "-out", str(made)]
    subprocess.run(words, check=True, capture_output=True)
    return made


def test_tls_wants_a_certificate_that_is_trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, certificate.with_name("key.pem"))
    monkeypatch.setattr(connections, "_trusted", [])
    with speaking(OK, tls=server) as (url, _), pytest.raises(ConnectionFault, match="certificate verify failed"):
        get(url)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
    monkeypatch.setattr(connections, "_trusted", [])
    with speaking(OK, tls=server) as (url, _):
        assert get(url) == b"hi"


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A function's environment with no endpoint, keys of nobody, and no waits."""
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ACCESS_KEY_ID", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    return monkeypatch


def with_keys(environment: pytest.MonkeyPatch, url: str) -> None:
    for name, value in (("ACCESS_KEY_ID", "AKID"), ("SECRET_ACCESS_KEY", "s"), ("ENDPOINT_URL", url)):
        environment.setenv(f"AWS_{name}", value)


@pytest.mark.parametrize(
    ("region", "bucket", "url", "path"),
    [
        ("us-east-1", "plain", "https://plain.s3.us-east-1.amazonaws.com", "/a%20b"),
        ("cn-north-1", "plain", "https://plain.s3.cn-north-1.amazonaws.com.cn", "/a%20b"),
        ("eu-west-1", "with.dots", "https://s3.eu-west-1.amazonaws.com", "/with.dots/a%20b"),
    ],
)
def test_where_an_object_is_asked_for(
    environment: pytest.MonkeyPatch, region: str, bucket: str, url: str, path: str
) -> None:
    asked = []
    environment.setenv("AWS_REGION", region)
    environment.setattr(clients, "_send", lambda *given: asked.append(given) or connections.Response(200, {}, b""))
    clients.S3().get_object(Bucket=bucket, Key="a b")
    assert asked == [("s3", "GET", url, path, {})]


BUSY = b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def test_what_passes_is_tried_again_and_what_stays_is_told(environment: pytest.MonkeyPatch) -> None:
    with speaking(BUSY, b"", OK) as (url, asked):
        with_keys(environment, url)
        assert clients.S3().get_object(Bucket="b", Key="k")["Body"].read() == b"hi"
        assert len(asked) == 3
        clients.host(url).close()
    with speaking(BUSY, BUSY, BUSY, OK) as (url, _):
        with_keys(environment, url)
        with pytest.raises(clients.ServiceFault, match="503: GET http.*/b/k: status 503"):
            clients.S3().get_object(Bucket="b", Key="k")


def test_faults_have_the_service_s_own_words(cloud: Cloud) -> None:
    with pytest.raises(clients.ServiceFault) as missing:
        clients.S3().get_object(Bucket="artifacts", Key="none")
    assert missing.value.code == "NoSuchKey"
    with pytest.raises(clients.ServiceFault) as absent:
        clients.DynamoDB().get_item(TableName="none", Key={"pk": {"S": "a"}, "sk": {"S": "b"}})
    assert absent.value.code == "ResourceNotFoundException"
    assert cloud.registry.live("flowers") is None


def test_rows_are_read_as_boto3_reads_them(cloud: Cloud) -> None:
    cloud.serve("regression", "flowers")
    item = boto3.client("dynamodb").get_item(
        TableName="registry", Key={"pk": {"S": "MODEL#flowers"}, "sk": {"S": "LIVE"}}
    )["Item"]
    found = clients.DynamoDB().get_item(TableName="registry", Key={"pk": {"S": "MODEL#flowers"}, "sk": {"S": "LIVE"}})
    assert found["Item"] == item


def container(keys: dict[str, Any]) -> bytes:
    body = json.dumps(keys).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def test_under_snapstart_keys_come_from_the_endpoint_and_are_renewed(environment: pytest.MonkeyPatch) -> None:
    given = {"AccessKeyId": "one", "SecretAccessKey": "s", "Token": "t", "Expiration": "2026-01-01T00:00:00Z"}
    later = {**given, "AccessKeyId": "two", "Expiration": "2100-01-01T00:00:00Z"}
    environment.setattr(credentials, "_cached", {})
    with speaking(container(given), container(later)) as (url, asked):
        environment.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{url}/role?x=1")
        environment.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "pass")
        assert [credentials.keys().access for _ in range(3)] == ["one", "two", "two"]
    assert asked[0].startswith(b"GET /role?x=1 HTTP/1.1") and b"Authorization: pass" in asked[0]
    with speaking(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n") as (url, _):
        environment.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url)
        with pytest.raises(ConnectionFault, match="got status 403"):
            credentials.keys()


def test_without_keys_or_region_it_is_said(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", raising=False)
    with pytest.raises(ConnectionFault, match="expected AWS_ACCESS_KEY_ID"):
        credentials.keys()
    environment.delenv("AWS_REGION")
    with pytest.raises(ConnectionFault, match="expected AWS_REGION"):
        clients.region()
