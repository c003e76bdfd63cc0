"""Trees answered from their arrays alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from training_container.models.trees import Trees


def answers(trees: Trees, dense: np.ndarray, outputs: int) -> np.ndarray:
    """What the graph says, read off the arrays one row and one tree at a time."""
    found = np.zeros((len(dense), outputs))
    for at, row in enumerate(dense):
        for root in trees.roots:
            place = int(root)
            while place >= 0:
                value = row[trees.feature[place]]
                left = trees.nan_left[place] if np.isnan(value) else value <= trees.threshold[place]
                place = int((trees.left if left else trees.right)[place])
            found[at, trees.output[~place]] += trees.value[~place]
    return found
