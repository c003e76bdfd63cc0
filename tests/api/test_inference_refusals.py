"""What the Open Inference Protocol refuses, with the statuses and the words of the simple API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.api.calls import infer, post
from tests.api.tensors import in_binary, output, tensors
from tests.serving.little import Little, little
from tests.steps.cloud import cloud_in_memory

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def made() -> Iterator[Little]:
    """One live model of three integer classes, which no test here changes."""
    with pytest.MonkeyPatch.context() as patch, cloud_in_memory(patch) as cloud:
        yield little("multiclass", cloud.serve("multiclass", "flowers"))


def changed(made: Little, column: str, **changes: Any) -> list[dict[str, Any]]:
    """Two rows, one tensor of them changed; None takes a field away."""
    found = tensors(made, 2)
    for at, each in enumerate(found):
        if each["name"] == column:
            found[at] = {key: value for key, value in {**each, **changes}.items() if value is not None}
    return found


@pytest.mark.parametrize(
    ("column", "changes", "status", "told"),
    [
        ("x2", {"data": [1, "tall"]}, 422, "rows[1].x2: expected a number or null, got 'tall'"),
        ("x2", {"data": [1, 1e39]}, 422, "rows[1].x2: expected a number within the range of float32"),
        ("x2", {"data": [True, False], "datatype": "BOOL"}, 422, "rows[0].x2: expected a number or null, got True"),
        ("x2", {"data": [[1], 2]}, 422, "inputs[2].data: expected all of its parts to be nested alike"),
        ("x2", {"data": [[[1]], [[2]]]}, 422, "rows[0].x2: expected a number or null, got a list"),
        ("x2", {"name": "x1"}, 422, "column 'x1': expected once"),
        ("x2", {"name": "size"}, 422, "x2: expected a value in every row"),
        ("colour", {"data": [{}, "red"]}, 422, "rows[0].colour: expected a text"),
        ("x2", {"shape": [3], "data": [1, 2, 3]}, 422, "inputs.x2.shape: expected [2] or [2, 1]"),
        ("x2", {"shape": [2, 2], "data": [1, 2, 3, 4]}, 422, "inputs.x2.shape: expected [2] or [2, 1]"),
        ("x2", {"shape": [2], "data": [1]}, 422, "inputs.x2.shape: expected 2 values for [2], got 1 values"),
        ("x2", {"shape": []}, 422, "inputs.x2.shape: expected 1 to 4 whole numbers"),
        ("x2", {"shape": [2, -1]}, 422, "inputs.x2.shape: expected 1 to 4 whole numbers"),
        ("x2", {"datatype": "FP8"}, 422, "inputs.x2.datatype: expected one of BOOL"),
        ("x2", {"datatype": 3}, 422, "inputs.x2.datatype: expected one of BOOL"),
        ("x2", {"data": None}, 400, "inputs[2].data: expected a list"),
        ("x2", {"name": 3}, 400, "inputs[2].name: expected a text"),
        ("x2", {"parameters": [3]}, 400, "inputs[2].parameters: expected an object"),
        ("x2", {"parameters": {"shared_memory_region": "a"}}, 422, "shared memory is not offered"),
        ("x2", {"parameters": {"binary_data_size": 16}}, 400, "expected 0 to the 0 bytes that are left for 'x2'"),
    ],
)
def test_a_wrong_tensor_is_named(made: Little, column: str, changes: Any, status: int, told: str) -> None:
    reply = infer({"inputs": changed(made, column, **changes)})
    assert reply.status == status and told in reply.body["error"], reply.body


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        (b"", 400, "empty"),
        (b"3", 400, "a number"),
        (b"[]", 400, "a list"),
        (b"{}", 400, "inputs: expected a list"),
        (b'{"inputs": []}', 400, "inputs: expected a list"),
        (b'{"inputs": [3]}', 400, "inputs[0]: expected a tensor"),
        (b'{"id": 3, "inputs": [{"name": "x0", "shape": [1], "datatype": "FP32", "data": [1]}]}', 400, "id:"),
        (b'{"inputs": [{"name": "x0", "shape": [0], "datatype": "FP32", "data": []}]}', 400, "at least one row"),
        (b'{"inputs": [{"name": "x0", "shape": [1], "datatype": "FP32", "data": [Infinity]}]}', 400, "expected JSON"),
        (b'{"inputs": ' + b"[" * 100_000, 400, "expected JSON"),
        (b"\xff", 400, "expected JSON"),
        (b'{"inputs": [], "inputs": [{"name": "x0"}]}', 400, "stands twice"),
        (b'{"inputs": [{"name": "x0", "shape": [1], "data": [1], "data": [2]}]}', 400, "stands twice"),
        (b'{"inputs": [{"name": "x0", "parameters": {"a": ":", "a": 1}}]}', 400, "stands twice"),
        (b" " * 6_000_001, 413, "expected at most 6000000 bytes"),
        (
            b'{"inputs": [{"name": "x0", "shape": [10001], "datatype": "FP32", "data": [' + b"1," * 10_000 + b"1]}]}",
            413,
            "expected at most 10000 rows",
        ),
    ],
)
def test_what_is_no_request(made: Little, body: bytes, status: int, told: str) -> None:  # noqa: ARG001
    reply = infer(body)
    assert reply.status == status and told in reply.body["error"], reply.body


@pytest.mark.parametrize(
    ("length", "told"),
    [("0", "1 to the body's"), ("-1", "1 to the body's"), ("x", "1 to the body's"), ("9" * 40, "1 to the body's"),
     ("²", "1 to the body's"), ("7", "expected JSON")],
)  # fmt: skip
def test_a_header_that_lies(made: Little, length: str, told: str) -> None:
    heads, blob = in_binary(tensors(made, 2))
    reply = infer({"inputs": heads}, blob=blob, **{"Inference-Header-Content-Length": length})
    assert reply.status == 400 and told in reply.body["error"]


def test_binary_that_is_cut_or_lies(made: Little) -> None:
    heads, blob = in_binary(tensors(made, 2))
    assert infer({"inputs": heads}, blob=blob).status == 200
    cut = infer({"inputs": heads}, blob=blob[:-1])
    assert (cut.status, "'colour'" in cut.body["error"]) == (400, True)
    longer = infer({"inputs": heads}, blob=blob + b"!")
    assert (longer.status, "to fill the" in longer.body["error"]) == (400, True)
    for size in ("1", -1, 1.5, True, 2**70):
        wrong = infer({"inputs": [{**heads[0], "parameters": {"binary_data_size": size}}, *heads[1:]]}, blob=blob)
        assert wrong.status == 400 and "inputs[0].parameters.binary_data_size" in wrong.body["error"]
    short = infer({"inputs": [{**heads[0], "shape": [3, 1]}, *heads[1:]]}, blob=blob)
    assert short.status == 422 and "inputs.x0.shape: expected 3 values" in short.body["error"]


@pytest.mark.parametrize(
    ("raw", "status", "told"),
    [
        (b"\xff\0\0\0", 400, "inputs.colour: element 0: expected 255 bytes, got 0"),
        (b"\x01\0", 400, "inputs.colour: element 0: expected the 4 bytes of its length, got 2"),
        (b"\x01\0\0\0a", 422, "inputs.colour.shape: expected 2 values for [2, 1], got 1 elements"),
        (b"\x01\0\0\0a\x02\0\0\0\xff\xfe", 422, "rows[1].colour: expected a text in UTF-8"),
        (b"\x01\0\0\0a\x01\0\0\0\0", 422, "rows[1].colour: expected a text of whole Unicode"),
    ],
)
def test_texts_in_binary_that_are_none(made: Little, raw: bytes, status: int, told: str) -> None:
    given = tensors(made, 2)
    head = {"name": "colour", "shape": [2, 1], "datatype": "BYTES", "parameters": {"binary_data_size": len(raw)}}
    reply = infer({"inputs": [*given[:4], head]}, blob=raw)
    assert reply.status == status and told in reply.body["error"], reply.body


def test_infinity_is_refused_and_nan_is_a_gap(made: Little) -> None:
    given = tensors(made, 2)
    heads, blob = in_binary(given)
    for datatype, width in (("FP64", 8), ("FP32", 4)):
        given[0] |= {"datatype": datatype, "data": [1.0, np.inf]}
        heads, blob = in_binary(given)
        reply = infer({"inputs": heads}, blob=blob)
        assert reply.status == 422 and "rows[1].x0: expected a number within" in reply.body["error"], width
    given[0]["data"] = [1.0, None]
    heads, blob = in_binary(given)
    missing = [{**row, "x0": value} for row, value in zip(made.rows(2), [1.0, None], strict=True)]
    assert output(infer({"inputs": heads}, blob=blob), "prediction") == post(missing).body["predictions"]


def test_unknown_encodings_are_refused_in_words(made: Little) -> None:
    reply = infer({"inputs": tensors(made, 1)}, **{"Content-Encoding": "br"})
    assert reply.status == 415 and "Content-Encoding" in reply.body["error"]
