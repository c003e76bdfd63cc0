"""Columns that give the target away are reported, and still read."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from dropforge.contract.spec import Spec, SpecFault
from dropforge.datasets.dataset import Options
from dropforge.datasets.prepare import prepare, prepare_table
from dropforge.datasets.suspects import named_like


def table(task: str, rows: int = 1500) -> pl.DataFrame:
    """Columns that leak, and honest ones, of a target that is made of two honest ones and noise."""
    rng = np.random.default_rng(3)
    one, two, noise = rng.normal(size=rows), rng.normal(size=rows), rng.normal(size=rows)
    value = np.exp(one + two + noise)
    level = np.digitize(one + two + noise, [-1, 1]) if task == "multiclass" else (one + two + noise > 0).astype(int)
    target = value if task == "regression" else np.array(["no", "yes", "maybe"])[level]
    text = [f"{each:.4f}" for each in target] if task == "regression" else [str(each) for each in target]
    codes = {"no": "A", "yes": "B", "maybe": "C"}
    leaks = {
        "log": np.round(np.log(value), 5).astype(str),
        "line": np.where(rng.random(rows) < 0.002, "", (value * 3 - 7).round(3).astype(str)),
        "day": [f"20{int(each) // 28 + 10:02}-01-{int(each) % 28 + 1:02}" for each in np.minimum(value * 40, 1600)],
    } if task == "regression" else {"code": [codes[each] for each in text]}  # fmt: skip
    honest = {
        "one": one.round(4).astype(str),
        "two": two.round(4).astype(str),
        "town": rng.integers(0, 900, rows).astype(str),
    }
    columns = {**honest, **{name: list(values) for name, values in leaks.items()}, "late_fee": text[::-1], "fee": text}
    return pl.DataFrame({name: [str(each) for each in values] for name, values in columns.items()})


@pytest.mark.parametrize(
    ("task", "leaks"),
    [("regression", {"log", "line", "day"}), ("binary", {"code"}), ("multiclass", {"code"})],
)
def test_what_tells_the_target_alone_is_reported_and_read(task, leaks):
    data = prepare_table(table(task), Options(target="fee"))
    assert data.task == task
    suspects = {each["column"]: each for each in data.profile["suspects"]}
    assert {name for name, each in suspects.items() if "alone it predicts 'fee'" in each["why"]} == leaks
    assert suspects["late_fee"]["why"] == "it is named like the target 'fee'"
    assert suspects["late_fee"]["score"] < 0.6
    scores = [each["score"] for each in data.profile["suspects"]]
    assert scores == sorted(scores, reverse=True)
    assert all(0.98 < suspects[name]["score"] <= 1 for name in leaks)
    assert leaks < {column.name for column in data.columns}
    json.dumps(data.profile, allow_nan=False)


def test_a_dropped_column_is_no_suspect():
    data = prepare_table(table("binary"), Options(target="fee", spec=Spec(drop=("code", "late_fee"))))
    assert data.profile["suspects"] == []


def test_a_trusted_column_is_none():
    wishes = Options(spec=Spec(trusted=("late_fee",)), target="fee")
    told = {each["column"] for each in prepare_table(table("binary", rows=150), wishes).profile["suspects"]}
    assert told == set()
    with pytest.raises(SpecFault, match="trusted: no column 'latefee' in the data; .*did you mean 'late_fee'"):
        prepare_table(table("binary", rows=150), Options(spec=Spec(trusted=("latefee",)), target="fee"))


def test_few_validation_rows_prove_nothing_but_names_speak():
    data = prepare_table(table("binary", rows=150), Options(target="fee"))
    assert [(each["column"], each["score"]) for each in data.profile["suspects"]] == [("late_fee", None)]


@pytest.mark.parametrize("name", ["breast_cancer", "iris", "wine", "diabetes"])
def test_honest_real_sets_have_none(real, name):
    assert prepare([real(name)], Options()).profile["suspects"] == []


@pytest.mark.parametrize(
    ("name", "target", "alike"),
    [
        ("churn_reason", "churn", True),
        ("ChurnDate", "churn", True),
        ("log sale price", "Sale_Price", True),
        ("Sale_Type", "Sale_Price", False),
        ("churned", "churn", False),
        ("price", "sale_price", False),
        ("y2", "y", False),
        ("x_y", "y", False),
    ],
)
def test_names_are_compared_by_their_words(name, target, alike):
    assert named_like(name, target) is alike
