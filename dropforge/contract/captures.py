"""A captured prediction: what Predict keeps of an answered row, and of the candidate that was asked beside it.

Records lie as gzipped JSON lines under `captures/` of the artifact bucket, one object a flush. They are numbered by the
process that wrote them, and the numbers stand in the objects' names, so that what was lost is counted by a list alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, NamedTuple

from dropforge.contract.documents import Document, Record
from dropforge.contract.fitting import quoted
from dropforge.contract.names import CAPTURES
from dropforge.contract.nearest import did_you_mean

KEEP_TAG = "dropforge-keep"
"""The tag that says how long a capture is kept, such as `30d`: a rule of the bucket deletes it then."""

KEEP_DAYS = (7, 30, 90, 365)
"""The days that there are rules for: a bucket's rules are made when the stack is deployed."""

COMPACTED = "compacted"
"""Folder beside those of the hours: what the hourly compaction makes of them."""

ENDING, END_ENDING = ".jsonl.gz", ".end"
_NAME = re.compile(r"([0-9a-f]{16})-(\d+)(?:-(\d+)\.jsonl\.gz|\.end)")


class Part(NamedTuple):
    """What the name of one object says: records `first` to `last` of a sandbox, or that its last record was `last`."""

    sandbox: str
    first: int
    last: int
    is_end: bool = False

    @property
    def records(self) -> int:
        """How many records are in the object."""
        return 0 if self.is_end else self.last - self.first + 1


def version_prefix(model: str, version: str) -> str:
    """Where the captures of one version lie, a folder an hour: `<yyyy-mm-dd-hh>/`."""
    return f"{CAPTURES}{model}/{version}/"


def object_key(model: str, version: str, hour: str, sandbox: str, first: int, last: int) -> str:
    """The key of an object with these records, the first of them of this hour."""
    return f"{version_prefix(model, version)}{hour}/{sandbox}-{first:010d}-{last:010d}{ENDING}"


def end_key(model: str, version: str, hour: str, sandbox: str, last: int) -> str:
    """The key of the empty object that says which record was the sandbox's last."""
    return f"{version_prefix(model, version)}{hour}/{sandbox}-{last:010d}{END_ENDING}"


def compacted_key(model: str, version: str, name: str) -> str:
    """Where the compaction writes: `<hour>-<number>.parquet`, and `<hour>.json` with what was received and lost."""
    return f"{version_prefix(model, version)}{COMPACTED}/{name}"


def part_of(key: str) -> Part | None:
    """What an object's key says; None for one of another kind."""
    match = _NAME.fullmatch(key.rpartition("/")[2])
    if match is None:
        return None
    sandbox, number, last = match.groups()
    return Part(sandbox, int(number), int(last)) if last else Part(sandbox, int(number) + 1, int(number), is_end=True)


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
    """The process that wrote the record, and this version's records of it: 16 hexadecimal digits of chance."""
    sequence: int
    """Its number among those records, from 1. A number that is missing is a record that was lost."""
    id: str = ""
    """The prediction's id; empty in a refusal, and where the answer had none."""
    unit: str = ""
    """Whose request it was, hashed; empty where nobody can be told from anybody."""
    inputs: dict[str, Any] | None = None
    """What the model read, by column, without sensitive columns and pixels. None in a refusal."""
    prediction: Any = None
    probabilities: dict[str, float] | None = None
    milliseconds: float = 0.0
    """How long the graph took for the rows of the request."""
    rows: int = 1
    """Rows of the request; of more than a thousand, a thousand are captured, evenly spread."""
    code: str = ""
    """Of a refusal: its code, such as `unknown_column`. Empty for an answer."""
    arm: Arm = "champion"
    stage: str = ""
    """The stage of the rollout; empty without one."""
    paired: Paired | None = None
    """What the other version of a rollout did; None without a rollout."""


class SandboxAccount(Record):
    """What is known of one sandbox's records in one hour."""

    sandbox: str
    received: int
    lost: tuple[tuple[int, int], ...]
    """The numbers that are missing, from and to; a gap is counted in the hour of the first record after it."""
    ended: bool
    """Whether its last record is known. Of a sandbox that is still open, or whose disk is gone with it, it is not."""

    @property
    def missing(self) -> int:
        """How many records are lost."""
        return sum(last - first + 1 for first, last in self.lost)


class CaptureHour(Document):
    """What one hour's captures of a version hold, `compacted/<hour>.json` beside them."""

    SCHEMA: ClassVar[str] = "dropforge.capture-hour/1"

    model: str
    version: str
    hour: str
    """As in the keys: `2026-11-30-23`, in UTC."""
    received: int
    lost: int
    late: int
    """Of the received: those in objects that came more than ten minutes after the hour."""
    objects: int
    files: tuple[str, ...]
    """Names of the Parquet files beside this one."""
    sandboxes: tuple[SandboxAccount, ...]
    open: dict[str, int]
    """The last number of each sandbox that had not ended by then."""


class CaptureWish(Record):
    """`capture` of spec.yaml: which share of the requests is captured, and for how long it is kept."""

    rate: float = 1.0
    """From 0 (none) to 1 (every request). What a rollout compares is captured whatever this says."""
    keep: str = "30d"
    """One of `7d`, `30d`, `90d` and `365d`."""

    @property
    def days(self) -> int:
        """The days of `keep`."""
        return int(self.keep.removesuffix("d"))


def capture_fault(value: Any) -> str:
    """What is wrong with the value of `capture` in spec.yaml, in words; empty where nothing is."""
    example = "`capture: {rate: 0.1, keep: 30d}`"
    if value is None:
        return ""
    if not isinstance(value, Mapping):
        return f"expected a rate and how long captures are kept, as {example}, got {quoted(value)}"
    known = ("rate", "keep")
    unknown = [key for key in value if key not in known]
    if unknown:
        hint = did_you_mean(str(unknown[0]), known)
        return f"unknown name {quoted(unknown[0])}; {hint}expected rate or keep, as {example}"
    rate, keep, kept = value.get("rate", 1.0), value.get("keep", "30d"), [f"{days}d" for days in KEEP_DAYS]
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 <= rate <= 1:
        return f"rate: expected a share from 0 (none) to 1 (every request), got {quoted(rate)}"
    return "" if keep in kept else f"keep: expected one of {', '.join(kept)}, got {quoted(keep)}"
