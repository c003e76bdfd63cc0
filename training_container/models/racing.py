"""Racing: a flavour that is far behind its family early on is given up, since its time is better used elsewhere.

After Maron and Moore, "Hoeffding Races" (1994), on the same held rows for both: after the first folds where folds are
fitted one after the other, after the first epochs where they are trained together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from training_container.models.family import Fitted, Problem

MOST_BEHIND = 0.03
"""The share of its rival's loss by which a flavour may be behind; nearer ones often help the ensemble."""

UNJUDGED_EPOCHS = 10
"""Epochs at the start in which nothing is given up."""

MOST_BEHIND_IN_EPOCHS = 0.1
"""The same for losses after equally many epochs, which say less about the final losses."""


class Outraced(Exception):
    """The flavour is given up."""


def race(problem: Problem, rival: Fitted) -> Callable[[int, float], None]:
    """A callback for the loss of the rows answered so far; it raises `Outraced` where the rival's is far lower."""

    def after(folds: int, loss: float) -> None:
        rows = np.flatnonzero(problem.fold < folds)
        best = problem.loss(rival.answers[rows], rows)
        if folds < len(problem.folds) and loss - best > MOST_BEHIND * abs(best):
            raise Outraced

    return after


def race_epochs(rival: Fitted) -> Callable[[int, float], None]:
    """A callback for the held rows' loss by epoch; it raises `Outraced` where the rival's was far lower by then."""
    theirs, own = rival.curves["validation_loss"], [float("inf")]

    def after(epoch: int, loss: float) -> None:
        own.append(min(own[-1], loss))
        best = min(theirs[:epoch])
        if epoch > UNJUDGED_EPOCHS and own[-1] - best > MOST_BEHIND_IN_EPOCHS * abs(best):
            raise Outraced

    return after
