"""`make bench-training`: the trainer against its peers, on real data, by the score of rows that nothing has seen.

Every contestant is a process of its own that gets the same training rows; its CPU seconds are those that the operating
system counts for the whole process, imports, report and export included. Ours answers the test rows through the
exported ONNX graph, as callers would ask it. Data: `DROPFORGE_DATA` names a folder of `NAME.csv.gz`. AutoGluon takes
part where `AUTOGLUON_PYTHON` names a Python that has it. Each set is split three times, for the ranks;
`SEEDS=1` is the first split alone, `BUDGET` are our minutes.
"""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import onnxruntime
import polars as pl
from sklearn import metrics
from sklearn.model_selection import train_test_split

from benchmarks.report import Row, publish

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROOT = Path(__file__).parents[1]
OURS, AUTOGLUON = "dropforge", "AutoGluon medium"
LIBRARIES = ("linear", "HistGB", "LightGBM", "CatBoost")
BUDGET = os.environ.get("BUDGET", "0.42")
TASKS = {"rmse": "regression", "auc": "binary", "logloss": "multiclass"}
LIMIT = "240"
"""Seconds that AutoGluon may take."""
PACKAGES = ["catboost", "lightgbm", "onnxruntime", "optuna", "polars", "scikit-learn", "torch"]


@dataclass(frozen=True)
class Set:
    """A data set, what is predicted, how it is scored, and what to reach."""

    target: str
    metric: str
    reach: float | None = None
    with_autogluon_figures: bool = False
    budget: str = BUDGET
    """Minutes of fitting that ours may take."""


SETS = {
    "california": Set("MedHouseVal", "rmse", 0.415, True),
    "ames": Set("Sale_Price", "rmse", 24000, True),
    "diamonds": Set("price", "rmse", 525),
    "concrete": Set("compressive_strength", "rmse"),
    "adult": Set("income", "auc", 0.930, True),
    "telco_churn": Set("churn", "auc", 0.855, True),
    "credit_data": Set("Status", "auc", 0.853, True),
    "mlc_churn": Set("churn", "auc"),
    "hpc_data": Set("class", "logloss", 0.395, True),
    "satellite": Set("classes", "logloss"),
}
"""The ten tabular sets; each target stands in the data's own description."""


@dataclass
class Found:
    """What was measured so far: (set, seed) to contestant to score, CPU seconds, parity."""

    scores: dict[tuple[str, int], dict[str, float]] = field(default_factory=lambda: defaultdict(dict))
    seconds: dict[tuple[str, int], dict[str, float]] = field(default_factory=lambda: defaultdict(dict))
    parity: list[float] = field(default_factory=list)


def main() -> None:
    """Every set and seed; the results are written anew after each, so that a stop loses only the set under way."""
    data = Path(os.environ.get("DROPFORGE_DATA", "data"))
    names = os.environ.get("SETS", ",".join(SETS)).split(",")
    missing = [name for name in names if not (data / f"{name}.csv.gz").is_file()]
    if missing:
        sys.exit(f"DROPFORGE_DATA={data}: expected {missing[0]}.csv.gz and the like in it; see benchmarks/README.md")
    found = Found()
    for seed in range(int(os.environ.get("SEEDS", "3"))):
        for name in names:
            table = pl.read_csv(data / f"{name}.csv.gz", infer_schema=False)
            with tempfile.TemporaryDirectory(prefix="dropforge-bench-") as folder:
                measure(found, (name, seed), SETS[name], table, Path(folder))
            publish("training", rows_of(found), PACKAGES, ["BUDGET", "SEEDS", "SETS"])


def measure(
    found: Found,
    key: tuple[str, int],
    chosen: Set,
    table: pl.DataFrame,
    folder: Path,
    contestants: Mapping[str, Callable[..., Any]] | None = None,
) -> None:
    """All contestants on one split of one set.

    Args:
        found: is added to.
        key: the set's name and the seed.
        chosen: what is predicted.
        table: the values, as texts, as they stand in the file.
        folder: for the contestants' files.
        contestants: default `CONTESTANTS`.
    """
    name, seed = key
    table = table.filter(~pl.col(chosen.target).fill_null("").is_in(["", "NA"]))
    y = table[chosen.target].to_numpy()
    learn, test = train_test_split(
        np.arange(len(y)), test_size=0.2, random_state=seed, stratify=None if chosen.metric == "rmse" else y
    )
    parts = {"train": table[learn], "test": table[test]}
    for part, rows in parts.items():
        rows.write_csv(folder / f"{part}.csv")
    for contestant, answering in (contestants or CONTESTANTS).items():
        answers, seconds = answering(found, chosen, seed, parts, folder, contestant)
        if answers is None:
            continue
        found.scores[key][contestant] = score(chosen.metric, parts["test"][chosen.target], answers)
        found.seconds[key][contestant] = seconds
        print(f"{name} seed {seed}: {contestant} {found.scores[key][contestant]:.5g}, {seconds:.0f} CPU s",
              flush=True)  # fmt: skip


def score(metric: str, truth: pl.Series, answers: np.ndarray) -> float:
    """scikit-learn's figure; classes are in their sorted order."""
    if metric == "rmse":
        return float(np.sqrt(np.mean((truth.cast(pl.Float64).to_numpy() - answers) ** 2)))
    classes = truth.unique().sort().to_list()
    if metric == "auc":
        return float(metrics.roc_auc_score(truth.to_numpy() == classes[1], answers[:, 1]))
    return float(metrics.log_loss(truth.to_numpy(), answers, labels=classes))


def process(words: list[str]) -> tuple[str, float]:
    """What a process printed, and its CPU seconds with all that it started."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"{' '.join(words)}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return done.stdout, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def ours(found: Found, chosen: Set, seed: int, parts: dict[str, pl.DataFrame], folder: Path, _: str) -> Any:
    """Trained as by hand; the test rows are its hold-out, which chooses nothing, and are asked through the graph."""
    marked = [rows.with_columns(pl.lit(part).alias("split part")) for part, rows in parts.items()]
    pl.concat(marked).write_csv(folder / "all.csv")
    words = ["--target", chosen.target, "--task", TASKS[chosen.metric], "--budget", chosen.budget, "--seed", str(seed)]
    words += ["--data", str(folder / "all.csv"), "--split", "split part", "--out", str(folder / "model")]
    told, seconds = process([sys.executable, "-m", "training_container.trainer", *words])
    found.parity.append(max(float(each) for each in re.findall(r"largest=(\S+)", told)))
    return asked(folder / "model" / "model.onnx", parts["test"], chosen.metric), seconds


def asked(model: Path, rows: pl.DataFrame, metric: str) -> np.ndarray:
    """The graph's answers to rows as they stand in the file."""
    session = onnxruntime.InferenceSession(model.read_bytes(), providers=["CPUExecutionProvider"])
    feed = {each.name: _input(rows[each.name], each.type) for each in session.get_inputs()}
    answers: np.ndarray = session.run(["prediction" if metric == "rmse" else "probabilities"], feed)[0]
    return answers[:, 0] if metric == "rmse" else answers


def _input(column: pl.Series, kind: str) -> np.ndarray:
    if kind == "tensor(float)":
        return column.cast(pl.Float32, strict=False).fill_null(np.nan).to_numpy().reshape(-1, 1)
    return column.fill_null("").to_numpy().astype(object).reshape(-1, 1)


def library(_: Found, chosen: Set, __: int, ___: dict[str, pl.DataFrame], folder: Path, contestant: str) -> Any:
    """One of `benchmarks.peers.libraries`."""
    task = "regression" if chosen.metric == "rmse" else "classes"
    out = folder / f"{contestant}.npy"
    words = [sys.executable, "-m", "benchmarks.peers.libraries", contestant, str(folder / "train.csv"),
             str(folder / "test.csv"), chosen.target, task, str(out)]  # fmt: skip
    seconds = process(words)[1]
    return np.load(out), seconds


def autogluon(_: Found, chosen: Set, __: int, ___: dict[str, pl.DataFrame], folder: Path, ____: str) -> Any:
    """AutoGluon's medium preset, where it is installed."""
    python = os.environ.get("AUTOGLUON_PYTHON")
    if python is None:
        return None, 0.0
    out = folder / "autogluon.npy"
    words = [python, "benchmarks/peers/autogluon_fit.py", str(folder / "train.csv"), str(folder / "test.csv"),
             chosen.target, chosen.metric, LIMIT, str(folder / "autogluon"), str(out)]  # fmt: skip
    seconds = process(words)[1]
    return np.load(out), seconds


CONTESTANTS = {OURS: ours, **dict.fromkeys(LIBRARIES, library), AUTOGLUON: autogluon}


def rows_of(found: Found) -> list[Row]:
    """The table: each set at its first split against the best peer, CPU seconds, ranks, parity."""
    made = []
    for name, chosen in SETS.items():
        scores = found.scores.get((name, 0))
        if scores and OURS in scores:
            peer = best(scores, chosen.metric)
            better: Literal["lower", "higher"] = "lower" if lower(chosen.metric) else "higher"
            made.append(Row(f"{name} {chosen.metric.upper()}", scores[OURS], chosen.metric, better, chosen.reach,
                            peer, scores.get(peer or "")))  # fmt: skip
    made += _seconds(found) + _ranks(found)
    made.append(Row("largest difference of the graph from training, all hold-out rows", max(found.parity),
                    "relative", "lower", 1e-5))  # fmt: skip
    return made


def lower(metric: str) -> bool:
    """Whether less is better."""
    return metric != "auc"


def best(scores: dict[str, float], metric: str) -> str | None:
    """The best peer."""
    peers = [name for name in scores if name != OURS]
    return min(peers, key=lambda name: scores[name] if lower(metric) else -scores[name]) if peers else None


def _seconds(found: Found) -> list[Row]:
    """CPU seconds over the sets with AutoGluon's figures, as far as both have run."""
    pairs = [
        (each[OURS], each[AUTOGLUON])
        for (name, seed), each in found.seconds.items()
        if seed == 0 and SETS[name].with_autogluon_figures and {OURS, AUTOGLUON} <= set(each)
    ]
    if not pairs:
        return []
    mine, its = (sum(pair[at] for pair in pairs) for at in (0, 1))
    return [
        Row(f"CPU seconds of {len(pairs)} sets over AutoGluon's", mine / its, "ratio", "lower", 0.5, AUTOGLUON, its)
    ]


def _ranks(found: Found) -> list[Row]:
    """Mean rank of each contestant over all sets and seeds that all have run; ours at its worst."""
    full = {key: each for key, each in found.scores.items() if len(each) == max(map(len, found.scores.values()))}
    splits = [places(SETS[name].metric, scores) for (name, _), scores in full.items()]
    means = {who: float(np.mean([each[who] for each in splits])) for who in splits[0]}
    of_sets = []
    for name in {name for name, _ in full}:
        scores = [scores for (of, _), scores in full.items() if of == name]
        mean = {who: float(np.mean([each[who] for each in scores])) for who in means}
        of_sets.append(places(SETS[name].metric, mean)[OURS])
    peer = min((name for name in means if name != OURS), key=lambda name: means[name])
    over = f"{len(splits)} splits of {len(of_sets)} sets, {len(means)} contestants"
    return [
        Row(f"mean rank over {over}", means[OURS], "rank", "lower", None, peer, means[peer]),
        Row("worst rank on any set, by mean scores", max(of_sets), "rank", "lower", 2),
        Row("worst rank on any split", max(each[OURS] for each in splits), "rank", "lower"),
    ]


def places(metric: str, scores: dict[str, float]) -> dict[str, int]:
    """Each contestant's place on a set, from 1."""
    order = sorted(scores, key=lambda who: scores[who] if lower(metric) else -scores[who])
    return {who: at for at, who in enumerate(order, start=1)}


if __name__ == "__main__":
    main()
