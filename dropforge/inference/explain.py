"""`?explain=true`: what each column of a row adds to its answer, with the model file as the only thing asked.

Base and contributions add up to the prediction of a regression, in its own unit, or to a probability of a classifier.
The base is the mean answer for the file's background rows. `dropforge.inference.shapley` has the method and its source.
"""

from __future__ import annotations

import json
import time
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, assert_never
from weakref import WeakKeyDictionary

import numpy as np

from dropforge.contract.documents import DocumentError
from dropforge.contract.schema import BACKGROUND_KEY, Background
from dropforge.contract.tasks import PREDICTION, PROBABILITIES
from dropforge.inference.faults import InputFault, ModelFault, short
from dropforge.inference.model import as_label
from dropforge.inference.shapley import orders, shares
from dropforge.inference.values import to_array

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import onnxruntime

    from dropforge.contract.schema import ModelCard
    from dropforge.inference.model import Answers, ServedModel

    Arrays = Mapping[str, np.ndarray]
    Ask = Callable[[Arrays], np.ndarray]

    class Asking(Protocol):
        """How the model is asked for many mixtures."""

        waited: float
        """Seconds that the request has waited for others."""

        def __call__(self, ask: Ask, feed: Arrays) -> np.ndarray:
            """The answers of `ask` for all rows of `feed`."""


FLAGS = {"true": True, "false": False}

MOST_ASKED = 60_000
"""Answers that the model gives for one request at most: some twelve seconds of a large bag of trees on one core."""

FEWEST_ROWS = 2
"""Of a background: one alone says nothing of its error."""

LEAST_ROWS = 8
"""Background rows that are used where a model has many columns."""

SECONDS = 20.0
"""Of work after which a request is given up, well before API Gateway's 29."""

SLOW = f"this model is too slow to explain a row in {SECONDS:.0f} seconds: leave explain out"


class AtOnce:
    """Asks the model for all of them in one call."""

    waited = 0.0

    def __call__(self, ask: Ask, feed: Arrays) -> np.ndarray:
        """See `Asking`."""
        return ask(feed)


ASKING: ContextVar[Asking] = ContextVar("ASKING")
"""How the current request asks, where not at once: a server with several requests at a time lets them take turns."""


@dataclass(frozen=True)
class Compared:
    """The background of a loaded model: its columns [B, 1], the model's answers [B, K], the orders [B, P, columns]."""

    arrays: Arrays
    answers: np.ndarray
    orders: np.ndarray

    @property
    def asked(self) -> int:
        """Answers that one row needs at most."""
        rows, each, columns = self.orders.shape
        return int(rows * each * (columns - 1))


COMPARED: WeakKeyDictionary[onnxruntime.InferenceSession, Compared] = WeakKeyDictionary()
"""By loaded model, as long as it is loaded."""


def explanations(query: Mapping[str, str], model: ServedModel, arrays: Arrays, answers: Answers) -> dict[str, Any]:
    """What the query adds to the answer's document: `explanations`, an object a row, or nothing for `explain=false`.

    Args:
        query: `explain`, true or false; `class`, whose probability is explained, each row's own prediction by default.
        model: that answered.
        arrays: what it was asked, by column.
        answers: what it answered.

    Raises:
        InputFault: the query is wrong, the model cannot explain, or there are too many rows.
        ModelFault: the file's background cannot be read.
    """
    if not flag(query.get("explain", "false")):
        return {}
    places = explained(query.get("class"), model, answers)
    compared = background(model)
    most = max(1, MOST_ASKED // max(1, compared.asked))
    if len(places) > most:
        message = f"expected at most {most} rows to explain in one request to this model, got {len(places)}: send fewer"
        raise InputFault("too_many_rows", message)
    found, asking = [], ASKING.get(AtOnce())
    begun = time.monotonic() - asking.waited
    for at, place in enumerate(places):
        row = {name: values[at] for name, values in arrays.items()}
        answer = answers.predictions[at] if answers.probabilities is None else answers.probabilities[at, place]
        found.append(told(model, compared, row, place, float(answer), partial(patient, model, at, begun, asking)))
    return {"explanations": found}


def flag(value: str) -> bool:
    """The query's `explain`."""
    if value not in FLAGS:
        raise InputFault("wrong_query", f"expected true or false, got {short(value)!r}", place="explain")
    return FLAGS[value]


def explained(wanted: str | None, model: ServedModel, answers: Answers) -> list[int]:
    """Of every row the class whose probability is explained, by its place in the card; 0 for regression."""
    kind = _unexplained(model.card)
    if kind is not None:
        message = f"explain: expected a model of a table, got one of {kind}: leave explain out"
        raise InputFault("not_explained", message, place="explain")
    classes = model.card.classes
    if wanted is not None and wanted not in classes:
        known = ", ".join(map(repr, classes)) or "none, for this model predicts numbers"
        raise InputFault("wrong_query", f"expected one of {known}; got {short(wanted)!r}", place="class")
    if answers.probabilities is None:
        return [0] * len(answers.predictions)
    if wanted is not None:
        return [classes.index(wanted)] * len(answers.predictions)
    return [int(place) for place in answers.probabilities.argmax(axis=1)]


def _unexplained(card: ModelCard) -> str | None:
    """What the model is of, where its answers cannot be explained by the columns of a row; None where they can."""
    if card.image is not None:
        return "pictures"
    match card.task:
        case "recommendation":
            return "ratings"
        case "regression" | "binary" | "multiclass" | "clustering":
            return None
        case _:
            assert_never(card.task)


def background(model: ServedModel) -> Compared:
    """The model's background, read from its file once.

    Raises:
        InputFault: the file has none.
        ModelFault: it cannot be read.
    """
    if model.session not in COMPARED:
        found = written(model)
        if found is None:
            reason = "the model's file is of before explanations: drop its data again to retrain it"
            raise InputFault("no_background", reason, place="explain")
        COMPARED[model.session] = compared_with(model, found)
    return COMPARED[model.session]


def check(model: ServedModel) -> None:
    """Reads the background where the file has one, so that a broken one is found before anybody asks for it.

    Raises:
        ModelFault: it cannot be read.
    """
    if written(model) is not None:
        background(model)


def written(model: ServedModel) -> str | None:
    """The background as it stands in the file."""
    found: str | None = model.session.get_modelmeta().custom_metadata_map.get(BACKGROUND_KEY)
    return found


def compared_with(model: ServedModel, text: str) -> Compared:
    """The background that is written so, with the model's answers; `ModelFault` when it is none."""
    try:
        columns = Background.from_json(json.loads(text)).columns
        arrays = {column.name: to_array(column, columns[column.name]) for column in model.card.columns}
    except (KeyError, ValueError, DocumentError, InputFault) as fault:
        raise ModelFault(f"model file: expected rows to explain with in its metadata, got {fault!r}") from fault
    width, counts = len(arrays), {len(values) for values in arrays.values()}
    if len(counts) != 1 or min(counts) < FEWEST_ROWS:
        raise ModelFault(f"model file: expected {FEWEST_ROWS} rows to explain with or more, got columns of {counts}")
    kept = min(max(counts), max(LEAST_ROWS, MOST_ASKED // max(1, 2 * (width - 1))))
    arrays = {name: values[:kept] for name, values in arrays.items()}
    answers = answers_of(model, arrays)
    if not np.isfinite(answers).all():
        raise ModelFault("model file: expected finite answers for the rows to explain with, got NaN or infinity")
    return Compared(arrays, answers, orders(width, kept))


def patient(model: ServedModel, at: int, begun: float, asking: Asking, feed: Arrays) -> np.ndarray:
    """Answers for mixtures of row `at`; `InputFault` when there is no time left, or one is not finite."""
    if time.monotonic() - begun - asking.waited > SECONDS:
        message = f"explained {at} rows in {SECONDS:.0f} seconds: send fewer" if at else SLOW
        raise InputFault("too_many_rows", message)
    found = asking(partial(answers_of, model), feed)
    if not np.isfinite(found).all():
        reason = "the model has no finite answer near it; expected numbers nearer to those it has seen"
        raise InputFault("out_of_range", reason, row=at)
    return found


def answers_of(model: ServedModel, arrays: Arrays) -> np.ndarray:
    """The model's values [M, 1] or probabilities [M, classes], in float64."""
    output = PROBABILITIES if model.card.classes else PREDICTION
    (found,) = model.session.run([output], model.feed(arrays))
    return np.asarray(found, dtype=np.float64)


def told(model: ServedModel, compared: Compared, row: Arrays, place: int, answer: float, ask: Ask) -> dict[str, Any]:
    """One row's explanation; `answer` is what the model said, `ask` what answers for mixtures."""

    def mixed(rows: np.ndarray, taken: np.ndarray) -> np.ndarray:
        columns = enumerate(compared.arrays.items())
        feed = {name: np.where(taken[:, [at]], row[name], values[rows]) for at, (name, values) in columns}
        return ask(feed)[:, place]

    differs = np.column_stack([_differs(values, row[name]) for name, values in compared.arrays.items()])
    base, classes = compared.answers[:, place], model.card.classes
    found = shares(answer, base, differs, compared.orders, mixed)
    return {
        "class": as_label(classes[place], model.card.label_type) if classes else None,
        "base": float(base.mean()),
        "contributions": dict(zip(compared.arrays, found.contributions.tolist(), strict=True)),
        "errors": dict(zip(compared.arrays, found.errors.tolist(), strict=True)),
    }


def _differs(values: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Whether [B, 1] values are other than one value; a missing number is like another missing one."""
    other = np.asarray(values != value, dtype=bool)
    return other if values.dtype == object else other & ~(np.isnan(values) & np.isnan(value))
