"""`profile.json`: what the training rows look like; later the yardstick for drift.

    {"schema": "dropforge.profile/1", "rows": {counts}, "split": {`splits.facts`}, "target": {...},
     "columns": {name: {...}}, "dropped": {name: reason}, "suspects": [{"column", "why", "score"}],
     "remarks": [{"code", "sentence", "severity", "option", "column"}, the worst first],
     "told": [the same as plain sentences, for older readers],
     "personal": [{"column", "what", "found_by", "treatment"}], "masked": [names]}

Of every column that the model reads: `kind`, `missing` (share), `distinct`. Numbers add `mean`, `std`, `quantiles`
(`q001` is the 0.1 % quantile, `q05` the 5 %) and `histogram` (20 bins of equal width between q01 and q99; what lies
outside counts in the first or last bin). Dates add the same over their days since 1970-01-01. Categories and booleans
add `top` (at most 50 of [value, count]) and `other` (count). Of masked columns no single value is written: no `top`, no
`histogram`. `suspects` are columns that tell the target almost by themselves (`suspects`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_never

import numpy as np
import polars as pl

from dropforge.datasets.dates import parse_dates

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from dropforge.contract.remarks import Remark
    from dropforge.datasets.columns import Described
    from dropforge.datasets.dataset import Rows
    from dropforge.datasets.personalpolicy import Policy

SCHEMA = "dropforge.profile/1"
QUANTILES = {
    "q001": 0.001, "q01": 0.01, "q05": 0.05, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q95": 0.95, "q99": 0.99,
    "q999": 0.999,
}  # fmt: skip
BINS = 20
TOP = 50


def make_profile(
    *,
    rows: Rows,
    described: Mapping[str, Described],
    target: Mapping[str, Any],
    counts: Mapping[str, int],
    policy: Policy,
    suspects: Sequence[dict[str, Any]] = (),
    remarks: Sequence[Remark] = (),
    split: Mapping[str, object] | None = None,
) -> dict[str, Any]:
    """The profile of the training rows `rows`; `target` says its name, task, label type and classes."""
    masked = list(policy.masked)
    became = {column.column: column.treatment for column in policy.columns}
    read = {name: column for name, column in described.items() if not column.dropped}
    return {
        "schema": SCHEMA,
        "rows": dict(counts),
        **({} if split is None else {"split": dict(split)}),
        "target": {**target, **_target(rows.target, target["classes"])},
        "columns": {name: describe_values(rows.columns[name], column, name in masked) for name, column in read.items()},
        "dropped": {name: column.dropped for name, column in described.items() if column.dropped},
        "suspects": list(suspects),
        "remarks": [remark.to_json() for remark in remarks],
        "told": [remark.text for remark in remarks if remark.code != "leak"],
        "personal": [
            {
                "column": finding.column,
                "what": finding.what,
                "found_by": finding.found_by,
                "treatment": became.get(finding.column, "keep"),
            }
            for finding in policy.findings
        ],  # fmt: skip
        "masked": masked,
    }


def _target(values: NDArray[Any], classes: Sequence[str]) -> dict[str, Any]:
    if not classes:
        return describe_numbers(values, masked=False)
    counts = np.bincount(values, minlength=len(classes))
    return {"counts": dict(zip(classes, map(int, counts), strict=True))}


def describe_values(values: NDArray[Any], column: Described, masked: bool) -> dict[str, Any]:
    """What the profile says of one column, whose values are as in `Rows`."""
    match column.kind:
        case "number":
            return {"kind": column.kind, **describe_numbers(values.astype(np.float64), masked=masked)}
        case "date":
            days = parse_dates(pl.Series(column.name, values, dtype=pl.String))
            numbers = days.fill_null(np.nan).to_numpy()
            return {"kind": column.kind, "format": "iso", **describe_numbers(numbers, masked=masked)}
        case "category" | "boolean":
            return {"kind": column.kind, **describe_texts(values, masked=masked)}
        case _:
            assert_never(column.kind)


HUGE = 1e150
"""From here on the squares of float64 numbers overflow."""


def describe_numbers(values: NDArray[np.float64], *, masked: bool) -> dict[str, Any]:
    """Missing share, distinct values, mean, std, quantiles and histogram of float64 [N] with NaN for missing."""
    known = values[~np.isnan(values)]
    facts: dict[str, Any] = {
        "missing": _share(len(values) - len(known), len(values)),
        "distinct": len(np.unique(known)),
    }
    if len(known) == 0:
        return {**facts, "mean": None, "std": None, "quantiles": None}
    quantiles = np.quantile(known, list(QUANTILES.values()))
    largest = float(np.abs(known).max())
    scale = largest if largest > HUGE else 1.0
    facts |= {"mean": float((known / scale).mean()) * scale, "std": float((known / scale).std()) * scale}
    facts |= {"quantiles": dict(zip(QUANTILES, map(float, quantiles), strict=True))}
    return facts if masked else {**facts, "histogram": _histogram(known, facts["quantiles"])}


def _histogram(known: NDArray[np.float64], quantiles: Mapping[str, float]) -> dict[str, Any]:
    low, high = quantiles["q01"], quantiles["q99"]
    if not low < high:
        low, high = float(known.min()), float(known.max())
    room = max(abs(low), abs(high)) * 1e-9
    if high - low <= room or low == high:
        low, high = low - max(room, 0.5), high + max(room, 0.5)
    counts, edges = np.histogram(np.clip(known, low, high), BINS, (low, high))
    return {"edges": [float(edge) for edge in edges], "counts": [int(count) for count in counts]}


def describe_texts(values: NDArray[Any], *, masked: bool) -> dict[str, Any]:
    """Missing share, distinct values and the most frequent ones of str [N] with "" for missing."""
    counted = pl.Series("value", values, dtype=pl.String).value_counts()
    known = counted.filter(pl.col("value") != "").sort(["count", "value"], descending=[True, False])
    total = int(known["count"].sum())
    facts: dict[str, Any] = {"missing": _share(len(values) - total, len(values)), "distinct": known.height}
    if masked:
        return facts
    top = [[value, int(count)] for value, count in known.head(TOP).iter_rows()]
    return {**facts, "top": top, "other": total - sum(count for _, count in top)}


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
