"""`make bench-recommendation`: how well ratings and lists are predicted on MovieLens 100k, through the exported graph.

Ratings: random 5-fold cross-validation, as the library Surprise publishes it (its README: SVD .934, SVD++ .920; those
figures are quoted, not measured here). In each fold the weights of the blend are chosen on a tenth of the training
ratings, then all of them are fitted; test ratings are scored once, by the ONNX file. Lists: the trainer's own split by
time, against showing everybody the most rated items not rated yet.

The data: `ml100k.csv.gz` (user_id,item_id,rating,timestamp) in the folder that DROPFORGE_DATA names, or the copy that
the package recbole 1.2.1 ships where it is installed.
"""

from __future__ import annotations

import os
import statistics
import sys
import threading
import time
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("GOMP_SPINCOUNT", "1000")  # before torch loads, as the trainer does

import numpy as np
import polars as pl
import torch

from benchmarks.report import Row, publish
from dropforge.contract.schema import Column, ModelCard
from dropforge.contract.tasks import ITEMS, PREDICTION
from dropforge.datasets.dataset import Options, Rows
from dropforge.datasets.ratings import prepare_ratings
from dropforge.metrics.lists import chosen_by_user, list_scores
from training_container.budget import Budget
from training_container.checkpoints import Checkpoints
from training_container.devices import use_cores
from training_container.export.runtime import Runtime
from training_container.progress import Progress
from training_container.tasks.recommendation import blend, parts
from training_container.tasks.recommendation.graph import build
from training_container.tasks.recommendation.pairs import Pair
from training_container.tasks.recommendation.tables import Tables, as_ratings, list_requests, tables_of, vocabulary

if TYPE_CHECKING:
    from dropforge.datasets.dataset import Dataset
    from training_container.encoding import Vocabulary
    from training_container.tasks.recommendation.ratings import Ratings

USER, ITEM, RATING = "user_id", "item_id", "rating"
FOLDS = 5
MINUTES = 10.0
"""Budget of one fit: more than it takes, so that the figures do not depend on the machine's speed."""

SHORT = 0.5
"""A budget too short for all rounds."""

SVDPP = "Surprise SVD++, published"


class SilentProgress(Progress):
    """Says nothing while measuring."""

    def tell(self, share: float, **values: object) -> None:
        """Nothing."""

    def within(self, low: float, high: float, **fields: object) -> SilentProgress:  # noqa: ARG002  # as its base has them
        """Still nothing."""
        return self


def main() -> None:
    """Measures all and publishes it."""
    use_cores()
    frame = load()
    rows = [*cross_validate(frame), *time_split(frame), *short_of_time(frame)]
    print(f"written to {publish('recommendation', rows, ['numpy', 'onnxruntime', 'polars', 'torch'])}")


def load() -> pl.DataFrame:
    """MovieLens 100k, every value as text, as the trainer reads a CSV."""
    folder = os.environ.get("DROPFORGE_DATA")
    path = Path(folder) / "ml100k.csv.gz" if folder else None
    if path is not None and path.is_file():
        return pl.read_csv(path, infer_schema=False)
    try:
        shipped = Path(str(distribution("recbole").locate_file("recbole/dataset_example/ml-100k/ml-100k.inter")))
    except PackageNotFoundError:
        sys.exit(
            "MovieLens 100k is missing: set DROPFORGE_DATA to a folder with ml100k.csv.gz, or install recbole 1.2.1"
        )
    return pl.read_csv(shipped, separator="\t", infer_schema=False, new_columns=[USER, ITEM, RATING, "timestamp"])


def cross_validate(frame: pl.DataFrame) -> list[Row]:
    """Test RMSE over random folds, with that of biases alone, and what a fold costs."""
    order = np.random.default_rng(0).permutation(frame.height)
    found, plain, seconds = [], [], []
    for test in np.array_split(order, FOLDS):
        start = time.process_time()
        inside = np.setdiff1d(order, test)
        made, biases = fitted(as_rows(frame[inside.tolist()]))
        seconds.append(time.process_time() - start)
        rows = as_rows(frame[test.tolist()])
        ratings = runtime(made).run([PREDICTION], rows.columns)[0][:, 0]
        found.append(rmse(ratings, rows.target))
        plain.append(rmse(biased(biases, made, rows), rows.target))
        print(f"fold {len(found)}: rmse {found[-1]:.4f}, biases {plain[-1]:.4f}, {seconds[-1]:.0f} CPU s", flush=True)
    kind = "ml100k RMSE, random 5-fold cross-validation"
    return [
        Row(kind, statistics.mean(found), "stars", "lower", 0.915, SVDPP, 0.920),
        Row(f"{kind}, worst fold", max(found), "stars", "lower", None, "biases alone, best fold", min(plain)),
        Row(
            f"{kind}, against biases", statistics.mean(found), "stars", "lower", None, "biases", statistics.mean(plain)
        ),
        Row("one fold: weigh, fit, export, CPU", statistics.mean(seconds), "s", "lower"),
    ]


def as_rows(frame: pl.DataFrame) -> Rows:
    """Raw rows."""
    columns = {name: frame[name].to_numpy().astype(object) for name in (USER, ITEM)}
    return Rows(columns, frame[RATING].cast(pl.Float64).to_numpy())


def fitted(rows: Rows) -> tuple[Tables, Pair]:
    """The recommender of these rows, a random tenth of them deciding the weights; and the biases alone."""
    user, item = (vocabulary(name, rows.columns[name]) for name in (USER, ITEM))
    known = as_ratings(rows, user, item)
    order = torch.randperm(len(known), generator=torch.Generator().manual_seed(0))
    held, kept = known.take(order[: len(order) // 10]), known.take(order[len(order) // 10 :])
    made = fit(kept, held, ranked=False)
    return tables_of(made.model, user, item), parts.biases(known)


def fit(known: Ratings, held: Ratings, *, ranked: bool, budget: Budget | None = None) -> blend.Blended:
    """The recommender of both, with time enough unless `budget` says otherwise."""
    return blend.fit(known, held, seed=0, budget=budget or Budget(MINUTES), progress=SilentProgress(),
                     checkpoints=Checkpoints(), ranked=ranked)  # fmt: skip


def runtime(tables: Tables) -> Runtime:
    """The exported graph, loaded."""
    columns = (Column(tables.user.column, "category"), Column(tables.item.column, "category"))
    card = ModelCard("ml100k", "run-0", "recommendation", RATING, "integer", (), columns)
    return Runtime(build(card, tables).SerializeToString(), card)


def biased(biases: Pair, tables: Tables, rows: Rows) -> np.ndarray:
    """What biases alone say; a stranger has none."""
    users, items = (each.encode(rows.columns[each.column]) - 2 for each in (tables.user, tables.item))
    known = Pair(
        torch.cat([biases.users, torch.tensor([[0.0, 1.0]])]), torch.cat([biases.items, torch.tensor([[1.0, 0.0]])])
    )
    one, other = (torch.from_numpy(np.where(each < 0, -1, each)) for each in (users, items))
    return np.clip(tables.mean + known.scores(one, other).numpy(), tables.low, tables.high)


def rmse(said: np.ndarray, truth: np.ndarray) -> float:
    """Root of the mean squared error."""
    return float(np.sqrt(np.mean((said - truth) ** 2)))


def split(frame: pl.DataFrame) -> tuple[Dataset, tuple[Vocabulary, Vocabulary], tuple[Ratings, Ratings]]:
    """The trainer's own split by time, users and items as codes; known ratings, and those that choose."""
    dataset = prepare_ratings(frame, Options())
    seen = (dataset.train, dataset.validation)
    user, item = (vocabulary(name, *(part.columns[name] for part in seen)) for name in (USER, ITEM))
    known, held = (as_ratings(part, user, item) for part in seen)
    return dataset, (user, item), (known, held)


def short_of_time(frame: pl.DataFrame) -> list[Row]:
    """What a budget too short for all rounds is spent to, and what a stop after a tenth of it leaves."""
    _, _, (known, held) = split(frame)
    budget = Budget(SHORT)
    fit(known, held, ranked=True, budget=budget)
    cut = Budget(SHORT)
    threading.Timer(SHORT * 60 * 0.1, cut.cut).start()
    stopped = fit(known, held, ranked=True, budget=cut).validation
    kind = f"ml100k, a budget of {SHORT * 60:.0f} s"
    return [
        Row(f"{kind}: spent", budget.spent / (SHORT * 60), "x", "lower", 1.1),
        Row(f"{kind}, stopped after a tenth: validation RMSE", stopped["blend"]["rmse"], "stars", "lower", None,
            "biases", stopped["biases"]["rmse"]),
    ]  # fmt: skip


def time_split(frame: pl.DataFrame) -> list[Row]:
    """Lists and ratings for the latest fifth of every user's ratings, through the exported graph."""
    start = time.process_time()
    dataset, (user, item), (known, held) = split(frame)
    made = tables_of(fit(known, held, ranked=True).model, user, item)
    seconds = time.process_time() - start
    model, rows = runtime(made), dataset.holdout
    chosen = chosen_by_user(rows.columns[USER].tolist(), rows.columns[ITEM].tolist())
    lists = model.run([ITEMS], list_requests([str(each) for each in chosen], made))[0].tolist()
    ours = list_scores(lists, list(chosen.values()))
    trivial = list_scores(popular(made, list(chosen)), list(chosen.values()))
    said = model.run([PREDICTION], rows.columns)[0][:, 0]
    peer = "most rated items"
    return [
        Row("ml100k NDCG@10, split by time", ours["ndcg@10"], "", "higher", None, peer, trivial["ndcg@10"]),
        Row("ml100k recall@10, split by time", ours["recall@10"], "", "higher", None, peer, trivial["recall@10"]),
        Row("ml100k RMSE, split by time", rmse(said, rows.target), "stars", "lower", None, "mean rating",
            rmse(np.full(len(rows), made.mean), rows.target)),
        Row("split by time: choose, fit, export, CPU", seconds, "s", "lower"),
    ]  # fmt: skip


def popular(tables: Tables, users: list[object]) -> list[list[str]]:
    """The most rated items that each user has not rated yet."""
    counts = torch.bincount(tables.seen, minlength=len(tables.item_ranks)).double()
    names, found = tables.item_names(), []
    for user in tables.user.encode(np.array(users, dtype=object)).tolist():
        scores = counts.clone()
        scores[tables.seen[tables.starts[user] : tables.starts[user + 1]]] = -1
        found.append([names[place + 2] for place in scores.topk(10).indices.tolist()])
    return found


if __name__ == "__main__":
    main()
