"""Chooses by what the rows of a table with a target are split: as the spec says, else as the data call for.

Without a wish, rows are split by a column of patients, customers or machines whose rows are alike (`structure`), else
by time where a model that has learned from earlier rows alone does worse on the latest (`drift`), else by content.
Weaker signs of either are told, with the line of spec.yaml to write.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dropforge.contract.remarks import yaml_text
from dropforge.contract.spec import SpecFault, SplitBy
from dropforge.datasets.drift import drift, rows_to_look_at
from dropforge.datasets.splitgroups import assign_groups, grouped
from dropforge.datasets.splits import Proposal, Split
from dropforge.datasets.splittimes import assign_times, iso_date, times_of
from dropforge.datasets.splitting import HELD, LEFT_OUT
from dropforge.datasets.structure import find_groups
from dropforge.datasets.table import Kept
from dropforge.datasets.typed import typed_column

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from dropforge.contract.spec import Spec
    from dropforge.datasets.columns import Described
    from dropforge.datasets.drift import Drift
    from dropforge.datasets.hashing import Hashes
    from dropforge.datasets.splitting import Assigned
    from dropforge.datasets.table import Table

NO_EVENT = frozenset(
    "birth born dob birthday built build made founded established expiry expires expiration due".split()
)
"""Words of dates that say of what age something is, not when it was observed."""

FEWEST_TIMES = 20
"""Different times below which rows are not split by time unless the owner wishes it: a fifth would be a few days."""

LEAST_KNOWN = 0.95
SURE, CLEAR = (4.0, 1.2), (3.0, 1.1)
"""Least sureness and ratio of a drift that splits the rows, and of one that is told."""

MOST_OUTPUTS = 2
"""Classes whose drift is looked at, the most frequent first."""


def choose_split(
    table: Table,
    described: Mapping[str, Described],
    spec: Spec,
    target: NDArray[Any],
    classes: int,
    hashes: Hashes,
) -> Split:
    """How the rows of `table` are split.

    Args:
        table: the rows that are kept.
        described: its columns but the target.
        spec: whose wish about it wins.
        target: numbers, or class codes.
        classes: how many there are; 0 for a regression.
        hashes: of the rows.

    Raises:
        SpecFault: the spec's wish does not fit the data.
    """
    codes = target if classes else None
    match spec.split:
        case str():
            return Split("column", spec.split)
        case SplitBy(group=str(name)):
            return _by_group(table, name, codes, hashes)
        case SplitBy(time=str(name)):
            return _by_time(table, described[name], codes, hashes, spec.split)
        case SplitBy():
            return Split()
        case None:
            return _called_for(table, described, target, classes, hashes)


def _by_group(table: Table, name: str, codes: NDArray[np.int64] | None, hashes: Hashes, evidence: str = "") -> Split:
    assigned = assign_groups(grouped(table[name], hashes), codes, name)
    _check_classes(assigned, codes, f"{{group: {name}}}", is_wish=not evidence)
    return Split("group", name, evidence, assigned=assigned)


def _by_time(table: Table, column: Described, codes: NDArray[np.int64] | None, hashes: Hashes, wish: SplitBy,
             evidence: str = "") -> Split:  # fmt: skip
    name, is_date = column.name, column.kind == "date"
    if wish.gap is not None and not is_date:
        raise SpecFault(
            f"split.gap: {wish.gap!r} is a span of time, and {name!r} is a {column.kind}; expected a column of dates: "
            "leave the gap out"
        )
    assigned = assign_times(times_of(table[name], column), hashes, wish.gap_days, name)
    _check_classes(assigned, codes, f"{{time: {name}}}", is_wish=not evidence)
    assert assigned.start is not None  # a split by time has it
    start = iso_date(assigned.start) if is_date else f"{assigned.start:g}"
    return Split("time", name, evidence, wish.gap, assigned, start)


def _check_classes(assigned: Assigned, codes: NDArray[np.int64] | None, how: str, *, is_wish: bool) -> None:
    """Refuses a split that leaves a class nothing to learn from, or, unless it is a wish, a hold-out of one class."""
    if codes is None:
        return
    if not is_wish and len(np.unique(codes[assigned.labels == HELD])) < 2:
        raise SpecFault(f"split: {how}: the hold-out would have one class alone; expected two: split otherwise")
    learned = np.unique(codes[(assigned.labels != HELD) & (assigned.labels != LEFT_OUT)])
    if len(learned) <= codes.max():
        raise SpecFault(
            f"split: {how}: {int(codes.max()) + 1 - len(learned)} of the {int(codes.max()) + 1} classes would be held "
            "out in whole; expected each among the rows to learn from: drop more rows of them, or split otherwise"
        )


def _called_for(
    table: Table, described: Mapping[str, Described], target: NDArray[Any], classes: int, hashes: Hashes
) -> Split:
    """What the data call for."""
    codes, groups = target if classes else None, find_groups(table, described, _outputs(target, classes), hashes)
    if groups and groups[0].is_sure:
        first = groups[0]
        why = (
            f"rows of one {first.column!r} are alike, which explains {first.share:.0%} of how the target varies, so "
            "that another split would be scored by what the model has seen"
        )
        with suppress(SpecFault):  # one of the groups has most of the rows, say
            return _by_group(table, first.column, codes, hashes, why)
    timed, hints = _by_drift(table, described, target, classes, hashes)
    proposals = [
        Proposal(
            f"{group.count:,} values of {group.column!r} have several rows each, and these are alike. If rows to "
            "predict have other values, a split by group shows how well these are predicted.",
            f"split: {{group: {yaml_text(group.column)}}}",
        )
        for group in groups[:1]
    ]
    return replace(timed or Split(), proposals=(*proposals, *hints))


def _by_drift(
    table: Table, described: Mapping[str, Described], target: NDArray[Any], classes: int, hashes: Hashes
) -> tuple[Split | None, list[Proposal]]:
    """A split by time where the data call for it, and what is told where they only hint at it."""
    clearest = _clearest_drift(table, described, _outputs(target, classes), hashes)
    if clearest is None or clearest[1].sureness < CLEAR[0] or clearest[1].ratio < CLEAR[1]:
        return None, []
    column, drifted = clearest
    worse = f"errs {drifted.ratio - 1:.0%} more on the latest rows if it has learned from earlier ones alone"
    if drifted.sureness >= SURE[0] and drifted.ratio >= SURE[1]:
        with suppress(SpecFault):  # half of the rows have one date, say
            codes, wish = target if classes else None, SplitBy(time=column.name)
            return _by_time(table, column, codes, hashes, wish, f"a quick model {worse}"), []
    return None, [
        Proposal(
            f"A quick model {worse}, by {column.name!r}. If rows to predict are later than these, a split by time "
            "shows how well these are predicted.",
            f"split: {{time: {yaml_text(column.name)}}}",
        )
    ]


def _clearest_drift(
    table: Table, described: Mapping[str, Described], outputs: NDArray[np.float64], hashes: Hashes
) -> tuple[Described, Drift] | None:
    """The column of dates along which the data drift most surely, by a sample of the rows."""
    dates = [each for each in described.values() if each.kind == "date" and not _words(each.name) & NO_EVENT]
    if not dates:
        return None
    mask = np.zeros(table.height, bool)
    mask[np.argsort(hashes, kind="stable")[: rows_to_look_at(len(described))]] = True
    some, best = Kept(table, mask), None
    features = _features(some, described)
    for column in dates:
        times = times_of(some[column.name], column)
        known = np.isfinite(times)
        if known.mean() >= LEAST_KNOWN and len(np.unique(times[known])) >= FEWEST_TIMES:
            drifted = drift(times, features, outputs[mask])
            if drifted is not None and (best is None or drifted.sureness > best[1].sureness):
                best = column, drifted
    return best


def _words(name: str) -> set[str]:
    return set(re.split(r"[\W_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()))


def _outputs(target: NDArray[Any], classes: int) -> NDArray[np.float64]:
    """The target as numbers [N, outputs]: itself, or a column for each of the most frequent classes."""
    if not classes:
        return np.asarray(target, np.float64)[:, None]
    most = np.argsort(-np.bincount(target), kind="stable")[: 1 if classes == 2 else MOST_OUTPUTS]
    return np.asarray(target[:, None] == most[None, :], np.float64)


def _features(table: Table, described: Mapping[str, Described]) -> dict[str, NDArray[Any]]:
    """The columns that a model reads, as `drift` takes them; of a date also where it lies in year, week and day."""
    values: dict[str, NDArray[Any]] = {}
    for name, column in described.items():
        if column.left_out is not None:
            continue
        if column.kind == "date":
            days = times_of(table[name], column)
            values |= {name: days, f"{name}: day of the year": days % 365.2425}
            values |= {f"{name}: day of the week": np.floor(days) % 7, f"{name}: hour": days % 1}
        else:
            plain = typed_column(table[name], column)
            values[name] = plain.astype(np.float64) if column.kind == "number" else plain
    return values
