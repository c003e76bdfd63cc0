"""Two real versions of a model on the same rows: their answers, and how long each took, measured here.

The champion learned from half of the rows that the candidate learned from, so that the two differ as a version and its
successor do. The rows of the hold-out and those of the requests were seen by neither.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dropforge.contract import names
from dropforge.contract.spec import Spec
from dropforge.datasets.dataset import Options
from dropforge.inference.model import ServedModel
from dropforge.inference.rows import Rows, to_arrays
from dropforge.metrics.disagreement import disagreement
from examples import datasets
from training_container.driver import train
from training_container.job import Job

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from dropforge.contract.rollouts import Disagreement

SETS = {"income": (6000, 6000, 3000), "houses": (6000, 6000, 3000), "weather": (660, 400, 400)}
"""Rows to learn from, of the hold-out, and of requests."""

BUDGET = 0.06
"""Minutes of fitting: the models are small, and what is measured is not their quality."""

RUN = "run-0123456789abcdef"


@dataclass(frozen=True)
class Pool:
    """Rows that both versions have answered, to draw requests from."""

    name: str
    classes: tuple[Any, ...]
    """Empty for numbers."""
    truth: list[Any]
    champion: list[Any]
    """Its answers."""
    candidate: list[Any]
    milliseconds: np.ndarray
    """[N, 2]: of champion and candidate on the same row, one after the other."""
    twice: np.ndarray
    """[N]: of a candidate that takes as long as the champion's graph, run two times."""
    holdout: Disagreement


def pools() -> list[Pool]:
    """One pool a data set."""
    return [pool(name, *sizes) for name, sizes in SETS.items()]


def pool(name: str, learned: int, held_out: int, asked: int) -> Pool:
    """Trains both versions of a data set, and has both answer."""
    target = datasets.SOURCES[name].target
    table = datasets.load(name).sample(fraction=1.0, shuffle=True, seed=0)
    versions = [trained(name, table.head(rows), target) for rows in (learned // 2, learned)]
    holdout = table.slice(learned, held_out)
    differing = disagreement(versions[0].card.task, *(model.predict(arrays_of(holdout, model)).predictions
                                                      for model in reversed(versions)))  # fmt: skip
    assert differing is not None
    requests = table.slice(learned + held_out, asked)
    (champion, candidate), milliseconds, twice = timed(versions, requests)
    classes = tuple(dict.fromkeys(champion)) if differing.beyond is None else ()
    return Pool(name, classes, requests[target].to_list(), champion, candidate, milliseconds, twice, differing)


def trained(name: str, rows: pl.DataFrame, target: str) -> ServedModel:
    """A model of these rows, made by the trainer and loaded as it is served."""
    with tempfile.TemporaryDirectory(prefix="dropforge-bench-") as folder:
        data, out = Path(folder) / "table.csv", Path(folder) / "model"
        rows.write_csv(data)
        with contextlib.redirect_stdout(io.StringIO()):
            train(Job(RUN, name, (data,), Options(Spec(budget=BUDGET), target), None, 0, out))
        body = (out / names.MODEL_FILE).read_bytes()
    return ServedModel.from_bytes(body, hashlib.sha256(body).hexdigest())


def arrays_of(table: pl.DataFrame, model: ServedModel) -> Any:
    """The rows of a table as the model's inputs."""
    columns: dict[str, Sequence[Any]] = {
        column.name: [_json(value) for value in table[column.name].to_list()] for column in model.card.columns
    }
    return to_arrays(Rows(columns, len(table)), model.card)


def _json(value: Any) -> Any:
    """The value as a request has it."""
    return value if value is None or isinstance(value, int | float | str) else str(value)


def timed(versions: list[ServedModel], table: pl.DataFrame) -> tuple[list[list[Any]], np.ndarray, np.ndarray]:
    """Both versions' answers row by row, the milliseconds of each, and those of the first one run two times."""
    answers: list[list[Any]] = [[], []]
    times, twice = np.empty((len(table), 2)), np.empty(len(table))
    for at in range(len(table)):
        row = [arrays_of(table.slice(at, 1), model) for model in versions]
        for place in (0, 1):
            began = time.perf_counter()
            answers[place] += versions[place].predict(row[place]).predictions
            times[at, place] = (time.perf_counter() - began) * 1e3
        began = time.perf_counter()
        for _ in range(2):
            versions[0].predict(row[0])
        twice[at] = (time.perf_counter() - began) * 1e3
    return answers, times, twice
