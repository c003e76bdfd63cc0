"""Numbers that float32 cannot tell apart stay float64; all others are float32, as models read them."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from dropforge.contract.spec import Spec
from dropforge.datasets.dataset import Options
from dropforge.datasets.prepare import prepare_table
from dropforge.datasets.typed import LOOKED_AT, needs_double, typed

DRAW = np.random.default_rng(0)
NORMAL = DRAW.normal(size=500)

FAR = {
    "a frequency in hertz": 2.4e9 + 40 * NORMAL,
    "seconds since 1970, of a quarter of an hour": 1.7e9 + DRAW.integers(0, 900, 500),
    "milliseconds since 1970, of a minute": 1.7e12 + DRAW.integers(0, 60_000, 500),
    "numbers of one block of 100": 4_712_000_000 + DRAW.integers(0, 100, 500),
    "a sensor with sentinels": np.where(np.arange(500) % 3 == 0, -999.0, 2.4e9 + 40 * NORMAL),
    "a sensor with gaps": np.where(np.arange(500) % 3 == 0, np.nan, 2.4e9 + 40 * NORMAL),
    "too small for float32": 1e-50 * (1 + DRAW.random(500)),
    "too large for float32": 1e100 * (1 + DRAW.random(500)),
    "two values": np.where(np.arange(500) % 2, 1e9, 1e9 + 1),
}

NEAR = {
    "standard normal": NORMAL,
    "whole numbers": np.arange(500.0),
    "whole numbers up to 2^24": DRAW.integers(0, 2**24, 500).astype(float),
    "years": DRAW.integers(1990, 2026, 500).astype(float),
    "longitudes of one town": -122.41 + NORMAL / 50,
    "pressure in pascal": 101_325 + 300 * NORMAL,
    "prices": np.exp(3 * NORMAL).round(2),
    "ten orders of magnitude": 10.0 ** DRAW.uniform(-5, 5, 500),
    "seconds since 1970, of ten years": 1.4e9 + DRAW.integers(0, 315_000_000, 500),
    "the last digit of a sum": np.where(np.arange(500) % 2, 0.3, 0.1 + 0.2),
    "a constant": np.full(500, 2.4e9 + 1),
    "one value beyond float32": np.where(np.arange(500) == 7, 1e300, NORMAL),
    "nothing": np.full(500, np.nan),
}


@pytest.mark.parametrize("name", FAR)
def test_values_too_close_together_stay_float64(name: str) -> None:
    found = typed(pl.Series("x", FAR[name]), "number")
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, FAR[name])
    assert typed(pl.Series("x", ["" if x != x else repr(float(x)) for x in FAR[name]]), "number").dtype == np.float64


@pytest.mark.parametrize("name", NEAR)
def test_other_values_are_float32(name: str) -> None:
    assert not needs_double(NEAR[name])
    assert typed(pl.Series("x", NEAR[name]), "number").dtype == np.float32


def test_a_long_column_is_decided_by_rows_from_all_of_it() -> None:
    rows = 7 * LOOKED_AT
    late = np.where(np.arange(rows) < rows // 10, 0.0, 2.4e9 + 40 * DRAW.normal(size=rows))
    assert needs_double(late)


def test_the_card_says_which_columns_are_double() -> None:
    table = pl.DataFrame({"far": FAR["a frequency in hertz"], "near": NORMAL, "y": FAR["a frequency in hertz"] - 2.4e9})
    for spec in (Spec(target="y", task="regression"), Spec(task="clustering")):
        found = prepare_table(table, Options(spec=spec))
        assert [each.name for each in found.columns if each.double] == ["far"]
        for part in (found.train, found.validation, found.holdout):
            assert (part.columns["far"].dtype, part.columns["near"].dtype) == (np.float64, np.float32)
