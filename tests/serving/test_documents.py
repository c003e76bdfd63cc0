"""JSON read by orjson is what the standard library reads, and what it alone takes is taken."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropforge.inference.documents import read, write
from dropforge.inference.faults import InputFault
from dropforge.inference.protocols.refusals import refusal_of

TEXTS = st.text(st.sampled_from('ab:"\\{}[], é\ud800\u2028') | st.characters())
VALUES = st.none() | st.booleans() | st.integers(-(2**63) + 1, 2**63 - 1) | st.floats(allow_nan=False) | TEXTS
JSON = st.recursive(VALUES, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=30)


@given(JSON, st.booleans(), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_what_json_writes_is_read(value: Any, ascii_alone: bool, encoding: str) -> None:
    text = json.dumps(value, ensure_ascii=ascii_alone)
    body = text.encode(encoding, "surrogatepass")
    try:
        wanted = json.loads(body)
    except ValueError:  # half a surrogate pair that was not escaped
        with pytest.raises(InputFault):
            read(body)
        return
    if "Infinity" in text:
        return
    assert read(body) == wanted


@pytest.mark.parametrize(
    "body",
    [
        '{"a": 1, "a": 2}',
        '[{"a": 1, "b": ":", "a": 2}]',
        '[{"a": "\\u003a", "b": 1, "b": 2}]',
        '{"rows": [{"a:": 1, "a:": 1}]}',
        '[[{"a": {"b": 1, "b": 1}}]]',
    ],
)
@pytest.mark.parametrize("padding", [0, 5_000])
def test_a_key_that_stands_twice_is_found(body: str, padding: int) -> None:
    with pytest.raises(InputFault, match="stands twice in one object"):
        read((body + " " * padding).encode())


@pytest.mark.parametrize("body", ['{"at": "12:30", "b": 1}', '[{"a:": ":"}, {"\\u003a": 1}]'])
def test_colons_inside_texts_are_no_keys(body: str) -> None:
    assert read(body.encode()) == json.loads(body)


@pytest.mark.parametrize("body", [b"[Infinity]", b"[1,]", b"\xff", b'{"a":}', b"[" * 5_000, b"[" + b"9" * 5_000 + b"]"])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(InputFault) as caught:
        read(body)
    assert (refusal_of(caught.value).status, caught.value.code) == (400, "not_json")


def test_deep_nesting_is_a_fault_of_the_caller_or_a_value() -> None:
    for depth in (10, 500, 900, 1_100, 100_000):
        for opening, closing in ((b"[", b"]"), (b'{"a":', b"}")):
            try:
                read(opening * depth + b"1" + closing * depth)
            except InputFault as fault:
                assert fault.code == "not_json"


@given(JSON.filter(lambda value: "\ud800" not in str(value)))
def test_what_is_written_is_json(value: Any) -> None:
    try:
        text = json.dumps(value, allow_nan=False)
    except ValueError:
        return
    assert json.loads(write(value)) == json.loads(text)


def test_a_class_beyond_64_bits_is_written() -> None:
    assert json.loads(write({"predictions": [10**30], "share": 0.5})) == {"predictions": [10**30], "share": 0.5}
    assert math.isclose(read(b"[1e30]")[0], 1e30)
