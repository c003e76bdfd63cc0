"""`dropforge serve` as a process: the answers of AWS, reload, an orderly stop, readable refusals."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from dropforge.serve.pace import GUESS, PATIENCE
from dropforge.serve.server import bound
from lambdas.api.predict import handler
from tests.api.calls import proxy
from tests.serve.conftest import ROOT, Server, place_run, serving, until
from tests.serving.little import little

if TYPE_CHECKING:
    from pathlib import Path

    from tests.steps.cloud import Cloud

OF_THE_SERVER = ("version", "ids")
"""What differs from AWS: there a registry counts the versions, and ids are random."""


def answers(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in OF_THE_SERVER}


@pytest.mark.parametrize(("model", "task"), [("flowers", "multiclass"), ("houses", "regression")])
def test_the_same_answers_as_on_aws(cloud: Cloud, server: Server, model: str, task: str) -> None:
    cloud.serve(task, model)
    rows = little(task).rows(20)
    event = proxy("POST", "/models/{model}/predict", {"model": model}) | {"body": json.dumps(rows)}
    on_aws = json.loads(handler.handle(event, None)["body"])
    reply = server.predict(model, rows)
    assert reply.status == 200
    assert answers(reply.body) == answers(on_aws)
    assert reply.headers["content-type"] == "application/json"


def test_large_bodies_have_the_same_answers_as_small_ones(server: Server) -> None:
    rows = little("multiclass").rows(100) * 15
    assert len(json.dumps(rows)) * GUESS > PATIENCE, "the first one is answered in a thread"
    assert server.predict("flowers", rows).body["predictions"] == (
        server.predict("flowers", rows[:100]).body["predictions"] * 15
    )


def test_csv_over_a_percent_encoded_path(server: Server) -> None:
    row = little("multiclass").row(0)
    text = ",".join(row) + "\n" + ",".join("" if value is None else str(value) for value in row.values())
    reply = server.ask("POST", "/models/%66lowers/predict?x=1", text.encode(), content_type="text/csv")
    assert reply.body["predictions"] == server.predict("flowers", [row]).body["predictions"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("POST", "/models/flowers/predict", b"[{}]", 422, "missing_column"),
        ("POST", "/models/flowers/predict", b"no json", 400, "not_json"),
        ("POST", "/models/flowers/predict", b"\xff\xfe{", 400, "not_json"),
        ("POST", "/models/none/predict", b"[]", 404, "no_such_model"),
        ("POST", "/models/a%2Fb%00/predict", b"[]", 404, "no_such_model"),
        ("GET", "/models/flowers/predict", None, 405, "method"),
        ("DELETE", "/models", None, 405, "method"),
        ("GET", "/models/none", None, 404, "not_found"),
        ("GET", "/runs", None, 404, "not_found"),
        ("GET", "/models/flowers/nothing", None, 404, "not_found"),
        ("POST", "/models/flowers/predict", b"0" * 6_000_001, 413, "too_large"),
    ],
)
def test_refusals(server: Server, method: str, path: str, body: bytes | None, status: int, code: str) -> None:
    reply = server.ask(method, path, body)
    assert (reply.status, reply.body["error"]["code"]) == (status, code)
    assert ("allow" in reply.headers) == (status == 405)


def test_a_body_without_a_length_is_bounded_too(server: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.putrequest("POST", "/models/flowers/predict")
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()
    part = b"10000\r\n" + b"0" * 0x10000 + b"\r\n"
    sent = 0
    try:
        for _ in range(2000):  # 131 MB: the server must have stopped reading long before
            connection.sock.sendall(part)
            sent += len(part)
    except OSError:
        pass
    connection.close()
    assert sent < 60_000_000
    assert server.ask("GET", "/ping").status == 200


@pytest.mark.parametrize(
    ("path", "said"), [("/ping", {}), ("/v2/health/live", {"live": True}), ("/v2/health/ready", {"ready": True})]
)
def test_health(server: Server, path: str, said: dict[str, bool]) -> None:
    assert server.ask("GET", path).body == said
    head = server.ask("HEAD", path)
    assert (head.status, head.body) == (200, None)


def test_what_is_served_is_as_the_document_says(server: Server) -> None:
    document = server.ask("GET", "/openapi.json").body
    validate(document)
    known = Registry().with_resource("urn:api", Resource(document, DRAFT202012))
    page = server.ask("GET", "/models/houses")
    asked = {
        "Models": server.ask("GET", "/models"),
        "Model": page,
        "Predictions": server.predict("houses", little("regression").rows(2)),
        "Error": server.ask("GET", "/models/none"),
    }
    for name, reply in asked.items():
        Draft202012Validator({"$ref": f"urn:api#/components/schemas/{name}"}, registry=known).validate(reply.body)
    assert [line["model"] for line in asked["Models"].body["models"]] == ["flowers", "houses"]
    assert page.body["card"]["columns"][0] == {
        "name": "x0", "kind": "number", "dates": None, "numbers": None, "missing": [], "width": 0, "double": False,
        "prefix": 0,
    }  # fmt: skip


def test_a_changed_file_is_served_anew_and_a_broken_one_is_not(tmp_path: Path) -> None:
    folder = place_run(tmp_path / "run", "multiclass")
    with serving(folder) as running:
        first = running.ask("GET", "/models/flowers").body
        place_run(folder, "multiclass", "run-fedcba9876543210")
        until(lambda: running.ask("GET", "/models/flowers").body["run"] == "run-fedcba9876543210")
        second = running.ask("GET", "/models/flowers").body
        assert second["version"] != first["version"]
        (folder / "model.onnx").write_bytes(b"no model")
        until(lambda: "rejected new file" in told(running))
        assert running.predict("flowers", little("multiclass").rows(1)).body["version"] == second["version"]


def told(running: Server) -> str:
    """The log, after a request that makes the server look at its files."""
    running.ask("GET", "/models")
    return running.log.read_text()


def test_a_stop_lets_the_request_under_way_end(tmp_path: Path) -> None:
    body = json.dumps(little("multiclass").rows(100)).encode()
    head = f"POST /models/flowers/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
    with serving(place_run(tmp_path, "multiclass")) as running:
        with socket.create_connection(("127.0.0.1", running.port), timeout=30) as asking:
            asking.sendall(f"{head}Expect: 100-continue\r\n\r\n".encode())
            assert asking.recv(100).startswith(b"HTTP/1.1 100")  # the server now waits for the body
            running.process.send_signal(signal.SIGTERM)
            until(lambda: not listens(running.port))
            asking.sendall(body)
            assert asking.recv(100).startswith(b"HTTP/1.1 200")
        assert running.process.wait(30) == 0


def listens(port: int) -> bool:
    """Whether somebody takes connections to the port."""
    with socket.socket() as trying:
        return trying.connect_ex(("127.0.0.1", port)) == 0


def test_several_workers_share_the_port_and_stop(tmp_path: Path) -> None:
    with serving(place_run(tmp_path, "multiclass"), "--workers", "2") as running:
        assert running.predict("flowers", little("multiclass").rows(3)).status == 200
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(60) == 0


def test_an_event_loop_sees_that_the_socket_is_tcp() -> None:
    with bound("127.0.0.1", 0) as listening:  # else asyncio leaves Nagle's delay on: 44 ms an answer
        assert listening.proto == socket.IPPROTO_TCP


def test_a_taken_port_and_the_module_alone(tmp_path: Path) -> None:
    folder = place_run(tmp_path, "multiclass")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        words = [sys.executable, "-m", "dropforge.serve", str(folder), "--port", str(taken.getsockname()[1])]
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert "is taken: choose another with --port" in done.stderr


def test_the_server_needs_no_package_of_cloud_or_training(tmp_path: Path) -> None:
    folder = place_run(tmp_path, "multiclass")
    rows = json.dumps(little("multiclass").rows(1)).encode()
    code = f"""
import sys
for name in ("boto3", "botocore", "torch", "polars", "typer", "rich", "onnx", "sklearn", "yaml"):
    sys.modules[name] = None
from dropforge.serve.routes import reply, routed
from dropforge.serve.server import loaded
files = loaded([{str(folder)!r}], None).files
assert reply(routed("GET", "/openapi.json", {{}}, b""), files).status == 200
print(reply(routed("POST", "/models/flowers/predict", {{}}, {rows!r}), files).status)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "200", done.stderr
