"""How often two versions differ on the same hold-out rows: what a rollout may expect of live requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_never

import numpy as np

from dropforge.contract.rollouts import Disagreement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dropforge.contract.tasks import Task

USUAL = 0.95
"""The share of the rows whose numbers count as alike: what lies further apart than these is rare by definition."""

LEAST_OF_SPREAD = 1e-4
"""Numbers that are nearer than this part of their spread are alike, whatever rounding made of them."""


def disagreement(task: Task, ours: Sequence[Any], theirs: Sequence[Any]) -> Disagreement | None:
    """The share of differing answers, and for numbers the distance above which they count as differing.

    None for clusterings, whose clusters are numbered anew in each version, and without rows.

    Args:
        task: of both versions.
        ours: the answers of one version, a class or a number for each row.
        theirs: those of the other to the same rows.
    """
    if not len(ours):
        return None
    match task:
        case "binary" | "multiclass":
            differing = sum(one != other for one, other in zip(ours, theirs, strict=True))
            return Disagreement(differing / len(ours), len(ours))
        case "regression" | "recommendation":
            values = np.asarray(theirs, dtype=np.float64)
            apart = np.abs(np.asarray(ours, dtype=np.float64) - values)
            beyond = max(float(np.quantile(apart, USUAL)), LEAST_OF_SPREAD * float(values.std()))
            return Disagreement(float(np.mean(apart > beyond)), len(ours), beyond)
        case "clustering":
            return None
        case _:
            assert_never(task)
