"""The model file of pictures: one ONNX graph from decoded pixels to label and probabilities, and its proof."""

from __future__ import annotations

import logging
import warnings
from typing import TYPE_CHECKING

import numpy as np
import onnx
import torch
from onnx import compose, helper

from dropforge.contract.captures import CaptureWish
from dropforge.contract.figures import figure
from dropforge.contract.parity import TOLERANCE
from dropforge.contract.schema import IMAGE, Column, ModelCard
from dropforge.contract.tasks import PREDICTION, PROBABILITIES
from training_container.export.front import ROWS
from training_container.export.graph import add_label, finish, outputs
from training_container.export.nodes import OPSET, Nodes
from training_container.export.parity import Proof, check_likeliest
from training_container.export.runtime import Runtime
from training_container.faults import ParityFault
from training_container.tasks.images.network import Answering

if TYPE_CHECKING:
    from training_container.tasks.images.fit import Fitted
    from training_container.tasks.images.sets import ImageSet, Pictures

CLASS_TARGET = "class"
PROOF_BATCH = 256


def card_of(model: str, run: str, images: ImageSet, capture: CaptureWish | None = None) -> ModelCard:
    """The card that travels in the model file: classes and how a picture is read."""
    capture = capture or CaptureWish()
    return ModelCard(
        model=model,
        run=run,
        task=images.task,
        target=CLASS_TARGET,
        label_type="text",
        classes=images.classes,
        columns=(Column(IMAGE, "image"),),
        ignored=(CLASS_TARGET,),
        image=images.rule,
        likeliest=True,
        capture_rate=capture.rate,
        capture_days=capture.days,
    )


def build(card: ModelCard, fitted: Fitted) -> onnx.ModelProto:
    """The graph: `image` uint8 [N, H, W, C] to `prediction` and `probabilities`.

    Raises:
        onnx.checker.ValidationError: the graph is not valid ONNX: a fault of this package.
    """
    assert card.image is not None
    shape = (card.image.height, card.image.width, card.image.channels)
    core = _core(Answering(fitted.network, fitted.temperature), shape)
    tail = Nodes("df.tail.")
    add_label(tail, card.classes)
    graph = helper.make_graph(
        [*core.node, *tail.nodes],
        "dropforge",
        [helper.make_tensor_value_info(IMAGE, onnx.TensorProto.UINT8, [ROWS, *shape])],
        outputs(card),
        [*core.initializer, *tail.constants],
    )
    return finish(graph, card)


def _core(body: Answering, shape: tuple[int, int, int]) -> onnx.GraphProto:
    """The network in ONNX, every inner name under `df.body.`."""
    sample = torch.zeros((7, *shape), dtype=torch.uint8)
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")  # the exporter warns of its own deprecated calls
            program = torch.onnx.export(
                body.eval(), (sample,), dynamo=True, dynamic_shapes=({0: torch.export.Dim(ROWS)},),
                opset_version=OPSET, verbose=False, input_names=[IMAGE], output_names=[PROBABILITIES],
            )  # fmt: skip
    finally:
        logger.setLevel(level)
    assert program is not None  # only the old exporter gives none
    return compose.add_prefix(program.model_proto, "df.body.", rename_inputs=False, rename_outputs=False).graph


@torch.no_grad()
def native(fitted: Fitted, pixels: np.ndarray, precision: torch.dtype = torch.float32) -> np.ndarray:
    """Torch's answers, [N, classes]; in float64 they take five times as long."""
    network = Answering(fitted.network, fitted.temperature).eval().to(precision)
    parts = [
        network(torch.from_numpy(pixels[start : start + PROOF_BATCH])).numpy()
        for start in range(0, len(pixels), PROOF_BATCH)
    ]
    return np.concatenate(parts)


def prove(model: bytes, card: ModelCard, fitted: Fitted, holdout: Pictures) -> tuple[Proof, np.ndarray]:
    """Compares graph and network on every hold-out picture, on black, white and noise, in batches of 1, 7 and many.

    Where they are more than half the tolerance apart, the network answers once more in float64: onnxruntime and torch
    round float32 each in its own way, and torch's own rounding is no fault of the graph.

    Returns the proof and the graph's probabilities of the hold-out, [N, classes].

    Raises:
        ParityFault: a difference over the tolerance, or another label.
    """
    runtime = Runtime(model, card)
    names = list(holdout.names) or [f"hold-out picture {number}" for number in range(len(holdout))]
    got, largest = _compared(runtime, fitted, holdout.pixels, names, PROOF_BATCH)
    probes = edge_pictures(holdout.pixels)
    cases = [(probes, ["black", "white", "noise", "a first picture"], 1), (holdout.pixels[:7], names[:7], 7)]
    for pixels, said, batch in cases:
        largest = max(largest, _compared(runtime, fitted, pixels, said, batch)[1])
    return Proof(len(holdout) + sum(len(pixels) for pixels, _, _ in cases), largest), got


def edge_pictures(pixels: np.ndarray) -> np.ndarray:
    """All black, all white, noise, and one as it is."""
    shape = pixels.shape[1:]
    noise = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    return np.stack([np.zeros(shape, np.uint8), np.full(shape, 255, np.uint8), noise, pixels[0]])


def _compared(
    runtime: Runtime, fitted: Fitted, pixels: np.ndarray, names: list[str], batch: int
) -> tuple[np.ndarray, float]:
    expected = native(fitted, pixels)
    answers = [runtime.session.run([PREDICTION, PROBABILITIES], {IMAGE: pixels[start : start + batch]})
             for start in range(0, len(pixels), batch)]  # fmt: skip
    labels, probabilities = (
        np.concatenate([answer[0][:, 0] for answer in answers]),
        np.concatenate([answer[1] for answer in answers]),
    )
    if probabilities.shape != expected.shape or not np.isfinite(probabilities).all():
        raise ParityFault(f"{names[0]}: expected finite answers of shape {expected.shape}, got {probabilities.shape}")
    scale = 1 / expected.shape[1]  # the size of a typical answer
    apart = _apart(expected, probabilities, scale)
    doubtful = np.flatnonzero(apart > TOLERANCE / 2)
    if len(doubtful):
        expected[doubtful] = exact = native(fitted, pixels[doubtful], torch.float64)
        apart[doubtful] = _apart(exact, probabilities[doubtful], scale)
    worst = int(apart.argmax())
    if apart[worst] > TOLERANCE:
        raise ParityFault(f"{names[worst]}: expected {expected[worst]} as torch answers, got {probabilities[worst]}; "
                          f"{figure(apart[worst], digits=2)} apart")  # fmt: skip
    check_likeliest(runtime.card, probabilities, labels, names)
    classes = runtime.card.classes
    places = np.array([classes.index(label) for label in labels])
    wrong = np.flatnonzero(expected.max(axis=1) - expected[np.arange(len(places)), places] > TOLERANCE)
    if len(wrong):
        start = int(wrong[0])
        raise ParityFault(
            f"{names[start]}: expected label {classes[int(expected[start].argmax())]!r}, got {labels[start]!r}"
        )
    return probabilities, float(apart[worst])


def _apart(expected: np.ndarray, got: np.ndarray, scale: float) -> np.ndarray:
    """The largest relative difference of each row, see `dropforge.contract.parity.difference`."""
    largest: np.ndarray = (np.abs(got - expected) / np.maximum(np.abs(expected), scale)).max(axis=1)
    return largest
