"""How often two versions differ on a hold-out."""

from __future__ import annotations

import numpy as np
import pytest

from dropforge.contract.rollouts import Disagreement
from dropforge.contract.tasks import TASK_NAMES
from dropforge.metrics.disagreement import disagreement


def test_classes_differ_or_not() -> None:
    assert disagreement("multiclass", ["a", "b", "c", "a"], ["a", "b", "c", "b"]) == Disagreement(0.25, 4)


def test_one_number_in_twenty_lies_beyond_what_is_usual() -> None:
    apart = np.linspace(0, 1, 1001)
    found = disagreement("regression", list(apart), [0.0] * 1001)
    assert found == Disagreement(pytest.approx(0.05, abs=0.001), 1001, pytest.approx(0.95))


def test_rounding_is_no_difference() -> None:
    values = np.linspace(0, 100, 1000)
    found = disagreement("regression", list(values * (1 + 1e-7)), list(values))
    assert found is not None and found.share == 0 and found.beyond == pytest.approx(values.std() * 1e-4)


@pytest.mark.parametrize("task", TASK_NAMES)
def test_clusters_alone_cannot_be_compared(task: str) -> None:
    found = disagreement(task, [1, 2], [1, 2])  # type: ignore[arg-type]
    assert (found is None) == (task == "clustering")
    assert disagreement(task, [], []) is None  # type: ignore[arg-type]
