"""Answers as tensors: which there are, and the response that holds those asked for, in JSON or in binary behind it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, assert_never

import numpy as np

from dropforge.contract.tasks import ITEMS, PREDICTION, PROBABILITIES, SCORES
from dropforge.inference.documents import write
from dropforge.inference.faults import InputFault, short
from dropforge.inference.http import Response
from dropforge.inference.model import as_label
from dropforge.inference.protocols.v2.datatypes import BYTES, NUMPY, packed
from dropforge.inference.protocols.v2.wire import HEADER, Output

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dropforge.contract.registry import LiveRow, VersionRow
    from dropforge.contract.schema import LabelType, ModelCard
    from dropforge.inference.protocols.v2.wire import Inference
    from dropforge.inference.unknown import Warnings

IDS = "ids"
"""Ids of predictions, under which labels come back: an output like the others."""

FP32 = "FP32"

MANY = 200
"""Rows from which on labels of two classes are written eight at once, in a quarter of the time."""


class Made(NamedTuple):
    """One output with its values."""

    name: str
    datatype: str
    values: np.ndarray
    """[N, width]: numbers, texts as objects, or of classes their places in the card."""


def names_of(card: ModelCard) -> dict[str, tuple[str, int]]:
    """The outputs of a model: datatype and width of each; -1 for a width that the model's file alone knows."""
    match card.task:
        case "regression":
            return {PREDICTION: (FP32, 1), IDS: (BYTES, 1)}
        case "recommendation":
            return {PREDICTION: (FP32, 1), ITEMS: (BYTES, -1), SCORES: (FP32, -1), IDS: (BYTES, 1)}
        case "binary" | "multiclass" | "clustering":
            datatype = label_datatype(card.label_type, card.classes)
            return {PREDICTION: (datatype, 1), PROBABILITIES: (FP32, len(card.classes)), IDS: (BYTES, 1)}
        case _:
            assert_never(card.task)


@lru_cache(maxsize=64)
def label_datatype(label_type: LabelType, classes: tuple[str, ...]) -> str:
    """The datatype of the classes as the data had them; texts where one of them does not fit its type."""
    labels = [as_label(each, label_type) for each in classes]
    if label_type == "integer" and all(abs(each) < 2**63 for each in labels):
        return "INT64"
    if label_type == "boolean" and all(isinstance(each, bool) for each in labels):
        return "BOOL"
    return "FP64" if label_type == "number" else BYTES


@lru_cache(maxsize=64)
def label_list(label_type: LabelType, classes: tuple[str, ...]) -> list[Any]:
    """Every class as it is answered, in its place."""
    texts = label_datatype(label_type, classes) == BYTES
    return [each if texts else as_label(each, label_type) for each in classes]


@lru_cache(maxsize=64)
def label_elements(label_type: LabelType, classes: tuple[str, ...]) -> np.ndarray:
    """Every class as its element in binary, in its place: numbers, or bytes as objects."""
    datatype, labels = label_datatype(label_type, classes), label_list(label_type, classes)
    if datatype != BYTES:
        return np.array(labels, NUMPY[datatype])
    return np.array([packed([each.encode()]) for each in labels], object)


@lru_cache(maxsize=8)
def octets_of(label_type: LabelType, classes: tuple[str, ...]) -> list[bytes]:
    """Of two classes of texts the elements of eight rows, by the byte that their places are the bits of."""
    no, yes = label_elements(label_type, classes).tolist()
    return [b"".join(yes if byte & 128 >> bit else no for bit in range(8)) for byte in range(256)]


def response(
    asked: Inference,
    live: LiveRow | VersionRow,
    card: ModelCard,
    found: Mapping[str, np.ndarray],
    ids: Sequence[str],
    warnings: Warnings | None = None,
) -> Response:
    """The response to an inference request.

    Args:
        asked: the request.
        live: the version that answers.
        card: of its model.
        found: the graph's outputs, N rows each.
        ids: of the predictions; none for a request that does not ask for them.
        warnings: the request's values that the model does not know.

    Raises:
        InputFault: an output that the model does not have.
    """
    known = names_of(card)
    wanted = asked.outputs or [Output(name, asked.binary) for name in known]
    described: list[dict[str, Any]] = []
    blobs: list[bytes] = []
    for each in wanted:
        if each.name not in known:
            reason = f"no output of this model, which has {', '.join(map(repr, known))}"
            raise InputFault("unknown_output", reason, place=f"outputs.{short(each.name)}")
        made = Made(each.name, known[each.name][0], _values(each.name, found, ids))
        for part in _apart(made, card) if asked.table else [made]:
            blob = _blob(part, card) if each.binary else None
            described.append(_described(part, card, blob, asked.table))
            blobs += [] if blob is None else [blob]
    document: dict[str, Any] = {"model_name": live.model, "model_version": live.version, "outputs": described}
    if asked.id is not None:
        document["id"] = asked.id
    parameters: dict[str, Any] = {"content_type": "pd"} if asked.table else {}
    if warnings is not None:
        listed = [warning._asdict() for warning in warnings.first]
        parameters |= {"warning_count": warnings.total, "warnings": write(listed).decode()}  # it allows texts, no lists
    if parameters:
        document["parameters"] = parameters
    return _written(document, blobs)


def wants_ids(asked: Inference) -> bool:
    """Whether the answer has ids: they are among the outputs that the request names, or it names none."""
    return not asked.outputs or any(each.name == IDS for each in asked.outputs)


def _values(name: str, found: Mapping[str, np.ndarray], ids: Sequence[str]) -> np.ndarray:
    return found[name] if name != IDS else np.array(ids, object).reshape(-1, 1)


def _apart(made: Made, card: ModelCard) -> list[Made]:
    """One output a column, for tables: `probability_<class>`, `items_1`, `scores_1`, …"""
    if made.name not in (PROBABILITIES, ITEMS, SCORES):
        return [made]
    width = made.values.shape[1]
    names = [f"probability_{each}" for each in card.classes] if made.name == PROBABILITIES else (
        [f"{made.name}_{at + 1}" for at in range(width)])  # fmt: skip
    return [Made(name, made.datatype, made.values[:, at : at + 1]) for at, name in enumerate(names)]


def _described(made: Made, card: ModelCard, blob: bytes | None, table: bool) -> dict[str, Any]:
    """The output in the response's JSON; its values too, but where they are in `blob`."""
    document: dict[str, Any] = {"name": made.name, "datatype": made.datatype, "shape": [*made.values.shape]}
    parameters: dict[str, Any] = {"content_type": "str"} if table and made.datatype == BYTES else {}
    if blob is not None:
        parameters["binary_data_size"] = len(blob)
    elif _is_label(made, card):
        labels = label_list(card.label_type, card.classes)
        document["data"] = [labels[at] for at in made.values.ravel().tolist()]
    else:
        document["data"] = made.values.ravel().tolist()
    if parameters:
        document["parameters"] = parameters
    return document


def _is_label(made: Made, card: ModelCard) -> bool:
    return made.name == PREDICTION and bool(card.classes)


def _blob(made: Made, card: ModelCard) -> bytes:
    if not _is_label(made, card):
        return _packed(made)
    elements, places = label_elements(card.label_type, card.classes), made.values.ravel()
    if elements.dtype != object:
        return elements.take(places).tobytes()
    first = b""
    if len(elements) == 2 and len(places) >= MANY:
        whole = len(places) // 8 * 8
        octets = octets_of(card.label_type, card.classes)
        first, places = b"".join([octets[at] for at in np.packbits(places[:whole]).tobytes()]), places[whole:]
    return first + b"".join(elements.take(places).tolist())


def _packed(made: Made) -> bytes:
    if made.datatype == BYTES:
        return packed([each.encode() for each in made.values.ravel().tolist()])
    return made.values.astype(NUMPY[made.datatype], copy=False).tobytes()


def _written(document: Mapping[str, Any], blobs: Sequence[bytes]) -> Response:
    body = write(document)
    headers = {"Content-Type": "application/json", "X-Content-Type-Options": "nosniff"}
    if not blobs:
        return Response(200, headers, body)
    headers |= {"Content-Type": "application/octet-stream", HEADER.title(): str(len(body))}
    return Response(200, headers, b"".join([body, *blobs]), binary=True)
