"""What becomes of personal data: by default, by the spec, and the same in training and in serving."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import yaml

from dropforge.contract.personal import QUASI, WORDS, default_treatment
from dropforge.contract.spec import Spec, SpecFault
from dropforge.datasets.choosing import choose_target
from dropforge.datasets.dataset import Options
from dropforge.datasets.faults import DataFault
from dropforge.datasets.prepare import prepare_table
from dropforge.inference.values import to_array

ROWS = 120


def table() -> pl.DataFrame:
    """Rows of which a dozen persons have ten each, so that none of their columns is an id."""
    who = [row % 12 for row in range(ROWS)]
    return pl.DataFrame({
        "phone": [f"+49 30 12345{person:02}" for person in who],
        "email": [f"person{person}@example.org" for person in who],
        "dob": [f"19{70 + person}-0{1 + person % 9}-1{person % 10}" for person in who],
        "zip": [f"{10115 + 1117 * person}" for person in who],
        "age": [str(20 + person) for person in who],
        "income": [str(1000 + 37 * row % 911) for row in range(ROWS)],
        "y": [str(row * 0.5 + row % 7) for row in range(ROWS)],
    })  # fmt: skip


def prepared(**wishes):
    return prepare_table(table(), Options(Spec.read({"target": "y", "split": {"by": "rows"}, **wishes})))


def read(dataset):
    return [column.name for column in dataset.columns]


def treatments(dataset):
    return {column.column: column.treatment for column in dataset.personal}


def test_direct_identifiers_are_left_out_dates_of_birth_are_coarser_and_the_rest_is_told():
    dataset = prepared()
    assert read(dataset) == ["dob", "zip", "age", "income"]
    assert treatments(dataset) == {
        "phone": "drop", "email": "drop", "dob": "generalise", "zip": "keep", "age": "keep"
    }  # fmt: skip
    assert {date[4:] for date in dataset.train.columns["dob"]} == {"-01-01"}
    assert dataset.masked == ("phone", "email", "dob")
    assert "+49" not in str(dataset.profile)
    assert "person1" not in str(dataset.profile)


def test_each_remark_has_the_line_that_overrules_it():
    told = [remark for remark in prepared().profile["remarks"] if remark["code"] in ("personal", "quasi")]
    assert [remark["column"] for remark in told] == ["phone", "email", "dob", "zip", "age"]
    for remark in told:
        wished = yaml.safe_load(remark["option"])
        dataset = prepared(**wished)
        assert treatments(dataset)[remark["column"]] == wished["personal"][remark["column"]]
        assert remark["column"] not in [other["column"] for other in dataset.profile["remarks"]]


def test_a_column_wins_over_its_kind_and_kinds_keeps():
    assert "phone" in read(prepared(personal={"phone": "keep"}))
    table_kept = prepared(personal={"email": "drop"}, kinds={"email": "category", "phone": "category"})
    assert "phone" in read(table_kept)
    assert "email" not in read(table_kept)
    assert "zip" not in read(prepared(personal={"postcode": "drop"}))
    assert "zip" in read(prepared(personal={"postcode": "drop", "zip": "keep"}))
    assert "income" not in read(prepared(personal={"income": "drop"}))


def test_what_is_kept_is_masked():
    dataset = prepared(personal={"email": "keep"})
    assert "email" in dataset.masked
    assert "person1" not in str(dataset.profile)


@pytest.mark.parametrize("wished", [{}, {"postcode": "generalise"}, {"income": "generalise"}])
def test_serving_reads_what_training_read(wished):
    """The cells of the file, sent as a request, come out as the rows that were learned."""
    dataset, cells = prepared(personal=wished), table()
    seen = {name: set() for name in read(dataset)}
    for part in (dataset.train, dataset.validation, dataset.holdout):
        for name, values in part.columns.items():
            seen[name] |= set(np.asarray(values).tolist())
    for column in dataset.columns:
        sent = set(to_array(column, cells[column.name].to_list(), text=True).ravel().tolist())
        assert sent == seen[column.name], column
    assert any(column.prefix or column.dates and column.dates.year_alone for column in dataset.columns)


def test_a_postcode_is_cut_however_it_is_sent():
    (column,) = [each for each in prepared(personal={"zip": "generalise"}).columns if each.name == "zip"]
    assert to_array(column, ["10115", 10115, "10115"]).ravel().tolist() == ["101", "101", "101"]
    again = to_array(column, ["101"]).ravel().tolist()
    assert again == ["101"]


@pytest.mark.parametrize(
    ("wished", "message"),
    [
        ({"phone": "hash"}, "expected one of"),
        ({"phone": "generalize"}, "generalise"),
        ({"phone": None}, "expected one of"),
        ("drop", "kinds or columns"),
    ],
)
def test_a_treatment_that_there_is_none_of_is_refused(wished, message):
    with pytest.raises(SpecFault, match=message):
        Spec.read({"personal": wished})


@pytest.mark.parametrize(
    ("wished", "message"),
    [
        ({"email": "generalise"}, "no coarser form"),
        ({"card": "generalise"}, "no coarser form"),
        ({"phon": "drop"}, "phone"),
    ],
)
def test_a_wish_that_the_data_cannot_have_is_refused(wished, message):
    with pytest.raises(SpecFault, match=message):
        prepared(personal=wished)


def test_every_kind_has_a_default():
    assert {default_treatment(kind) for kind in WORDS if kind in QUASI} == {"keep"}
    assert {kind for kind in WORDS if default_treatment(kind) == "generalise"} == {"birth"}


def test_the_target_stays_and_is_masked():
    rows = table().with_columns(pl.Series("y", [f"p{row % 3}@example.org" for row in range(ROWS)]))
    dataset = prepare_table(rows, Options(Spec.read({"target": "y", "split": {"by": "rows"}})))
    assert dataset.target == "y"
    assert "y" in dataset.masked


def test_no_rule_chooses_a_phone_number_as_the_target():
    rows = table().drop("y").select("income", "zip", "email", "phone")
    assert choose_target(rows, Spec()) in ("income", "zip")


def test_clusters_are_found_without_it():
    dataset = prepare_table(table(), Options(Spec.read({"task": "clustering"})))
    assert "phone" not in read(dataset)
    assert treatments(dataset)["phone"] == "drop"


def test_a_recommender_of_addresses_is_refused_unless_the_spec_keeps_them():
    ratings = pl.DataFrame({
        "user": [f"p{row // 6}@example.org" for row in range(ROWS)],
        "item": [f"i{row % 6}" for row in range(ROWS)],
        "rating": [str(1 + row * 7 % 5) for row in range(ROWS)],
    })  # fmt: skip
    with pytest.raises(DataFault, match="personal: {user: keep}"):
        prepare_table(ratings, Options())
    dataset = prepare_table(ratings, Options(Spec.read({"personal": {"user": "keep"}})))
    assert dataset.task == "recommendation"
    assert "user" in dataset.masked
