"""Rows from requests: what is taken, what is refused and with which field, and that text reads as in training."""

from __future__ import annotations

import dataclasses
import json
import math
import unicodedata
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dropforge.contract.schema import Column, ModelCard, NumberRule
from dropforge.datasets import values as trainer
from dropforge.datasets.typed import typed
from dropforge.inference import numbers
from dropforge.inference.faults import InputFault
from dropforge.inference.numbers import read_numbers
from dropforge.inference.protocols.refusals import Refusal, refusal_of
from dropforge.inference.rows import MOST_ROWS, from_csv, from_json, to_arrays
from dropforge.inference.values import LONGEST_TEXT, numbers_at_once, to_array

CARD = ModelCard(
    model="m",
    run="run-0123456789abcdef",
    task="regression",
    target="y",
    label_type="number",
    classes=(),
    columns=(Column("age", "number"), Column("town", "category"), Column("new", "boolean"), Column("day", "date")),
    ignored=("y", "id"),
)
ROW = {"age": 3, "town": "Bonn", "new": True, "day": "2026-01-31"}


def arrays(value: Any) -> dict[str, list[Any]]:
    found = to_arrays(from_json(json.dumps(value).encode()), CARD)
    assert all(each.shape[1] == 1 for each in found.values())
    return {name: each[:, 0].tolist() for name, each in found.items()}


def refused(body: bytes | Any, *, csv: bool = False) -> Refusal:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(InputFault) as caught:
        to_arrays((from_csv if csv else from_json)(raw), CARD)
    return refusal_of(caught.value)


@pytest.mark.parametrize("body", [[ROW], {"rows": [ROW]}, {"columns": {name: [value] for name, value in ROW.items()}}])
def test_three_shapes_of_json(body: Any) -> None:
    assert arrays(body) == {"age": [3.0], "town": ["Bonn"], "new": ["true"], "day": ["2026-01-31"]}


def test_csv_gives_what_json_gives() -> None:
    body = "town,age,new,day,id\r\nBonn,3,true,2026-01-31,17\n,,,,18\n".encode("utf-8-sig")
    found = {name: each[:, 0].tolist() for name, each in to_arrays(from_csv(body), CARD).items()}
    assert found["town"] == ["Bonn", ""] and found["new"] == ["true", ""] and found["day"] == ["2026-01-31", ""]
    assert found["age"][0] == 3.0 and math.isnan(found["age"][1])


def test_null_is_a_missing_value_everywhere() -> None:
    found = arrays([dict.fromkeys(ROW)])
    assert math.isnan(found["age"][0])
    assert [found[name] for name in ("town", "new", "day")] == [[""], [""], [""]]


@pytest.mark.parametrize(
    ("value", "text"), [(5, "5"), (5.0, "5"), (5.5, "5.5"), (True, "true"), (False, "false"), (" Bonn ", "Bonn")]
)
def test_a_category_is_the_text_that_the_data_would_have_held(value: Any, text: str) -> None:
    assert arrays([{**ROW, "town": value}])["town"] == [text]


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"age": "old"}, "wrong_type", "rows[1].age"),
        ({"age": "1,234"}, "wrong_type", "rows[1].age"),
        ({"age": "3"}, None, None),
        ({"age": True}, "wrong_type", "rows[1].age"),
        ({"age": [3]}, "wrong_type", "rows[1].age"),
        ({"age": 1e39}, "wrong_type", "rows[1].age"),
        ({"age": 10**400}, "wrong_type", "rows[1].age"),
        ({"town": {"a": 1}}, "wrong_type", "rows[1].town"),
        ({"town": "x" * (LONGEST_TEXT + 1)}, "wrong_type", "rows[1].town"),
        ({"town": "half \ud800 pair"}, "wrong_type", "rows[1].town"),
        ({"town": "cut\0here"}, "wrong_type", "rows[1].town"),
        ({"town": 10**4000}, "wrong_type", "rows[1].town"),
        ({"town": 2**63}, "wrong_type", "rows[1].town"),
        ({"town": 1e30}, "wrong_type", "rows[1].town"),
        ({"town": str(2**63)}, None, None),
        ({"size": 3}, "unknown_column", "rows[1].size"),
        ({"s" * 5000: 3}, "unknown_column", "rows[1]." + "s" * 100 + "…"),
        ({"id": [1]}, None, None),
    ],
)
def test_what_is_wrong_in_a_record_is_named(change: Any, code: str | None, field: str | None) -> None:
    if code is None:
        assert len(arrays([ROW, {**ROW, **change}])["age"]) == 2
        return
    fault = refused([ROW, {**ROW, **change}])
    assert (fault.status, fault.code, fault.field) == (422, code, field)
    assert len(fault.message) < 1200


def test_a_missing_column_is_named_with_its_row() -> None:
    fault = refused([ROW, {name: value for name, value in ROW.items() if name != "day"}])
    assert (fault.status, fault.code, fault.field) == (422, "missing_column", "rows[1].day")
    assert refused({"columns": {"age": [1]}}).field == "town"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ([ROW, {"age": 3, "Town": "Bonn"}], "rows[1].town"),
        ({"columns": {"age": [3], "Town": ["Bonn"]}}, "town"),
        (b"Town,age\nBonn,3\n", "town"),
    ],
    ids=["records", "columns", "csv"],
)
def test_all_missing_columns_are_named_at_once_with_a_row_that_is_taken(body: Any, field: str) -> None:
    fault = refused(body, csv=isinstance(body, bytes))
    assert (fault.field, fault.column, fault.columns) == (field, "town", ("town", "new", "day"))
    assert "3 columns are missing: 'town', 'new', 'day'; no column of this model: 'Town'" in fault.message
    row = json.loads(fault.message.partition("a row is ")[2])
    assert {name: len(values) for name, values in arrays([row]).items()} == dict.fromkeys(ROW, 1)


def test_all_unknown_columns_are_named_at_once() -> None:
    fault = refused([{**ROW, "id": 1, "size": 3, "s" * 5000: 4}])
    assert (fault.field, fault.columns) == ("rows[0].size", ("size", "s" * 100 + "…"))
    assert fault.message.endswith("; it knows 'age', 'town', 'new', 'day'")
    assert len(refused([{**ROW, **{f"s{at}": 1 for at in range(5_000)}}]).columns) == 100


@pytest.mark.parametrize("width", [2, 30, 2_000])
@pytest.mark.parametrize("name", ["c{}", "a rather long name of a column, number {}", "ü" * 99 + "{}"])
def test_a_message_about_many_columns_counts_them_and_is_whole(width: int, name: str) -> None:
    card = dataclasses.replace(CARD, columns=tuple(Column(name.format(at), "number") for at in range(width)))
    with pytest.raises(InputFault) as caught:
        to_arrays(from_json(b'[{"x": 1}]'), card)
    message, refusal = str(caught.value), refusal_of(caught.value)
    assert refusal.message == message and len(message) <= 1_000
    assert f"{width} columns are missing: " in message and refusal.columns == card.names
    assert message.endswith("}") or message.endswith(f", …}} with {width} columns, which GET /models/m lists")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "empty"),
        (b"[]", 400, "empty"),
        (b'{"rows": []}', 400, "empty"),
        (b'{"columns": {}}', 400, "empty"),
        (b'{"columns": {"age": []}}', 400, "empty"),
        (b"{}", 400, "wrong_shape"),
        (b"3", 400, "wrong_shape"),
        (b"[3]", 400, "wrong_shape"),
        (b'{"columns": {"age": 3}}', 400, "wrong_shape"),
        (b'{"columns": [3]}', 400, "wrong_shape"),
        (b'{"rows": [{}], "more": 1}', 400, "wrong_shape"),
        (b"[{", 400, "not_json"),
        (b'[{"age": -Infinity}]', 400, "not_json"),
        (b'[{"age": -Infinity}]', 400, "not_json"),
        (b'[{"age": 1, "age": 2}]', 400, "not_json"),
        (b"[" * 100_000, 400, "not_json"),
        (b'[{"age": ' + b"9" * 5000 + b"}]", 400, "not_json"),
        (b"\xff\xfe\xfd", 400, "not_json"),
        (b'{"columns": {"age": [1], "town": []}}', 422, "ragged_columns"),
        (b"[" + b",".join([b"{}"] * (MOST_ROWS + 1)) + b"]", 413, "too_many_rows"),
    ],
)
def test_what_is_no_list_of_rows(body: bytes, status: int, code: str) -> None:
    fault = refused(body)
    assert (fault.status, fault.code) == (status, code)


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        (b"", 400, "empty", None),
        (b"age,town\n", 400, "empty", None),
        ("возраст,город\n1,Москва\n".encode("cp1251"), 400, "not_csv", None),
        (b'age\n"1\n', 400, "not_csv", None),
        (b"age,age\n1,2\n", 422, "repeated_column", "age"),
        (b"age,town\n1\n", 422, "ragged_row", "rows[0]"),
        (b"age:town:new:day\n1:2:3:4\n", 422, "missing_column", "age"),
        (b"age,town,new,day\n1,a,yes,\nold,a,yes,\n", 422, "wrong_type", "rows[1].age"),
        (b"age,town,new,day\ninfinit,a,yes,\n", 422, "wrong_type", "rows[0].age"),
        (b"age,town,new,day\n1e39,a,yes,\n", 422, "wrong_type", "rows[0].age"),
        (b"age,town,new,day\n1_000,a,yes,\n", 422, "wrong_type", "rows[0].age"),
        (b"age,town,new,day\n1,a\0b,yes,\n", 422, "wrong_type", "rows[0].town"),
        (b"age\n" + b"1\n" * (MOST_ROWS + 1), 413, "too_many_rows", None),
    ],
)
def test_what_is_no_csv_of_rows(body: bytes, status: int, code: str, field: str | None) -> None:
    fault = refused(body, csv=True)
    assert (fault.status, fault.code, fault.field) == (status, code, field)


def test_many_different_names_cost_no_more_than_reading_them() -> None:
    names = [f"c{at}" for at in range(200_000)]
    assert refused(",".join([*names, "c0"]).encode() + b"\n1\n", csv=True).code == "repeated_column"
    twice = "{" + ",".join(f'"{name}":1' for name in [*names, "c0"]) + "}"
    assert refused(f"[{twice}]".encode()).code == "not_json"


WRITTEN = st.one_of(
    st.sampled_from(
        [
            *trainer.MISSING,
            "1,234",
            "12,5",
            "1,234.5",
            "$3",
            "40 %",
            "-€1,200",
            "007",
            "1e5",
            ".5",
            "5.",
            "x",
            "(1,204.50)",
            "($3)",
            "(x)",
            "\u22125.5",
            "\u22121,234",
            "12\u202f345,67",
            "12 345",
            "1'234'567.5",
            "1 2",
            "1.250",
            "1.299,99",
            "4,5",
            "0,25 kg",
            "12.5kg",
            "- 3 kg",
        ]
    ),
    st.floats(allow_nan=False, allow_infinity=False, width=32).map(str),
    st.text("0123456789.,-+eE$€% ()\u2212\u00a0'", max_size=8),
)


RULES = [NumberRule(), NumberRule(".", ","), NumberRule(",", "."), NumberRule(",", ""), NumberRule(".", ",", "$"),
         NumberRule(",", ".", "kg")]  # fmt: skip


@given(st.lists(WRITTEN, min_size=1, max_size=5), st.sampled_from(RULES))
@settings(max_examples=600, deadline=None)
def test_numbers_in_csv_read_as_the_trainer_reads_them(texts: list[str], rule: NumberRule) -> None:
    series = pl.Series("age", texts)
    expected = trainer.parse_numbers(trainer.without_missing(trainer.stripped(series)), rule).to_list()
    found = numbers.read_numbers(texts, rule)
    assert [None if each is None or math.isnan(each) or math.isinf(each) else each for each in found] == expected


@given(st.lists(st.one_of(WRITTEN, st.sampled_from(["1_0", "inf", "nan", "+nan", "٣", " 7\t", "1e999"])), max_size=5))
@settings(max_examples=500, deadline=None)
def test_numbers_read_at_sight_are_those_of_the_rule(texts: list[str]) -> None:
    found = numbers.numbers_at_sight(texts)
    if found is not None:
        np.testing.assert_array_equal(found, np.array(numbers.parse_numbers(texts), dtype=np.float64))


def test_a_column_of_plain_numbers_and_gaps_is_read_at_sight() -> None:
    assert numbers.numbers_at_sight(["1", " 2.5", "-3e2"]) is not None
    found = numbers.numbers_at_sight(["1", "", " NA ", "4"])
    assert found is not None and found.tolist()[::3] == [1.0, 4.0] and np.isnan(found[1:3]).all()


def test_commas_mean_what_they_are_told_to_mean() -> None:
    assert numbers.parse_numbers(["1,234"]) == [1234.0]
    assert numbers.parse_numbers(["1,234", "1,5"], "decimal") == [1.234, 1.5]
    assert numbers.parse_numbers(["1,234", "1,5"], "thousands") == [1234.0, None]
    assert numbers.parse_numbers(["1,234", "5"], "unclear") == [None, 5.0]


def test_missing_markers_are_the_trainer_s() -> None:
    assert set(trainer.MISSING) == numbers.MISSING


@pytest.mark.parametrize("texts", [["Bonn", " Köln ", "", "5", "5.0"], ["", "", "x", " ", "y"]])
def test_texts_read_as_the_trainer_reads_them(texts: list[str]) -> None:
    column = Column("town", "category")
    expected = typed(pl.Series("town", texts), "category").tolist()
    assert to_array(column, texts, text=True)[:, 0].tolist() == expected


@pytest.mark.parametrize("cells", [[5.0, 7.0, None], [5, 7, None]])
def test_numbers_that_name_things_read_as_the_trainer_reads_them(cells: list[Any]) -> None:
    expected = typed(pl.Series("shop", cells), "category").tolist()
    assert to_array(Column("shop", "category"), cells)[:, 0].tolist() == expected


def test_numbers_keep_their_value_as_float32() -> None:
    found = arrays([{**ROW, "age": value} for value in (0.1, -0.0, 2**53 + 1, 3.4e38)])["age"]
    assert found == [float(np.float32(value)) for value in (0.1, -0.0, 2**53 + 1, 3.4e38)]


@pytest.mark.parametrize(
    "body",
    [
        b'[{"a": 1, "a": 2}]',
        b'{"rows": [{"a": ":", "a": 2}]}',
        b'{"columns": {"a": [1], "a" : [2]}}',
        b'{"rows": [], "rows": [{"a": "1:2"}]}',
        b'[{"a": {"b": 1, "b": 2}}]',
        '[{"a": 1, "a": 2}]'.encode("utf-16"),
    ],
)
def test_a_key_that_stands_twice_is_found_wherever_it_is(body: bytes) -> None:
    with pytest.raises(InputFault, match="stands twice"):
        from_json(body)


@given(st.lists(st.lists(st.none() | st.integers() | st.floats(width=64), min_size=3, max_size=3), min_size=1))
def test_numbers_together_are_the_numbers_one_by_one(table: list[list[float | None]]) -> None:
    columns = [Column(name, "number") for name in "abc"]
    values = dict(zip("abc", zip(*table, strict=True), strict=True))
    together = numbers_at_once(("a", "b", "c"), values)
    for column in columns:
        try:
            alone = to_array(column, values[column.name])
        except InputFault:
            assert together is None
            continue
        if together is not None:
            assert together[column.name].dtype == alone.dtype
            np.testing.assert_array_equal(together[column.name], alone)


def test_a_code_that_lost_its_zeros_is_padded_to_the_width_of_all_codes() -> None:
    column = Column("zip", "category", width=5)
    sent = [1220, 1220.0, "1220", "1220.0", "01220", "94107", 94107, "1220-7", "Bonn", None, 194107]
    expected = ["01220"] * 5 + ["94107"] * 2 + ["1220-7", "Bonn", "", "194107"]
    assert to_array(column, sent)[:, 0].tolist() == expected
    assert to_array(Column("zip", "category"), [1220])[0, 0] == "1220"


NAMED = replace(CARD, columns=(Column("Größe", "number"), Column("Straße", "category")), ignored=())
APART = {unicodedata.normalize("NFD", name): value for name, value in (("Größe", 3), ("Straße", "x"))}


@pytest.mark.parametrize("names", [("Größe", "Straße"), tuple(APART)])
def test_names_are_the_same_however_their_accents_are_typed(names: tuple[str, ...]) -> None:
    """Also in a model whose data had its names decomposed, as those of before this rule may have."""
    card = replace(NAMED, columns=(Column(names[0], "number"), Column(names[1], "category")))
    for row in (APART, {"Größe": 3, "Straße": "x"}):
        for rows in (
            from_json(json.dumps([row]).encode()),
            from_json(json.dumps({"columns": {name: [value] for name, value in row.items()}}).encode()),
            from_csv(f"{','.join(row)}\n3,x\n".encode()),
        ):
            found = to_arrays(rows, card)
            assert [found[name][0, 0] for name in names] == [3.0, "x"]


def test_a_text_of_json_is_read_as_the_column_reads_its_numbers() -> None:
    column = Column("x", "number", numbers=NumberRule(",", ".", "kg"), missing=("unknown",))
    found = to_array(column, ["4,5", 2.5, None, "1.250 kg", " Unknown", "NA", "#DIV/0!", "inf"])[:, 0].tolist()
    assert found[:2] + found[3:4] == [4.5, 2.5, 1250.0] and all(map(math.isnan, found[2:3] + found[4:]))
    words = "expected a number in kg with a decimal comma as in the data, or null, got '4.5', which could be 4.5 with"
    with pytest.raises(InputFault, match=words):
        to_array(column, ["4,5", "4.5"])
    with pytest.raises(InputFault, match="got '1,234', which could be 1234 with a decimal point or 1.234"):
        to_array(Column("x", "number", numbers=NumberRule()), ["1,234"], text=True)


def test_a_card_without_rules_reads_commas_by_the_values_of_a_request() -> None:
    stored = json.loads((Path(__file__).parents[1] / "contract" / "stored" / "card-1.json").read_text())
    column = next(column for column in ModelCard.from_json(stored).columns if column.kind == "number")
    assert column.numbers is None and column.missing == () and column.width == 0
    assert to_array(column, ["1,5", "2"], text=True)[:, 0].tolist() == [1.5, 2.0]
    assert to_array(column, ["1,500", "2"], text=True)[:, 0].tolist() == [1500.0, 2.0]


@pytest.mark.parametrize("rule", [NumberRule(), NumberRule(",", "."), NumberRule(unit="kg")])
def test_a_number_beyond_float64_is_missing_under_every_rule(rule: NumberRule) -> None:
    numbers = read_numbers(["1e400", f"-1e400 {rule.unit}".strip(), "7"], rule)
    assert [value is not None and math.isnan(value) for value in numbers] == [True, True, False]
