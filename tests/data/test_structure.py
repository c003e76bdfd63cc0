"""Data whose rows are no independent draws are split by group or by time; categories and other dates split nothing."""

from __future__ import annotations

from importlib.metadata import distribution
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from dropforge.contract.spec import Spec
from dropforge.datasets.dataset import Dataset, Options
from dropforge.datasets.prepare import prepare, prepare_table
from dropforge.datasets.structure import is_entity_name
from examples.datasets import SOURCES, load

from .conftest import real_set

VISITS = Path(__file__).parent / "files" / "visits.csv"
"""Twelve visits of each of 60 patients, whose measurements are alike and whose outcome is chance."""


def shipped(name: str) -> pl.DataFrame:
    """A data set of vega_datasets, as texts."""
    path = Path(str(distribution("vega-datasets").locate_file(f"vega_datasets/_data/{name}")))
    return pl.read_csv(path, infer_schema=False) if path.suffix == ".csv" else pl.read_json(path).cast(pl.String)


def split_of(table: pl.DataFrame, target: str | None = None, **wishes: object) -> Dataset:
    return prepare_table(table.cast(pl.String), Options(spec=Spec.read({"target": target, **wishes})))


def repeated(name: str, column: str, visits: int = 4) -> pl.DataFrame:
    """A real data set, each row several times under one number, its measurements a little apart."""
    table = real_set(name)
    rows = np.arange(table.height * visits)
    noise = 1 + (rows * 7919 % 101 - 50) / 5000
    values = {each: table[each].to_numpy()[rows % table.height] * noise for each in table.columns[:-1]}
    named = {column: [f"N{row % table.height:04}" for row in rows]}
    return pl.DataFrame({**named, **values, "outcome": table["outcome"].to_numpy()[rows % table.height]})


def test_visits_of_patients_are_split_by_patient() -> None:
    data = prepare([VISITS], Options())
    assert data.split == "The hold-out is all rows of 12 of the 60 values of 'patient_id'."
    assert data.profile["told"][0].startswith(f"{data.split[:-1]}, because rows of one 'patient_id' are alike")
    assert any("In spec.yaml: `split: {by: rows}`" in sentence for sentence in data.profile["told"])
    assert data.profile["split"] == {
        "by": "group", "column": "patient_id", "found": True, "gap": None, "sentence": data.split,
    }  # fmt: skip
    assert not {"patient_id"} & {column.name for column in data.columns}
    assert data.masked == ()


def test_the_wish_overrules_what_the_data_call_for() -> None:
    data = prepare([VISITS], Options(spec=Spec.read({"split": {"by": "rows"}})))
    assert data.split_by == "rows" and data.folds is None and data.units is None
    assert not any("split" in sentence for sentence in data.profile["told"])


@pytest.mark.parametrize("column", ["patient_id", "Subject", "customer number", "userID", "participant", "id"])
@pytest.mark.parametrize("name", ["diabetes", "breast_cancer"])
def test_entities_with_several_alike_rows_are_split_by(name: str, column: str) -> None:
    assert split_of(repeated(name, column), "outcome").split_by == f"group:{column}"


@pytest.mark.parametrize("column", ["city", "store_id", "airline", "ZIP code", "product_id", "device", "model name"])
def test_what_later_rows_hold_again_splits_nothing(column: str) -> None:
    """The same rows under the name of a category, which later rows have as well."""
    data = split_of(repeated("diabetes", column), "outcome")
    assert data.split_by == "rows" and column in data.train.columns | dict.fromkeys(data.ignored)


def test_codes_without_a_telling_name_are_proposed_alone() -> None:
    data = split_of(repeated("diabetes", "well"), "outcome")
    assert data.split_by == "rows"
    assert any("In spec.yaml: `split: {group: well}`" in sentence for sentence in data.profile["told"])


def test_few_entities_are_proposed_alone() -> None:
    table = repeated("diabetes", "patient_id")
    some = table.filter(pl.col("patient_id").is_in([f"N{number:04}" for number in range(0, 442, 30)]))
    data = split_of(some, "outcome", task="regression")
    assert data.split_by == "rows"
    assert any("In spec.yaml: `split: {group: patient_id}`" in sentence for sentence in data.profile["told"])


def test_entities_whose_rows_are_not_alike_split_nothing() -> None:
    table = real_set("diabetes")
    data = split_of(
        table.with_columns(customer_id=pl.Series([f"c{row * 7919 % 110}" for row in range(442)])), "outcome"
    )
    assert data.split_by == "rows" and not any("split" in each for each in data.profile["told"])


@pytest.mark.parametrize(
    ("name", "is_entity"),
    [
        ("patient", True), ("Patient ID", True), ("customerid", True), ("playerID", True), ("machine_no", True),
        ("visit_id", True), ("engine", False), ("vehicle_name", False), ("unit_price", False), ("patients", False),
        ("customer_segment", False), ("user_rating", False), ("teamID", False), ("yearID", False), ("region_id", False),
        ("index", False), ("grid", False), ("covid", False), ("client_age", False), ("Neighborhood", False),
    ],
)  # fmt: skip
def test_names_of_entities(name: str, is_entity: bool) -> None:
    assert is_entity_name(name) is is_entity


def test_numbers_that_measure_people_are_no_groups() -> None:
    """A column called `member` that holds sizes tells the target, and is no id."""
    table = real_set("diabetes")
    sizes = table["bmi"].rank("dense") / 2
    assert split_of(table.with_columns(member=sizes), "outcome", task="regression").split_by == "rows"


@pytest.mark.parametrize(("file", "target"), [("seattle-temps.csv", "temp"), ("sf-temps.csv", "temp")])
def test_temperatures_of_a_year_are_split_by_time(file: str, target: str) -> None:
    data = split_of(shipped(file), target)
    assert data.split_by == "time:date"
    assert any("errs" in sentence and "`split: {by: rows}`" in sentence for sentence in data.profile["told"])


def test_a_trend_is_split_by_time_and_a_shuffled_one_is_not() -> None:
    """Of the same days and values, dealt to each other as they were or by chance."""
    rows = np.arange(600)
    values = rows * 0.5 + rows * 7919 % 101 / 10
    days = (np.datetime64("2023-01-01") + rows).astype(str)
    table = pl.DataFrame({"measured at": days, "x": rows * 7919 % 101, "z": rows * 104729 % 97, "y": values})
    assert split_of(table, "y").split_by == "time:measured at"
    mixed = table.with_columns(y=pl.Series(values[rows * 7919 % 600]))
    data = split_of(mixed, "y")
    assert data.split_by == "rows" and not any("split" in each for each in data.profile["told"])
    born = table.rename({"measured at": "birth date"})
    assert split_of(born, "y").split_by == "rows"  # it says who the row is of, not when it was observed


def test_a_trend_is_the_same_whatever_the_decimal_mark() -> None:
    rows = np.arange(600)
    days = (np.datetime64("2023-01-01") + rows).astype(str)
    x = rows * 7919 % 101 / 4
    table = pl.DataFrame({"day": days, "x": x, "y": rows * 0.05 + 3 * x}).cast(pl.String)
    german = table.with_columns(pl.col("x", "y").str.replace(".", ",", literal=True))
    plain, other = split_of(table, "y"), split_of(german, "y")
    assert plain.split_by == other.split_by
    said = [[sentence for sentence in data.profile["told"] if "errs" in sentence] for data in (plain, other)]
    assert said[0] == said[1] and len(said[0]) == 1


def test_a_drift_to_one_class_is_proposed_alone() -> None:
    """Its latest rows cannot be scored: none of them is of the other class."""
    rows = np.arange(600)
    classes = np.where((rows < 480) & (rows * 7919 % 101 > 50), "yes", "no")
    days = (np.datetime64("2023-01-01") + rows).astype(str)
    data = split_of(pl.DataFrame({"day": days, "z": rows * 104729 % 97, "left": classes}), "left")
    assert data.split_by == "rows"
    assert any("In spec.yaml: `split: {time: day}`" in each for each in data.profile["told"])


@pytest.mark.parametrize(
    ("name", "target"),
    [(name, source.target) for name, source in SOURCES.items()]
    + [("airports.csv", None), ("barley.json", "yield"), ("driving.json", "miles"), ("la-riots.csv", "age"),
       ("iowa-electricity.csv", "net_generation")],
)  # fmt: skip
def test_real_data_that_need_no_other_split_keep_theirs(name: str, target: str | None) -> None:
    table = load(name) if name in SOURCES else shipped(name)
    assert split_of(table.head(5000), target).split_by == "rows"


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "diabetes", "digits"])
def test_sets_of_scikit_learn_keep_theirs(name: str) -> None:
    assert split_of(real_set(name), "outcome").split_by == "rows"


@pytest.mark.parametrize("seed", range(12))
def test_dates_by_chance_split_nothing(seed: int) -> None:
    """Real rows, each with any day of two years."""
    table = real_set("diabetes") if seed % 2 else real_set("breast_cancer")
    rows = np.arange(table.height)
    days = (np.datetime64("2023-01-01") + (rows * (7919 + 2 * seed) + seed * seed) % 727).astype(str)
    data = split_of(table.with_columns(day=pl.Series(days)), "outcome")
    assert data.split_by == "rows" and not any("split" in each for each in data.profile["told"])
