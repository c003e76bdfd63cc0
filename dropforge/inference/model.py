"""A model file, from bytes to answers. It is never opened by path: external data could then name any file."""

from __future__ import annotations

import hashlib
import json
import math
import threading
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, assert_never

import numpy as np

from dropforge.contract.documents import DocumentError
from dropforge.contract.schema import CARD_KEY, KNOWN_KEY, ModelCard
from dropforge.contract.tasks import FEATURES, ITEMS, PREDICTION, PROBABILITIES, SCORES, TASK_NAMES, TASKS
from dropforge.inference.faults import ModelFault, NotFinite
from dropforge.inference.session import opened, options
from dropforge.inference.table import FEW, MOST_BOUND, MOST_COLUMNS, Bound, Table, surely_finite

if TYPE_CHECKING:
    from collections.abc import Mapping

    import onnxruntime

BOOLEANS = {"true": True, "false": False}
ANSWERED = {task: tuple(name for name in TASKS[task].outputs if name != FEATURES) for task in TASK_NAMES}
"""The graph's outputs that answer a request, by task; Judge alone asks for the features of a clustering."""


class Answers(NamedTuple):
    """Predictions of N rows: values or classes as the data had them, and [N, classes] probabilities or None."""

    predictions: list[Any]
    probabilities: np.ndarray | None
    recommendations: list[list[dict[str, Any]] | None] | None = None
    """Of recommenders alone: the items to show in a row without an item, best first, each with its expected rating."""


class ServedModel:
    """A loaded model with its card.

    Args:
        session: of the graph.
        card: what stands in the file.
        size: bytes of its files.
        known_texts: the file's `KnownTexts` as JSON; None in a file without them.
    """

    def __init__(
        self, session: onnxruntime.InferenceSession, card: ModelCard, size: int, known_texts: str | None = None
    ) -> None:
        self.session = session
        self.card = card
        self.size = size
        self._known_texts = known_texts
        self._kept = threading.local()
        """Of each thread the graph bound to as many rows as it was asked last."""

    @classmethod
    def from_bytes(cls, body: bytes, sha256: str) -> ServedModel:
        """Loads a model whose content is `sha256`.

        Raises:
            ModelFault: the bytes are others, no model, or a model without a valid card.
        """
        found = hashlib.sha256(body).hexdigest()
        if found != sha256:
            raise ModelFault(f"model file: expected SHA-256 {sha256}, got {found}")
        return cls.of(opened(body, options()), len(body))

    @classmethod
    def of(cls, session: onnxruntime.InferenceSession, size: int) -> ServedModel:
        """The model of a session; `size` is the bytes of its files. Raises `ModelFault` without a valid card."""
        try:
            metadata = session.get_modelmeta().custom_metadata_map
            card = ModelCard.from_json(json.loads(metadata[CARD_KEY]))
        except (KeyError, ValueError, DocumentError) as fault:
            raise ModelFault(f"model file: expected a model card in its metadata, got {fault!r}") from fault
        return cls(session, card, size, metadata.get(KNOWN_KEY))

    @cached_property
    def known(self) -> dict[str, frozenset[str]]:
        """The texts that the graph knows, by column; empty where there are none, or the file does not list them."""
        if self._known_texts is None:
            return {}
        columns: dict[str, list[str]] = json.loads(self._known_texts)["columns"]
        return {name: frozenset(texts) for name, texts in columns.items()}

    def predict(self, arrays: Mapping[str, np.ndarray]) -> Answers:
        """Answers for N rows.

        Args:
            arrays: every column of the card by name, [N, 1].

        Raises:
            ModelFault: an output of another shape than the card says.
            NotFinite: a row has no finite answer, as when its numbers overflow float32 inside the model.
        """
        if self.card.likeliest:
            shares = self._numbers(PROBABILITIES, arrays)
            return Answers(self._labels(likeliest(shares)), shares)
        return self.answers(self.outputs(arrays), arrays)

    def answers(self, found: Mapping[str, np.ndarray], arrays: Mapping[str, np.ndarray]) -> Answers:
        """The answers that `outputs` of the same rows mean, as `predict` has them."""
        match self.card.task:
            case "regression":
                return Answers(found[PREDICTION][:, 0].tolist(), None)
            case "recommendation":
                return self._recommended(dict(found), arrays)
            case "binary" | "multiclass" | "clustering":
                return Answers(self._labels(found[PREDICTION][:, 0]), found[PROBABILITIES])
            case _:
                assert_never(self.card.task)

    def feed(self, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The arrays of columns under the names of the graph's inputs."""
        if not self.card.renames:
            return dict(arrays)
        return {self.card.inputs[name]: values for name, values in arrays.items()}

    def outputs(self, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """What the graph itself answers, by name: arrays of N rows, those of numbers finite. See `predict`.

        A class is its place among the card's: int [N, 1].
        """
        if self.card.likeliest:
            shares = self._numbers(PROBABILITIES, arrays)
            return {PREDICTION: likeliest(shares)[:, np.newaxis], PROBABILITIES: shares}
        names = ANSWERED[self.card.task]
        if names == (PREDICTION,):
            return {PREDICTION: self._numbers(PREDICTION, arrays)}
        found = dict(zip(names, self.session.run(names, self.feed(arrays)), strict=True))
        count = len(next(iter(arrays.values())))
        if PROBABILITIES in found:
            _finite(found[PROBABILITIES], (count, len(self.card.classes)), PROBABILITIES)
            found[PREDICTION] = self._places(found[PREDICTION])
        else:
            _finite(found[PREDICTION], (count, 1), PREDICTION)
            _finite(found[SCORES], found[ITEMS].shape, SCORES)
        return found

    def _numbers(self, output: str, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
        """One output, float32 [N, classes or 1], finite."""
        width = len(self.card.classes) or 1
        if type(arrays) is Table and arrays.count <= MOST_BOUND and len(arrays) <= MOST_COLUMNS:
            shape = (arrays.count, width)
            try:
                found = self._bound(output, arrays, width).run(arrays.matrix)
            except Exception as fault:  # onnxruntime raises classes of its own, and their texts may hold values
                message = f"output {output!r}: expected float32 of shape {shape}; onnxruntime: {type(fault).__name__}"
                raise ModelFault(message) from fault
            return _finite(found, shape, output)
        (found,) = self.session.run([output], self.feed(arrays))
        return _finite(found, (len(next(iter(arrays.values()))), width), output)

    def _bound(self, output: str, table: Table, width: int) -> Bound:
        bound: Bound | None = getattr(self._kept, "bound", None)
        if bound is None or bound.count != table.count:
            names = table.names if not self.card.renames else [self.card.inputs[name] for name in table.names]
            bound = self._kept.bound = Bound(self.session, names, output, (table.count, width))
        return bound

    def _places(self, labels: np.ndarray) -> np.ndarray:
        """Of the graph's texts [N, 1] among the card's classes."""
        known = {label: at for at, label in enumerate(self.card.classes)}
        try:
            return np.array([known[label] for label in labels[:, 0].tolist()]).reshape(-1, 1)
        except KeyError as fault:
            message = f"output {PREDICTION!r}: expected one of {list(self.card.classes)}, got {fault}"
            raise ModelFault(message) from fault

    def _labels(self, places: np.ndarray) -> list[Any]:
        classes = self._classes
        return [classes[at] for at in places.tolist()]

    @cached_property
    def _classes(self) -> list[Any]:
        """The classes as the data had them."""
        return [as_label(name, self.card.label_type) for name in self.card.classes]

    def features(self, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
        """Of a clustering: the points [N, F] that the rows are."""
        (found,) = self.session.run([FEATURES], self.feed(arrays))
        return _finite(found, (len(found), found.shape[-1]), FEATURES)

    def _recommended(self, found: dict[str, np.ndarray], arrays: Mapping[str, np.ndarray]) -> Answers:
        asked = arrays[self.card.columns[1].name][:, 0]
        shown = zip(found[ITEMS].tolist(), found[SCORES].tolist(), asked, strict=True)
        return Answers(found[PREDICTION][:, 0].tolist(), None, [_shown(*each) for each in shown])


def likeliest(shares: np.ndarray) -> np.ndarray:
    """The place of the largest probability of each row [N, classes], the first of equals: int [N]."""
    if shares.shape[1] == 2 < len(shares):  # a comparison, which is many times as quick for many rows
        return (shares[:, 1] > shares[:, 0]).view(np.uint8)
    found: np.ndarray = shares.argmax(axis=1)
    return found


def _shown(items: list[str], scores: list[float], asked: str) -> list[dict[str, Any]] | None:
    """A row's list; None in a row that names an item, for which the graph lists none."""
    found = [{"item": item, "score": score} for item, score in zip(items, scores, strict=True) if item]
    return found if found or asked == "" else None


def as_label(label: str, label_type: str) -> Any:
    """A class as the data had it: the text `3` of an integer column is 3."""
    if label_type == "integer":
        return int(label)
    if label_type == "number":
        return float(label)
    return BOOLEANS.get(label.lower(), label) if label_type == "boolean" else label


def _finite(values: np.ndarray, shape: tuple[int, int], name: str) -> np.ndarray:
    if values.shape != shape:
        raise ModelFault(f"output {name!r}: expected shape {shape}, got {values.shape}")
    if values.size <= FEW and all(map(math.isfinite, values.ravel().tolist())):
        return values  # for a row or two the quicker way
    if surely_finite(values.ravel()):
        return values
    finite = np.isfinite(values)
    if not finite.all():
        raise NotFinite(name, int(finite.all(axis=1).argmin()))
    return values
