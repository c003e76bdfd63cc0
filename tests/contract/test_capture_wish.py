"""`capture` of spec.yaml: what it may say, and what is said of a wrong wish."""

from __future__ import annotations

from typing import Any

import pytest

from dropforge.contract.spec import Spec, SpecFault


def test_a_wish_is_read_and_the_default_keeps_everything_for_a_month() -> None:
    assert (Spec.read({}).capture.rate, Spec.read({}).capture.days) == (1.0, 30)
    wish = Spec.read({"capture": {"rate": 0.1, "keep": "90d"}}).capture
    assert (wish.rate, wish.days) == (0.1, 90)
    assert Spec.read({"capture": {"rate": 0}}).capture.rate == 0


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"rte": 1}, "unknown name 'rte'; did you mean 'rate'"),
        ({"rate": 1.5}, "rate: expected a share from 0 .* got"),
        ({"rate": True}, "rate: expected a share"),
        ({"keep": "31d"}, "keep: expected one of 7d, 30d, 90d, 365d, got '31d'"),
        ("all", "expected a rate and how long"),
    ],
)
def test_a_wrong_wish_is_refused_with_what_was_expected(wish: Any, said: str) -> None:
    with pytest.raises(SpecFault, match=f"spec.yaml: capture: .*{said}"):
        Spec.read({"capture": wish})
