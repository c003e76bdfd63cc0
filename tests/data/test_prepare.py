"""From a file to typed rows in three parts, on real data and on small tables."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from dropforge.contract.plan import DataFormat, Lineage, Plan
from dropforge.contract.schema import Column, DateRule, NumberRule
from dropforge.contract.spec import Spec
from dropforge.datasets.dataset import Options
from dropforge.datasets.faults import DataFault
from dropforge.datasets.prepare import prepare, prepare_table

from .conftest import real_set


@pytest.mark.parametrize(
    ("name", "task", "rows", "classes"),
    [
        ("breast_cancer", "binary", 569, ("benign", "malignant")),
        ("iris", "multiclass", 150, ("setosa", "versicolor", "virginica")),
        ("wine", "multiclass", 178, ("class_0", "class_1", "class_2")),
        ("diabetes", "regression", 442, ()),
    ],
)
def test_real_sets(real, name, task, rows, classes):
    data = prepare([real(name)], Options())
    assert (data.target, data.task, data.classes) == ("outcome", task, classes)
    assert data.counts["read"] == rows
    parts = (data.train, data.validation, data.holdout)
    assert sum(map(len, parts)) + data.counts["duplicates"] + data.counts["without_target"] == rows
    assert {column.kind for column in data.columns} == {"number"}
    assert all(part.columns[data.columns[0].name].dtype == np.float32 for part in parts)
    assert all(set(part.target) == set(range(len(classes))) for part in parts if classes)
    json.dumps(data.profile, allow_nan=False)


def mixed(rows: int = 400) -> pl.DataFrame:
    """Every kind of column, missing values in each, and columns to leave out."""
    at = range(rows)
    return pl.DataFrame(
        {
            "id": [str(each) for each in at],
            "size": ["" if each % 11 == 0 else str(each * 37 % 101 / 4) for each in at],
            "town": [["Köln ", "Bonn", "NA"][each % 3] for each in at],
            "garden": [["yes", "no", "?"][each % 7 % 3] for each in at],
            "built": ["" if each % 13 == 0 else f"{1 + each % 28}/{1 + each % 12}/{1990 + each % 30}" for each in at],
            "code": [f"{each % 5:03}" for each in at],
            "mail": [f"p{each % 50}@example.org" for each in at],
            "same": ["x" for _ in at],
            "price": ["" if each % 20 == 0 else str(each * 7 % 203 + 0.5) for each in at],
        }
    )


def test_every_kind_of_column_is_typed():
    data = prepare_table(mixed(), Options())
    assert data.columns == (
        Column("size", "number", numbers=NumberRule()), Column("town", "category"), Column("garden", "boolean"),
        Column("built", "date", DateRule("day-first")),
        Column("code", "category", width=3),
    )  # fmt: skip
    assert (data.target, data.task, data.ignored) == ("price", "regression", ("price", "id", "mail", "same"))
    assert data.masked == ("mail",)
    rows = data.train
    assert np.isnan(rows.columns["size"]).any()
    assert set(rows.columns["town"]) == {"Köln", "Bonn", ""}
    assert set(rows.columns["garden"]) == {"yes", "no", ""}
    assert set(rows.columns["code"]) == {f"00{at}" for at in range(5)}
    assert rows.columns["built"].dtype == object
    assert rows.target.dtype == np.float64
    assert not np.isnan(rows.target).any()
    assert data.counts["without_target"] == 20


def test_the_profile_tells_everything_but_personal_values():
    profile = prepare_table(mixed(), Options()).profile
    assert profile["schema"] == "dropforge.profile/1"
    size = profile["columns"]["size"]
    assert list(size["quantiles"]) == ["q001", "q01", "q05", "q25", "q50", "q75", "q95", "q99", "q999"]
    assert sum(size["histogram"]["counts"]) == round(profile["rows"]["train"] * (1 - size["missing"]))
    assert profile["columns"]["town"]["top"][0][0] in ("Köln", "Bonn")
    assert profile["columns"]["built"]["format"] == "iso"
    assert profile["dropped"]["id"].startswith("row numbers")
    assert profile["personal"] == [
        {"column": "mail", "what": "e-mail addresses", "found_by": "values", "treatment": "drop"}
    ]
    assert "example.org" not in json.dumps(profile)


def test_the_plan_is_obeyed(tmp_path):
    path = tmp_path / "data.csv"
    mixed().write_csv(path, separator=";")
    plan = Plan(
        run="run-0", model="m", target="garden", task="binary", data=DataFormat("csv", ";"),
        lineage=Lineage("b", "k", "v", 1, "i", "image"), spec=Spec(drop=("price",), kinds={"id": "number"}),
    )  # fmt: skip
    data = prepare([path], plan)
    assert (data.target, data.task, data.classes, data.label_type) == ("garden", "binary", ("no", "yes"), "text")
    assert [column.name for column in data.columns][0] == "id"
    assert "price" in data.ignored
    assert data.profile["dropped"]["price"] == "left out by the spec"


def test_row_order_changes_nothing():
    table = mixed().drop("id")
    one, two = prepare_table(table, Options()), prepare_table(table.reverse(), Options())
    for part in ("train", "validation", "holdout"):
        assert getattr(one, part).target.tolist() == getattr(two, part).target.tolist()
    assert one.profile == two.profile


def test_copies_are_left_out_and_counted():
    table = mixed()
    data = prepare_table(pl.concat([table, table.head(40)]), Options())
    assert data.counts["duplicates"] == 38
    assert data.counts["without_target"] == 22


def test_equal_rows_are_observations_where_no_column_tells_rows_apart():
    """Frequent combinations keep their odds, and all rows of one combination and outcome lie in one part."""
    chance = np.random.default_rng(0)
    columns = {name: (chance.random(3_000) ** 2 * 9).astype(int) for name in ("page", "age", "area", "hour")}
    bought = chance.random(3_000) < np.where(columns["page"] > 4, 0.12, 0.92)
    frame = pl.DataFrame(
        {**{name: values.astype(str) for name, values in columns.items()}, "bought": bought.astype(str)}
    )
    data = prepare_table(frame, Options(target="bought"))
    assert data.counts["duplicates"] == 0
    assert 0.15 < len(data.holdout) / 3_000 < 0.25
    rows = [{tuple(row) for row in zip(*part.columns.values(), part.target, strict=True)}
            for part in (data.train, data.validation, data.holdout)]  # fmt: skip
    assert not rows[0] & rows[2] and not rows[0] & rows[1]


def test_copies_stay_where_only_a_few_different_rows_are_possible():
    table = pl.DataFrame(
        {"sex": ["f", "m"] * 300, "class": ["1", "2", "3"] * 200, "survived": ["0", "1", "1", "0"] * 150}
    )
    data = prepare_table(table, Options())
    assert data.counts["duplicates"] == 0
    assert min(len(data.train), len(data.validation), len(data.holdout)) > 50


def test_typed_and_text_files_are_split_alike(real, tmp_path):
    path = real("iris")
    pl.read_csv(path).write_parquet(tmp_path / "iris.parquet")
    one, two = prepare([path], Options()), prepare([tmp_path / "iris.parquet"], Options())
    assert one.holdout.target.tolist() == two.holdout.target.tolist()
    assert one.profile == two.profile


@pytest.mark.parametrize(
    ("classes", "expected", "kind"),
    [
        (["1.0", "0.0"], ("0", "1"), "integer"),
        (["True", "false"], ("false", "true"), "boolean"),
        (["10", "9"], ("9", "10"), "integer"),
    ],
)
def test_classes_are_named_as_they_are_answered(classes, expected, kind):
    table = pl.DataFrame({"x": [str(at / 3) for at in range(100)], "y": [classes[at % 2] for at in range(100)]})
    data = prepare_table(table, Options())
    assert (data.classes, data.label_type) == (expected, kind)


def test_huge_numbers_and_infinities_are_missing():
    table = pl.DataFrame(
        {"x": [1e300, float("inf"), *(at / 3 for at in range(98))], "y": [at / 7 for at in range(100)]}
    )
    data = prepare_table(table, Options())
    values = np.concatenate([part.columns["x"] for part in (data.train, data.validation, data.holdout)])
    assert int(np.isnan(values).sum()) == 2
    assert np.isfinite(values[~np.isnan(values)]).all()


def _with_rare(first: dict[int, str]) -> pl.DataFrame:
    """Iris with some rows' species told anew."""
    table = real_set("iris")
    labels = table["outcome"].to_list()
    return table.with_columns(pl.Series("outcome", [first.get(at, label) for at, label in enumerate(labels)]))


def test_rows_of_rare_classes_are_left_out_and_counted():
    told = {0: "hybrid", 50: "hybrid", 100: "hybrid", 10: "unknown", 60: "unknown"}
    data = prepare_table(_with_rare(told), Options())
    assert (data.task, data.classes) == ("multiclass", ("setosa", "versicolor", "virginica"))
    assert (data.rare, data.counts["rare"]) == ({"hybrid": 3, "unknown": 2}, 5)
    parts = (data.train, data.validation, data.holdout)
    assert sum(map(len, parts)) + data.counts["rare"] + data.counts["duplicates"] == 150
    assert np.concatenate([part.target for part in parts]).max() == 2
    without = _with_rare(told).filter(~pl.col("outcome").is_in(["hybrid", "unknown"]))
    plain = prepare_table(without, Options())
    assert plain.holdout.target.tolist() == data.holdout.target.tolist()
    said: dict[str, Any] = {"rows": 0, "told": [], "remarks": []}
    assert {**plain.profile, **said} == {**data.profile, **said}
    assert [remark["code"] for remark in data.profile["remarks"]] == ["rare_classes", "target"]


def test_two_classes_are_left_of_three():
    table = real_set("breast_cancer")
    told = [label if at > 3 else "unclear" for at, label in enumerate(table["outcome"].to_list())]
    data = prepare_table(table.with_columns(pl.Series("outcome", told)), Options())
    assert (data.task, data.classes, data.rare) == ("binary", ("benign", "malignant"), {"unclear": 4})


def test_too_many_rows_of_rare_classes_are_refused():
    with pytest.raises(DataFault, match=r"got 2 of 'odd 0'; .*8 of 150 rows stand in 4 of 7 classes"):
        prepare_table(_with_rare({at: f"odd {at % 4}" for at in range(8)}), Options())


def test_faults_of_whole_tables():
    few = pl.DataFrame(
        {"x": [str(at % 3 / 2) for at in range(500)], "y": [str(at % 3 / 4) for at in range(500)], "z": ["1"] * 500}
    )
    rare = pl.DataFrame({"x": [str(at / 3) for at in range(99)], "y": ["a"] * 96 + ["b"] * 3})
    with pytest.raises(DataFault, match="at least 5 rows of every class in 'y', got 3 of 'b'"):
        prepare_table(rare, Options())
    with pytest.raises(DataFault, match="no column is left to predict 'y' from"):
        prepare_table(few, Options(target="y", spec=Spec(drop=("x",))))
    with pytest.raises(DataFault, match="different rows with a value in 'y', got 40 of 80"):
        prepare_table(
            pl.DataFrame({"x": [str(at % 40 / 3) for at in range(80)], "y": [str(at % 40 / 7) for at in range(80)]}),
            Options(),
        )
    with pytest.raises(DataFault, match="no file to read"):
        prepare([], Options())


def noise(rows: int = 300) -> pl.DataFrame:
    """Columns that say nothing of `won`, each row four times."""
    drawn = np.random.default_rng(0)
    frame = pl.DataFrame({f"x{at}": drawn.normal(size=rows).round(4) for at in range(5)})
    frame = frame.with_columns(pl.Series("won", drawn.choice(["no", "yes"], rows)))
    return pl.concat([frame] * 4).sample(fraction=1.0, shuffle=True, seed=1)


@pytest.mark.parametrize(
    ("name", "spec"), [("Unnamed: 0", Spec()), ("customer_id", Spec()), ("visit", Spec(drop=("visit",)))]
)
def test_copies_under_other_ids_lie_in_one_part(name, spec):
    table = noise().with_row_index(name, offset=7_000 if name == "customer_id" else 0)
    data = prepare_table(table, Options(spec=replace(spec, target="won")))
    assert name in data.ignored and data.counts["duplicates"] == 0
    parts = [set(zip(*rows.columns.values(), strict=True)) for rows in (data.train, data.validation, data.holdout)]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 300
    assert all(len(part) > 30 for part in parts)


def test_equal_observations_of_few_columns_lie_where_they_fall():
    drawn = np.random.default_rng(0)
    columns = {"id": range(5_000, 5_600), "a": drawn.choice([*"xy"], 600), "b": drawn.choice([*"uvw"], 600)}
    table = pl.DataFrame({**columns, "won": drawn.choice(["no", "yes"], 600)})
    data = prepare_table(table, Options(spec=Spec(target="won")))
    parts = [set(zip(*rows.columns.values(), strict=True)) for rows in (data.train, data.validation, data.holdout)]
    assert [len(part) for part in parts] == [6, 6, 6] and sum(data.counts[name] for name in ("train", "holdout")) < 600


def test_zero_padded_codes_to_predict_are_classes():
    codes = [f"{1 + at % 3:02}" for at in range(300)]
    table = pl.DataFrame({"x": [float(at % 17) for at in range(300)], "kind": codes})
    data = prepare_table(table, Options(spec=Spec(target="kind")))
    assert (data.task, data.label_type, data.classes) == ("multiclass", "text", ("01", "02", "03"))
    as_numbers = prepare_table(table, Options(spec=Spec(target="kind", task="regression")))
    assert as_numbers.task == "regression" and set(as_numbers.train.target) == {1.0, 2.0, 3.0}


def test_a_target_that_float32_cannot_tell_apart_is_refused_with_what_to_do():
    table = pl.DataFrame({"x": [float(at % 17) for at in range(300)], "y": [1.7e9 + at % 40 for at in range(300)]})
    with pytest.raises(DataFault, match=r"'y' differ by about 11\.\d+ around .* subtract 17000000\d\d from"):
        prepare_table(table, Options(spec=Spec(target="y", task="regression")))
    near = table.with_columns(pl.col("y") - 1.7e9)
    assert prepare_table(near, Options(spec=Spec(target="y", task="regression"))).task == "regression"
