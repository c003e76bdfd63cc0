"""A flavour that is far behind its family after the first folds is given up: its time is of better use elsewhere.

After Maron and Moore, "Hoeffding Races" (1994), on the same held rows for both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from training_container.models.family import Fitted, Problem

BEHIND = 0.03
"""Share of its rival's loss by which a flavour may be behind; nearer ones often help the ensemble."""


class Outraced(Exception):
    """The flavour is given up."""


def race(problem: Problem, rival: Fitted) -> Callable[[int, float], None]:
    """What is told the loss of the rows answered so far, and raises `Outraced` where the rival's is far less."""

    def after(folds: int, loss: float) -> None:
        rows = np.flatnonzero(problem.fold < folds)
        best = problem.loss(rival.answers[rows], rows)
        if folds < len(problem.folds) and loss - best > BEHIND * abs(best):
            raise Outraced

    return after
