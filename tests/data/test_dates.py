"""Dates in the spellings of databases, spreadsheets and languages: one instant, one date, at both ends."""

from __future__ import annotations

import polars as pl
import pytest

from dropforge.contract.dates import CANONICAL, canonical
from dropforge.contract.schema import DateRule
from dropforge.datasets.dates import canonical_dates, date_rule_of

NOON = "2023-05-31T12:30:00"
SPELLINGS = (
    "2023-05-31T12:30:00", "2023-05-31 12:30", "2023-05-31T12:30:00Z", "2023-05-31T12:30:00.000Z",
    "2023-05-31T12:30:00+00:00", "2023-05-31T14:30:00+02:00", "2023-05-31T05:30:00-0700", "2023-05-31 12:30:00+00",
    "2023-05-31 12:30:00 UTC", "2023-05-31 12:30:00.123456 GMT", "2023-05-31T12:30:00[UTC]", "2023/05/31 12:30",
    "2023.05.31 12:30", "2023-5-31 12:30:00", "31.05.2023 12:30", "31.5.2023 12:30:00", "05/31/2023 12:30 PM",
    "5/31/2023 12:30:00 pm", "31/05/2023 12:30", "31/05/2023, 12:30:00", "Wed, 31 May 2023 12:30:00 GMT",
    "May 31, 2023 12:30 PM", "31-May-2023 12:30:00", "20230531 12:30:00", "1685536200", "1685536200000",
    "1685536200000000", "1685536200000000000",
)  # fmt: skip


@pytest.mark.parametrize("text", SPELLINGS)
@pytest.mark.parametrize("order", [None, "month-first", "day-first"])
def test_one_instant_is_one_date_however_it_is_spelled(text: str, order: str | None) -> None:
    assert canonical(text, DateRule(order)) == NOON  # type: ignore[arg-type]


@pytest.mark.parametrize("text", SPELLINGS[:-4])
def test_a_whole_column_is_read_as_its_values_are(text: str) -> None:
    values = pl.Series("when", [text, "2023-05-31"])
    rule = date_rule_of(values, 0.99)
    assert rule is not None
    assert canonical_dates(values, rule).to_list() == [NOON, "2023-05-31"]


def test_the_order_between_slashes_is_that_of_the_plain_dates() -> None:
    assert date_rule_of(pl.Series(["05/03/2021", "05/31/2021"]), 0.99) == DateRule("month-first")
    assert date_rule_of(pl.Series(["05/03/2021", "31/05/2021"]), 0.99) == DateRule("day-first")
    assert date_rule_of(pl.Series(["05/03/2021", "04/02/2021"]), 0.99) == DateRule("month-first")
    assert date_rule_of(pl.Series(["31/05/2021", "05/31/2021"]), 0.99) is None


def test_what_only_a_rule_can_tell_is_read_by_the_rule_alone() -> None:
    assert canonical("05/03/2021", DateRule()) is None
    assert canonical("05/03/2021", DateRule("month-first")) == "2021-05-03"
    assert canonical("05/03/2021", DateRule("day-first")) == "2021-03-05"
    assert canonical("03/03/2021", DateRule()) == "2021-03-03"


@pytest.mark.parametrize(
    "text",
    ["", "not a date", "2024-13-01", "2024-02-30", "2021", "12:30", "2024-05-31T25:00", "13:99 PM", "1", "44347",
     "31/31/2021", "May 2021", "2021-05-31T12:30:00+99:00", "2021-05-31 13:30 PM", "0000-00-00", "x2021-05-31"],
)  # fmt: skip
def test_what_is_no_date_is_none(text: str) -> None:
    assert canonical(text, DateRule("month-first")) is None


def test_most_of_a_column_must_be_dates() -> None:
    many = [f"2021-01-{day:02d} 10:00:00 UTC" for day in range(1, 29)]
    assert date_rule_of(pl.Series(many), 0.99) == DateRule()
    assert date_rule_of(pl.Series([*many, "soon"]), 0.99) is None
    assert date_rule_of(pl.Series([], dtype=pl.String), 0.99) is None


def test_whole_columns_and_single_texts_agree() -> None:
    texts = pl.Series([*SPELLINGS, "2024-02-30", "nothing", "1969-07-20T20:17:40-05:30", "2000-02-29"])
    rule = DateRule("month-first")
    read = canonical_dates(texts, rule)
    for text, date in zip(texts, read, strict=True):
        assert date == canonical(text, rule) or text == "2024-02-30"
        assert date is None or CANONICAL.fullmatch(date)
