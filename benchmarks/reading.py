"""`make bench-reading`: a large CSV read, counted and spilled, against bare polars doing as much without the checks.

Ours is `sniff`, `open_table` and `describe`: encoding and delimiter found, every row's width, bytes and quotes checked,
all columns counted and their kinds and fates decided, everything spilled to Parquet. The peer is polars alone,
streaming: missing values, least and greatest of every column and means of the numbers, then CSV to Parquet. Each runs
in processes of its own, in turn; CPU seconds are the least of the rounds, memory the most, both by the system's count.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import polars.selectors as cs

from benchmarks.report import Row, publish
from dropforge.contract.spec import Spec
from dropforge.datasets.columns import describe
from dropforge.datasets.dataset import Options
from dropforge.datasets.prepare import prepare
from dropforge.datasets.reading import open_table, sniff
from dropforge.datasets.streams import chunks

ROOT = Path(__file__).parents[1]
BLOCK = 100_000
"""Rows that are made together."""

SMALL = 10
"""The flatness is against a file this many times smaller."""

TARGET, PEER = "amount", "polars streaming: statistics, then CSV to Parquet"
CITIES = 500


@dataclass(frozen=True)
class Cost:
    """What a process used: CPU seconds (user and system) and peak memory in GiB."""

    cpu: float
    memory: float


def main() -> None:
    """Makes the files in a temporary folder, measures, and removes them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=1000, help="size of the large file (default: 1000)")
    parser.add_argument("--rounds", type=int, default=2, help="how often each is run (default: 2)")
    parser.add_argument("--child", nargs=2, metavar=("WHAT", "FILE"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        CHILDREN[given.child[0]](Path(given.child[1]))
        return
    with tempfile.TemporaryDirectory(prefix="dropforge-bench-") as folder:
        check_room(Path(folder), given.megabytes)
        large, small = Path(folder) / "large.csv", Path(folder) / "small.csv"
        for path, megabytes in ((large, given.megabytes), (small, given.megabytes / SMALL)):
            path.write_text(str(megabytes))
            cost("make", path)
        rows = sum(block.count(b"\n") for block in chunks(large, False)) - 1
        print(f"{large.stat().st_size / 1e6:.0f} MB, {rows:,} rows", flush=True)
        measured = measure(large, small, given.rounds)
    path = publish("reading", figures(measured, rows), ["numpy", "polars"])
    print(f"written to {path}")


def check_room(folder: Path, megabytes: int) -> None:
    """Ends the program where the files and what is spilled of them do not fit."""
    free, needed = shutil.disk_usage(folder).free, 4 * megabytes * 10**6
    if free < needed:
        sys.exit(f"{folder}: {free} bytes free; expected {needed}: set TMPDIR to a larger disk, or give --megabytes")


def measure(large: Path, small: Path, rounds: int) -> dict[str, Cost]:
    """The cost of each thing that is compared, by name."""
    found: dict[str, list[Cost]] = {}
    for _ in range(rounds):
        for what, path in (("bare", large), ("ours", large), ("ours small", small)):
            found.setdefault(what, []).append(cost(what.split()[0], path))
    found["prepared"] = [cost("prepared", small)]
    return {
        what: Cost(min(each.cpu for each in costs), max(each.memory for each in costs)) for what, costs in found.items()
    }


def figures(measured: dict[str, Cost], rows: int) -> list[Row]:
    """The table: ours, the peer's in the same run."""
    ours, bare, small = measured["ours"], measured["bare"], measured["ours small"]
    return [
        Row("rows of the large file", rows, "rows", "higher"),
        Row("read, counted and spilled", ours.cpu, "CPU s", "lower", None, PEER, bare.cpu),
        Row("the same against bare polars", ours.cpu / bare.cpu, "x", "lower", 1.3, PEER, 1.0),
        Row("peak memory", ours.memory, "GiB", "lower", 0.5, PEER, bare.memory),
        Row(f"peak memory against that of a file {SMALL} times smaller", ours.memory / small.memory, "x", "lower", 1.2),
        Row("smaller file, prepared to typed rows in whole", measured["prepared"].cpu, "CPU s", "lower"),
    ]


def cost(what: str, path: Path) -> Cost:
    """Runs one thing in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.reading", "--child", what, str(path)]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)} failed with {process.returncode}")
    found = Cost(used.ru_utime + used.ru_stime, used.ru_maxrss / 2**20)
    print(f"{what:9} {path.name:9} {found.cpu:6.1f} CPU s {found.memory:.2f} GiB", flush=True)
    return found


def ours(path: Path) -> None:
    """What the trainer does before it builds arrays."""
    with open_table([path], sniff(path, path.name)) as table:
        described = describe(table, Spec(), TARGET)
    wrong = {name: described[name].kind for name, kind in KINDS.items() if described[name].kind != kind}
    assert not wrong, wrong


def bare(path: Path) -> None:
    """Statistics of every column, then the same file as Parquet; nothing is checked."""
    lazy = pl.scan_csv(path)
    counted = lazy.select(
        pl.all().null_count().name.suffix("|missing"),
        pl.all().min().name.suffix("|least"),
        pl.all().max().name.suffix("|greatest"),
        cs.numeric().mean().name.suffix("|mean"),
    )
    counted.collect(engine="streaming")
    with tempfile.TemporaryDirectory() as folder:
        lazy.sink_parquet(Path(folder) / "bare.parquet")


def prepared(path: Path) -> None:
    """The whole way to typed rows in three parts."""
    prepare([path], Options(target=TARGET))


KINDS = {
    "order": "number", "ordered": "date", "shipped": "date", "store": "category", "postcode": "category",
    "customer": "category", "segment": "category", "city": "category", "country": "category", "channel": "category",
    "gift": "boolean", "quantity": "number", "weight": "number", "width": "number", "discount": "number",
    "temperature": "number", "humidity": "number", "price": "number",
}  # fmt: skip
"""What must be told of the columns: a quick reader that gets them wrong is none."""


def make(path: Path) -> None:
    """Writes orders of a shop, always the same ones, until there are as many megabytes as the file says by itself.

    In a process of its own: what the system counts as a child's memory begins with that of its parent.
    """
    rng, rows, megabytes = np.random.default_rng(20261125), 0, float(path.read_text())
    with path.open("wb") as file:
        while file.tell() < megabytes * 10**6:
            orders(rng, rows).write_csv(file, include_header=rows == 0)
            rows += BLOCK


WORDS = {
    "segment": ["consumer", "corporate", "home office", "small business"],
    "city": [f"city {at * 7919 % CITIES}" for at in range(CITIES)],
    "country": ["DE", "FR", "ES", "IT", "PL", "NL", "AT"],
    "channel": ["web", "phone", "store"],
    "gift": ["no", "yes"],
}
GAPS = {"shipped": 0.1, "city": 0.03, "weight": 0.05}
"""Share of the rows that lack a value."""


def orders(rng: np.random.Generator, start: int) -> pl.DataFrame:
    """`BLOCK` orders of 19 columns: an id, dates, zero-padded codes, categories, numbers, values that are missing."""
    n = BLOCK
    quantity, price = rng.poisson(3, n) + 1, np.round(rng.lognormal(3, 1, n), 2)
    discount = np.round(rng.beta(1, 6, n), 2)
    frame = pl.DataFrame(
        {
            "order": np.arange(start, start + n) * 3 + 10_000_001,
            "ordered": rng.integers(0, 1800, n),
            "shipped": rng.integers(0, 30, n),
            "store": rng.integers(1, 800, n),
            "postcode": rng.integers(1000, 99999, n),
            "customer": rng.integers(0, 2_000_000, n),
            **{name: np.array(texts)[rng.integers(0, len(texts), n)] for name, texts in WORDS.items()},
            "quantity": quantity,
            "weight": np.round(rng.gamma(2, 1.5, n), 3),
            "width": np.round(rng.normal(40, 12, n), 4),
            "discount": discount,
            "temperature": np.round(rng.normal(11, 8, n), 5),
            "humidity": np.round(rng.uniform(20, 100, n), 6),
            "price": price,
            "amount": np.round(quantity * price * (1 - discount) + rng.normal(0, 1, n), 2),
        }
    )
    gaps = {name: rng.random(n) < share for name, share in GAPS.items()}
    return written(frame).with_columns(
        pl.when(pl.Series(gap)).then(None).otherwise(pl.col(name)).alias(name) for name, gap in gaps.items()
    )


def written(frame: pl.DataFrame) -> pl.DataFrame:
    """Numbers that are dates and codes, as a shop writes them."""
    ordered = pl.lit(np.datetime64("2021-01-01")).cast(pl.Date) + pl.duration(days="ordered")
    minute = pl.col("order") * 7919 % 1440
    return frame.with_columns(
        (ordered.cast(pl.Datetime) + pl.duration(minutes=minute)).dt.to_string("%Y-%m-%dT%H:%M").alias("ordered"),
        (ordered + pl.duration(days="shipped")).dt.to_string("%Y-%m-%d").alias("shipped"),
        pl.col("store").cast(pl.String).str.zfill(4),
        pl.col("postcode").cast(pl.String).str.zfill(5),
        pl.format("customer-{}", pl.col("customer").cast(pl.String).str.zfill(12)).alias("customer"),
    )


CHILDREN = {"make": make, "ours": ours, "bare": bare, "prepared": prepared}

if __name__ == "__main__":
    main()
