"""The rows that explanations compare with: like the data, no person's row, nothing of a masked column's texts."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from dropforge.contract.schema import Background, Column, ModelCard
from dropforge.datasets.dataset import Rows
from training_container.encoding import Encoder
from training_container.export.background import FEWEST, ROWS, alike, arrays, background, levelled
from training_container.kinds import UNSEEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Set

    from dropforge.datasets.dataset import Dataset


def card_of(dataset: Dataset, *masked: str) -> ModelCard:
    return ModelCard("m", "run-0123456789abcdef", dataset.task, dataset.target, dataset.label_type, dataset.classes,
                     dataset.columns, masked=masked)  # fmt: skip


def made(given: Set, *masked: str) -> Background:
    return background(card_of(given.dataset, *masked), given.encoder, given.dataset.learning)


@pytest.mark.parametrize("name", ["cars", "income", "penguins"])
def test_every_column_has_its_rows_and_they_are_the_same_again(posed: Callable[[str], Set], name: str) -> None:
    given = posed(name)
    found = made(given)
    assert list(found.columns) == [column.name for column in given.dataset.columns]
    assert {len(values) for values in found.columns.values()} == {ROWS}
    assert Background.from_json(json.loads(json.dumps(found.to_json(), allow_nan=False))) == found == made(given)


@pytest.mark.parametrize("name", ["cars", "income"])
def test_no_row_is_one_of_the_data(posed: Callable[[str], Set], name: str) -> None:
    given = posed(name)
    card, learned = card_of(given.dataset), given.dataset.learning.columns
    ours = arrays(card, made(given))
    known = set(zip(*(map(str, learned[column.name]) for column in card.columns), strict=True))
    assert not known & set(zip(*(map(str, ours[column.name]) for column in card.columns), strict=True))


def test_what_goes_together_stays_together(posed: Callable[[str], Set]) -> None:
    """Heavy penguins have long flippers, and each island its species' measures; columns drawn apart would lose it."""
    given = posed("penguins")
    ours, data = arrays(card_of(given.dataset), made(given)), given.dataset.learning.columns
    pair = ("flipper_length_mm", "body_mass_g")
    real, kept = (np.corrcoef(*_known(columns, *pair))[0, 1] for columns in (data, ours))
    assert real > 0.8 and kept > 0.6
    for name in pair:
        assert np.nanmean(ours[name]) == pytest.approx(np.nanmean(data[name]), abs=float(np.nanstd(data[name])) / 4)


def _known(columns: dict[str, np.ndarray], *names: str) -> np.ndarray:
    table = np.stack([columns[name] for name in names])
    return table[:, np.isfinite(table).all(axis=0)]


def test_texts_that_the_model_does_not_know_are_left_out(posed: Callable[[str], Set]) -> None:
    given = posed("income")
    found = made(given)
    for vocabulary in given.encoder.vocabularies:
        assert set(found.columns[vocabulary.column]) <= {*vocabulary.codes, UNSEEN, None}, vocabulary.column


def test_a_masked_column_gives_no_text_and_no_link(posed: Callable[[str], Set]) -> None:
    given = posed("penguins")
    found = made(given, "island", "body_mass_g")
    assert set(found.columns["island"]) == {None}
    apart = abs(np.corrcoef(*_known(arrays(card_of(given.dataset), found), "flipper_length_mm", "body_mass_g"))[0, 1])
    assert apart < 0.4, "a masked number is drawn without regard to the rest"


def test_dates_are_dates_of_the_data_and_masked_ones_are_missing() -> None:
    days = np.array([f"2024-{1 + at % 12:02}-{1 + at % 28:02}" for at in range(200)], dtype=object)
    days[::9] = ""
    columns = (Column("day", "date"), Column("x", "number"))
    rows = Rows({"day": days, "x": np.arange(200, dtype=np.float32)}, np.zeros(200))
    encoder = Encoder.learn(columns, rows.columns)
    card = ModelCard("m", "run-0123456789abcdef", "regression", "y", "number", (), columns)
    found = background(card, encoder, rows).columns["day"]
    assert {*found} <= {*days, None} and None in found and len({*found}) > 10
    assert {*background(replace(card, masked=("day",)), encoder, rows).columns["day"]} == {None}


def test_a_level_stands_for_several_rows_and_gaps_stay() -> None:
    values = np.random.default_rng(0).lognormal(size=300).astype(np.float32)
    values[5], values[6] = np.nan, 1e6
    found = levelled(values, values.astype(np.float64))
    assert np.isnan(found[5]) and np.isnan(found).sum() == 1
    kept, counts = np.unique(found[~np.isnan(found)], return_counts=True)
    assert set(kept) <= set(values) and counts.min() >= FEWEST - 1
    assert found[6] < 1e6, "the one that stands out is not in the file"
    assert np.abs(np.nanquantile(found, [0.1, 0.5, 0.9]) / np.nanquantile(values, [0.1, 0.5, 0.9]) - 1).max() < 0.15
    whole = np.repeat(np.arange(4, dtype=np.float32), 50)
    assert levelled(whole, whole.astype(np.float64)).tolist() == whole.tolist(), "a few whole numbers stay themselves"
    nothing = np.full(4, np.nan, np.float32)
    assert np.isnan(levelled(nothing, nothing.astype(np.float64))).all()


def test_groups_are_of_one_size_and_of_like_rows() -> None:
    places = np.random.default_rng(0).normal(size=(200, 3)) * [9, 1, 1]
    groups = alike(places, 20)
    assert sorted(np.concatenate(groups)) == list(range(200)) and {len(group) for group in groups} == {10}
    within = np.mean([places[group, 0].var() for group in groups])
    assert within < 0.1 * places[:, 0].var()
    assert len(alike(np.zeros((30, 2)), 3)) == 3, "rows that are all alike are split too"


def test_few_rows_are_enough(posed: Callable[[str], Set]) -> None:
    given = posed("penguins")
    few = given.dataset.learning.take(np.arange(10))
    found = background(card_of(given.dataset), given.encoder, few)
    assert {len(values) for values in found.columns.values()} == {ROWS}
