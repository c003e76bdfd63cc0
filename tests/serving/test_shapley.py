"""Shapley values of functions whose true values are known, and how little is asked for them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dropforge.inference import shapley


def game(worth: Any, columns: int, rows: int = 40) -> tuple[shapley.Shares, np.ndarray]:
    """The shares of a function of whole tables, for a row of ones against random rows."""
    compared = np.random.default_rng(3).normal(size=(rows, columns))
    row = np.ones(columns)
    found = shapley.shares(
        float(worth(row[None])[0]),
        worth(compared),
        compared != row,
        shapley.orders(columns, rows),
        lambda at, taken: worth(np.where(taken, row, compared[at])),
    )
    return found, compared


@pytest.mark.parametrize("columns", [1, 2, 3, 6, 30])
def test_products_of_two_are_shared_exactly(columns: int) -> None:
    """The closed form of x·y between a row and one background row: half of both ways to come in."""
    found, compared = game(lambda table: table[:, 0] * table[:, -1] + table.sum(axis=1), columns)
    a, b = compared[:, 0], compared[:, -1]
    expected = 1 - compared.mean(axis=0)
    if columns == 1:
        expected[0] += (1 - a**2).mean()
    else:
        expected[0] += ((1 - a) * (1 + b) / 2).mean()
        expected[-1] += ((1 - b) * (1 + a) / 2).mean()
    assert found.contributions == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("columns", "far"), [(3, 0.0), (5, 3.0)])
def test_columns_that_mean_the_same_get_equal_shares(columns: int, far: float) -> None:
    """The first two stand for each other in a product of three: equal under all orders, else to within the error."""
    compared = np.random.default_rng(3).normal(size=(500, columns))
    compared[:, 1] = compared[:, 0]
    row = np.ones(columns)

    def worth(table: np.ndarray) -> np.ndarray:
        return np.asarray(table[:, 0] * table[:, 1] * table[:, 2] + table.sum(axis=1))

    found = shapley.shares(1.0 + columns, worth(compared), compared != row, shapley.orders(columns, 500),
                           lambda at, taken: worth(np.where(taken, row, compared[at])))  # fmt: skip
    apart = abs(found.contributions[0] - found.contributions[1])
    assert apart <= far * np.hypot(*found.errors[:2]) + 1e-12


def test_what_is_the_same_in_both_rows_is_not_asked_about() -> None:
    compared = np.zeros((10, 6))
    compared[:, :3] = 1.0  # as in the row
    asked: list[bytes] = []

    def mixed(at: np.ndarray, taken: np.ndarray) -> np.ndarray:
        asked.extend(
            bytes([row, *np.where(mask, 1, compared[row]).astype(np.uint8)])
            for row, mask in zip(at, taken, strict=True)
        )
        return np.where(taken, 1.0, compared[at]).sum(axis=1)

    found = shapley.shares(6.0, compared.sum(axis=1), compared != 1, shapley.orders(6, 10), mixed)
    assert found.contributions.tolist() == [0, 0, 0, 1, 1, 1]
    assert len(asked) == 10 * 2 * 2, "three columns differ: two mixtures an order, two orders a background row"


def test_many_columns_are_asked_in_bounded_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shapley, "CELLS", 3_000)
    sizes: list[int] = []

    def worth(table: np.ndarray) -> np.ndarray:
        sizes.append(len(table))
        return np.asarray(table @ np.arange(300))

    found, compared = game(worth, 300, rows=8)
    assert max(sizes[2:]) == 10 and sum(sizes[2:]) == 8 * 2 * 299
    assert found.contributions == pytest.approx(np.arange(300) * (1 - compared.mean(axis=0)))
