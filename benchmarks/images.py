"""`make bench-images`: Fashion-MNIST within a budget, scored on its 10,000 test pictures through the exported graph.

The network is chosen on 5,000 pictures of the training files (width, precision and threads by the time that a step
takes, flips and the best epoch by validation loss); the test files are read for the score alone. 15 minutes on a CPU, 2
on a GPU. The files are those of Debian's package `dataset-fashion-mnist`, or of the folder `fashion-mnist` in
`DROPFORGE_DATA`.
"""

from __future__ import annotations

import gzip
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

os.environ.setdefault("GOMP_SPINCOUNT", "1000")  # before torch loads, as the trainer does

from benchmarks.report import Row, publish
from dropforge.contract.schema import ImageInput
from training_container.checkpoints import Checkpoints
from training_container.devices import training_device
from training_container.progress import Progress
from training_container.tasks.images.fit import Fitted, fit
from training_container.tasks.images.sets import ImageSet, Pictures

PLACES = (Path(os.environ.get("DROPFORGE_DATA", "/nonexistent")) / "fashion-mnist",
          Path("/usr/share/datasets/fashion-mnist"))  # fmt: skip
CLASSES = ("t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle-boot")
VALIDATION = 5_000
PACKAGES = ["numpy", "onnx", "onnxruntime", "torch"]
MINUTES = {"cpu": 15.0, "cuda": 2.0}
TARGETS = {"cpu": 0.92, "cuda": 0.94}


def main() -> None:
    """Trains once, exports, proves, scores."""
    device = training_device()
    images, minutes = read(folder()), MINUTES[device.type]
    start, before = time.monotonic(), time.process_time()
    with tempfile.TemporaryDirectory(prefix="dropforge-bench-") as place:
        folder_of_run = Path(os.environ.get("DROPFORGE_CHECKPOINTS", place))
        kept = Checkpoints.open(folder_of_run, {"run": "benchmark"})
        fitted = fit(images, minutes=minutes, seed=0, progress=Progress(), device=device, checkpoints=kept)  # fmt: skip
    took, processor = time.monotonic() - start, time.process_time() - before
    rows = scored(images, fitted, device.type)
    rows.append(Row("minutes of fitting against the budget", took / 60 / minutes, "x", "lower", 1.1))
    rows.append(Row("CPU seconds of fitting", processor, "s", "lower"))
    print(f"{fitted.recipe}, {fitted.epochs} epochs; load of the machine at the end {os.getloadavg()[0]:.1f}")
    print(f"written to {publish('images', rows, PACKAGES)}")


def scored(images: ImageSet, fitted: Fitted, kind: str) -> list[Row]:
    """The exported graph on the test pictures."""
    from training_container.tasks.images.graph import build, card_of, prove

    card = card_of("fashion", "benchmark", images)
    model = build(card, fitted).SerializeToString()
    proof, answers = prove(model, card, fitted, images.holdout)
    right = float((answers.argmax(axis=1) == images.holdout.codes).mean())
    parameters = sum(each.numel() for each in fitted.network.parameters())
    return [
        Row(f"Fashion-MNIST test accuracy, {kind}, {MINUTES[kind]:.0f} minutes", right, "", "higher", TARGETS[kind]),
        Row("validation accuracy of the same network", fitted.validation["accuracy"], "", "higher"),
        Row("largest relative difference of graph and network, 10,000 pictures", proof.largest, "", "lower", 1e-5),
        Row("parameters", parameters, "", "lower"),
        Row("epochs", fitted.epochs, "", "higher"),
        Row("model file", len(model) / 1e6, "MB", "lower"),
    ]


def folder() -> Path:
    """Where the four files lie."""
    found = next((place for place in PLACES if (place / "train-images-idx3-ubyte.gz").is_file()), None)
    if found is None:
        sys.exit("Fashion-MNIST: expected train-images-idx3-ubyte.gz and its three neighbours in "
                 f"{' or '.join(map(str, PLACES))}: apt-get install dataset-fashion-mnist, or set DROPFORGE_DATA to "
                 "the folder that holds fashion-mnist/")  # fmt: skip
    return found


def read(place: Path) -> ImageSet:
    """Training and validation from the training files, the hold-out from the test files."""
    every = pictures(place, "train")
    order = np.random.default_rng(0).permutation(len(every))
    train, validation = every.take(order[VALIDATION:]), every.take(order[:VALIDATION])
    return ImageSet(CLASSES, ImageInput(28, 28, 1), train, validation, pictures(place, "t10k"), counts={})


def pictures(place: Path, part: str) -> Pictures:
    """The pictures and labels of `train` or `t10k`, whose headers have 16 and 8 bytes."""
    pixels = np.frombuffer(gzip.decompress((place / f"{part}-images-idx3-ubyte.gz").read_bytes()), np.uint8, offset=16)
    codes = np.frombuffer(gzip.decompress((place / f"{part}-labels-idx1-ubyte.gz").read_bytes()), np.uint8, offset=8)
    return Pictures(pixels.reshape(-1, 28, 28, 1).copy(), codes.astype(np.int64))


if __name__ == "__main__":
    main()
