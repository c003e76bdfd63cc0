"""What was left out, changed or guessed: every remark, the worst first, each with the line that overrules it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml

from dropforge.contract.plan import DataFormat
from dropforge.contract.registry import RunRow
from dropforge.contract.remarks import (
    CODES,
    LONGEST,
    MOST,
    Remark,
    remark,
    remarks_in,
    row_fields,
    worst_first,
    yaml_text,
)
from dropforge.contract.spec import Spec
from dropforge.datasets.dataset import Options
from dropforge.datasets.prepare import prepare_table
from tests.steps.rows import RUN

ROWS = 600


def houses() -> pl.DataFrame:
    """Prices of 600 houses by rooms, and columns of every fate."""
    place = np.arange(ROWS)
    rooms, noise = place * 37 % 11, np.sin(place * 12.9898) * 43758.5453 % 1
    price = 50_000 + rooms * 21_000 + noise * 90_000
    rank = np.argsort(np.argsort(price)) + 1
    return pl.DataFrame(
        {
            "house_id": place + 1,
            "rank": rank,
            "note": [f"a house with a view of street {number % 400}" for number in place],
            "rooms": rooms,
            "rooms again": rooms,
            "price: with [tax]": price * 1.19,
            "country": ["Norway"] * ROWS,
            "condition": place * 7 % 5 + 1,
            "price": price,
        }
    )


def said(frame: pl.DataFrame, options: Options) -> tuple[Remark, ...]:
    return remarks_in(prepare_table(frame, options).profile)


def codes(remarks: tuple[Remark, ...]) -> list[tuple[str, str | None]]:
    return [(remark.code, remark.column) for remark in remarks]


def test_the_worst_is_first_and_a_left_out_column_that_would_have_mattered_comes_with_its_score() -> None:
    found = said(houses(), Options())
    assert codes(found) == [
        ("leak", "price: with [tax]"),
        ("would_matter", "rank"),
        ("left_out", "house_id"),
        ("left_out", "note"),
        ("copy", "rooms again"),
        ("target", "price"),
        ("nothing_to_learn", None),
    ]
    assert [remark.severity for remark in found[:3]] == ["warning", "warning", "notice"]
    assert "it alone predicts 'price' with R² 1.00 on rows not fitted to" in found[1].sentence
    assert "R² 1.0000" in found[0].sentence and '`trusted: ["price: with [tax]"]` keeps it' in found[0].sentence


def test_every_option_is_a_line_of_yaml_that_ends_its_remark() -> None:
    """The rule that a remark without a true remedy would break, over every remark of two data sets."""
    grades = houses().with_columns(pl.Series("condition", [5, 4, 4, 3, 3, 3, 2, 2, 2, 2] * 60)).drop("price")
    for frame, options in ((houses(), Options(planned=True, target="price")), (grades, Options())):
        found = said(frame, options)
        overruled = [line for line in found if line.option]
        assert overruled
        for said_once in overruled:
            line = str(said_once.option).replace("<column>", str(said_once.column))
            obeyed = replace(options, spec=Spec.read(yaml.safe_load(line)))
            assert (said_once.code, said_once.column) not in codes(said(frame, obeyed)), line


@pytest.mark.parametrize("classes", [0, 2, 3])
def test_ids_and_texts_that_say_nothing_are_not_said_to_matter(classes: int) -> None:
    """Forty columns of noise, ids all, beside a target that they have nothing to do with."""
    draws = np.random.default_rng(3)
    ids = {f"a{number}_id": draws.permutation(ROWS) for number in range(20)}
    texts = {f"t{number}": [f"one of many texts {at}" for at in draws.integers(0, 400, ROWS)] for number in range(20)}
    values = draws.normal(size=ROWS) if not classes else [f"c{at}" for at in draws.integers(0, classes, ROWS)]
    frame = pl.DataFrame({**ids, **texts, "x": draws.normal(size=ROWS), "y": values})
    found = said(frame, Options(target="y"))
    assert [remark for remark in found if remark.code == "left_out"]
    assert [remark.column for remark in found if remark.code == "would_matter"] == []


def test_a_text_that_repeats_is_scored_and_one_that_every_row_has_for_itself_is_not() -> None:
    street = [number * 11 % 350 for number in range(ROWS)]
    price = [100_000 + (number * 7919 % 350) * 1000.0 for number in street]
    texts = {"where": [f"the house in street number {number}" for number in street]}
    texts["own"] = [f"a sentence of row {number} alone" for number in range(ROWS)]
    frame = pl.DataFrame({**texts, "x": [number % 13 for number in range(ROWS)], "price": price})
    found = said(frame, Options(target="price"))
    assert ("would_matter", "where") in codes(found) and ("left_out", "own") in codes(found)


def test_whole_numbers_are_said_to_be_read_as_classes_or_as_amounts() -> None:
    frame = houses().drop("price", "price: with [tax]")
    assert ("task", "condition") in codes(said(frame, Options(target="condition", planned=True)))
    assert ("task", "condition") in codes(said(frame, Options(target="condition")))
    wished = Options(target="condition", task="multiclass")
    assert ("task", "condition") not in codes(said(frame, wished))


def test_an_encoding_that_the_owner_named_is_no_guess() -> None:
    data = DataFormat("csv", encoding="cp1252")
    guessed = said(houses(), Options(target="price", data=data))
    named = said(houses(), Options(Spec(encoding="cp1252"), "price", data=data))
    assert ("encoding", None) in codes(guessed) and ("encoding", None) not in codes(named)


@pytest.mark.parametrize("task", ["clustering", "recommendation"])
def test_other_tasks_have_remarks_too(task: Any) -> None:
    place = np.arange(ROWS)
    ratings = {"user": place % 40, "item": place * 7 % 50, "rating": place % 5 + 1, "why": [f"w{at}" for at in place]}
    frame = pl.DataFrame(ratings) if task == "recommendation" else houses()
    found = said(frame, Options(Spec(task=task)))
    assert [remark.code for remark in found if remark.code == "left_out"]


def test_the_run_holds_a_bounded_list_and_counts_the_rest() -> None:
    many = [remark("note", "x" * 5000, option="y" * 5000, column="z" * 5000)] * (MOST + 7)
    stored = row_fields(many)
    assert (len(stored["remarks"]), stored["more_remarks"]) == (MOST, 7)
    for one in stored["remarks"]:
        assert (len(one["sentence"]), len(one["column"]), one["option"]) == (LONGEST, LONGEST, None)
    row = RunRow.from_json({**RUN.to_json(), **stored})
    assert row.to_json()["remarks"] == stored["remarks"]


def test_profiles_of_before_there_were_records_are_read() -> None:
    suspect = {"column": "vat", "why": "it is named like it", "score": None}
    old = remarks_in({"suspects": [suspect], "told": ["The file was read as cp1252."]})
    assert codes(old) == [("leak", "vat"), ("note", None)] and old[1].text == "The file was read as cp1252."
    assert remarks_in({}) == ()


def test_codes_that_a_newer_version_has_added_come_last() -> None:
    new = Remark("new", "It is new.")
    assert worst_first([new, remark("note", "It is old.")])[-1] is new
    assert [code for code, severity in CODES.items() if severity == "warning"][0] == "leak"


@pytest.mark.parametrize(
    "name", ["a: b", "yes", "[x]", 'say "hi"', "é", "a\nb", "1", "", "#", "a, b", "- x", "plain one"]
)
def test_names_are_quoted_where_yaml_would_read_them_otherwise(name: str) -> None:
    assert yaml.safe_load(f"drop: [{yaml_text(name)}]") == {"drop": [name]}
    assert yaml.safe_load(f"kinds: {{{yaml_text(name)}: number}}") == {"kinds": {name: "number"}}
