"""How the numbers of a file are written: one decimal mark and at most one mark for thousands, found over all columns.

A column of texts says something about the marks where all its numbers can be read in one way only: `4,5`, `1.299,99`
and `1.234.567` need a decimal comma, `1.25`, `0.250` and `1,234.5` a decimal point. Columns that need different marks
are a contradiction, and the data are refused. Where no column needs either (`1.250`, `1,250`), the first of these
decides, and the decision is told:

1. `1.250` beside `980`, where every number without a mark is below 1,000: the mark separates thousands, for who writes
   the zero of 1.250 as a decimal would write 980.000;
2. a comma in a file that is separated by semicolons is a decimal mark, as where such files are usual;
3. a point is a decimal mark, and a comma separates thousands.

Where other columns need a decimal mark, a column that has this mark between thousands by rule 1 is read by its own
evidence, and this is told: somebody formatted that column alone.

Columns that the spec leaves out, or calls no numbers, say nothing. Times (`8.30`) and days (`31.12`) say nothing where
another column needs decimal commas. Nor do JSON's numbers, which have no style: a column of JSON lines that holds plain
numbers alone is read as they are.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from dropforge.contract import numbers
from dropforge.datasets.faults import DataFault
from dropforge.datasets.numeric import numbers_in, unit_of
from dropforge.datasets.values import COMMA, NUMBER, POINT, undressed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import polars as pl

    from dropforge.contract.plan import DataFormat
    from dropforge.contract.schema import NumberRule
    from dropforge.contract.spec import Spec
    from dropforge.datasets.numeric import Counted
    from dropforge.datasets.table import Table

Mark = Literal[".", ","]

PLAIN = replace(POINT, thousands="")
"""Of a file without any comma in its numbers."""

TIME = r"^([01]?\d|2[0-3])\.[0-5]\d$"
DAY = r"^(0?[1-9]|[12]\d|3[01])\.(0[1-9]|1[0-2])$"
"""How times and days are written where decimals have commas."""

CLOCKS = 20
"""Different values from which on these are told from numbers."""

OTHER_WAY = {
    ".": 'numbers: {decimal: ",", thousands: "."}',
    ",": 'numbers: {decimal: ".", thousands: ","}',
}
"""The line of spec.yaml that overrules a decimal mark."""


@dataclass(frozen=True)
class Evidence:
    """What one column says about the marks."""

    name: str
    needs: Mark | None
    """The decimal mark that its numbers need; None where they can be read with either."""
    example: str
    """A number that needs the mark, or can be read in both ways."""
    beside_small: bool = False
    """Whether the mark separates thousands by rule 1, if nothing says otherwise."""
    is_clock: bool = False
    """Whether all its numbers can be times of a day, or days of a year, with a point."""
    grouped: frozenset[Mark] = frozenset()
    """The marks that can separate thousands in it."""

    @property
    def mark(self) -> Mark:
        """The mark in the example of a column that can be read in both ways."""
        return "." if "." in self.example else ","


@dataclass(frozen=True)
class Style:
    """How the numbers of a table are written."""

    rule: NumberRule
    plain: frozenset[str] = frozenset()
    """Columns of JSON numbers, which have decimal points in any case."""
    own: Mapping[str, NumberRule] = field(default_factory=dict)
    """Columns whose mark separates thousands by rule 1, though it is the decimal mark of others."""
    remark: str = ""
    """What was guessed, in a sentence for people."""
    option: str | None = None
    """The line of spec.yaml that reads the numbers the other way."""
    example_of: str = ""
    """The column whose values the sentence shows."""

    def of(self, name: str) -> NumberRule:
        """The marks of one column's numbers."""
        return PLAIN if name in self.plain else self.own.get(name, self.rule)


def style_of(table: Table, spec: Spec, data: DataFormat | None = None) -> Style:
    """The style of a table's numbers.

    Args:
        table: as it was read.
        spec: whose `numbers` decides where it is there.
        data: how the file is written, where that is known.

    Raises:
        DataFault: one column needs decimal points, another decimal commas.
    """
    is_json = data is not None and data.format == "jsonl"
    names = [name for name in table.columns if name not in spec.drop and spec.kinds.get(name, "number") == "number"]
    texts = [name for name in names if not table.facts(name).numeric]
    plain = frozenset(name for name in texts if is_json and not table.facts(name).others)
    if spec.numbers is not None:
        return Style(spec.numbers.rule, plain)
    found = (evidence_of(name, table.facts(name)) for name in texts if name not in plain)
    delimiter = data.delimiter if data is not None and data.format == "csv" else ""
    return replace(decided([each for each in found if each is not None], delimiter), plain=plain)


def rule_alone(column: Counted) -> NumberRule:
    """The marks of a column of which nothing else is known."""
    evidence = evidence_of("", column)
    return decided([] if evidence is None else [evidence], "").rule


def decided(columns: Iterable[Evidence], delimiter: str) -> Style:
    """The style that these columns have in common. See `style_of`."""
    every = list(columns)
    points, commas = ([each for each in every if each.needs == mark] for mark in (".", ","))
    points = [each for each in points if not (commas and each.is_clock)]
    if points and commas:
        raise _contradiction(points[0], commas[0])
    doubtful = [each for each in every if each.needs is None]
    decimal, why = _decimal(points, commas, doubtful, delimiter)
    marks = frozenset[Mark]().union(*(each.grouped for each in every)) - {decimal}
    thousands: Mark | Literal[""] = next(iter(marks), "")
    rule = replace(PLAIN, decimal=decimal, thousands=thousands)
    against = [each for each in doubtful if each.beside_small and each.mark == decimal]
    if against and not why:
        return _with_own(rule, against, (points or commas)[0])
    if not doubtful or not why:
        return Style(rule)
    remark = _remark(doubtful[0], decimal, why)
    return Style(rule, remark=remark, option=OTHER_WAY[decimal], example_of=doubtful[0].name)


def _with_own(rule: NumberRule, against: list[Evidence], proof: Evidence) -> Style:
    """The style of a file in which some columns have the decimal mark of the others between thousands."""
    first, decimal = against[0], rule.decimal
    other: Mark = "," if decimal == "." else "."
    own = replace(PLAIN, decimal=other, thousands=decimal)
    sentence = (
        f"Numbers such as {first.example} in {first.name!r} are read as {first.example.replace(decimal, '')}, because "
        f"smaller numbers beside them have no such mark, although {proof.example} in {proof.name!r} has a decimal mark."
    )
    option = OTHER_WAY["," if decimal == "." else "."]
    return Style(rule, own={each.name: own for each in against}, remark=sentence, option=option, example_of=first.name)


def _decimal(
    points: list[Evidence], commas: list[Evidence], doubtful: list[Evidence], delimiter: str
) -> tuple[Mark, str]:
    """The decimal mark, and why it is that where no number proves it."""
    if points or commas:
        return ("." if points else ","), ""
    thousands = {each.mark for each in doubtful if each.beside_small}
    if len(thousands) == 1:
        return ("," if thousands == {"."} else "."), "for smaller numbers beside it have no such mark"
    if delimiter == ";" and any(each.mark == "," for each in doubtful):
        return ",", "for the file is separated by semicolons"
    return ".", "for nothing in the file tells which"


def evidence_of(name: str, column: Counted) -> Evidence | None:
    """What a column says; None where it is none of numbers, or none of them has a mark."""
    distinct = column.distinct
    marked = distinct.filter(distinct.str.contains(r"\d[.,]\d|[.,]\d|\d[.,]"))
    if not len(marked):
        return None
    if column.others is not None and not column.others:  # plain numbers alone, as most columns have
        sure_points = marked.filter(~marked.str.contains(f"^{numbers.POINTED}$"))
        if len(sure_points):
            return Evidence(name, ".", str(sure_points.min()), is_clock=_are_clocks(distinct))
    point, comma = numbers_in(column, POINT), numbers_in(column, COMMA)
    if point is None and comma is None:
        return None
    bare = undressed(marked, unit_of(distinct, POINT) or unit_of(distinct, COMMA))
    reads = {".": _reads(bare, ".", ","), ",": _reads(bare, ",", ".")}
    sure = {".": bare.filter(reads["."] & ~reads[","]), ",": bare.filter(reads[","] & ~reads["."])}
    either = bare.filter(reads["."] & reads[","])
    grouped = frozenset[Mark](mark for mark, form in _GROUPED.items() if bare.str.contains(f"^{form}$").any())
    if len(sure["."]) or len(sure[","]):
        needs: Mark = "," if point is None or (comma is not None and len(sure[","]) > len(sure["."])) else "."
        return Evidence(name, needs, str(sure[needs].min()) if len(sure[needs]) else "", grouped=grouped)
    if not len(either):
        return None
    whole = undressed(distinct, unit_of(distinct, POINT))
    whole = whole.filter(whole.str.contains(r"^[+-]?\d+$"))
    beside = bool(len(whole) and whole.str.contains(r"^[+-]?\d{1,3}$").all() and either.str.ends_with("0").any())
    return Evidence(name, None, str(either.min()), beside, grouped=grouped)


_GROUPED: dict[Mark, str] = {",": numbers.GROUPED, ".": numbers.POINTED}


def _reads(bare: pl.Series, decimal: Mark, thousands: Mark) -> pl.Series:
    """Which of these numbers with a mark can be read so."""
    plain = NUMBER if decimal == "." else f"^{numbers.COMMA_NUMBER}$"
    return bare.str.contains(plain) | bare.str.contains(f"^{_GROUPED[thousands]}$")


def _are_clocks(distinct: pl.Series) -> bool:
    """Whether so many different texts are all times or days that no measurement would be so by chance."""
    return len(distinct) >= CLOCKS and any(distinct.str.contains(form).all() for form in (TIME, DAY))


def _contradiction(point: Evidence, comma: Evidence) -> DataFault:
    return DataFault(
        f"numbers are written in two ways: {point.example} in {point.name!r} is a number only with a decimal point, "
        f"{comma.example} in {comma.name!r} only with a decimal comma; expected one way in all columns: write them "
        f"alike; or, in spec.yaml, say which column holds no numbers (`kinds: {{{point.name}: category}}`), leave it "
        f"out (`drop: [{point.name}]`), or name the marks of the numbers (`{OTHER_WAY['.']}`)"
    )


def _remark(doubtful: Evidence, decimal: Mark, why: str) -> str:
    """How the numbers are read that could be read in two ways."""
    example = doubtful.example
    other: Mark = "," if decimal == "." else "."
    value = example.replace(other, "").replace(decimal, ".")
    return (
        f"Numbers such as {example} in {doubtful.name!r} could have a decimal point or a decimal comma; {example} is "
        f"read as {value}, {why}. The other way of reading them can be set."
    )
