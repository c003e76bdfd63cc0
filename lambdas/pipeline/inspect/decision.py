"""What Inspect came to, whatever the data are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dropforge.contract.plan import DataFormat
    from dropforge.contract.schema import Task
    from dropforge.contract.spec import Spec


@dataclass(frozen=True)
class Decision:
    """What is to be learned from the data."""

    target: str
    task: Task
    data: DataFormat
    spec: Spec
    size: int
    """Bytes, unpacked."""
