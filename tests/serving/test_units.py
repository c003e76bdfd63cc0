"""Where the unit of a request stands in its body, and what is done with one that does not say it."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from dropforge.inference.http import Request
from dropforge.inference.protocols.units import unit_of


def asked(body: bytes, **headers: str) -> Request:
    return Request("POST", "/models/{model}/predict", {"model": "flowers"}, {}, headers, body, "arn:ann")


TENSORS = {"inputs": [{"name": "x0", "data": [1.5]}, {"name": "customer", "shape": [2, 1], "data": [["ann"], ["bob"]]}]}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"x0,customer\n1,ann\n2,bob\n", "text/csv"),
        (json.dumps(TENSORS).encode(), "application/json"),
        (json.dumps([{"customer": "ann"}]).encode(), ""),
    ],
    ids=["csv", "tensors", "untyped"],
)
def test_the_first_row_names_the_unit(body: bytes, kind: str) -> None:
    assert unit_of(asked(body, **{"content-type": kind}), "customer") == "ann"
    packed = {"content-type": kind, "content-encoding": "gzip"}
    assert unit_of(asked(gzip.compress(body), **packed), "customer") == "ann"


@pytest.mark.parametrize("value", [None, [], {}, [[]], {"rows": []}, {"inputs": [{}]}, {"columns": {"customer": []}}])
def test_a_request_that_does_not_say_it_is_of_the_unit_of_all_such(value: Any) -> None:
    assert unit_of(asked(json.dumps(value).encode()), "customer") == ""
    assert unit_of(asked(b"\xff\x00"), "customer") == ""
    assert unit_of(asked(b""), "header:x-customer") == ""
