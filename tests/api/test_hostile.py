"""Whatever the bytes of a request, a healthy model's API answers in its own shapes and never with a 5xx."""

from __future__ import annotations

import base64
import io
import json
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dropforge.contract.log import UNKNOWN_VALUES
from tests.api.calls import Reply, post
from tests.serving.little import little
from tests.steps.cloud import cloud_in_memory

if TYPE_CHECKING:
    from collections.abc import Iterator

COLUMNS = ("x0", "x1", "x2", "x3", "colour")
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.sampled_from(["red", "NA", 10**400])
)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
)
VALUES = st.one_of(SCALARS, st.floats(width=32, allow_nan=False, allow_infinity=False), JSON)
RECORD = st.fixed_dictionaries({name: VALUES for name in COLUMNS}, optional={"row": JSON, "other": SCALARS})
NUMBER = st.one_of(st.none(), st.floats(-3.4e38, 3.4e38), st.integers(-(10**39), 10**39))
LIKELY = st.fixed_dictionaries(
    {**dict.fromkeys(COLUMNS[:4], NUMBER), "colour": st.one_of(st.none(), st.text(max_size=8), st.integers())}
)
BODIES = st.one_of(
    JSON,
    st.lists(RECORD, max_size=3),
    st.lists(LIKELY, min_size=1, max_size=4),
    st.builds(lambda rows: {"rows": rows}, JSON),
    st.builds(lambda columns: {"columns": columns}, JSON),
    st.builds(
        lambda columns: {"columns": columns},
        st.fixed_dictionaries({name: st.lists(VALUES, min_size=1, max_size=2) for name in COLUMNS}),
    ),
)
CELL = st.one_of(st.text(max_size=6), st.floats().map(str), st.sampled_from(["", '"', "1,5", "$3", "\0", "\r", "40 %"]))
FEW = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def silent(body: Any, **more: Any) -> Reply:
    """The reply to a request that must leave no log line but a count, so no value of it can be in one."""
    with redirect_stdout(io.StringIO()) as out:
        reply = post(body, **more)
    counted = {"level": "warning", "event": UNKNOWN_VALUES, "function": "Predict", "model": "flowers", "version": "1"}
    for line in map(json.loads, out.getvalue().splitlines()):
        assert type(line.pop("values")) is int and line == counted
    return reply


@pytest.fixture(scope="module", autouse=True, params=["regression", "multiclass"])
def live(request: pytest.FixtureRequest) -> Iterator[None]:
    """A healthy live model."""
    with pytest.MonkeyPatch.context() as patch, cloud_in_memory(patch) as cloud:
        cloud.serve(request.param, "flowers")
        assert post(little(request.param).rows(3)).status == 200
        yield


@given(BODIES)
@FEW
def test_any_json(body: Any) -> None:
    assert silent(json.dumps(body)).status < 500


@given(st.lists(LIKELY, min_size=1, max_size=4))
@FEW
def test_rows_of_right_types_are_answered_or_named(rows: list[dict[str, Any]]) -> None:
    reply = silent(rows)
    assert reply.status == 200 or (reply.status == 422 and str(reply.field).startswith("rows["))


@given(st.lists(st.lists(CELL, min_size=5, max_size=5), max_size=3), st.sampled_from([",", ";", "\t"]))
@FEW
def test_any_csv(rows: list[list[str]], delimiter: str) -> None:
    text = "\n".join(delimiter.join(row) for row in [list(COLUMNS), *rows])
    assert silent(text, content_type="text/csv").status < 500


@given(st.binary(max_size=60) | st.text(max_size=40).map(lambda text: text.encode("utf-8", "surrogatepass")))
@FEW
def test_any_bytes(body: bytes) -> None:
    encoded = base64.b64encode(body).decode()
    for content_type in ("application/json", "text/csv"):
        assert silent(encoded, content_type=content_type, isBase64Encoded=True).status < 500


@given(st.text(max_size=40), st.text(max_size=20), st.booleans(), st.text(max_size=10))
@FEW
def test_any_event(body: str, content_type: str, encoded: bool, model: str) -> None:
    assert silent(body, content_type=content_type, isBase64Encoded=encoded).status < 500
    assert silent(body, model=model).status < 500
