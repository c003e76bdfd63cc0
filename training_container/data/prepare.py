"""From files to a `Dataset`: read, choose, clean, split, type. The one call that the trainer makes.

    dataset = prepare([Path("houses.csv")], Options(target="price"))

Rows without a target and exact copies of a row are left out. Copies stay where the columns allow fewer different rows
than there are rows (a table of a few categories): there, equal rows are observations, not copies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from dropforge.contract.plan import Plan
from dropforge.contract.schema import Column
from training_container.data.choosing import (
    MIN_CLASS_ROWS,
    MIN_ROWS,
    choose_target,
    choose_task,
    label_type,
    read_labels,
)
from training_container.data.columns import Described, describe
from training_container.data.dataset import Dataset, Options, Rows
from training_container.data.faults import DataFault
from training_container.data.grouping import group_labels
from training_container.data.hashing import nth_copy, row_hashes
from training_container.data.personal import find_personal
from training_container.data.profile import make_profile
from training_container.data.reading import read_table, sniff
from training_container.data.splitting import copies, split
from training_container.data.values import parse_numbers, stripped, without_missing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from dropforge.contract.schema import Kind, LabelType, Task
    from training_container.data.choosing import Labels
    from training_container.data.hashing import Hashes


def prepare(paths: Sequence[Path], wanted: Plan | Options) -> Dataset:
    """The data set in `paths` (parts of one format and header), ready to learn from.

    Raises:
        DataFault: the data cannot be learned from.
        SpecFault: a wish does not fit the data.
    """
    if not paths:
        raise DataFault("no file to read; expected at least one: drop a data set")
    options = Options.of_plan(wanted) if isinstance(wanted, Plan) else wanted
    data = options.data or sniff(paths[0], paths[0].name)
    return prepare_table(read_table(paths, data), options)


def prepare_table(table: pl.DataFrame, options: Options) -> Dataset:
    """As `prepare`, for a table that `read_table` gave."""
    spec = options.wishes()
    target = choose_target(table, spec)
    task = choose_task(table[target], spec)
    kept, hashes, counts = _clean(table, target)
    labels = read_labels(kept[target])
    kind_of_label = label_type(labels)
    classes, codes = _encode(labels, kind_of_label, task, target)
    described = describe(kept, spec, target)
    if all(each.dropped for each in described.values()):
        reasons = {name: each.dropped for name, each in list(described.items())[:5]}
        raise DataFault(f"no column is left to predict {target!r} from ({reasons}); expected one that varies: add some")
    parts = split(hashes, None if task == "regression" else codes)
    every = _type(kept, described, codes)
    rows = {name: every.take(index) for name, index in parts.items()}
    counts |= {name: len(rows[name]) for name in ("train", "validation", "holdout")}
    findings = find_personal(kept, spec.sensitive)
    told = {"name": target, "task": task, "label_type": kind_of_label, "classes": list(classes)}
    return Dataset(
        target=target,
        task=task,
        label_type=kind_of_label,
        classes=classes,
        columns=tuple(Column(name, each.kind) for name, each in described.items() if not each.dropped),
        date_formats={name: each.date_format or "iso" for name, each in described.items() if _is_date(each)},
        ignored=(target, *(name for name, each in described.items() if each.dropped)),
        masked=tuple(each.column for each in findings),
        counts=counts,
        profile=make_profile(rows=rows["train"], described=described, target=told, counts=counts, findings=findings),
        groups=group_labels(kept, described, spec.groups, parts["holdout"], parts["train"]),
        **rows,
    )


def _is_date(column: Described) -> bool:
    return column.kind == "date" and not column.dropped


def _clean(table: pl.DataFrame, target: str) -> tuple[pl.DataFrame, Hashes, dict[str, int]]:
    """Rows with a target and without copies, their hashes, and what was left out."""
    labelled = table.filter(read_labels(table[target]).values.is_not_null())
    hashes = row_hashes(labelled)
    nth = copies(hashes)
    counts = {"read": table.height, "duplicates": 0, "without_target": table.height - labelled.height}
    if _possible_rows(labelled) <= labelled.height:
        return labelled, nth_copy(hashes, nth), counts
    first = nth == 0
    left = int(first.sum())
    if left < MIN_ROWS:
        raise DataFault(
            f"needs at least {MIN_ROWS} different rows with a value in {target!r}, got {left} of {table.height}: "
            "drop more rows"
        )
    return labelled.filter(pl.Series(first)), hashes[first], {**counts, "duplicates": len(first) - left}


def _possible_rows(table: pl.DataFrame) -> float:
    """How many different rows the distinct values of the columns allow."""
    return float(np.prod([float(table[name].n_unique()) for name in table.columns]))


def _encode(labels: Labels, kind: LabelType, task: Task, target: str) -> tuple[tuple[str, ...], NDArray[Any]]:
    """Classes and int64 codes [N], or no classes and float64 values [N]."""
    if task == "regression":
        return (), labels.values.cast(pl.Float64).to_numpy()
    distinct = labels.values.unique().sort()
    names = [_class_name(value, kind) for value in distinct]
    classes = tuple(sorted(set(names)) if kind == "boolean" else names)
    places = pl.Series([classes.index(name) for name in names], dtype=pl.Int64)
    codes = labels.values.replace_strict(distinct, places, return_dtype=pl.Int64).to_numpy()
    rows = np.bincount(codes, minlength=len(classes))
    least = int(rows.argmin())
    if rows[least] < MIN_CLASS_ROWS:
        raise DataFault(
            f"needs at least {MIN_CLASS_ROWS} rows of every class in {target!r}, got {rows[least]} of "
            f"{classes[least]!r}: drop more of them, leave the class out, or merge it with another"
        )
    return classes, codes


def _class_name(value: Any, kind: LabelType) -> str:
    if kind == "integer":
        return str(int(value))
    return str(value).lower() if kind == "boolean" else str(value)


def _type(table: pl.DataFrame, described: dict[str, Described], codes: NDArray[Any]) -> Rows:
    read = {name: each for name, each in described.items() if not each.dropped}
    return Rows({name: typed(table[name], each.kind) for name, each in read.items()}, codes)


def typed(series: pl.Series, kind: Kind) -> NDArray[Any]:
    """The values of one column as in `Rows`: float32 [N] for a number, str objects [N] otherwise."""
    if kind != "number":
        return _texts(series).to_numpy().astype(object)
    numbers = series.cast(pl.Float64) if series.dtype.is_numeric() else parse_numbers(without_missing(stripped(series)))
    with np.errstate(over="ignore"):
        values = numbers.fill_null(np.nan).to_numpy().astype(np.float32)
    return np.where(np.isfinite(values), values, np.float32(np.nan))


def _texts(series: pl.Series) -> pl.Series:
    """Stripped texts with "" for missing; a whole number that was stored as a float has no `.0`."""
    if series.dtype.is_float():
        whole = series.cast(pl.Int64, strict=False)
        series = whole if (whole.cast(pl.Float64) == series).fill_null(True).all() else series
    return without_missing(stripped(series.cast(pl.String))).fill_null("")
