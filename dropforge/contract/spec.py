"""The optional wishes of `spec.yaml`, already read into plain values; YAML itself is read where a library is."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from dataclasses import field, replace
from typing import Any, Literal

from dropforge.contract.captures import CaptureWish, capture_fault
from dropforge.contract.documents import DocumentError, Record, fields
from dropforge.contract.errors import OwnerError
from dropforge.contract.fitting import quoted
from dropforge.contract.nearest import did_you_mean
from dropforge.contract.personal import TREATMENTS, Treatment
from dropforge.contract.records import composed
from dropforge.contract.rollouts import RolloutWish, fault_in
from dropforge.contract.schema import NumberRule, TableKind
from dropforge.contract.tasks import TASK_NAMES, TASKS, Task

Search = Literal["tpe", "random", "grid", "none"]


class SpecFault(OwnerError, ValueError):
    """A wish that cannot be met; the message names the key, the value and what was expected."""


class Replace(Record):
    """Differences from the live model that its owner accepts; without the wish, each of them refuses a new version."""

    target: bool = False
    """The new version predicts another column."""
    task: bool = False
    """The new version has another task: classes where there were numbers, say."""
    classes: bool = False
    """The new version has classes that the live one lacks, or lacks some of its classes."""
    columns: bool = False
    """The new data lack a column that the live version reads; it is compared with that column missing."""
    uncompared: bool = False
    """The live version cannot be read, or cannot answer the new hold-out rows, so that nothing can be compared."""
    worse: bool = False
    """The new version scores worse than the live one on the same rows."""


class NumberStyle(Record):
    """How the numbers of a file are written."""

    decimal: Literal[".", ","] = "."
    thousands: Literal["", ".", ",", " ", "'"] | None = None
    """None for the mark that `decimal` leaves: a comma beside decimal points, a point beside decimal commas. Spaces and
    apostrophes are read whatever this says."""

    @property
    def rule(self) -> NumberRule:
        """The rule of a column without a unit."""
        other: Literal[".", ","] = "," if self.decimal == "." else "."
        return NumberRule(self.decimal, other if self.thousands in (None, other) else "")


DIFFERENCES = ("target", "task", "classes", "columns", "uncompared", "worse")
"""The fields of `Replace`."""

REPLACE_KEY, UNPROVEN_KEY = "replace", "unproven"
"""Metadata of a dropped object that hold wishes for this drop alone: names of `Replace` with commas, and `true`."""


class SplitBy(Record):
    """How rows are split, where no column of the data says it row by row; exactly one of `group`, `time` and `by`."""

    group: str | None = None
    """A column: all rows with one value in it lie in one part."""
    time: str | None = None
    """A column of dates or numbers: the latest rows are held out."""
    gap: str | None = None
    """Only with `time`: a span in front of each later part whose rows are left out, such as `7d`."""
    by: Literal["rows"] | None = None
    """`rows`: row by row by content, even if the data look grouped or drift over time."""

    @property
    def column(self) -> str | None:
        """The column that is named, if one is."""
        return self.group or self.time

    @property
    def gap_days(self) -> float:
        """The length of the gap in days; 0 without one."""
        return 0.0 if self.gap is None else days_of(self.gap)


SPLITS = ("group", "time", "gap", "by")
"""The fields of `SplitBy`."""

UNITS = {"h": 1 / 24, "d": 1.0, "w": 7.0}
"""Days of each unit that a gap is written in: hours, days and weeks."""


def days_of(span: str) -> float:
    """The days of a span such as `12h`, `7d` or `2w`.

    Raises:
        SpecFault: it is written otherwise.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?) ?([hdw])", span.strip())
    if match is None:
        raise SpecFault(
            f"spec.yaml: split.gap: expected a number with h, d or w behind it, such as 7d, got {quoted(span)}"
        )
    return float(match[1]) * UNITS[match[2]]


class Spec(Record):
    """What the owner of a data set wishes; every wish is optional."""

    target: str | None = None
    task: Task | None = None
    metric: str | None = None
    budget: float = 5.0
    """Minutes of training."""
    search: Search = "tpe"
    """How settings are searched with what is left of the budget; `none` leaves the portfolio as it is."""
    drop: tuple[str, ...] = ()
    """Columns to leave out."""
    split: str | SplitBy | None = None
    """Column that says which rows are held out: `train` in a row to learn from, `test` or `holdout` in one held out; or
    by what rows are split. None is decided by the data."""
    sensitive: tuple[str, ...] = ()
    """Columns with personal data: kept out of captures and reports."""
    personal: dict[str, Treatment] = field(default_factory=dict)
    """What becomes of personal data, by a kind of them or by a column, which wins."""
    groups: tuple[str, ...] = ()
    """Columns whose groups are scored apart."""
    kinds: dict[str, TableKind] = field(default_factory=dict)
    """Column name to kind, where the rule would choose another."""
    trusted: tuple[str, ...] = ()
    """Columns known to be known before the target is: never leakage suspects."""
    encoding: str | None = None
    """Of the data's text, where it is neither UTF-8 nor Western European: a name that Python knows, such as cp1251."""
    numbers: NumberStyle | None = None
    """How numbers are written as text, where the file does not tell, or tells it wrongly."""
    sheet: str | int | None = None
    """Of an Excel workbook: the sheet's name, or its number among the visible ones, from 1."""
    replace: Replace = field(default_factory=Replace)
    """In what a new version may differ from the live one and still take its place."""
    unproven: bool = False
    """Whether a version may serve although its gain over the trivial baseline may be chance."""
    strict: bool = False
    """Whether the model refuses a request with a text that it does not know, instead of a prediction with a warning."""
    capture: CaptureWish = field(default_factory=CaptureWish)
    """Which share of the requests is kept, and for how long."""
    rollout: RolloutWish = field(default_factory=RolloutWish)
    """How a new version takes over from the one that serves, and what refuses it on the way."""

    @classmethod
    def read(cls, value: Mapping[str, Any] | None) -> Spec:
        """The spec that the parsed YAML holds.

        Raises:
            SpecFault: an unknown key, or a value of the wrong type.
        """
        if value is None:
            return cls()
        if not isinstance(value, Mapping):
            kind = "a list" if isinstance(value, list) else "a text or number alone"
            raise SpecFault(f"spec.yaml: expected 'key: value' lines, got {kind}")
        known = [each.name for each in fields(cls)]
        unknown = [key for key in value if key not in known]
        if unknown:
            hint = did_you_mean(str(unknown[0]), known)
            raise SpecFault(f"spec.yaml: unknown key {quoted(unknown[0])}; {hint}expected one of {known}")
        _check_replace(value.get("replace"))
        _check_split(value.get("split"))
        _check_numbers(value.get("numbers"))
        _check_personal(value.get("personal"))
        if wrong := capture_fault(value.get("capture")):
            raise SpecFault(f"spec.yaml: capture: {wrong}")
        if wrong := fault_in(value.get("rollout")):
            raise SpecFault(f"spec.yaml: rollout: {wrong}")
        try:
            spec = cls.from_json(_composed(value), "spec.yaml")
        except DocumentError as fault:
            raise SpecFault(str(fault)) from fault
        if not 0 < spec.budget <= 24 * 60:
            raise SpecFault(f"spec.yaml: budget: expected minutes between 0 and 1440, got {spec.budget}")
        spec.check()
        return spec

    @property
    def split_column(self) -> str | None:
        """The column that `split` names, if it names one."""
        return self.split.column if isinstance(self.split, SplitBy) else self.split

    def check(self) -> None:
        """Refuses, with `SpecFault`, wishes that no data can satisfy: one for another task, or against another wish."""
        if self.target is not None and self.target in self.drop:
            raise SpecFault(f"drop: holds the target {self.target!r}; expected other columns only: take it out")
        tasks = TASK_NAMES if self.task is None else (self.task,)
        metrics = list(dict.fromkeys(name for task in tasks for name in TASKS[task].metrics))
        if self.metric is not None and self.metric not in metrics:
            hint = did_you_mean(self.metric, metrics)
            of = "any task" if self.task is None else self.task
            raise SpecFault(f"metric: {quoted(self.metric)} is none of {of}; {hint}expected one of {metrics}")
        if self.encoding is not None:
            check_encoding(self.encoding)

    def for_drop(self, metadata: Mapping[str, str]) -> Spec:
        """These wishes, and those that the metadata of one dropped object add for its own run.

        Raises:
            SpecFault: the metadata name a difference that there is none of.
        """
        names = [name.strip() for name in metadata.get(REPLACE_KEY, "").split(",") if name.strip()]
        _check_replace(dict.fromkeys(names, True), where="the object's metadata: replace")
        unproven = self.unproven or metadata.get(UNPROVEN_KEY, "").lower() == "true"
        return replace(self, replace=replace(self.replace, **dict.fromkeys(names, True)), unproven=unproven)


def _composed(value: Any) -> Any:
    """The parsed YAML with all texts composed, as the names of the data's columns are."""
    if isinstance(value, str):
        return composed(value)
    if isinstance(value, Mapping):
        return {_composed(key): _composed(item) for key, item in value.items()}
    return [_composed(item) for item in value] if isinstance(value, list) else value


def check_encoding(encoding: str) -> str:
    """The encoding under the name that Python has for it; `SpecFault` where it has none."""
    try:
        return codecs.lookup(encoding).name
    except (LookupError, ValueError) as fault:
        raise SpecFault(
            f"encoding: {quoted(encoding)}: expected one that Python knows, such as utf-8, cp1251, gb18030 or shift_jis"
        ) from fault


def _check_replace(value: Any, where: str = "spec.yaml: replace") -> None:
    """Raises `SpecFault` for a difference that there is none of; its type is checked with all others."""
    unknown = [name for name in value if name not in DIFFERENCES] if isinstance(value, Mapping) else []
    if unknown:
        hint = did_you_mean(str(unknown[0]), DIFFERENCES)
        raise SpecFault(
            f"{where}: unknown name {quoted(unknown[0])}; {hint}expected one of {list(DIFFERENCES)}, each true or false"
        )


def _check_personal(value: Any) -> None:
    """Raises `SpecFault` for a treatment of personal data that there is none of."""
    if value is None:
        return
    example = "`personal: {phone: drop, birth: generalise, email: keep}`"
    if not isinstance(value, Mapping):
        raise SpecFault(f"spec.yaml: personal: expected kinds or columns to what becomes of them, as {example}")
    for key, treatment in value.items():
        if treatment not in TREATMENTS:
            hint = did_you_mean(str(treatment), TREATMENTS)
            raise SpecFault(
                f"spec.yaml: personal: {key}: {treatment!r}; {hint}expected one of {list(TREATMENTS)}, as {example}"
            )


def _check_split(value: Any) -> None:
    """Raises `SpecFault` for a split that is neither a column nor exactly one way to split."""
    if value is None or isinstance(value, str):
        return
    where = "spec.yaml: split"
    ways = "a column's name, {group: column}, {time: column, gap: 7d} or {by: rows}"
    if not isinstance(value, Mapping):
        raise SpecFault(f"{where}: expected {ways}, got {quoted(value)}")
    unknown = [name for name in value if name not in SPLITS]
    if unknown:
        raise SpecFault(f"{where}: unknown key {quoted(unknown[0])}; expected {ways}")
    named = [name for name in ("group", "time", "by") if value.get(name) is not None]
    if len(named) != 1:
        raise SpecFault(f"{where}: {' and '.join(named) or 'no way to split'}; expected exactly one: {ways}")
    wrong = next((name for name in value if not isinstance(value[name], str | None)), None)
    if wrong is not None:
        raise SpecFault(f"{where}.{wrong}: expected a text, got {quoted(value[wrong])}")
    if value.get("by") not in (None, "rows"):
        raise SpecFault(
            f"{where}.by: expected rows, got {quoted(value['by'])}; for a column write {{group: …}} or {{time: …}}"
        )
    if value.get("gap") is not None:
        if named != ["time"]:
            raise SpecFault(f"{where}.gap: expected it beside time alone, got it beside {named[0]}: leave it out")
        days_of(value["gap"])


def _check_numbers(value: Any) -> None:
    """Raises `SpecFault` for a style that is none."""
    if value is None:
        return
    example = '`numbers: {decimal: ",", thousands: "."}`'
    if not isinstance(value, Mapping) or not set(value) <= {"decimal", "thousands"}:
        raise SpecFault(
            f"spec.yaml: numbers: expected a decimal mark and one for thousands, as {example}, got {quoted(value)}"
        )
    decimal, thousands = value.get("decimal", "."), value.get("thousands")
    if decimal not in (".", ","):
        raise SpecFault(
            f"spec.yaml: numbers: decimal: expected a point or a comma in quotes, got {quoted(decimal)}: {example}"
        )
    if thousands not in ("", ".", ",", " ", "'", None) or thousands == decimal:
        raise SpecFault(
            f"spec.yaml: numbers: thousands: expected another mark than {decimal!r} in quotes: a point, a comma, a "
            f"space, an apostrophe, or nothing between them; got {quoted(thousands)}: {example}"
        )
