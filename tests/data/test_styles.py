"""The marks of a file's numbers, found over all its columns; units; and the words among numbers that are missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from dropforge.contract.plan import DataFormat
from dropforge.contract.schema import Column, NumberRule
from dropforge.contract.spec import Spec, SpecFault
from dropforge.datasets.columns import Described, describe, describe_facts
from dropforge.datasets.dataset import Options
from dropforge.datasets.facts import Facts
from dropforge.datasets.faults import DataFault
from dropforge.datasets.prepare import prepare_table
from dropforge.datasets.styles import style_of
from dropforge.datasets.table import as_table
from dropforge.datasets.typed import typed_column
from dropforge.inference.values import to_array

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMAS, SEMICOLONS = DataFormat("csv"), DataFormat("csv", ";")


def table(**columns: Sequence[str]) -> pl.DataFrame:
    """A table of texts."""
    return pl.DataFrame([pl.Series(name, list(values), dtype=pl.String) for name, values in columns.items()])


def marks(frame: pl.DataFrame, data: DataFormat = COMMAS, spec: Spec | None = None) -> str:
    """The decimal mark, and that for thousands."""
    rule = style_of(as_table(frame), spec or Spec(), data).rule
    return rule.decimal + rule.thousands


def described(values: Sequence[str], name: str = "c") -> Described:
    return describe_facts(Facts.of(pl.Series(name, values, dtype=pl.String)), Spec())


@pytest.mark.parametrize(
    ("columns", "delimiter", "expected"),
    [
        ({"a": ["1", "2", "3"]}, ",", "."),
        ({"a": ["1.5", "2", "3"]}, ",", "."),
        ({"a": ["4,5", "5,123"], "b": ["1", "2"]}, ",", ","),
        ({"a": ["4,5", "7"], "b": ["5,123", "6,250"]}, ";", ","),
        ({"a": ["4.5", "7"], "b": ["5,123", "6,250"]}, ",", ".,"),
        ({"a": ["4.5", "7"], "b": ["5.123", "6.250"]}, ";", "."),
        ({"a": ["1.299,99", "12,50"]}, ";", ",."),
        ({"a": ["12 345,67", "980,00"]}, ";", ","),
        ({"a": ["12\u202f345,67", "980,00"]}, ";", ","),
        ({"a": ["1'234.50", "980"]}, ",", "."),
        ({"a": ["1.250", "980"]}, ";", ",."),
        ({"a": ["1.250", "980"], "b": ["0.5", "0.25"]}, ",", "."),
        ({"a": ["1.250", "980"], "b": ["0,5", "0,25"]}, ";", ",."),
        ({"a": ["1.250", "1.255"]}, ";", "."),
        ({"a": ["5,123", "6,250"]}, ";", ","),
        ({"a": ["5,123", "6,250"]}, ",", ".,"),
        ({"a": ["5,120", "980"]}, ";", ".,"),
        ({"a": ["1,234,567", "12"]}, ";", ".,"),
        ({"a": ["(1,204.50)", "310.00"]}, ",", ".,"),
        ({"a": ["$1,204.50", "$310.00"], "rate": ["5.9%", "38.2%"]}, ",", ".,"),
        ({"a": ["\u22121,5", "1,5"]}, ";", ","),
        ({"a": ["1,5", "2", "2", "3", "3", "unknown"] * 10 + [f"{at},5" for at in range(60)]}, ";", ","),
    ],
)
def test_a_file_has_one_style(columns: dict[str, list[str]], delimiter: str, expected: str) -> None:
    assert marks(table(**columns), DataFormat("csv", delimiter)) == expected


@pytest.mark.parametrize(
    "others",
    [
        ["1.2.3", "1.10", "2.0.1"],
        ["31.12.2024", "01.02.2024"],
        ["10.0.0.1", "192.168.100.123"],
        ["123.456.789", "123.456.790"],
        ["12:30", "08:15"],
        ["52.5,13.4", "48.1,11.6"],
        ["1,2,3", "2", "1,3,4"],
        ["Main St. 5", "Side St. 7"],
        ["612 345 678", "698 111 222"],
        ["030 123 456", "030 123 457"],
    ],
)
@pytest.mark.parametrize(("number", "expected"), [("4.5", "."), ("4,5", ",")])
def test_what_is_no_number_says_nothing_of_the_style(others: list[str], number: str, expected: str) -> None:
    frame = table(a=[number] * len(others), b=others)
    assert marks(frame, SEMICOLONS) == expected
    style = style_of(as_table(frame), Spec(), SEMICOLONS)
    assert describe(frame, Spec(), None, style)["b"].kind in ("category", "date")


def test_columns_that_contradict_each_other_are_refused_with_both_readings() -> None:
    frame = table(width=["4,5", "5,25", "3"], height=["1.25", "0.5", "2"])
    with pytest.raises(DataFault, match="0.5 in 'height' is a number only with a decimal point, 4,5 in 'width' only"):
        style_of(as_table(frame), Spec(), COMMAS)
    for spec in (Spec(drop=("width",)), Spec(kinds={"width": "category"}), Spec.read({"numbers": {"decimal": "."}})):
        assert marks(frame, COMMAS, spec)[0] == "."


def test_times_and_days_with_points_contradict_no_decimal_commas() -> None:
    times, days = [f"{at}.{at * 7 % 60:02}" for at in range(24)], [f"{at + 1}.{at % 12 + 1:02}" for at in range(24)]
    frame = table(a=[f"{at},5" for at in range(24)], time=times, day=days)
    style = style_of(as_table(frame), Spec(), SEMICOLONS)
    described = describe(frame, Spec(), None, style)
    assert (style.rule.decimal, described["time"].kind, described["day"].kind) == (",", "category", "category")
    measured = table(a=frame["a"].to_list(), b=[f"{at}.{at * 37 % 100:02}" for at in range(24)])
    with pytest.raises(DataFault, match="numbers are written in two ways"):
        style_of(as_table(measured), Spec(), SEMICOLONS)


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        ({"decimal": ","}, ",."),
        ({"decimal": ",", "thousands": "."}, ",."),
        ({"decimal": ",", "thousands": " "}, ","),
        ({"decimal": ".", "thousands": ""}, "."),
        ({"thousands": "'"}, "."),
        ({}, ".,"),
    ],
)
def test_the_spec_names_the_marks(wish: dict[str, str], expected: str) -> None:
    assert marks(table(a=["1.250", "1.255"]), COMMAS, Spec.read({"numbers": wish})) == expected


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ("comma", "numbers: expected a decimal mark and one for thousands"),
        ({"decimals": ","}, "numbers: expected a decimal mark"),
        ({"decimal": ";"}, "numbers: decimal: expected a point or a comma in quotes, got ';'"),
        ({"decimal": ".", "thousands": "."}, "numbers: thousands: expected another mark than '.'"),
        ({"decimal": 1}, "numbers: decimal: expected a point or a comma"),
    ],
)
def test_a_style_that_is_none_is_named(wish: object, words: str) -> None:
    with pytest.raises(SpecFault, match=words):
        Spec.read({"numbers": wish})


def test_a_guess_is_told_with_the_line_that_overrules_it() -> None:
    style = style_of(as_table(table(a=["1.250", "1.255"])), Spec(), COMMAS)
    assert "1.250 is read as 1.250, for nothing in the file tells which" in style.remark
    assert style.option == 'numbers: {decimal: ",", thousands: "."}'
    assert style_of(as_table(table(a=["1.25", "1.5"])), Spec(), COMMAS).remark == ""


def test_one_column_may_have_the_decimal_mark_of_the_others_between_thousands() -> None:
    style = style_of(as_table(table(a=["1.250", "980", "12.500"], b=["0.25", "3.5", "1"])), Spec(), COMMAS)
    assert (style.of("a"), style.of("b")) == (NumberRule(",", "."), NumberRule(".", ""))
    assert style.example_of == "a" and "0.25 in 'b' has a decimal mark" in style.remark
    assert style.option == 'numbers: {decimal: ".", thousands: ","}'


@pytest.mark.parametrize(
    "values",
    [
        ["1.250", "980.000", "12.500"],  # who writes the zero of 1.250 as a decimal writes it everywhere
        ["1.250", "1980", "12.500"],  # a larger number without a mark
        ["1.255", "980", "12.501"],  # no zero at the end: they may be decimals that were cut
        ["1.25", "980", "12.500"],
    ],
)
def test_decimals_beside_decimals_stay_decimals(values: list[str]) -> None:
    style = style_of(as_table(table(a=values, b=["0.25", "3.5", "1"])), Spec(), COMMAS)
    assert style.of("a").decimal == "." and not style.own


def test_numbers_of_json_have_decimal_points_whatever_texts_have() -> None:
    frame = table(a=["1.250", "2.5"], b=["4,5", "1.250,5"])
    style = style_of(as_table(frame), Spec(), DataFormat("jsonl"))
    assert (style.of("a"), style.of("b")) == (NumberRule(), NumberRule(",", "."))


@pytest.mark.parametrize(
    ("values", "unit"),
    [
        (["12 kg", "13.5 kg", "0.5kg"], "kg"),
        (["5.3 %", "12 %"], "%"),
        (["$3", "$1,200", "4"], "$"),
        (["3 €", "1.200,50 €"], "€"),
        (["CHF 3.50", "CHF 1'200"], "CHF"),
        (["36 months", "60 months"], "months"),
        (["1248 CC", "998 CC"], "CC"),
        (["21.5 °C", "-3 °C", "0"], "°C"),
    ],
)
def test_numbers_of_one_unit_are_numbers(values: list[str], unit: str) -> None:
    column = described(values)
    assert column.kind == "number" and column.numbers is not None and column.numbers.unit == unit and not column.strays


@pytest.mark.parametrize(
    "values",
    [
        ["12 kg", "13 lb", "9 kg"],
        ["$3", "€4"],
        ["12 kg", "13", "9"],
        ["12b", "14b", "9b"],
        ["5A", "6A"],
        ["5 pm", "7 pm"],
        ["1st", "2nd"],
        ["5 May", "7 May"],
        ["A12", "A13"],
        ["12 Main Street", "14 Main Street"],
        ["v1.2", "v1.3"],
        ["10-20", "20-30"],
        ["<5", ">10"],
    ],
)
def test_what_only_looks_like_a_number_with_a_unit_is_none(values: list[str]) -> None:
    assert described(values).kind in ("category", "date")


def test_units_are_told() -> None:
    rows = range(100)
    frame = table(
        weight=[f"{at % 37 + 1.5} kg" for at in rows],
        size=[f"{at % 31} {'cm' if at % 2 else 'in'}" for at in rows],
        y=[str(at * 7 % 13 / 2) for at in rows],
    )
    told = prepare_table(frame, Options(target="y")).profile["told"]
    assert "Read as numbers with a unit: 'weight' (kg)." in told
    assert any("'size' is a category, because its numbers have several units or none (" in each for each in told)


AGES = [str(18 + at * 7 % 60) for at in range(970)]


@pytest.mark.parametrize(
    ("values", "strays"),
    [
        ([*AGES, *["unknown"] * 30], ["unknown"]),
        ([*AGES, *["unknown"] * 60, *["n/k"] * 20], ["unknown", "n/k"]),
        ([*AGES, "4O"], ["4O"]),
        ([*(str(at) for at in range(500)), *["on request"] * 300], ["on request"]),
        ([*(str(at / 8) for at in range(490)), "inf", "-inf", "1e400"], ["-inf", "1e400", "inf"]),
    ],
)
def test_a_few_words_among_numbers_are_missing(values: list[str], strays: list[str]) -> None:
    column = described(values)
    assert (column.kind, list(column.strays)) == ("number", strays)


@pytest.mark.parametrize(
    "values",
    [
        [*(str(10 + at * 7 % 60) for at in range(950)), *["A12"] * 50],
        [*(str(1 + at % 40) for at in range(90)), *[f"{at}b" for at in range(10)]],
        [str(at % 12 + 1) for at in range(920)] + ["K"] * 80,
        ["1", "2", "3", "4"] * 24 + ["ground"] * 4,
        [*(str(at % 60) for at in range(800)), *["unknown"] * 200],
        [*(str(at % 60) for at in range(900)), *("red", "blue", "green", "white", "black", "grey") * 10],
    ],
)
def test_codes_and_grades_among_numbers_stay_categories(values: list[str]) -> None:
    assert described(values).kind == "category"


def test_a_few_words_among_dates_are_missing_too() -> None:
    column = described([*(f"2024-{at % 12 + 1:02}-{at % 28 + 1:02}" for at in range(400)), *["never"] * 12])
    assert (column.kind, column.strays) == ("date", {"never": 12})


def test_words_are_told_and_missing_at_training_and_at_prediction_alike() -> None:
    frame = table(age=[*AGES, *["unknown"] * 30], y=[str(at % 11 / 2) for at in range(1000)])
    dataset = prepare_table(frame, Options(target="y"))
    assert (
        "30 of 1,000 values of 'age' are no numbers ('unknown') and count as missing, as they will in requests. "
        "In spec.yaml: `kinds: {age: category}`" in dataset.profile["told"]
    )
    (column,) = dataset.columns
    assert column.missing == ("unknown",)
    for text in (False, True):
        assert str(to_array(column, ["34", " Unknown ", ""], text=text)[:, 0].tolist()) == "[34.0, nan, nan]"


STYLED = {
    "points": (["1.5", "2", "1,250.5"], COMMAS),
    "commas": (["1,5", "2", "1.250,5"], SEMICOLONS),
    "money": (["$1,204.50", "($3.10)", "$12"], COMMAS),
    "spaces": (["12\u202f345,67", "980,00", "\u22125,1"], SEMICOLONS),
    "weights": (["12,5 kg", "1.250 kg", "3 kg"], SEMICOLONS),
}


@pytest.mark.parametrize("name", STYLED)
def test_every_text_reads_alone_as_it_was_trained_on(name: str) -> None:
    values, data = STYLED[name]
    frame = table(x=values * 30)
    column = describe(frame, Spec(), None, style_of(as_table(frame), Spec(), data))["x"]
    trained = typed_column(frame["x"], column)[: len(values)].tolist()
    read = Column("x", column.kind, numbers=column.numbers)
    assert [to_array(read, [value], text=True)[0, 0] for value in values] == trained
    assert [to_array(read, [value])[0, 0] for value in values] == trained


def test_the_card_lists_no_text_of_a_masked_column_that_few_rows_share() -> None:
    values = [*AGES[:960], *["unknown"] * 39, "Ada"]
    frame = table(age=values, y=[str(at % 11 / 2) for at in range(1000)])
    for sensitive, missing in (((), ("unknown", "Ada")), (("age",), ("unknown",))):
        dataset = prepare_table(frame, Options(Spec(target="y", sensitive=sensitive)))
        assert dataset.columns[0].missing == missing
        assert any("'unknown'" in sentence for sentence in dataset.profile["told"]) == (not sensitive)
