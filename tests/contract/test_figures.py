"""How numbers are written for people: one rule for all pages, tables and sentences."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from dropforge.contract.figures import figure, spread_of

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.0, "0"), (-0.0, "0"), (3.0, "3"), (407230.0, "407,230"), (407230.4567, "407,230"), (1234567.8, "1,234,568"),
        (2005.0, "2005"), (2005, "2005"), (9999.9999, "10,000"), (10000, "10,000"), (-251300.5, "-251,300"),
        (0.123456, "0.1235"), (12.3456, "12.35"), (0.5, "0.5"), (0.0001, "0.0001"), (0.0001234, "0.0001234"),
        (0.00001234, "1.23e-05"), (999999999999999.0, "999,999,999,999,999"), (1e15, "1e+15"),
        (2**63 - 1, "9,223,372,036,854,775,807"), (float("nan"), "nan"), (float("inf"), "inf"),
    ],
)  # fmt: skip
def test_a_number_stands_as_people_write_it(value: float, expected: str) -> None:
    assert figure(value) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1_000_000.12, 1_000_000.34], ["1,000,000.12", "1,000,000.34"]),
        ([251_300.7, 480_100.2, 99.5], ["251,301", "480,100", "100"]),
        ([0.0000004, 0.93], ["0", "0.93"]),
        ([2005.5, 1987.25], ["2005.5", "1987.25"]),
        ([7.5, 7.5], ["7.5", "7.5"]),
    ],
)
def test_numbers_of_one_column_have_the_decimals_that_tell_them_apart(values: list[float], expected: list[str]) -> None:
    assert [figure(value, spread=spread_of(values)) for value in values] == expected


def test_no_exponent_is_written_of_any_size_that_people_read() -> None:
    sizes = np.logspace(-4, 14.99, 2000)
    for value in (*sizes.tolist(), *(-sizes).tolist(), *sizes.astype(np.float32)[:-1]):
        text = figure(value)
        assert "e" not in text and abs(float(text.replace(",", "")) / float(value) - 1) < 6e-4


def test_nobody_writes_numbers_by_another_rule() -> None:
    """A general format (`:.4g`) makes exponents; the data that programs read are written in the files named here."""
    own = {"dropforge/contract/figures.py", "training_container/progress.py", "lambdas/batch/common/writing.py"}
    own |= {"dropforge/inference/numbers.py"}  # shows all digits of a number that can be read in two ways
    found = {
        str(path.relative_to(ROOT))
        for folder in ("dropforge", "training_container", "lambdas")
        for path in (ROOT / folder).rglob("*.py")
        if re.search(r":[+,]?\.\d+g\}", path.read_text(encoding="utf-8"))
    }
    assert found <= own
