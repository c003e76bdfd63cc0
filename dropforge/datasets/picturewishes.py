"""Which wishes pictures can have: a spec.yaml speaks of columns, and pictures have none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dropforge.contract.results import METRICS
from dropforge.contract.spec import SpecFault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dropforge.contract.spec import Spec
    from dropforge.contract.tasks import Task

TARGET = "class"
"""What the folder's name is called."""

OF_COLUMNS = ("drop", "split", "sensitive", "groups", "kinds", "trusted")
SEARCHED = ("random", "grid")


def task_of(classes: Sequence[str], spec: Spec, target: str | None = None) -> Task:
    """The task of these classes.

    Raises:
        SpecFault: a wish that pictures cannot have; the message names it.
    """
    task: Task = "binary" if len(classes) == 2 else "multiclass"
    wanted = target or spec.target
    if wanted not in (None, TARGET):
        raise SpecFault(f"target: {wanted!r}: pictures have no columns; the folder's name is predicted: leave it out")
    if spec.task not in (None, task):
        raise SpecFault(f"task: {spec.task!r}: pictures of {len(classes)} classes are {task}: leave it out")
    wish = next((name for name in OF_COLUMNS if getattr(spec, name)), None)
    if wish is not None:
        raise SpecFault(f"{wish}: {getattr(spec, wish)!r}: pictures have no columns; expected target, metric and "
                        "budget alone: leave it out")  # fmt: skip
    if spec.search in SEARCHED:
        raise SpecFault(f"search: {spec.search!r}: networks of pictures are sized by the time that a step takes, not "
                        "searched: leave it out")  # fmt: skip
    if spec.metric is not None and spec.metric not in METRICS[task]:
        raise SpecFault(f"metric: {spec.metric!r} is none of {task}; expected one of {list(METRICS[task])}")
    return task
