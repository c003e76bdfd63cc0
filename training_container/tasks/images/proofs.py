"""The evidence that the judge replays: golden pictures with the network's answers, and a bounded hold-out.

A picture travels as the base64 of a PNG with the very pixels that the network saw; some golden ones as the file that
was dropped, so that the judge also proves that the serving runtime decodes files as the trainer does.
"""

from __future__ import annotations

import base64
import gzip
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from dropforge.contract.schema import IMAGE
from dropforge.datasets.zipped import open_zip
from dropforge.pictures import png_of
from training_container.evidence import CLEAR, ROWS_SCHEMA

if TYPE_CHECKING:
    from pathlib import Path

    from training_container.tasks.images.sets import ImageSet

GOLDEN_PICTURES = 48
GOLDEN_FILES = 12
"""Golden pictures that travel as they were dropped."""
LARGEST_FILE = 100_000
"""Bytes of such a file."""
HOLDOUT_PICTURES = 4_000
HOLDOUT_BYTES = 24_000_000
"""Of the hold-out's pictures, as PNG."""


def as_text(content: bytes) -> str:
    """Base64."""
    return base64.b64encode(content).decode("ascii")


def golden_pictures(images: ImageSet, answers: np.ndarray, path: Path) -> list[dict[str, Any]]:
    """Hold-out pictures with the network's answers [N, classes], spread evenly; those of an unsure label left out."""
    best, second = np.sort(answers, axis=1)[:, [-1, -2]].T
    clear = np.flatnonzero(best - second > CLEAR)
    clear = clear if len(clear) else np.arange(len(answers))
    chosen = clear[np.unique(np.linspace(0, len(clear) - 1, min(GOLDEN_PICTURES, len(clear))).astype(int))]
    files = dropped_files(path, [images.holdout.names[place] for place in chosen])
    rows = []
    for place in chosen:
        content = files.get(images.holdout.names[place]) or png_of(images.holdout.pixels[place])
        shares = dict(zip(images.classes, map(float, answers[place]), strict=True))
        label = images.classes[int(answers[place].argmax())]
        rows.append({"row": {IMAGE: as_text(content)}, "prediction": label, "probabilities": shares})
    return rows


def dropped_files(path: Path, wanted: list[str]) -> dict[str, bytes]:
    """Name to bytes of the first small ones of these members."""
    bodies: dict[str, bytes] = {}
    with open_zip(path) as archive:
        for name in wanted:
            if len(bodies) < GOLDEN_FILES and archive.getinfo(name).file_size <= LARGEST_FILE:
                bodies[name] = archive.read(name)
    return bodies


def write_picture_holdout(path: Path, images: ImageSet) -> None:
    """The first hold-out pictures, which lie in the order of their hashes, with their classes."""
    texts, size = [], 0
    for pixels in images.holdout.pixels[:HOLDOUT_PICTURES]:
        content = png_of(pixels)
        size += len(content)
        if size > HOLDOUT_BYTES:
            break
        texts.append(as_text(content))
    target = [images.classes[code] for code in images.holdout.codes[: len(texts)]]
    document = {"schema": ROWS_SCHEMA, "columns": {IMAGE: texts}, "target": target}
    path.write_bytes(gzip.compress(json.dumps(document, ensure_ascii=False).encode(), compresslevel=6, mtime=0))
