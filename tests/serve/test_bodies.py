"""Bodies as clients really send them, and errors as they read them, in every protocol."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from typing import TYPE_CHECKING, Any

import pytest

from dropforge.inference.protocols.common import MOST_BYTES
from dropforge.serve.app import App
from dropforge.serve.routes import reply, routed
from dropforge.serve.sources import find
from dropforge.serve.store import Files
from tests.serve.conftest import place_run
from tests.serve.running import ask, running
from tests.serve.spoken import WAYS, instances, records, say, tensors_of
from tests.serving.little import little

if TYPE_CHECKING:
    from collections.abc import Iterator

PATHS = ("/models/flowers/predict", "/models/flowers/invocations", "/v2/models/flowers/infer")
ROWS = little("multiclass").rows(3)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return Files.of(find([str(place_run(tmp_path_factory.mktemp("serve"), "multiclass"))]))


@pytest.fixture(scope="module")
def port(files: Files) -> Iterator[int]:
    with running(App(files)) as found:
        yield found


def message_of(path: str, body: Any) -> str:
    """The message where the clients of the path's protocol look for it."""
    if path.startswith("/v2"):
        assert list(body) == ["error"]
        return str(body["error"])
    if "invocations" in path or path == "/ping":
        return str(body["message"])
    return str(body["error"]["message"])


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain;charset=UTF-8", ""])
@pytest.mark.parametrize("way", [records, instances])
def test_json_is_recognised_where_the_client_names_no_type(files: Files, way: Any, kind: str) -> None:
    path, headers, body = way(ROWS)
    assert say(files, path, headers | {"content-type": kind}, b"\n " + body) == say(files, path, headers, body)


def test_a_text_that_is_no_json_has_the_types_told(files: Files) -> None:
    said = say(files, PATHS[0], {"content-type": "text/plain"}, b"a,b\n1,2")
    assert said.status == 415 and "application/json, text/csv" in said.error


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("encoding", "encode"), [("gzip", gzip.compress), ("deflate", zlib.compress), ("identity", bytes)]
)
def test_compressed_bodies_have_the_answers_of_plain_ones(files: Files, way: Any, encoding: str, encode: Any) -> None:
    path, headers, body = way(ROWS)
    assert say(files, path, headers | {"content-encoding": encoding}, encode(body)) == say(files, path, headers, body)


def test_a_body_of_several_members_is_whole(files: Files) -> None:
    path, headers, body = records(ROWS)
    parts = gzip.compress(body[:20], mtime=0) + gzip.compress(body[20:])
    assert say(files, path, headers | {"content-encoding": "gzip"}, parts) == say(files, path, headers, body)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("encoding", "body", "status"),
    [
        ("gzip", gzip.compress(b" " * (MOST_BYTES + 1), mtime=0), 413),
        ("gzip", gzip.compress(b" " * 60_000_000, 1, mtime=0)[:100_000], 413),
        ("gzip", gzip.compress(b"[]" * 1_000, mtime=0)[:20], 400),
        ("gzip", b"[]", 400),
        ("br", b"[]", 415),
    ],
)
def test_bad_compressed_bodies_are_refused(files: Files, path: str, encoding: str, body: bytes, status: int) -> None:
    headers = {"content-encoding": encoding, "content-type": "application/json"}
    response = reply(routed("POST", path, headers, body), files)
    assert response.status == status and message_of(path, json.loads(response.body))


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("value", ["NaN", "null"])
def test_a_literal_nan_is_a_missing_value(files: Files, path: str, value: str) -> None:
    row = {**ROWS[0], "x0": "here"}
    bodies = {PATHS[0]: [row], PATHS[1]: {"instances": [list(row.values())]}, PATHS[2]: {"inputs": tensors_of([row])}}
    text = (
        json.dumps(bodies[path])
        .replace('"here"', value)
        .replace(
            '"name": "x0", "shape": [1, 1], "datatype": "BYTES"', '"name": "x0", "shape": [1, 1], "datatype": "FP64"'
        )
    )
    said = say(files, path, {"content-type": "application/json"}, text.encode())
    missing = say(files, *records([{**row, "x0": None}]))
    assert said.status == 200 and said.predictions == missing.predictions
    assert (
        say(files, path, {"content-type": "application/json"}, text.replace(value, "-Infinity").encode()).status == 400
    )


@pytest.mark.parametrize("kind", ["application/octet-stream", "image/png", "application/x-image"])
def test_bytes_to_a_model_of_a_table_are_told(files: Files, kind: str) -> None:
    for path in PATHS[:2]:
        said = say(files, path, {"content-type": kind}, b"4,north")
        assert said.status in (415,) and "model of a table" in said.error


def test_texts_in_base64_are_read(files: Files) -> None:
    plain, encoded = tensors_of(ROWS), tensors_of(ROWS)
    (colour,) = (each for each in encoded if each["name"] == "colour")
    colour["parameters"] = {"content_type": "base64"}
    colour["data"] = [value and base64.b64encode(value.encode()).decode() for value in colour["data"]]
    first, second = (say(files, PATHS[2], {}, json.dumps({"inputs": each}).encode()) for each in (plain, encoded))
    assert first == second and first.status == 200
    colour["data"][0] = "no base64!"
    said = say(files, PATHS[2], {}, json.dumps({"inputs": encoded}).encode())
    assert said.status == 422 and "rows[0].colour" in said.error


def test_the_outputs_of_the_metadata_are_those_that_are_answered(files: Files) -> None:
    metadata = json.loads(reply(routed("GET", "/v2/models/flowers", {}, b""), files).body)
    body = json.dumps({"inputs": tensors_of(ROWS)}).encode()
    answer = json.loads(reply(routed("POST", PATHS[2], {}, body), files).body)
    assert [each["name"] for each in answer["outputs"]] == [each["name"] for each in metadata["outputs"]]


@pytest.mark.parametrize("path", [*PATHS, "/endpoints/flowers/invocations", "/invocations"])
def test_server_errors_have_the_shape_of_the_protocol(port: int, path: str) -> None:
    large = ask(port, "POST", path, b"0" * (MOST_BYTES + 1), content_type="application/json")
    wrong = ask(port, "DELETE", path)
    absent = ask(port, "GET", path.replace("flowers", "flowers/none") if "flowers" in path else "/v2/none")
    for response, status in ((large, 413), (wrong, 405), (absent, 404)):
        assert response.status == status
        assert message_of("/v2" if absent is response and path == "/invocations" else path, response.body)
    assert "POST" in wrong.headers["allow"]


def test_a_fault_has_the_shape_of_the_protocol(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    import dropforge.serve.app as module

    def broken(*_: Any) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(module, "reply", broken)
    with running(App(files)) as port:
        for path in PATHS:
            response = ask(port, "POST", path, b"[]")
            assert response.status == 500 and "secret" not in message_of(path, response.body)
