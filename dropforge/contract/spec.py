"""The optional wishes of `spec.yaml`, already read into plain values; YAML itself is read where a library is."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import field, replace
from typing import Any, Literal

from dropforge.contract.documents import DocumentError, Record, fields
from dropforge.contract.errors import OwnerError
from dropforge.contract.nearest import did_you_mean
from dropforge.contract.schema import TASK_NAMES, TASKS, TableKind, Task

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


DIFFERENCES = ("target", "task", "classes", "columns", "uncompared", "worse")
"""The fields of `Replace`."""

REPLACE_KEY, UNPROVEN_KEY = "replace", "unproven"
"""Metadata of a dropped object that hold wishes for this drop alone: names of `Replace` with commas, and `true`."""


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
    split: str | None = None
    """Column that says which rows are held out: `train` in a row to learn from, `test` or `holdout` in one held out."""
    sensitive: tuple[str, ...] = ()
    """Columns with personal data: kept out of captures and reports."""
    groups: tuple[str, ...] = ()
    """Columns whose groups are scored apart."""
    kinds: dict[str, TableKind] = field(default_factory=dict)
    """Column name to kind, where the rule would choose another."""
    trusted: tuple[str, ...] = ()
    """Columns known to be known before the target is: never leakage suspects."""
    encoding: str | None = None
    """Of the data's text, where it is neither UTF-8 nor Western European: a name that Python knows, such as cp1251."""
    replace: Replace = field(default_factory=Replace)
    """In what a new version may differ from the live one and still take its place."""
    unproven: bool = False
    """Whether a version may serve although its gain over the trivial baseline may be chance."""

    @classmethod
    def read(cls, value: Mapping[str, Any] | None) -> Spec:
        """The spec that the parsed YAML holds.

        Raises:
            SpecFault: an unknown key, or a value of the wrong type.
        """
        if value is None:
            return cls()
        if not isinstance(value, Mapping):
            raise SpecFault(f"spec.yaml: expected 'key: value' lines, got {value!r}")
        known = [each.name for each in fields(cls)]
        unknown = [key for key in value if key not in known]
        if unknown:
            hint = did_you_mean(str(unknown[0]), known)
            raise SpecFault(f"spec.yaml: unknown key {unknown[0]!r}; {hint}expected one of {known}")
        _check_replace(value.get("replace"))
        try:
            spec = cls.from_json(value, "spec.yaml")
        except DocumentError as fault:
            raise SpecFault(str(fault)) from fault
        if not 0 < spec.budget <= 24 * 60:
            raise SpecFault(f"spec.yaml: budget: expected minutes between 0 and 1440, got {spec.budget}")
        spec.check()
        return spec

    def check(self) -> None:
        """Refuses, with `SpecFault`, wishes that no data can satisfy: one for another task, or against another wish."""
        if self.target is not None and self.target in self.drop:
            raise SpecFault(f"drop: holds the target {self.target!r}; expected other columns only: take it out")
        tasks = TASK_NAMES if self.task is None else (self.task,)
        metrics = list(dict.fromkeys(name for task in tasks for name in TASKS[task].metrics))
        if self.metric is not None and self.metric not in metrics:
            hint = did_you_mean(self.metric, metrics)
            of = "any task" if self.task is None else self.task
            raise SpecFault(f"metric: {self.metric!r} is none of {of}; {hint}expected one of {metrics}")
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


def check_encoding(encoding: str) -> str:
    """The encoding under the name that Python has for it; `SpecFault` where it has none."""
    try:
        return codecs.lookup(encoding).name
    except (LookupError, ValueError) as fault:
        raise SpecFault(
            f"encoding: {encoding!r}: expected one that Python knows, such as utf-8, cp1251, gb18030, shift_jis, cp437"
        ) from fault


def _check_replace(value: Any, where: str = "spec.yaml: replace") -> None:
    """Raises `SpecFault` for a difference that there is none of; its type is checked with all others."""
    unknown = [name for name in value if name not in DIFFERENCES] if isinstance(value, Mapping) else []
    if unknown:
        hint = did_you_mean(str(unknown[0]), DIFFERENCES)
        raise SpecFault(
            f"{where}: unknown name {unknown[0]!r}; {hint}expected one of {list(DIFFERENCES)}, each true or false"
        )
