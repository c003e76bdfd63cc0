"""The decision of Inspect, for tables and pictures alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dropforge.contract.plan import DataFormat
    from dropforge.contract.remarks import Remark
    from dropforge.contract.spec import Spec
    from dropforge.contract.tasks import Task


@dataclass(frozen=True)
class Decision:
    """What to learn from the data set."""

    target: str
    task: Task
    data: DataFormat
    spec: Spec
    size: int
    """Unpacked size in bytes."""
    remarks: tuple[Remark, ...] = ()
    """What is left out, changed or guessed; empty where only a part of the rows was looked at."""
