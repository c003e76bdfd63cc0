"""Target and task by rule, and the reasons against them."""

from __future__ import annotations

import polars as pl
import pytest

from dropforge.contract.spec import Spec, SpecFault
from dropforge.datasets.choosing import choose_target, choose_task, label_type, read_labels
from dropforge.datasets.faults import DataFault


def frame(*names: str) -> pl.DataFrame:
    """Plain numbers, so that no column is left out."""
    return pl.DataFrame(
        {name: [str((at * 7 + place) % 13 / 2) for at in range(60)] for place, name in enumerate(names)}
    )


@pytest.mark.parametrize(
    ("names", "target"),
    [
        (["target", "a", "b"], "target"),
        (["a", "Class", "b"], "Class"),
        (["a", "y", "b"], "y"),
        (["x", "y", "z", "price", "b"], "price"),
        (["churn", "a", "b"], "churn"),
        (["a", "Sale_Price", "b"], "Sale_Price"),
        (["Status", "a", "Price"], "Status"),
        (["a", "status", "price", "b"], "price"),
        (["a", "target_value", "b"], "target_value"),
        (["species", "island", "sex"], "species"),
        (["a", "b", "c"], "c"),
    ],
)
def test_the_target_by_name_or_by_place(names, target):
    assert choose_target(frame(*names), Spec()) == target


def test_the_spec_names_the_target_and_a_last_id_is_none():
    data = frame("price", "a", "b").with_columns(row_id=pl.Series([str(at) for at in range(60)]))
    assert choose_target(data, Spec(target="a")) == "a"
    assert choose_target(data.drop("price"), Spec()) == "b"
    assert choose_target(data, Spec(drop=("price",))) == "b"
    dated = frame("a", "b").with_columns(day=pl.Series([f"2024-01-{1 + at % 28:02}" for at in range(60)]))
    assert choose_target(dated, Spec()) == "b"


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        (Spec(target="prise"), "target: no column 'prise' in the data; .*did you mean 'price'"),
        (Spec(drop=("nothing",)), r"drop: no column 'nothing' .*the columns are \['price', 'a'\]"),
        (Spec(kinds={"q": "date"}), "kinds: no column 'q'"),
        (Spec(target="a", drop=("a",)), "drop: holds the target 'a'"),
    ],
)
def test_wishes_for_columns_that_are_not_there(spec, reason):
    with pytest.raises(SpecFault, match=reason):
        choose_target(frame("price", "a"), spec)


def test_a_target_by_name_is_taken_even_when_it_cannot_be_learned():
    data = frame("churned", "a", "b").with_columns(churned=pl.lit("no"))
    assert choose_target(data, Spec()) == "churned"
    with pytest.raises(DataFault, match="needs at least 2 classes in 'churned', got 1 .the same value in every row"):
        choose_task(data["churned"], Spec())


def test_no_column_can_be_a_target():
    data = pl.DataFrame({"a": ["1"] * 60, "b": [str(at) for at in range(60)]})
    with pytest.raises(DataFault, match="can be a target: each is constant"):
        choose_target(data, Spec())


def column(*values: str, rows: int = 60) -> pl.Series:
    return pl.Series("churned", [values[at % len(values)] for at in range(rows)])


@pytest.mark.parametrize(
    ("values", "task", "kind"),
    [
        (("yes", "no"), "binary", "text"),
        (("a", "b", "c"), "multiclass", "text"),
        (("None", "Mild", "Severe"), "multiclass", "text"),
        (("True", "False"), "binary", "boolean"),
        (("0", "1"), "binary", "integer"),
        (("0.0", "1.0"), "binary", "integer"),
        (("1", "2", "3", "4", "5"), "multiclass", "integer"),
        (("1", "3", "7", "28", "90"), "regression", "integer"),
        (("0.5", "1.5"), "regression", "number"),
        (tuple(str(at) for at in range(30)), "regression", "integer"),
        (tuple(str(at / 7) for at in range(60)), "regression", "number"),
    ],
)
def test_the_task_by_the_values(values, task, kind):
    target = column(*values)
    assert choose_task(target, Spec()) == task
    assert label_type(read_labels(target)) == kind


def test_missing_targets_do_not_count_and_none_is_a_class():
    labels = read_labels(pl.Series("t", ["None", "Mild", "", "NA", " Mild "]))
    assert labels.values.to_list() == ["None", "Mild", None, None, "Mild"]


@pytest.mark.parametrize(
    ("values", "spec", "fault", "reason"),
    [
        (column("a"), Spec(), DataFault, "needs at least 2 classes in 'churned', got 1"),
        (
            column("a", "b", rows=20),
            Spec(),
            DataFault,
            "needs at least 50 rows with a value in 'churned', got 20 of 20",
        ),
        (column("a", "b", "c"), Spec(task="binary"), SpecFault, "binary needs 2 classes in 'churned', got 3"),
        (column("a", "b"), Spec(task="multiclass"), SpecFault, "needs 3 classes or more in 'churned', got 2"),
        (column("a", "b"), Spec(task="regression"), SpecFault, "regression needs numbers in 'churned', got 'a'"),
        (column(*(f"u{at}" for at in range(600)), rows=600), Spec(), DataFault, "600 classes; expected at most 500"),
    ],
)
def test_targets_that_cannot_be_learned(values, spec, fault, reason):
    with pytest.raises(fault, match=reason):
        choose_task(values, spec)


def test_the_spec_wins_over_the_rule():
    assert choose_task(column("1", "2", "3"), Spec(task="regression")) == "regression"
    assert choose_task(column("0.5", "1.5"), Spec(task="binary")) == "binary"
