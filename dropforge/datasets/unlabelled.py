"""Tables without a target, for clustering: every column that says something is read, every row but copies is kept.

Only `task: clustering` in the spec makes a table one of these; it is never guessed. Rows are split by their content
like all others: the hold-out says whether the clusters are there in rows that made none.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from dropforge.contract.remarks import worst_first
from dropforge.contract.spec import SpecFault
from dropforge.datasets.choosing import MIN_ROWS, check_wishes
from dropforge.datasets.columns import columns_read, describe
from dropforge.datasets.dataset import Dataset, Rows
from dropforge.datasets.faults import DataFault
from dropforge.datasets.hashing import row_hashes
from dropforge.datasets.numberremarks import number_remarks
from dropforge.datasets.personalpolicy import applied, find_policy, policy_remarks
from dropforge.datasets.profile import make_profile
from dropforge.datasets.remarks import columns_left_out, encoding_guessed, rows_left_out, sheet_chosen
from dropforge.datasets.splitting import copies, split
from dropforge.datasets.styles import style_of
from dropforge.datasets.table import as_table
from dropforge.datasets.typed import typed_column

if TYPE_CHECKING:
    import polars as pl

    from dropforge.contract.spec import Spec
    from dropforge.datasets.dataset import Options

CLUSTER = "cluster"
"""What the answers are called: the target of a clustering, which is no column."""


def check_unlabelled(names: list[str], spec: Spec) -> None:
    """Refuses, with `SpecFault`, wishes that a table without a target cannot have."""
    if spec.target not in (None, CLUSTER):
        raise SpecFault(
            f"target: {spec.target!r} beside task: clustering, which has none; expected one of the two: to leave the "
            "column out of the clusters use 'drop:'"
        )
    if CLUSTER in names and CLUSTER not in spec.drop:
        raise SpecFault(f"task: clustering answers {CLUSTER!r}, and the data have such a column: rename or drop it")
    check_wishes(names, _without_target(spec))


def _without_target(spec: Spec) -> Spec:
    return dataclasses.replace(spec, target=None)


def prepare_unlabelled(table: pl.DataFrame, options: Options) -> Dataset:
    """A table without a target; `target` of its rows is 0 everywhere.

    Raises:
        DataFault: too few different rows, or no column that varies.
        SpecFault: a wish does not fit the data.
    """
    spec = options.wishes()
    check_unlabelled(table.columns, spec)
    hashes = row_hashes(table)
    first = copies(hashes) == 0
    kept = table.filter(first)
    if kept.height < MIN_ROWS:
        raise DataFault(
            f"needs at least {MIN_ROWS} different rows, got {kept.height} of {table.height}: drop more rows"
        )
    style = style_of(as_table(kept), spec, options.data)
    policy = find_policy(kept, spec)
    described = applied(describe(kept, spec, style=style), policy, kept)
    read = {name: column for name, column in described.items() if not column.dropped}
    if not read:
        reasons = {name: column.dropped for name, column in list(described.items())[:5]}
        raise DataFault(f"no column is left to find clusters in ({reasons}); expected one that varies: add some")
    every = Rows({name: typed_column(kept[name], column) for name, column in read.items()}, np.zeros(kept.height))
    rows = {name: every.take(index) for name, index in split(hashes[first]).items()}
    counts = {"read": table.height, "duplicates": table.height - kept.height, "without_target": 0}
    counts |= {name: len(part) for name, part in rows.items()}
    remarks = [
        *rows_left_out(counts, CLUSTER),
        *columns_left_out(described.values()),
        *number_remarks(described, style, policy.masked),
        *policy_remarks(policy, described, spec),
        *encoding_guessed(options),
        *sheet_chosen(options),
    ]
    labels = {"name": CLUSTER, "task": "clustering", "label_type": "integer", "classes": []}
    return Dataset(
        target=CLUSTER,
        task="clustering",
        label_type="integer",
        classes=(),
        columns=columns_read(described, rows["train"], policy.masked),
        ignored=tuple(name for name, column in described.items() if column.dropped),
        masked=policy.masked,
        personal=policy.columns,
        counts=counts,
        profile=make_profile(rows=rows["train"], described=described, target=labels, counts=counts,
                             policy=policy, remarks=worst_first(remarks)),
        train=rows["train"],
        validation=rows["validation"],
        holdout=rows["holdout"],
    )  # fmt: skip
