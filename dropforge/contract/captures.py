"""A captured prediction: what Predict keeps of an answered row, and of the candidate that was asked beside it.

Records lie as gzipped JSON lines under `captures/` of the artifact bucket, one object a flush. They are numbered by the
process that wrote them, so that what was lost is counted.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from dropforge.contract.documents import Document, Record

Arm = Literal["champion", "candidate"]
"""Which of the two versions of a rollout answered the caller; without a rollout, it is the champion."""


class Paired(Record):
    """What the other version of a rollout did with the same row, after the caller had its answer or instead of it."""

    version: str
    failure: str = ""
    """The code of its failure, where the version that answered had none: `no_healthy_model`, say. Empty without."""
    milliseconds: float = 0.0
    """How long its graph took for the rows of the request."""
    difference: float | None = None
    """How far its answer lies from the one that was given. Classes: half of the sum of the absolute differences of the
    probabilities, from 0 to 1. Numbers: the absolute difference. None where either failed."""
    same: bool | None = None
    """Whether it names the same class, or the same number within one part in a thousand; None where either failed."""
    prediction: Any = None
    """Its answer: a class or a number; None where it failed."""
    repeated: bool = False
    """Whether its failure came again each time that the row was replayed, which proves that the row is the reason."""


class Captured(Document):
    """One answered row of a request, or one refused request."""

    SCHEMA: ClassVar[str] = "dropforge.capture/1"

    time: str
    """When it was answered: UTC, ISO 8601, with milliseconds."""
    model: str
    version: str
    """The version that answered."""
    sandbox: str
    """The process that wrote the record: 16 hexadecimal digits of chance."""
    sequence: int
    """Its number among the records of that process, from 1, without gaps."""
    id: str = ""
    """The prediction's id; empty in a refusal."""
    unit: str = ""
    """Whose request it was, hashed; empty where nobody can be told from anybody."""
    inputs: dict[str, Any] | None = None
    """What the model read, by column; sensitive columns as the model's policy says. None in a refusal."""
    prediction: Any = None
    probabilities: dict[str, float] | None = None
    milliseconds: float = 0.0
    """How long the graph took for the rows of the request."""
    rows: int = 1
    """Rows of the request."""
    code: str = ""
    """Of a refusal: its code, such as `unknown_column`. Empty for an answer."""
    arm: Arm = "champion"
    stage: str = ""
    """The stage of the rollout; empty without one."""
    paired: Paired | None = None
    """What the other version of a rollout did; None without a rollout."""


class CaptureWish(Record):
    """`capture` of spec.yaml: which share of the requests is captured, and for how long it is kept."""

    rate: float = 1.0
    """From 0 (none) to 1 (every request). What a rollout compares is captured whatever this says."""
    keep: str = "30d"
    """A number of days, such as 30d."""
