"""What a verdict rests on, computed in the serving runtime itself: golden rows replayed, hold-out rows scored."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dropforge.contract.parity import difference, scale_of
from lambdas.judge.clusters import cluster_scores
from lambdas.judge.lists import list_parity, ranking_scores
from lambdas.judge.scores import regression, scores
from lambdas.serving.faults import ModelFault
from lambdas.serving.pictures import MOST_PICTURES
from lambdas.serving.rows import Rows, to_arrays

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambdas.serving.model import Answers, ServedModel

VALUES = ("regression", "recommendation")
"""Tasks whose predictions are numbers."""

HOLDOUT_SCHEMA = "dropforge.rows/1"
BATCH = 5_000
"""Rows answered in one call."""


class EvidenceFault(ValueError):
    """A file of the run that is not what it should be."""


@dataclass(frozen=True)
class Holdout:
    """The rows that chose nothing: raw columns, and the target as the data had it."""

    rows: Rows
    target: list[Any]

    @classmethod
    def read(cls, body: bytes) -> Holdout:
        """Reads `holdout.json.gz`; `EvidenceFault` when it is none."""
        value = json.loads(gzip.decompress(body))
        if value.get("schema") != HOLDOUT_SCHEMA:
            raise EvidenceFault(f"hold-out: expected schema {HOLDOUT_SCHEMA!r}, got {value.get('schema')!r}")
        return cls(Rows(value["columns"], len(value["target"])), value["target"])


def parity(model: ServedModel, golden: bytes) -> float:
    """Largest relative difference to the trainer's golden answers; infinite when one label is another.

    Args:
        model: the candidate in the serving runtime.
        golden: `golden.jsonl`, one row with the trainer's answer a line.
    """
    lines = [json.loads(line) for line in golden.splitlines() if line.strip()]
    if not lines:
        raise EvidenceFault("golden.jsonl: expected at least one row, got none")
    names = model.card.names
    rows = Rows({name: [line["row"].get(name) for line in lines] for name in names}, len(lines))
    given = model.predict(to_arrays(rows, model.card))
    if model.card.task in VALUES:
        apart = _largest([line["prediction"] for line in lines], given.predictions)
        return apart if given.recommendations is None else max(apart, list_parity(lines, given.recommendations))
    if list(map(class_of, given.predictions)) != [class_of(line["prediction"]) for line in lines]:
        return float("inf")
    assert given.probabilities is not None
    expected = [[line["probabilities"][name] for name in model.card.classes] for line in lines]
    return _largest(np.asarray(expected).ravel().tolist(), given.probabilities.ravel().tolist())


def _largest(expected: list[float], given: list[float]) -> float:
    scale = scale_of(expected)
    return max(difference(a, b, scale) for a, b in zip(expected, given, strict=True))


def holdout_scores(model: ServedModel, holdout: Holdout, yardstick: ServedModel | None = None) -> dict[str, float]:
    """The model's scores on the hold-out rows, every metric of its task.

    Args:
        model: whose answers are scored.
        holdout: the rows.
        yardstick: the clustering in whose space distances are measured, `model` itself when left out.

    Raises:
        InputFault: the rows lack a column that the model reads.
        ModelFault: a class of the rows is not one of the model's, or an answer is not what the card says.
    """
    answers = [model.predict(arrays) for arrays in batches(model, holdout)]
    if model.card.task == "clustering":
        space = yardstick or model
        points = np.concatenate([space.features(arrays) for arrays in batches(space, holdout)])
        return cluster_scores(points, np.concatenate([each.predictions for each in answers]))
    truth, said = truth_of(model, holdout), _stacked(answers)
    if model.card.task == "recommendation":
        found = regression(truth, said)
        return {"rmse": found["rmse"], "mae": found["mae"], **ranking_scores(model, holdout.rows.columns)}
    return scores(model.card.task, truth, said)


def truth_of(model: ServedModel, holdout: Holdout) -> np.ndarray:
    """The target as scores take it: float64 [N], or int64 class codes [N] in the order of the card."""
    if model.card.task in VALUES:
        return np.asarray(holdout.target, dtype=np.float64)
    codes = {name: code for code, name in enumerate(model.card.classes)}
    unknown = next((each for each in holdout.target if class_of(each) not in codes), None)
    if unknown is not None:
        raise ModelFault(f"class {unknown!r} of the hold-out: expected one of {list(model.card.classes)}")
    return np.asarray([codes[class_of(each)] for each in holdout.target], dtype=np.int64)


def class_of(value: Any) -> str:
    """The class as the card spells it, of an answer or of a target in the data's own type."""
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def batches(model: ServedModel, holdout: Holdout) -> list[Mapping[str, np.ndarray]]:
    wanted = set(model.card.names)
    columns = {name: values for name, values in holdout.rows.columns.items() if name in wanted}
    found = []
    size = BATCH if model.card.image is None else MOST_PICTURES
    for start in range(0, holdout.rows.count, size):
        part = {name: values[start : start + size] for name, values in columns.items()}
        found.append(to_arrays(Rows(part, len(next(iter(part.values()), []))), model.card))
    return found


def _stacked(answers: list[Answers]) -> np.ndarray:
    if answers[0].probabilities is None:
        return np.concatenate([np.asarray(each.predictions, dtype=np.float64) for each in answers])
    return np.concatenate([each.probabilities for each in answers if each.probabilities is not None]).astype(np.float64)
