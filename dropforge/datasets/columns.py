"""What kind each column is, and which columns are left out and why.

The rule, over the values of a column without missing markers (`values.MISSING`); the first that fits decides:

1. all words of `values.TRUE` and `FALSE`, and both occur: boolean;
2. zero-padded codes among numbers, at least 1 % of the distinct values or in a column of one length: category;
3. nearly all rows hold numbers (also `1,234.5`, `12,5`, `$3`, `40 %`, `12 kg`), by the rule of `numeric` and with the
   marks of the whole file (`styles`): number, the rest missing; but whole numbers that repeat in a column called as ids
   are (`shop_id`) name things: category;
4. 99 % of the distinct values are dates, in the spellings of `dropforge.contract.dates`: date;
5. category otherwise.

Left out, with the reason in the profile:

- no value, or one value in every row;
- what `spec.drop` names;
- a copy of a column to its left, whatever the spelling of numbers;
- free text: more than half of the texts are different, of three words or 50 characters and more on average;
- an id: 95 % of the texts are different, or half of them in a column called as ids are; whole numbers, different in
  every row, that count the rows (from row to row in even steps or with few gaps, but years), or stand in a column
  called as ids are. That a file is sorted by a column says nothing of it.

A column with fewer than `ID_ROWS` distinct values is neither free text nor an id. A column that `spec.kinds` names
keeps its place unless it is constant. Leakage suspects are reported, not left out: their rule stands in `suspects`.

Above `facts.SAMPLE` distinct values, shares are those of an even sample of the distinct values, and "different in every
row" means 99 % by an estimate within about 1 %; zero-padded codes are looked for in every row, however many.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, assert_never

import polars as pl

from dropforge.contract.schema import Column, DateRule
from dropforge.datasets import leftout
from dropforge.datasets.dates import canonical_dates, date_rule_of
from dropforge.datasets.hashing import copies_of
from dropforge.datasets.numeric import Numbers, numbers_in, several_units, stray_words
from dropforge.datasets.styles import PLAIN, rule_alone
from dropforge.datasets.table import as_table
from dropforge.datasets.values import FALSE, NUMBER_SHARE, PADDED, POINT, TRUE, parse_numbers
from dropforge.datasets.wished import check_wished_numbers, wished_dates

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from dropforge.contract.schema import NumberRule
    from dropforge.contract.schema import TableKind as Kind
    from dropforge.contract.spec import Spec
    from dropforge.datasets.dataset import Rows
    from dropforge.datasets.facts import Facts
    from dropforge.datasets.leftout import LeftOut
    from dropforge.datasets.styles import Style
    from dropforge.datasets.table import Table

ID_ROWS = 20
"""Fewer distinct values are no proof of an id or of free text."""

ID_SHARE = 0.95
"""A text column is an id when this share of its values is distinct."""

DENSE = 0.8
"""Whole numbers that differ in every row and fill this share of their range count rows."""

ID_NAME = re.compile(
    r"(^|[_\s.-])(id|ids|uuid|guid)$|^(index|idx|key|rowid|row[_\s-]?(no|num|number|names?))$|^unnamed: ?\d+$"
)
"""What an id column is usually called, in lower case (`customer_id`, `Unnamed: 0`)."""

CAMEL_ID = re.compile(r"[a-z](Id|ID)$|^ID[A-Z]?[a-z]*$")
YEARS = (1500, 2200)


SHARED = 3
"""Rows from which on a text in a masked column is no one person's."""

MOST_STRAYS = 100
"""Texts that are missing values in a column of numbers which the model's card lists."""


@dataclass(frozen=True)
class Described:
    """One column: its kind, and why it is left out when it is."""

    name: str
    kind: Kind
    dates: DateRule | None = None
    """Of a column of dates, how they are read."""
    left_out: LeftOut | None = None
    """None for a column that the model reads."""
    numbers: NumberRule | None = None
    """Of a column of numbers, how its texts are read."""
    strays: Mapping[str, float] = field(default_factory=dict)
    """Texts that are no numbers in a column of them, to their rows: missing values."""
    known: int = 0
    """Rows that hold a value or such a text."""
    units: tuple[str, ...] = ()
    """Of a category that would be a number if its values had one unit, those that they have."""
    width: int = 0
    prefix: int = 0
    """Of zero-padded codes, and of generalised categories, as `Column` has them."""

    @property
    def dropped(self) -> str:
        """The reason in words; empty for a column that the model reads."""
        return "" if self.left_out is None else self.left_out.sentence

    @property
    def names_rows(self) -> bool:
        """Whether it is left out though rows differ in it: an id, free text, or what the spec leaves out."""
        return self.left_out is not None and self.left_out.names_rows


def describe(
    table: pl.DataFrame | Table, spec: Spec, target: str | None = None, style: Style | None = None
) -> dict[str, Described]:
    """Every column but the target, in the order of the file; `style` is that of its numbers, each alone when None."""
    whole = as_table(table)
    names = [name for name in whole.columns if name != target]
    found = {name: describe_facts(whole.facts(name), spec, None if style is None else style.of(name)) for name in names}
    for name, first in copies_of(whole, [name for name in names if not found[name].dropped]).items():
        if name not in spec.kinds:
            found[name] = replace(found[name], left_out=leftout.copy_of(first))
    return found


def describe_facts(facts: Facts, spec: Spec, style: NumberRule | None = None) -> Described:
    """Kind and fate of one column, by what was counted of it, without a look at the others.

    `style` is how the file's numbers are written; the column's own values tell when it is None.
    """
    name, distinct, wished = facts.name, facts.distinct, spec.kinds.get(facts.name)
    numbers = _numbers(facts, style, wished)
    if wished == "number" and not facts.numeric:
        check_wished_numbers(name, distinct, numbers)
    rule = None
    if wished or facts.numeric:
        kind: Kind = wished or "number"
    else:
        kind, rule = _kind(facts, facts.padded and _are_codes(distinct), numbers is not None)
    if kind == "number" and not wished and _names_things(facts, numbers):
        kind = "category"
    if kind == "date" and rule is None:
        rule = wished_dates(name, _texts(distinct))
    left_out = leftout.BY_SPEC if name in spec.drop else _left_out(facts, kind, bool(wished))
    column = Described(name, kind, rule, left_out, known=facts.known)
    if kind == "number":
        numbers = numbers or Numbers(PLAIN, {})
        return replace(column, numbers=numbers.rule, strays=numbers.strays)
    if kind == "date":
        return replace(column, strays=_no_dates(facts, rule or DateRule()))
    if kind == "category" and not facts.numeric:
        units = () if numbers or wished else several_units(distinct, style or POINT)
        return replace(column, units=units, width=_width(distinct) if facts.padded else 0)
    return column


def _numbers(facts: Facts, style: NumberRule | None, wished: Kind | None) -> Numbers | None:
    """How a column of texts is read as numbers; None where it is none of them, or need not be looked at."""
    if facts.numeric or wished not in (None, "number"):
        return None
    return numbers_in(facts, style or rule_alone(facts), wished=wished == "number")


def _no_dates(facts: Facts, rule: DateRule) -> dict[str, float]:
    """The texts that are no dates in a column of them, to their rows, which are estimated where nobody counted."""
    distinct = _texts(facts.distinct)
    others, usual = facts.others or {}, facts.known / max(facts.count, 1)
    strays = distinct.filter(canonical_dates(distinct, rule).is_null()).to_list()
    return {text: others.get(text, usual) for text in sorted(strays, key=lambda text: (-others.get(text, usual), text))}


def _width(distinct: pl.Series) -> int:
    """How many digits all of these codes have; 0 where some have more than others, or other characters."""
    lengths = distinct.str.len_chars().unique()
    return int(lengths[0]) if len(lengths) == 1 and distinct.str.contains(r"^[0-9]+$").all() else 0


def columns_read(described: Mapping[str, Described], rows: Rows, masked: Collection[str] = ()) -> tuple[Column, ...]:
    """The columns that the model reads, in the order of the file.

    Args:
        described: the columns of the data set.
        rows: some of its rows, typed.
        masked: columns of which no text is listed that few rows share.
    """
    return tuple(
        Column(
            name,
            column.kind,
            column.dates,
            column.numbers,
            _listed(column, name in masked),
            column.width,
            rows.columns[name].dtype == "float64",
            column.prefix,
        )
        for name, column in described.items()
        if column.left_out is None
    )


def _listed(column: Described, is_masked: bool) -> tuple[str, ...]:
    """The missing values of a column that its model's card lists."""
    texts = [text for text, rows in column.strays.items() if rows >= SHARED or not is_masked]
    return tuple(texts[:MOST_STRAYS])


def _kind(facts: Facts, codes: bool, numbers: bool) -> tuple[Kind, DateRule | None]:
    distinct = facts.distinct
    if distinct.is_in([*TRUE, *FALSE]).all() and distinct.is_in(list(TRUE)).any() and distinct.is_in(list(FALSE)).any():
        return "boolean", None
    if numbers:
        return ("category" if codes else "number"), None
    rule = date_rule_of(distinct, NUMBER_SHARE)
    if rule is None and (words := stray_words(facts)):
        rule = date_rule_of(distinct.filter(~distinct.is_in(words)), NUMBER_SHARE)
    return ("category", None) if rule is None else ("date", rule)


def _are_codes(distinct: pl.Series) -> bool:
    """Whether zero-padded values make a column one of codes: a stray one among values of other lengths does not."""
    padded = int(distinct.str.contains(PADDED).sum())
    return padded >= (1 - NUMBER_SHARE) * len(distinct) or distinct.str.len_chars().n_unique() == 1


def _names_things(facts: Facts, found: Numbers | None) -> bool:
    """Whether numbers are foreign keys: called as ids are, whole, and not one a row."""
    if not is_id_name(facts.name) or facts.all_differ:
        return False
    numbers = facts.distinct if found is None else parse_numbers(facts.distinct, found.rule)
    return bool((numbers == numbers.floor()).all())


def _left_out(facts: Facts, kind: Kind, wished: bool) -> LeftOut | None:
    if facts.count == 0:
        return leftout.EMPTY
    if facts.count == 1 and facts.known == facts.rows:
        return leftout.CONSTANT
    if wished or facts.count < ID_ROWS:
        return None
    match kind:
        case "number":
            return _numbers_left_out(facts)
        case "category":
            return _texts_left_out(facts)
        case "boolean" | "date":
            return None
        case _:
            assert_never(kind)


def _numbers_left_out(facts: Facts) -> LeftOut | None:
    if not facts.whole or not (facts.all_differ or facts.rising or facts.falling):
        return None
    dense = facts.rows >= DENSE * (facts.high - facts.low + 1)
    if facts.low in (0, 1) and dense:
        return leftout.row_numbers(facts.low, facts.high)
    if is_id_name(facts.name):
        return leftout.ID_BY_NAME
    years = facts.low >= YEARS[0] and facts.high <= YEARS[1]
    counting = (facts.rising or facts.falling) and (facts.even or dense)
    return leftout.ID_BY_VALUES if counting and not years else None


def _texts_left_out(facts: Facts) -> LeftOut | None:
    share = facts.count / facts.known
    if share > 0.5 and (facts.words >= 3 or facts.length > 50):
        return leftout.free_text(facts.count, facts.known, facts.words)
    is_id = share >= ID_SHARE or is_id_name(facts.name) and share > 0.5
    return leftout.id_of_texts(facts.count, facts.known) if is_id else None


def is_id_name(name: str) -> bool:
    """Whether a column is called as ids are."""
    return ID_NAME.search(name.lower()) is not None or CAMEL_ID.search(name) is not None


def _texts(values: pl.Series) -> pl.Series:
    return values.cast(pl.String) if values.dtype.is_numeric() else values
