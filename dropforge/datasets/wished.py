"""Columns whose kind `kinds` in the spec names: refused if most of their values are not of that kind.

The messages count the values and quote none, because a column may be personal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dropforge.contract.fitting import LONGEST_QUOTATION, shortened
from dropforge.contract.schema import DateRule
from dropforge.contract.spec import SpecFault
from dropforge.datasets.dates import canonical_dates, date_rule_of
from dropforge.datasets.values import parse_numbers

if TYPE_CHECKING:
    import polars as pl

    from dropforge.datasets.numeric import Numbers

LEAST_WISHED = 0.5
"""Share of a column's different values that must be of the kind which the spec names."""


def check_wished_numbers(name: str, distinct: pl.Series, numbers: Numbers | None) -> None:
    """Refuses, with `SpecFault`, a column that the spec calls one of numbers if most of its values are none."""
    read = 0 if numbers is None else len(distinct) - parse_numbers(distinct, numbers.rule).null_count()
    if len(distinct) and read < LEAST_WISHED * len(distinct):
        raise SpecFault(
            f"kinds: {short(name)}: number: {len(distinct) - read:,} of its {len(distinct):,} different values are no "
            "numbers; expected most of them to be: leave the wish out, or call it a category"
        )


def wished_dates(name: str, distinct: pl.Series) -> DateRule:
    """How the dates of a column are read that the spec calls one of dates.

    Raises:
        SpecFault: most of its values are none.
    """
    rule = date_rule_of(distinct, LEAST_WISHED)
    if rule is None:
        others = canonical_dates(distinct, DateRule("month-first")).null_count()
        raise SpecFault(
            f"kinds: {short(name)}: date: {others:,} of its {len(distinct):,} different values are no dates; expected "
            "most of them to be: leave the wish out, or write them like 2024-05-31T12:30:00"
        )
    return rule


def short(name: str) -> str:
    """The name of a column, as much of it as a message quotes."""
    return shortened(name, LONGEST_QUOTATION)
