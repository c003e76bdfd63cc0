"""The live model on the candidate's hold-out rows. A champion that cannot answer them stops no candidate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from lambdas.judge.evidence import holdout_scores
from lambdas.serving.faults import InputFault, ModelFault
from lambdas.serving.model import ServedModel

if TYPE_CHECKING:
    from dropforge.contract.registry import LiveRow
    from lambdas.judge.evidence import Holdout
    from lambdas.shared.artifacts import Artifacts

MISSING = ("NoSuchKey", "404")


@dataclass(frozen=True)
class Compared:
    """The champion's scores and version, or neither and a note that says why."""

    scores: dict[str, float] | None = None
    version: str | None = None
    notes: tuple[str, ...] = ()


def compare(live: LiveRow | None, candidate: ServedModel, holdout: Holdout, artifacts: Artifacts) -> Compared:
    """The live model's scores on the same rows, where it answers the same question and can read them."""
    if live is None:
        return Compared()
    try:
        model = artifacts.read(live.artifact)
    except ClientError as fault:
        if fault.response["Error"]["Code"] not in MISSING:
            raise  # the step is tried again: a bucket that is busy for a moment does not open the gate
        return _not_compared(live, str(fault))
    try:
        champion = ServedModel.from_bytes(model, live.sha256)
        theirs, ours = champion.card, candidate.card
        if (theirs.task, theirs.target) != (ours.task, ours.target):
            return _not_compared(
                live, f"it answers {theirs.task} of {theirs.target!r}, this one {ours.task} of {ours.target!r}"
            )
        return Compared(holdout_scores(champion, holdout, candidate), live.version)
    except (InputFault, ModelFault) as fault:
        return _not_compared(live, str(fault))


def _not_compared(live: LiveRow, why: str) -> Compared:
    return Compared(notes=(f"not compared with the live version {live.version}: {why}",))
