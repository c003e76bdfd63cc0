"""The proof that the model file answers as torch does: on all hold-out rows, on edge values, in any batch size.

Both sides start from raw columns: Python encoding and the torch body here, the ONNX graph in onnxruntime there.

Every column is tried with every value at the edge of its kind. While there are at most `PROBES` of these, each has a
row of its own, whose other values are a hold-out row's. Beyond that several columns are at an edge in one row, so that
the cost of the proof grows with the columns and not with their square; where such a row fails, each of its columns is
tried alone, and the fault names the one that it is.
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
from training_container.kinds import probes_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dropforge.contract.schema import ModelCard
    from dropforge.datasets.dataset import Rows
    from training_container.encoding import Encoder
    from training_container.export.runtime import Runtime
    from training_container.native import Native

Values = dict[str, np.ndarray]
Edge = tuple[str, object]
"""A column, and a value at the edge of its kind."""

PROBES = 401
"""Rows with values at the edge, at most. It is a prime, so that columns in one row are at different edges: sums of many
values at the same edge would hide what each of them does."""

MOST_NAMED = 3
"""Columns of a row that a fault names."""


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
    seven = np.arange(7) % len(holdout)
    cases = [
        (holdout.columns, expected, [f"hold-out row {at}" for at in range(len(holdout))]),
        *_background(native, runtime),
        (_rows(holdout.columns, seven), expected[seven], [f"hold-out row {at} in a batch of 7" for at in seven]),
    ]
    scale = scale_of(expected.ravel().tolist())
    found = [compare(runtime, values, answers, rows, scale) for values, answers, rows in cases]
    edges = shared_edges(native.encoder)
    found.append(_try_edges(native, runtime, holdout.columns, edges, scale))
    return Proof(sum(len(rows) for *_, rows in cases) + 2 * len(edges), max(found))


def _try_edges(native: Native, runtime: Runtime, values: Values, edges: list[list[Edge]], scale: float) -> float:
    """Largest difference over the rows with values at the edge, together and each alone."""
    probes, names = probe_rows(values, edges), [_named(row) for row in edges]
    answers = native.answer(probes)
    try:
        found = compare(runtime, probes, answers, names, scale)
        for at, name in enumerate(names):
            found = max(found, compare(runtime, _rows(probes, [at]), answers[[at]], [f"{name}, alone"], scale))
    except ParityFault:
        _blame(native, runtime, values, edges, scale)
        raise
    return found


def _blame(native: Native, runtime: Runtime, values: Values, edges: list[list[Edge]], scale: float) -> None:
    """Raises the `ParityFault` of the first column that is at fault alone, if one is."""
    for at, row in enumerate(edges):
        alone = [[edge] for edge in row]
        probes = probe_rows(_rows(values, [at % len(next(iter(values.values())))]), alone)
        compare(runtime, probes, native.answer(probes), [_named(edge) for edge in alone], scale)


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


def shared_edges(encoder: Encoder) -> list[list[Edge]]:
    """The columns that are at an edge in each probe row; in the last all values are missing.

    No column is at two edges in one row: its edges follow each other, and so stand in different rows.
    """
    every: list[Edge] = [(column.name, value) for column in encoder.columns for value in probes_of(column)]
    rows = min(len(every), PROBES)
    missing: list[Edge] = [(column.name, KINDS[column.kind].gap) for column in encoder.columns]
    return [*(every[at::rows] for at in range(rows)), missing]


def probe_rows(values: Values, edges: Sequence[Sequence[Edge]]) -> Values:
    """Copies of the given rows, in turn, each with its columns at the edge."""
    rows = len(next(iter(values.values())))
    probes = {name: column[np.arange(len(edges)) % rows] for name, column in values.items()}
    for at, row in enumerate(edges):
        for name, value in row:
            probes[name][at] = value
    return probes


def _named(row: Sequence[Edge]) -> str:
    """What a probe row is, in words."""
    first = ", ".join(f"{name!r} = {value!r}" for name, value in row[:MOST_NAMED])
    return f"column {first}" if len(row) == 1 else f"a row with {len(row)} columns at the edge ({first}, …)"


def _rows(values: Values, rows: Sequence[int] | np.ndarray) -> Values:
    """These rows, a copy."""
    return {name: column[np.asarray(rows)] for name, column in values.items()}
