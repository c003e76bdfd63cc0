"""The proof that the model file answers as torch does: on all hold-out rows, on edge values, in any batch size.

Both sides start from raw columns: Python encoding and the torch body here, the ONNX graph in onnxruntime there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dropforge.contract.figures import figure
from dropforge.contract.parity import TOLERANCE, difference, scale_of
from dropforge.contract.schema import KINDS
from training_container.export.background import arrays
from training_container.faults import ParityFault
from training_container.kinds import TRAINED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dropforge.contract.schema import ModelCard
    from dropforge.datasets.dataset import Rows
    from training_container.encoding import Encoder
    from training_container.export.runtime import Runtime
    from training_container.native import Native

Values = dict[str, np.ndarray]


@dataclass(frozen=True)
class Proof:
    """What was compared and how far apart the answers were."""

    rows: int
    largest: float
    """Largest relative difference, as `contract.parity` defines it."""


def prove(native: Native, runtime: Runtime, holdout: Rows, expected: np.ndarray) -> Proof:
    """Compares the two on everything, the rows that the file explains its answers with among it.

    `expected` are the native answers to the hold-out.

    Raises:
        ParityFault: a difference over the tolerance, or another label.
    """
    probes, names = probe_rows(native.encoder, holdout.columns)
    probed = native.answer(probes)
    seven = np.arange(7) % len(holdout)
    cases = [
        (holdout.columns, expected, [f"hold-out row {at}" for at in range(len(holdout))]),
        (probes, probed, names),
        *_background(native, runtime),
        (_rows(holdout.columns, seven), expected[seven], [f"hold-out row {at} in a batch of 7" for at in seven]),
        *((_rows(probes, [at]), probed[[at]], [f"{names[at]}, alone"]) for at in range(len(names))),
    ]
    scale = scale_of(expected.ravel().tolist())
    found = [compare(runtime, values, answers, rows, scale) for values, answers, rows in cases]
    return Proof(sum(len(rows) for *_, rows in cases), max(found))


def _background(native: Native, runtime: Runtime) -> list[tuple[Values, np.ndarray, list[str]]]:
    """The rows that the file's explanations start from; none where it has none."""
    found = runtime.background()
    if found is None:
        return []
    values = arrays(runtime.card, found)
    answers = native.answer(values)
    return [(values, answers, [f"background row {at}" for at in range(len(answers))])]


def compare(runtime: Runtime, values: Values, expected: np.ndarray, names: list[str], scale: float) -> float:
    """Largest difference of the graph's answers from `expected` over these rows; `names` says what each row is."""
    labels, probabilities = runtime.answer(values)
    got = labels if probabilities is None else probabilities
    if got.shape != expected.shape:
        raise ParityFault(f"{names[0]}: expected answers of shape {expected.shape}, got {got.shape}")
    largest = 0.0
    for at, (one, other) in enumerate(zip(expected, got, strict=True)):
        pairs = zip(np.atleast_1d(one).tolist(), np.atleast_1d(other).tolist(), strict=True)
        apart = max(difference(a, b, scale) for a, b in pairs)
        if apart > TOLERANCE:
            raise ParityFault(
                f"{names[at]}: expected {one} as torch answers, got {other}; {figure(apart, digits=2)} apart"
            )
        largest = max(largest, apart)
    if probabilities is not None:
        check_likeliest(runtime.card, probabilities, labels, names)
        _check_labels(runtime.card.classes, expected, labels, names)
    return largest


def check_likeliest(card: ModelCard, probabilities: np.ndarray, labels: np.ndarray, names: list[str]) -> None:
    """That the file's labels follow from its own probabilities, where its card says so.

    Raises:
        ParityFault: names the first row whose label is another.
    """
    if not card.likeliest:
        return
    right = np.array(card.classes, dtype=object)[probabilities.argmax(axis=1)]
    wrong = np.flatnonzero(right != labels)
    if len(wrong):
        at = int(wrong[0])
        raise ParityFault(f"{names[at]}: expected label {right[at]!r}, the likeliest in the file, got {labels[at]!r}")


def _check_labels(classes: tuple[str, ...], expected: np.ndarray, labels: np.ndarray, names: list[str]) -> None:
    """The label must be torch's; where two classes are as likely to within the tolerance, either is right."""
    places = np.array([classes.index(label) for label in labels])
    rows = np.arange(len(labels))
    wrong = np.flatnonzero(expected.max(axis=1) - expected[rows, places] > TOLERANCE)
    if len(wrong):
        at = int(wrong[0])
        raise ParityFault(f"{names[at]}: expected label {classes[int(expected[at].argmax())]!r}, got {labels[at]!r}")


def probe_rows(encoder: Encoder, values: Values) -> tuple[Values, list[str]]:
    """Copies of given rows with one value at the edge each, then one row with nothing known; and what each row is."""
    places = [(column.name, value) for column in encoder.columns for value in TRAINED[column.kind].probes]
    rows = len(next(iter(values.values())))
    probes = {name: column[np.arange(len(places) + 1) % rows].copy() for name, column in values.items()}
    for at, (name, value) in enumerate(places):
        probes[name][at] = value
    for column in encoder.columns:
        probes[column.name][-1] = KINDS[column.kind].gap
    return probes, [*(f"column {name!r} = {value!r}" for name, value in places), "a row with every value missing"]


def _rows(values: Values, rows: Sequence[int] | np.ndarray) -> Values:
    """These rows, a copy."""
    return {name: column[np.asarray(rows)] for name, column in values.items()}
