"""Evidence for the verdict, computed in the serving runtime itself: parity on golden rows, scores on hold-out rows."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, assert_never

import numpy as np

from dropforge.contract.baseline import Baseline
from dropforge.contract.errors import ServiceError
from dropforge.contract.parity import difference, scale_of
from dropforge.contract.tasks import TASKS
from dropforge.inference.faults import ModelFault
from dropforge.inference.pictures import MOST_PICTURES
from dropforge.inference.rows import Rows, to_arrays
from dropforge.metrics.evaluation import (
    Ratings,
    dealt,
    of_baseline,
    of_clusters,
    of_popularity,
    of_ratings,
    of_table,
)
from lambdas.pipeline.judge.lists import list_parity, recommended

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dropforge.contract.schema import Column
    from dropforge.inference.model import Answers, ServedModel
    from dropforge.metrics.evaluation import Answered

HOLDOUT_SCHEMA = "dropforge.rows/1"
ROWS_PER_CALL = 5_000

SEED = 0
"""Random seed of resamples and of the trivial baseline of clusters."""


class EvidenceFault(ServiceError, ValueError):
    """A file of the run does not have the expected content."""


@dataclass(frozen=True)
class Holdout:
    """The rows that no choice was based on: raw columns, the target as in the data, and the trivial baseline."""

    rows: Rows
    target: list[Any]
    baseline: Baseline
    groups: np.ndarray | None = None
    """The group of each row, int64 [N] from 0, where rows were split by group."""

    @classmethod
    def read(cls, rows: bytes, baseline: bytes | None) -> Holdout:
        """Reads `holdout.json.gz` and `baseline.json`.

        Raises:
            EvidenceFault: the first has another schema, or the trainer wrote no second.
        """
        if baseline is None:
            raise EvidenceFault(
                "baseline.json: expected it, got none: older trainers did not write it; drop the data again"
            )
        value = json.loads(gzip.decompress(rows))
        if value.get("schema") != HOLDOUT_SCHEMA:
            raise EvidenceFault(f"hold-out: expected schema {HOLDOUT_SCHEMA!r}, got {value.get('schema')!r}")
        count = len(value["target"])
        groups = None if "groups" not in value else np.unique(value["groups"], return_inverse=True)[1]
        return cls(Rows(value["columns"], count), value["target"], Baseline.from_json(json.loads(baseline)), groups)

    def with_missing(self, names: Sequence[str]) -> Holdout:
        """The same rows with further columns of missing values."""
        if not names:
            return self
        missing = {name: [None] * self.rows.count for name in names}
        return replace(self, rows=Rows({**self.rows.columns, **missing}, self.rows.count))


def parity(model: ServedModel, golden: bytes) -> float:
    """Largest relative difference to the trainer's golden predictions; infinite if any label differs.

    Args:
        model: the candidate in the serving runtime.
        golden: `golden.jsonl`, a row with the trainer's prediction in each line.
    """
    lines = [json.loads(line) for line in golden.splitlines() if line.strip()]
    if not lines:
        raise EvidenceFault("golden.jsonl: expected at least one row, got none")
    names = model.card.names
    rows = Rows({name: [line["row"].get(name) for line in lines] for name in names}, len(lines))
    answers = model.predict(to_arrays(rows, model.card))
    if TASKS[model.card.task].classes == "none":
        largest = _largest_difference([line["prediction"] for line in lines], answers.predictions)
        return largest if answers.recommendations is None else max(largest, list_parity(lines, answers.recommendations))
    if list(map(class_of, answers.predictions)) != [class_of(line["prediction"]) for line in lines]:
        return float("inf")
    assert answers.probabilities is not None
    expected = [[line["probabilities"][name] for name in model.card.classes] for line in lines]
    return _largest_difference(np.asarray(expected).ravel().tolist(), answers.probabilities.ravel().tolist())


def _largest_difference(expected: list[float], actual: list[float]) -> float:
    scale = scale_of(expected)
    return max(difference(a, b, scale) for a, b in zip(expected, actual, strict=True))


@dataclass(frozen=True)
class Scored:
    """A model's scored predictions of the hold-out, next to those of the trivial baseline."""

    model: Answered
    baseline: Answered
    predictions: list[Any]
    """The model's answers, a class or a number for each row."""


def score(model: ServedModel, holdout: Holdout, space: ServedModel | None = None) -> Scored:
    """Scores the model's predictions of every hold-out row, and the baseline's of the same rows.

    Args:
        model: the model to score.
        holdout: the rows and the baseline.
        space: the clustering in whose space distances are measured; `model` itself by default.

    Raises:
        InputFault: the rows lack a column of the model, or have a value that it cannot read.
        ModelFault: a class of the rows is none of the model's, or a prediction does not match the card.
    """
    answers = [model.predict(arrays) for arrays in batches(model, holdout)]
    scored = _scored(answers, model, holdout, space or model)
    return Scored(*scored, [prediction for part in answers for prediction in part.predictions])


def _scored(
    answers: list[Answers], model: ServedModel, holdout: Holdout, space: ServedModel
) -> tuple[Answered, Answered]:
    """The model and the baseline. See `score`."""
    task = model.card.task
    match task:
        case "regression" | "binary" | "multiclass":
            truth = truth_of(model, holdout)
            groups = holdout.groups
            return of_table(task, truth, _stacked(answers), groups), of_baseline(truth, holdout.baseline, groups)
        case "recommendation":
            return _scored_ratings(_stacked(answers), model, holdout)
        case "clustering":
            return _scored_clusters(np.concatenate([part.predictions for part in answers]), space, holdout)
        case _:
            assert_never(task)


def _scored_ratings(predicted: np.ndarray, model: ServedModel, holdout: Holdout) -> tuple[Answered, Answered]:
    user, item = (holdout.rows.columns[name] for name in model.card.names)
    ratings = Ratings([str(value) for value in user], [str(value) for value in item], truth_of(model, holdout))
    lists = [[entry["item"] for entry in part] for part in recommended(model, [str(user) for user in ratings.chosen])]
    return of_ratings(ratings, predicted, lists), of_popularity(ratings, holdout.baseline)


def _scored_clusters(labels: np.ndarray, space: ServedModel, holdout: Holdout) -> tuple[Answered, Answered]:
    points = np.concatenate([space.features(arrays) for arrays in batches(space, holdout)])
    ours, trivial = of_clusters(points, labels), of_clusters(points, dealt(labels, SEED))
    if ours is None or trivial is None:
        raise ModelFault(
            f"the {len(labels)} hold-out rows fall into {len(np.unique(labels))} clusters: expected at least 2, of many"
        )
    return ours, trivial


def truth_of(model: ServedModel, holdout: Holdout) -> np.ndarray:
    """The target as scores need it: float64 [N], or int64 class codes [N] in the order of the card."""
    if TASKS[model.card.task].classes == "none":
        return np.asarray(holdout.target, dtype=np.float64)
    codes = {name: code for code, name in enumerate(model.card.classes)}
    unknown = next((value for value in holdout.target if class_of(value) not in codes), None)
    if unknown is not None:
        raise ModelFault(f"class {unknown!r} of the hold-out: expected one of {list(model.card.classes)}")
    return np.asarray([codes[class_of(value)] for value in holdout.target], dtype=np.int64)


def class_of(value: Any) -> str:
    """The class of a prediction or a target as the card spells it."""
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def batches(model: ServedModel, holdout: Holdout) -> list[Mapping[str, np.ndarray]]:
    """The hold-out as inputs of the model, in batches; `InputFault` for values that it cannot read."""
    columns = {column.name: readable(column, holdout.rows.columns[column.name])
               for column in model.card.columns if column.name in holdout.rows.columns}  # fmt: skip
    size = ROWS_PER_CALL if model.card.image is None else MOST_PICTURES
    arrays = []
    for start in range(0, holdout.rows.count, size):
        part = {name: values[start : start + size] for name, values in columns.items()}
        arrays.append(to_arrays(Rows(part, len(next(iter(part.values()), []))), model.card))
    return arrays


def readable(column: Column, values: Sequence[Any]) -> Sequence[Any]:
    """The values in the column's kind, where the rules of another version read them as text: `"12"` for 12."""
    if not column.takes_numbers or not any(isinstance(value, str) for value in values):
        return values
    try:
        return [None if value in (None, "") else float(value) for value in values]
    except ValueError:
        return values  # the model's own error names the value


def _stacked(answers: list[Answers]) -> np.ndarray:
    if answers[0].probabilities is None:
        return np.concatenate([np.asarray(part.predictions, dtype=np.float64) for part in answers])
    return np.concatenate([part.probabilities for part in answers if part.probabilities is not None]).astype(np.float64)
