"""Kinds of columns, and which are left out."""

from __future__ import annotations

import polars as pl
import pytest

from dropforge.contract.schema import DateRule
from dropforge.contract.spec import Spec, SpecFault
from dropforge.datasets.columns import Described, describe, describe_facts
from dropforge.datasets.dates import parse_dates
from dropforge.datasets.facts import Facts
from dropforge.datasets.faults import DataFault
from dropforge.datasets.jsonlines import parse_json_lines
from dropforge.datasets.numeric import Texts, numbers_in
from dropforge.datasets.styles import rule_alone
from dropforge.datasets.values import MISSING, parse_numbers, without_missing


def described(series: pl.Series, spec: Spec | None = None) -> Described:
    return describe_facts(Facts.of(series), spec or Spec())


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "2.5", "-3e4", ".5", "+7."], "number"),
        (["0", "1"], "number"),
        (["1,234.5", "12", "1,000"], "number"),
        (["12,5", "3,25", "7"], "number"),
        (["$1,200", "$ 30", "-$4.5"], "number"),
        (["$1,200", "€ 30", "40 %"], "category"),
        (["007", "12"], "category"),
        (["00", "01"], "category"),
        (["027311", *(str(9_000 + 97 * at) for at in range(400))], "number"),
        (["01220", *(str(10_000 + 97 * at) for at in range(400))], "category"),
        (["0.5", "0"], "number"),
        (["yes", "no"], "boolean"),
        (["True", "FALSE", "t"], "boolean"),
        (["yes", "no", "maybe"], "category"),
        (["yes"], "category"),
        (["1e5", "x"], "category"),
        (["1.2.3", "4.5.6"], "category"),
        (["inf", "1"], "category"),
        (["2024-01-31", "1999-12-01"], "date"),
        (["2024", "1999"], "number"),
        ([], "category"),
    ],
)
def test_the_kind_of_a_column(values, kind):
    assert described(pl.Series("c", values, dtype=pl.String)).kind == kind


def test_one_stray_word_in_a_hundred_numbers_is_missing():
    numbers = pl.Series("n", [*(str(at + 0.5) for at in range(199)), "broken"])
    assert described(numbers).kind == "number"
    assert described(numbers).strays == {"broken": 1}
    assert parse_numbers(numbers).null_count() == 1


@pytest.mark.parametrize(
    ("values", "slashes"),
    [
        (["2024-05-31", "2024-05-31T12:30", "2024-05-31 12:30:01.25Z"], None),
        (["2024/05/31", "2023/01/01"], None),
        (["05/31/2024", "1/2/2024"], "month-first"),
        (["31/05/2024", "1/2/2024"], "day-first"),
        (["01/02/2024", "03/04/2024"], "month-first"),
        (["31.05.2024", "1.2.2024"], None),
    ],
)
def test_how_a_column_of_dates_is_read(values, slashes):
    column = described(pl.Series("c", values))
    assert (column.kind, column.dates) == ("date", DateRule(slashes))


def test_what_is_no_date_of_a_model_has_no_days():
    texts = ["2024-05-31T12:30:00.5Z", "no date", None, "2024-13-01", "2024/05/31", "31.05.2024", "2024-5-31"]
    days = parse_dates(pl.Series(texts))
    assert int(days[0]) == 19874
    assert days[1:].to_list() == [None] * 6


def test_times_are_fractions_of_days():
    days = parse_dates(pl.Series(["1970-01-02T06:00:00Z", "1969-12-31", "0001-01-01", "2000-02-29 12:00"]))
    assert days.to_list() == [1.25, -1.0, -719162.0, 11016.5]


def drop_reason(values: list[str], name: str = "c", spec: Spec | None = None) -> str:
    return described(pl.Series(name, values, dtype=pl.String), spec).dropped


ROWS = range(60)


@pytest.mark.parametrize(
    ("name", "values", "reason"),
    [
        ("c", ["", "NA", "null", "?"], "no value"),
        ("c", ["x"] * 60, "same value"),
        ("c", ["x"] * 59 + [""], ""),
        ("c", [str(at) for at in ROWS], "row numbers: 0 to 59, none twice"),
        ("c", [str(60 - at) for at in ROWS], "row numbers"),
        ("order", [str(1000 + 7 * at) for at in ROWS], "count from row to row"),
        ("order", [str(1000 + at + at // 9) for at in ROWS], "count from row to row"),
        ("mileage", [str(1000 + 7 * at + at**2) for at in ROWS], ""),
        ("mileage", [str(9000 - 7 * at - at**2) for at in ROWS], ""),
        ("customer_id", [str(9973 * at % 7919) for at in ROWS], "an id by its name"),
        ("customerId", [str(9973 * at % 7919) for at in ROWS], "an id by its name"),
        ("body_mass_index", [str(9973 * at % 7919) for at in ROWS], ""),
        ("paid", [str(9973 * at % 7919) for at in ROWS], ""),
        ("year", [str(1950 + at) for at in ROWS], ""),
        ("x", [str(at / 7) for at in ROWS], ""),
        ("c", [f"user-{at * 37 % 61}" for at in ROWS], "an id: 60 different texts"),
        ("c", [f"type {at % 9}" for at in ROWS], ""),
        ("c", [f"the {at} cats sat on mats" for at in ROWS], "free text"),
        ("day", [f"2024-01-{1 + at % 28:02}" for at in range(28)], ""),
    ],
)
def test_columns_that_are_left_out(name, values, reason):
    found = drop_reason(values, name)
    assert found.startswith(reason) if reason == "" else reason in found
    assert bool(found) == bool(reason)


def test_copies_are_left_out_whatever_their_spelling():
    frame = pl.DataFrame({"a": ["1", "2", "4"], "b": ["1.0", "2.0", "4"], "c": ["1", "2", "5"], "t": ["1", "2", "4"]})
    found = describe(frame, Spec(), "t")
    assert [found[name].dropped for name in "abc"] == ["", "copy of column 'a'", ""]
    assert "t" not in found


def test_the_spec_decides_kinds_and_what_is_dropped():
    frame = pl.DataFrame(
        {"zip": [str(at * 31 % 97) for at in ROWS], "id": [str(at) for at in ROWS], "b": ["x", "y"] * 30}
    )
    found = describe(frame, Spec(kinds={"zip": "category", "id": "number"}, drop=("b",)))
    assert (found["zip"].kind, found["zip"].dropped) == ("category", "")
    assert (found["id"].kind, found["id"].dropped) == ("number", "")
    assert found["b"].dropped == "left out by the spec"


@pytest.mark.parametrize("dtype", [pl.String, pl.Int64, pl.Float64])
def test_numbers_that_name_things_are_categories(dtype):
    shops = pl.Series([at % 7 for at in ROWS]).cast(dtype)
    assert described(shops.alias("shop_id")).kind == "category"
    assert described(shops.alias("rooms")).kind == "number"
    assert described(shops.alias("shop_id"), Spec(kinds={"shop_id": "number"})).kind == "number"


def test_missing_markers_hold_the_usual_spellings():
    assert {"", "NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "None", "?", "-"} <= set(MISSING)
    assert "0" not in MISSING
    assert "no" not in MISSING


def test_a_wished_copy_is_kept():
    frame = pl.DataFrame({"a": ["1", "2", "4"], "b": ["1.0", "2.0", "4"], "t": ["1", "2", "4"]})
    assert describe(frame, Spec(kinds={"b": "category"}), "t")["b"].dropped == ""


def test_a_wish_for_dates_that_no_value_meets_is_rejected_without_examples():
    spec = Spec(kinds={"c": "date"})
    with pytest.raises(SpecFault, match="kinds: c: date: 60 of its 60 different values are no dates") as told:
        described(pl.Series("c", [f"v{row}" for row in ROWS]), spec)
    assert "v0" not in str(told.value)
    mixed = [f"2021-01-{row % 28 + 1:02d}" for row in ROWS]
    assert described(pl.Series("c", [*mixed, "soon"]), spec).kind == "date"


def test_a_wish_for_numbers_that_no_value_meets_is_rejected_without_examples():
    spec = Spec(kinds={"c": "number"})
    with pytest.raises(SpecFault, match="kinds: c: number: 60 of its 60 different values are no numbers") as told:
        described(pl.Series("c", [f"Ada {row}" for row in ROWS]), spec)
    assert "Ada" not in str(told.value)
    assert described(pl.Series("c", [*(f"{row}.5" for row in ROWS), "unknown"]), spec).kind == "number"


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["(1,204.50)", "310.00", "($12.25)"], [-1204.5, 310.0, -12.25]),
        (["\u22125.5", "5.5", "\u22121,234.5"], [-5.5, 5.5, -1234.5]),
        (["12\u202f345,67", "980,00", "1\u00a0204,5"], [12345.67, 980.0, 1204.5]),
        (["1'234'567.5", "980"], [1234567.5, 980.0]),
        (["#DIV/0!", "2.5", "#REF!"], [None, 2.5, None]),
    ],
)
def test_numbers_of_accounts_typographers_and_other_countries(texts, expected):
    values = without_missing(pl.Series(texts))
    numbers = numbers_in(Texts.of(values), rule_alone(Texts.of(values)))
    assert numbers is not None and parse_numbers(values, numbers.rule).to_list() == expected


def test_a_nul_in_json_is_rejected_with_its_line():
    with pytest.raises(DataFault, match="line 2: 'a' holds a NUL character"):
        parse_json_lines(b'{"a": "x"}\n{"a": "y\\u0000"}\n', None)
