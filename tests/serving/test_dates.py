"""Dates of a request: one instant is one input in every spelling and protocol, and what is no date is refused."""

from __future__ import annotations

from typing import Any

import pytest

from dropforge.contract.schema import Column, DateRule
from dropforge.inference.faults import InputFault
from dropforge.inference.values import to_array
from tests.data.test_dates import NOON, SPELLINGS

WHEN = Column("when", "date", DateRule())


def read(column: Column, *values: Any, text: bool = False) -> list[str]:
    return to_array(column, values, text=text)[:, 0].tolist()


@pytest.mark.parametrize("text", [False, True])
def test_every_spelling_of_an_instant_is_the_same_input(text: bool) -> None:
    assert set(read(WHEN, *SPELLINGS, text=text)) == {NOON}


def test_numbers_of_pandas_and_javascript_are_instants() -> None:
    assert set(read(WHEN, 1685536200000, 1685536200, 1685536200000.0, 1685536200.75)) == {NOON}


def test_what_is_missing_stays_missing() -> None:
    assert read(WHEN, None, "", " ", "NA", "null", "None", "2023-05-31") == [""] * 6 + ["2023-05-31"]


@pytest.mark.parametrize("value", ["not a date", "05/03/2021", "2023-13-01", 42, True, "2023"])
def test_what_is_no_date_is_refused_by_row_and_column(value: Any) -> None:
    with pytest.raises(InputFault, match=r"rows\[1\].when: expected a date such as 2024-05-31T12:30:00"):
        read(WHEN, NOON, value)


def test_the_order_between_slashes_is_that_of_the_data() -> None:
    assert read(Column("when", "date", DateRule("day-first")), "05/03/2021") == ["2021-03-05"]
    assert read(Column("when", "date", DateRule("month-first")), "05/03/2021") == ["2021-05-03"]


def test_a_model_of_before_the_rule_is_given_its_texts_as_they_are() -> None:
    assert read(Column("when", "date"), "31.05.2023", "whatever") == ["31.05.2023", "whatever"]
