"""Explanations: what a row costs against the bare answers it takes, and how far it is from the exact Shapley values.

Measured on two models: the linear one of the other parts, of twenty numbers, and a bag of boosters for the prices of
houses (California's 1990 census, eight numbers), of which all coalitions can be asked. The package shap takes part
where `DROPFORGE_PEERS` has an environment of it.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from itertools import combinations
from math import comb
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.report import Row
from benchmarks.serving.contestants import python_of
from benchmarks.serving.model import ROOT
from benchmarks.serving.model import rows as tumours
from dropforge.contract.names import HOLDOUT_FILE
from dropforge.inference import explain
from dropforge.inference.model import ServedModel
from dropforge.inference.rows import Rows, to_arrays
from dropforge.inference.shapley import orders
from examples.datasets import SOURCES, load
from training_container.export.background import ROWS as BACKGROUND

if TYPE_CHECKING:
    from collections.abc import Mapping

    Array = np.ndarray
    Records = list[dict[str, Any]]

REPEATS = 9
EXPLAINED = 8
"""Rows of houses."""

MANY = 1_000
"""Rows of the background that a small one is compared with."""

DRAWN = 5
"""Times that a small background is drawn, for its error is chance too."""


def rows(model: Path) -> list[Row]:
    """The measures."""
    houses = trained(model.parent / "houses")
    served, (some, pool) = loaded(houses), held_out(houses)
    exactly = [exact(served, explain.background(served).arrays, row) for row in some]
    return [
        *cost("20 numbers, linear model", loaded(model), tumours()),
        *cost("8 numbers, bag of boosters", served, some),
        *peer(houses, served, some, np.array(exactly)),
        *background(served, some, pool),
    ]


def trained(folder: Path) -> Path:
    """The model of houses, a minute's work.

    Raises:
        CalledProcessError: the trainer failed.
    """
    folder.mkdir()
    load("houses").sample(6_000, seed=0).write_csv(folder / "houses.csv")
    words = [sys.executable, "-m", "training_container.trainer", "--data", str(folder / "houses.csv"), "--target",
             SOURCES["houses"].target, "--budget", "0.3", "--search", "none", "--out", str(folder / "run")]  # fmt: skip
    subprocess.run(words, cwd=ROOT, check=True, capture_output=True)
    return folder / "run" / "model.onnx"


def loaded(model: Path) -> ServedModel:
    """The model as it is served."""
    body = model.read_bytes()
    return ServedModel.from_bytes(body, sha256(body).hexdigest())


def held_out(model: Path) -> tuple[Records, Records]:
    """Rows that the model has never seen: those that are explained, and the others."""
    import gzip

    columns = json.loads(gzip.decompress(model.with_name(HOLDOUT_FILE).read_bytes()))["columns"]
    records = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return records[:EXPLAINED], records[EXPLAINED:]


def arrays_of(served: ServedModel, records: Records) -> dict[str, Array]:
    """Inputs by name, [N, 1]."""
    return dict(to_arrays(Rows({}, len(records), records=records), served.card))


def told(served: ServedModel, records: Records) -> tuple[Array, Array]:
    """Contributions and their errors, [N, columns] each."""
    arrays = arrays_of(served, records)
    found = explain.explanations({"explain": "true"}, served, arrays, served.predict(arrays))["explanations"]
    values, errors = ([list(each[part].values()) for each in found] for part in ("contributions", "errors"))
    return np.array(values), np.array(errors)


@dataclass(eq=False)
class Recorder:
    """A session that remembers what it was asked."""

    session: Any
    asked: list[tuple[list[str], dict[str, Array]]] = field(default_factory=list)

    def run(self, outputs: list[str], feed: Mapping[str, Array]) -> Any:
        """As onnxruntime's."""
        self.asked.append((outputs, dict(feed)))
        return self.session.run(outputs, dict(feed))

    def get_modelmeta(self) -> Any:
        """As onnxruntime's."""
        return self.session.get_modelmeta()


def cost(words: str, served: ServedModel, records: Records) -> list[Row]:
    """One row explained, against `session.run` on the very same mixtures; milliseconds beside."""
    recorder = Recorder(served.session)
    arrays = arrays_of(served, records[:1])
    answers = served.predict(arrays)
    explain.explanations({"explain": "true"}, served, arrays, answers)  # the background is read once
    explain.COMPARED[recorder] = explain.COMPARED[served.session]
    explain.explanations({"explain": "true"}, ServedModel(recorder, served.card, served.size), arrays, answers)
    ours = partial(explain.explanations, {"explain": "true"}, served, arrays, answers)

    def bare() -> None:
        for outputs, feed in recorder.asked:
            served.session.run(outputs, feed)

    taken, least = [], []
    for _ in range(REPEATS):
        taken.append(timed(ours))
        least.append(timed(bare))
    count = sum(len(next(iter(feed.values()))) for _, feed in recorder.asked)
    whole, limit = statistics.median(taken), statistics.median(least)
    return [
        Row(f"1 explained row ({words}) / session.run on its {count} mixtures", whole / limit, "times", "lower"),
        Row(f"1 explained row ({words})", whole * 1000, "ms", "lower"),
    ]


def timed(act: Any) -> float:
    """Seconds."""
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def exact(served: ServedModel, compared: Mapping[str, Array], record: dict[str, Any]) -> Array:
    """Shapley values by their definition over all coalitions, [columns]."""
    row, names = arrays_of(served, [record]), list(compared)
    masks = [set(chosen) for size in range(len(names) + 1) for chosen in combinations(range(len(names)), size)]
    worth = {}
    for mask in masks:
        feed = {name: np.broadcast_to(row[name], compared[name].shape) if at in mask else compared[name]
                for at, name in enumerate(names)}  # fmt: skip
        worth[frozenset(mask)] = float(explain.answers_of(served, feed).mean())
    found = np.zeros(len(names))
    for mask in masks:
        for at in set(range(len(names))) - mask:
            share = 1 / (len(names) * comb(len(names) - 1, len(mask)))
            found[at] += share * (worth[frozenset({*mask, at})] - worth[frozenset(mask)])
    return found


def peer(model: Path, served: ServedModel, some: Records, exactly: Array) -> list[Row]:
    """Distance from the exact values and time, over the same background; the package shap at its defaults beside."""
    values, _ = told(served, some)
    seconds = statistics.median(timed(partial(told, served, [record])) for record in some)
    found = {"error": apart(values, exactly), "seconds": seconds * 1000}
    other = of_shap(model, served, some)
    theirs = (
        {} if other is None else {"error": apart(np.array(other["values"]), exactly), "seconds": other["seconds"] * 1e3}
    )
    name = None if other is None else "shap, PermutationExplainer"
    return [
        Row("distance from the exact Shapley values (8 numbers, same background)", found["error"] * 100,
            "% of the mean contribution", "lower", peer=name, peer_value=theirs["error"] * 100 if theirs else None),
        Row("1 explained row (8 numbers, same background), request and answer", found["seconds"], "ms", "lower",
            peer=name, peer_value=theirs.get("seconds")),
    ]  # fmt: skip


def apart(found: Array, right: Array) -> float:
    """Mean distance, in shares of the mean right contribution."""
    return float(np.abs(found - right).mean() / np.abs(right).mean())


def of_shap(model: Path, served: ServedModel, some: Records) -> dict[str, Any] | None:
    """The package's values of the same rows against the same background; None where it is not installed."""
    python = python_of(Path(os.environ.get("DROPFORGE_PEERS", "")), "shap")
    if "DROPFORGE_PEERS" not in os.environ or not python.exists():
        print("shap: not measured: DROPFORGE_PEERS has no environment of it; see benchmarks/serving/install_peers.sh")
        return None
    names = [each.name for each in served.session.get_inputs()]
    compared, asked = explain.background(served).arrays, model.parent / "asked.json"
    table = np.column_stack([compared[name] for name in names]).tolist()
    asked.write_text(json.dumps({"background": table, "rows": [[row[name] for name in names] for row in some]}))
    program = Path(__file__).parent / "peers" / "shap_app.py"
    done = subprocess.run([str(python), str(program), str(model), str(asked)], capture_output=True, text=True,
                          check=False, env={**os.environ, "PYTHONPATH": "", "OMP_NUM_THREADS": "1"})  # fmt: skip
    if done.returncode:
        sys.exit(f"shap: {done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    order = [names.index(column.name) for column in served.card.columns]
    return {**found, "values": [[row[at] for at in order] for row in found["values"]]}


def background(served: ServedModel, some: Records, pool: Records) -> list[Row]:
    """How near the file's rows, and as many real ones, come to very many real ones; and what the errors promise."""
    chance = np.random.default_rng(0)
    many = against(served, some, [pool[at] for at in chance.permutation(len(pool))[:MANY]])[0]
    ours, errors = told(served, some)
    drawn = [
        apart(against(served, some, [pool[at] for at in chance.choice(len(pool), BACKGROUND, replace=False)])[0], many)
        for _ in range(DRAWN)
    ]
    within = float((np.abs(ours - many) <= 2 * errors).mean())
    return [
        Row(f"distance of the values by the file's {BACKGROUND} rows from those by {MANY:,} real rows",
            apart(ours, many) * 100, "% of the mean contribution", "lower",
            peer=f"{BACKGROUND} real rows, mean of {DRAWN} draws", peer_value=float(np.mean(drawn)) * 100),
        Row(f"contributions within two errors of those by {MANY:,} real rows", within * 100, "%", "higher", 95.0),
    ]  # fmt: skip


def against(served: ServedModel, some: Records, compared: Records) -> tuple[Array, Array]:
    """As `told`, against other rows than the file's."""
    arrays = arrays_of(served, compared)
    kept = explain.background(served)
    explain.COMPARED[served.session] = explain.Compared(
        arrays, explain.answers_of(served, arrays), orders(len(arrays), len(compared))
    )
    try:
        found = [told(served, [record]) for record in some]
    finally:
        explain.COMPARED[served.session] = kept
    return np.concatenate([each[0] for each in found]), np.concatenate([each[1] for each in found])
