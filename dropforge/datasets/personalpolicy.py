"""What becomes of the columns that look like personal data, by the spec or by default, and how that is told.

Direct identifiers are left out, dates of birth are read by their year, and what names a person only together with
other columns is told and read as it is. In `personal` of spec.yaml a column wins over a kind, and both over the
default; a column that `kinds` names is kept. The target stays whatever it is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dropforge.contract.personal import (
    GENERALISED,
    QUASI,
    WORDS,
    PersonalColumn,
    PersonalKind,
    Treatment,
    default_treatment,
)
from dropforge.contract.remarks import remark, yaml_text
from dropforge.contract.spec import SpecFault
from dropforge.datasets import leftout
from dropforge.datasets.faults import DataFault
from dropforge.datasets.personal import Finding, find_personal, find_quasi
from dropforge.datasets.typed import texts_of
from dropforge.datasets.values import without_missing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import polars as pl

    from dropforge.contract.remarks import Remark
    from dropforge.contract.spec import Spec
    from dropforge.datasets.columns import Described
    from dropforge.datasets.table import Table

NAMED = 5
"""Columns of one treatment that have a remark each."""

LONG_CODE, LONG_PREFIX, SHORT_PREFIX = 5, 3, 2
"""Of postcodes of five characters and more three are read, of shorter ones two."""

BY_RULE = ("id", "text", "copy")
"""Reasons to leave a column out that a coarser form of it need not have."""


@dataclass(frozen=True)
class Policy:
    """What was found, and what becomes of it."""

    findings: tuple[Finding, ...] = ()
    """Direct identifiers, dates of birth and what the spec calls sensitive."""
    columns: tuple[PersonalColumn, ...] = ()

    @property
    def masked(self) -> tuple[str, ...]:
        """The columns of which no value is shown."""
        return tuple(finding.column for finding in self.findings)


def find_policy(frame: pl.DataFrame, spec: Spec, target: str | None = None) -> Policy:
    """The policy for a table, by a sample of its rows.

    Raises:
        SpecFault: the spec wants a coarser form of what has none.
    """
    findings = find_personal(frame, spec.sensitive)
    direct = {finding.column: finding for finding in findings if finding.kind is not None}
    quasi = {finding.column: finding for finding in find_quasi(frame) if finding.column not in direct}
    _check_coarser(spec, frame.columns, direct)
    columns = []
    for name in frame.columns:
        finding = direct.get(name) or quasi.get(name)
        if name == target or (finding is None and name not in spec.personal):
            continue
        if finding is None or finding.kind is None:
            columns.append(PersonalColumn(name, spec.personal[name], "spec"))
        else:
            columns.append(PersonalColumn(name, _treatment(finding, spec), finding.found_by, finding.kind))
    return Policy(findings, tuple(columns))


def _treatment(finding: Finding, spec: Spec) -> Treatment:
    assert finding.kind is not None  # the caller has looked
    wished = spec.personal.get(finding.column) or spec.personal.get(finding.kind)
    if wished is None and finding.column in spec.kinds:
        return "keep"
    return wished or default_treatment(finding.kind)


def _check_coarser(spec: Spec, names: Iterable[str], direct: Mapping[str, Finding]) -> None:
    kinds = dict.fromkeys(names) | {name: finding.kind for name, finding in direct.items()}
    for key, treatment in spec.personal.items():
        kind = kinds[key] if key in kinds else next((kind for kind in WORDS if kind == key), None)
        if treatment == "generalise" and kind is not None and kind not in GENERALISED:
            raise SpecFault(
                f"personal: {key}: generalise: {WORDS[kind]} have no coarser form; expected drop or keep, or "
                f"generalise for {' or '.join(GENERALISED)}"
            )


def applied(described: dict[str, Described], policy: Policy, table: pl.DataFrame | Table) -> dict[str, Described]:
    """The columns with those left out, and those in coarser form, that the policy says."""
    result = dict(described)
    for column in policy.columns:
        if column.column in result:
            result[column.column] = _treated(result[column.column], column, table)
    return result


def _treated(described: Described, personal: PersonalColumn, table: pl.DataFrame | Table) -> Described:
    if described.left_out is not None and described.left_out.why not in BY_RULE or personal.treatment == "keep":
        return described
    if personal.treatment == "generalise" and described.kind == "date" and described.dates is not None:
        return replace(described, dates=replace(described.dates, year_alone=True))
    if personal.treatment == "generalise" and personal.kind != "birth":
        lengths = without_missing(texts_of(table[described.name])).drop_nulls().str.len_chars()
        is_long = bool((lengths >= LONG_CODE).sum() * 2 >= len(lengths))
        prefix = LONG_PREFIX if is_long else SHORT_PREFIX
        return replace(described, kind="category", numbers=None, dates=None, strays={}, units=(), left_out=None,
                       prefix=prefix)  # fmt: skip
    what = "personal data by spec.yaml" if personal.kind is None else WORDS[personal.kind]
    return replace(described, left_out=leftout.personal(what))


def check_ids(policy: Policy) -> None:
    """Refuses, with `DataFault`, users or items whose ids are personal data: a recommender's file holds them all."""
    for column in policy.columns:
        if column.treatment != "keep":
            what = WORDS[column.kind] if column.kind else "personal data"
            raise DataFault(
                f"{column.column!r} looks like {what}, and the file of a recommender holds every id; expected ids "
                f"that name nobody: replace them, or write `personal: {{{yaml_text(column.column)}: keep}}`"
            )


def policy_remarks(policy: Policy, described: Mapping[str, Described], spec: Spec) -> list[Remark]:
    """A remark on each column of which the spec does not say what becomes of it."""
    remarks, counts = [], dict.fromkeys(("dropped", "coarser", "kept", "quasi"), 0)
    for personal in policy.columns:
        column = described.get(personal.column)
        if column is None or personal.kind is None or {personal.column, personal.kind} & spec.personal.keys():
            continue
        if column.left_out is not None and column.left_out.why != "personal":
            continue
        group, code, sentence, other = _told(personal.column, personal.kind, column)
        counts[group] += 1
        if counts[group] <= NAMED:
            option = f"personal: {{{yaml_text(personal.column)}: {other}}}"
            remarks.append(remark(code, sentence, option=option, column=personal.column))
    more = sum(max(0, count - NAMED) for count in counts.values())
    if more:
        remarks.append(remark("quasi", f"{more:,} further columns look like personal data; profile.json names them."))
    return remarks


def _told(name: str, kind: PersonalKind, column: Described) -> tuple[str, str, str, Treatment]:
    """The group, the code, the sentence, and the treatment that overrules it."""
    what = WORDS[kind]
    if column.left_out is not None:
        return "dropped", "personal", f"Column {name!r} is left out, because it looks like {what}.", "keep"
    if column.prefix or column.dates is not None and column.dates.year_alone:
        part = f"the first {column.prefix} characters" if column.prefix else "the year"
        sentence = f"Column {name!r} looks like {what}: the model reads {part} alone, in training and in requests."
        return "coarser", "personal", sentence, "keep"
    if kind in QUASI:
        sentence = f"Column {name!r} looks like {what}, which may tell who someone is together with other columns."
        return "quasi", "quasi", sentence, "generalise" if kind in GENERALISED else "drop"
    sentence = (
        f"Column {name!r} looks like {what} and is read, because `kinds` names it: the model file holds its values."
    )
    return "kept", "personal", sentence, "drop"
