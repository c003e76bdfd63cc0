"""What `/invocations` refuses, with the statuses and the words of the simple API."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.api.calls import invoke
from tests.steps.cloud import cloud_in_memory

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module", autouse=True)
def live() -> Iterator[None]:
    """One live model of two classes, which no test here changes."""
    with pytest.MonkeyPatch.context() as patch, cloud_in_memory(patch) as cloud:
        cloud.serve("binary", "flowers")
        yield


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code", "field"),
    [
        ("", "text/csv", 400, "empty", None),
        ("1,2\n", "text/csv", 422, "ragged_row", "rows[0]"),
        ("1,2,3,4,red\n1,2\n", "text/csv", 422, "ragged_row", "rows[1]"),
        ("1,2,3,tall,red\n", "text/csv", 422, "wrong_type", "rows[0].x3"),
        ("x0,x1\n1,2\n", "text/csv", 422, "missing_column", "x2"),
        ("x0,x1,x2,x3,colour,size\n1,2,3,4,red,5\n", "text/csv", 422, "unknown_column", "size"),
        ("", "application/json", 400, "empty", None),
        ("3", "application/json", 400, "wrong_shape", "instances"),
        ('{"instances": 3}', "application/json", 400, "wrong_shape", "instances"),
        ('{"instances": []}', "application/json", 400, "empty", None),
        ('{"instances": [[1, 2]]}', "application/json", 422, "ragged_row", "rows[0]"),
        ('{"instances": [[1, 2, 3, 4, "red"], {}]}', "application/json", 422, "ragged_row", "rows[1]"),
        ('{"instances": [[1, 2, 3, "four", "red"]]}', "application/json", 422, "wrong_type", "rows[0].x3"),
        ('{"instances": [{"x0": 1}]}', "application/json", 422, "missing_column", "rows[0].x1"),
        ('{"instances": [[Infinity]]}', "application/json", 400, "not_json", None),
        ("[" * 10_000, "application/json", 400, "not_json", None),
        ("[1]\n[", "application/jsonlines", 400, "not_json", None),
        ("1", "application/x-recordio-protobuf", 415, "content_type", None),
    ],
)
def test_what_a_caller_gets_wrong(body: str, content_type: str, status: int, code: str, field: str | None) -> None:
    reply = invoke(body, content_type)
    assert (reply.status, reply.code, reply.field) == (status, code, field)
