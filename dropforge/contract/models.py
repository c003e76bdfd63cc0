"""The registry's rows of models and the layout of the table: the part of `contract.registry` that Predict needs.

They stand apart for cold starts: what Predict does not need of `contract.registry`, it does not read.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal, NamedTuple

from dropforge.contract.documents import Document, Record
from dropforge.contract.fast import FastForm

PARTITION = "pk"
SORT = "sk"
INDEX = "listing"
INDEX_PARTITION = "listing"
INDEX_SORT = "listed_by"
MODEL_INDEX = "listing-of-model"
"""The index with the same rows as `INDEX`, in the same order, partitioned by model."""

MODEL_INDEX_PARTITION = "model"
"""A field of the rows themselves, so that older rows are in the index too."""

RUNS = "runs"
MODELS = "models"


class Key(NamedTuple):
    """The key of a row."""

    pk: str
    sk: str

    def to_item(self) -> dict[str, str]:
        """The key's attributes."""
        return {PARTITION: self.pk, SORT: self.sk}


def model_partition(model: str) -> str:
    """The partition with everything of one model."""
    return f"MODEL#{model}"


VERSION_PREFIX = "VERSION#"
HISTORY_PREFIX = "HISTORY#"
LAST = 99_999_999
"""The highest number that a version or a move can have."""

NUMBER = r"[1-9][0-9]{0,7}"
"""A regular expression for such a number in a request."""


def version_key(model: str, version: str) -> Key:
    """One version of a model; versions are '1', '2', …"""
    return Key(model_partition(model), f"{VERSION_PREFIX}{int(version):08d}")


def live_key(model: str) -> Key:
    """The live pointer of a model."""
    return Key(model_partition(model), "LIVE")


def history_key(model: str, generation: int) -> Key:
    """One move of the live pointer."""
    return Key(model_partition(model), f"{HISTORY_PREFIX}{generation:08d}")


class VersionRow(Document):
    """An immutable version of a model."""

    SCHEMA: ClassVar[str] = "dropforge.version/1"

    model: str
    version: str
    run: str
    created: str
    outcome: str
    """`approved` or `refused`."""
    reason: str
    artifact: str
    """Key of model.onnx in the artifact bucket."""
    sha256: str
    manifest: str
    """Key of manifest.json in the artifact bucket."""
    task: str
    target: str
    metric: str
    metrics: dict[str, float]
    baseline: dict[str, float]
    lineage: dict[str, Any]
    cost: float
    fast: FastForm | None = None
    """The fast form of a large model, in the folder of its run."""


Stage = Literal["shadow", "canary", "after"]
"""Of a rollout. `shadow`: the candidate is asked after the answer. `canary`: it answers a share of the callers, and the
champion is asked after the answer. `after`: the new version answers all, and the former one is the candidate, which
shadows, so that going back is instant and informed."""


class Candidate(Record):
    """The other version of a model while a rollout is under way."""

    version: str
    run: str
    artifact: str
    sha256: str
    stage: Stage
    share: float
    """From 0 to 1: the share of the units that the candidate answers; 0 unless the stage is `canary`."""
    salt: str
    """What units are hashed with. It stays the same over a whole rollout, so that nobody switches back."""
    since: str
    """When this stage began."""
    by: str = ""
    """Where a request's unit stands: a column, or `header:` and a header's name; empty for the caller's identity."""
    paused: bool = False
    """Whether somebody has stopped it where it stands."""
    fast: FastForm | None = None


class LiveRow(Document):
    """The live pointer. `generation` counts its moves; a move is conditional on the generation it saw."""

    SCHEMA: ClassVar[str] = "dropforge.live/1"

    model: str
    version: str
    run: str
    artifact: str
    sha256: str
    generation: int
    moved: str
    previous: str | None = None
    """The version that was live before."""
    fast: FastForm | None = None
    withdrawn: bool = False
    """Whether the model was removed; `version` is then the one that was live last."""
    candidate: Candidate | None = None
    """The other version of the rollout that is under way; None without one."""
    by: str = ""
    """Who made this move: the caller's ARN, or the run that it was made for."""
    because: str = ""
    """Why, in the words of whoever moved it."""
