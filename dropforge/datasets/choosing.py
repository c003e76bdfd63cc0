"""Target and task, where the spec does not say: a rule that a person can predict.

The target is the first of these that is there (names compared in lower case, letters and digits alone):

1. a name that says so (`SURE`: target, label, class, y unless it stands beside x and z …), or the one name with
   `target` or `label` as a word;
2. a name of a usual outcome (`OUTCOMES`: churn, species, survived …);
3. `status`, `result` or `type`-like names (`AT_EDGE`), as the first or last column only;
4. a price by name (`AMOUNTS`);
5. the last column that is neither left out (a constant, an id, free text) nor a date.

The task: text or true/false is classes; numbers are classes when they are whole and either two, or few (at most
`MAX_CODES`, at least ten rows each, dense like codes: 1 to 5, 3 to 8); two classes are binary, more multiclass;
anything else is regression.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

import polars as pl

from dropforge.contract.nearest import did_you_mean
from dropforge.contract.personal import WORDS
from dropforge.contract.spec import Spec, SpecFault
from dropforge.contract.tasks import TASKS
from dropforge.datasets.columns import describe_facts
from dropforge.datasets.faults import DataFault
from dropforge.datasets.numeric import Texts, numbers_in
from dropforge.datasets.personal import kind_of
from dropforge.datasets.spellings import in_one_spelling, words_that_are_classes
from dropforge.datasets.styles import rule_alone
from dropforge.datasets.table import as_table
from dropforge.datasets.values import (
    MISSING,
    NO_ANSWER,
    PADDED,
    parse_numbers,
    stripped,
    without_missing,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dropforge.contract.schema import LabelType, NumberRule
    from dropforge.contract.tasks import Task
    from dropforge.datasets.facts import Facts
    from dropforge.datasets.table import Table

SURE = ("target", "label", "labels", "class", "classes", "y", "outcome", "response", "groundtruth", "classlabel")
OUTCOMES = (
    "churn", "churned", "exited", "attrition", "survived", "default", "defaulted", "isfraud", "fraud", "fraudulent",
    "isspam", "spam", "diagnosis", "disease", "heartdisease", "stroke", "species", "variety", "sentiment", "rating",
    "quality", "approved", "loanstatus", "loanapproved", "converted", "conversion", "purchased", "clicked",
    "subscribed",
)  # fmt: skip
AT_EDGE = ("status", "result", "results", "category", "grade", "score", "income", "salary", "sales")
AMOUNTS = (
    "price", "saleprice", "sellingprice", "salesprice", "houseprice", "resaleprice", "listprice", "priceusd",
    "medhousevalue", "medhouseval", "medianhousevalue", "medv",
)  # fmt: skip

MIN_ROWS = 50
"""Fewest rows with a target: below, no hold-out says anything."""

MIN_CLASS_ROWS = 5
"""Fewest rows of a class: below, it may be missing from the training rows."""

LARGEST = 3.4e38
MAX_CODES = 20
MAX_CLASSES = 500
ROWS_PER_CODE = 10

MISSING_TARGET = tuple(marker for marker in MISSING if marker not in NO_ANSWER)


@dataclass(frozen=True)
class Labels:
    """A target column read: `values` has null where a row has no target (Float64 for numbers, String otherwise)."""

    values: pl.Series
    numeric: bool


def choose_target(frame: pl.DataFrame | Table, spec: Spec) -> str:
    """The column to predict.

    Raises:
        SpecFault: the spec names a column that is not there.
        DataFault: too few rows, or no column can be a target.
    """
    check_wishes(frame.columns, spec)
    if frame.height < MIN_ROWS:
        raise DataFault(
            f"needs at least {MIN_ROWS} rows, got {frame.height}; expected more to learn from: drop more rows"
        )
    if spec.target is not None:
        return spec.target
    names = [name for name in frame.columns if name not in (*spec.drop, spec.split_column)]
    plain = {name: re.sub(r"[^a-z0-9]", "", name.lower()) for name in names}
    last = (
        name
        for name in reversed(names)
        if _can_be_last(as_table(frame).facts(name)) and kind_of(frame[name]) is None  # no phone number is a class
    )
    target = next(iter(_ranked(names, plain)), None) or next(last, None)
    if target is None:
        raise DataFault(
            f"no column of {frame.columns[:20]} can be a target: each is constant, an id, a date or free text; "
            "expected one to predict: name it with 'target:' in spec.yaml"
        )
    return target


def _can_be_last(facts: Facts) -> bool:
    column = describe_facts(facts, Spec())
    match column.kind:
        case "number" | "category" | "boolean":
            return column.left_out is None
        case "date":
            return False
        case _:
            assert_never(column.kind)


def _ranked(names: list[str], plain: dict[str, str]) -> Iterable[str]:
    is_space = {"x", "y", "z"} <= set(plain.values())
    yield from _called(names, plain, tuple(name for name in SURE if name != "y" or not is_space))
    by_word = [name for name in names if {"target", "label"} & set(re.split(r"[^a-z]+", name.lower()))]
    if len(by_word) == 1:
        yield by_word[0]
    yield from _called(names, plain, OUTCOMES)
    yield from _called([*names[-1:], *names[:1]], plain, AT_EDGE)
    yield from _called(names, plain, AMOUNTS)


def _called(names: list[str], plain: dict[str, str], known: tuple[str, ...]) -> list[str]:
    return sorted((name for name in names if plain[name] in known), key=lambda name: known.index(plain[name]))


def check_wishes(names: list[str], spec: Spec) -> None:
    """Refuses, with `SpecFault`, a spec that names columns that are not there, or drops its own target."""
    wished = {"target": (spec.target,) if spec.target is not None else (), "drop": spec.drop}
    wished |= {"split": (spec.split_column,) if spec.split_column is not None else ()}
    wished |= {"sensitive": spec.sensitive, "groups": spec.groups, "kinds": tuple(spec.kinds),
               "trusted": spec.trusted}  # fmt: skip
    wished |= {"personal": tuple(key for key in spec.personal if key not in WORDS)}
    for wish, columns in wished.items():
        for column in columns:
            if column not in names:
                known = [*names, *WORDS] if wish == "personal" else names
                hint = did_you_mean(column, known).strip() or f"the columns are {names[:20]}"
                raise SpecFault(f"{wish}: no column {column!r} in the data; expected one that is there: {hint}")
    if spec.target is not None and spec.target == spec.split_column:
        raise SpecFault(f"split: names the target {spec.target!r}; expected another column, which is known of new rows")
    spec.check()


def read_labels(values: pl.Series, task: Task | None = None, style: NumberRule | None = None) -> Labels:
    """The target's values as numbers when (nearly) all of them are, as texts in one spelling a class otherwise.

    Zero-padded codes (`007`) are texts where they can be classes, unless the wished `task` is a regression. `style` is
    how the file's numbers are written; the values themselves tell when it is None.
    """
    if values.dtype.is_numeric():
        return Labels(_in_range(values.cast(pl.Float64)), True)
    texts = stripped(values)
    plain = without_missing(texts)
    counted = Texts.of(plain)
    numbers = numbers_in(counted, style or rule_alone(counted))
    codes = not _has_numbers(task) and counted.count <= MAX_CLASSES and counted.distinct.str.contains(PADDED).any()
    if numbers is not None and not codes:
        return Labels(_in_range(parse_numbers(plain, numbers.rule)), True)
    classes = words_that_are_classes(texts)
    present = without_missing(texts, tuple(word for word in MISSING_TARGET if word not in classes))
    return Labels(in_one_spelling(present), False)


def _has_numbers(task: Task | None) -> bool:
    """Whether the spec wishes for a task whose target is a number."""
    return task is not None and TASKS[task].classes == "none"


def _in_range(numbers: pl.Series) -> pl.Series:
    """Null for what is no number or beyond float32, in which models answer."""
    return numbers.set(~numbers.is_between(-LARGEST, LARGEST).fill_null(False), None)


def choose_task(values: pl.Series, spec: Spec, style: NumberRule | None = None) -> Task:
    """What to learn from the target column `values` (as read from the file, missing ones included).

    `style` is how the file's numbers are written.

    Raises:
        DataFault: too few rows or classes, too many classes.
        SpecFault: the wished task does not fit the values.
    """
    labels = read_labels(values, spec.task, style)
    present = labels.values.drop_nulls()
    if len(present) < MIN_ROWS:
        raise DataFault(
            f"needs at least {MIN_ROWS} rows with a value in {values.name!r}, got {len(present)} of {len(values)}: "
            "drop more rows, or name another target in spec.yaml"
        )
    distinct = present.n_unique()
    if distinct < 2:
        what = "different values" if _has_numbers(spec.task) else "classes"
        raise DataFault(
            f"needs at least 2 {what} in {values.name!r}, got {distinct} (the same value in every row): "
            "drop rows of another, or name another target in spec.yaml"
        )
    task = spec.task or _task_of(present, labels.numeric, distinct)
    _check_task(task, values.name, labels, distinct)
    return task


def _task_of(present: pl.Series, numeric: bool, distinct: int) -> Task:
    if numeric and not _are_codes(present, distinct):
        return "regression"
    return "binary" if distinct == 2 else "multiclass"


def _are_codes(numbers: pl.Series, distinct: int) -> bool:
    low, high = float(numbers.min()), float(numbers.max())  # type: ignore[arg-type]  # the least of numbers is a number
    if (numbers != numbers.floor()).any():
        return False
    dense = high - low + 1 <= 2 * distinct
    return distinct == 2 or (distinct <= MAX_CODES and distinct * ROWS_PER_CODE <= len(numbers) and dense)


def _check_task(task: Task, name: str, labels: Labels, distinct: int) -> None:
    match task:
        case "regression":
            if not labels.numeric:
                example = labels.values.drop_nulls()[0]
                raise SpecFault(
                    f"task: regression needs numbers in {name!r}, got {example!r}; expected binary or multiclass"
                )
            return
        case "binary":
            if distinct != 2:
                raise SpecFault(
                    f"task: binary needs 2 classes in {name!r}, got {distinct}; expected multiclass or regression"
                )
        case "multiclass":
            if distinct == 2:
                raise SpecFault(f"task: multiclass needs 3 classes or more in {name!r}, got 2; expected binary")
        case "recommendation" | "clustering":
            raise ValueError(f"task: expected one of a table with a target, got {task}: see `special.special_task`")
        case _:
            assert_never(task)
    if distinct > MAX_CLASSES:
        raise DataFault(
            f"{name!r} has {distinct} classes; expected at most {MAX_CLASSES}: is it an id or free text? "
            "Name another target in spec.yaml"
        )


def label_type(labels: Labels) -> LabelType:
    """The type that answers are given in."""
    present = labels.values.drop_nulls()
    if labels.numeric:
        return "integer" if (present == present.floor()).all() else "number"
    return "boolean" if set(present.str.to_lowercase()) <= {"true", "false"} else "text"
