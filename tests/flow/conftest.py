"""One embedded cloud for all flow tests, with the real stack deployed into it.

`DROPFORGE_STRICT=1` brings it up with TLS and IAM enforced on every call. Three real data sets are dropped once, at
the same time, each without the rows that the tests ask the API about afterwards.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from dropforge.client import Dropforge
from dropforge.contract import names
from dropforge.embedded import cloud as embedded
from dropforge.embedded.training import faults
from examples import datasets

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import polars as pl

    from dropforge.contract.registry import RunRow

STRICT = os.environ.get("DROPFORGE_STRICT") == "1"

collect_ignore = [] if STRICT else ["test_strict.py"]
"""IAM is enforced in the strict run alone."""

HELD_BACK = 40
"""Rows of each data set that are never dropped."""


@dataclass(frozen=True)
class Forged:
    """A dropped data set, how its run ended, and the rows that the model has never seen."""

    name: str
    target: str
    file: Path
    run: RunRow
    unseen: pl.DataFrame


@pytest.fixture(scope="session")
def forge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dropforge]:
    """The SDK, connected to an embedded cloud of the tests' own."""
    home = tmp_path_factory.mktemp("embedded")
    os.environ[faults.FILE] = str(home / "faults.json")  # `test_places.py` writes it
    embedded.up(home=home, port=0, strict=STRICT, report=print)
    yield Dropforge(home=home)
    embedded.down(home)


def prepared(name: str, folder: Path) -> tuple[Path, pl.DataFrame]:
    """The data set as a file to drop, and the rows held back from it."""
    frame = datasets.load(name).sample(fraction=1.0, shuffle=True, seed=7).head(8_000)
    path = folder / f"{name}.{'jsonl' if name == 'cars' else 'csv'}"
    kept = frame.tail(-HELD_BACK)
    kept.write_ndjson(path) if path.suffix == ".jsonl" else kept.write_csv(path, null_value="NA")
    return path, frame.head(HELD_BACK)


QUICK = "budget: 0.3\nsearch: none\n"
"""Wishes of runs whose scores are not what is tested."""


def hurry(forge: Dropforge, model: str) -> None:
    """Lays `QUICK` beside the data of a model."""
    bucket = forge.connection.outputs["DropBucket"]
    forge.connection.client("s3").put_object(Bucket=bucket, Key=names.spec_key(model), Body=QUICK.encode())


@pytest.fixture(scope="session")
def forged(forge: Dropforge, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Forged]:
    """Regression (JSON lines, dates, missing values), binary and multiclass, all dropped at the same time."""
    folder = tmp_path_factory.mktemp("data")
    files = {name: prepared(name, folder) for name in ("cars", "income", "penguins")}
    targets = {name: datasets.SOURCES[name].target for name in files}
    for name in files:
        hurry(forge, name)
    runs = {name: forge.drop(path, model=name, target=targets[name]) for name, (path, _) in files.items()}
    return {
        name: Forged(name, targets[name], path, forge.wait(runs[name].run), unseen)
        for name, (path, unseen) in files.items()
    }
