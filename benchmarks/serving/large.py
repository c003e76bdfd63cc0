"""A model of the size of a picture network: a residual net of 44 MB with weights at random, exported as ours are."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import torch

from dropforge.contract.schema import IMAGE, Column, ImageInput, ModelCard
from training_container.tasks.images.graph import build
from training_container.tasks.images.network import Network

SIDE, WIDTH, BLOCKS = 64, 128, 2


def large() -> bytes:
    """The model file; nothing is learned, for loading is measured and not what it knows."""
    torch.manual_seed(0)
    classes = tuple("abcdefghij")
    network = Network(side=SIDE, channels=3, classes=len(classes), width=WIDTH, blocks=BLOCKS)
    card = ModelCard(
        model="large",
        run="run-0123456789abcdef",
        task="multiclass",
        target="class",
        label_type="text",
        classes=classes,
        columns=(Column(IMAGE, "image"),),
        ignored=("class",),
        image=ImageInput(height=SIDE, width=SIDE, channels=3),
    )
    fitted: Any = SimpleNamespace(network=network, temperature=1.0)
    return bytes(build(card, fitted).SerializeToString())
