"""The live model beside the candidate: in what they differ, and how the live one scores on the candidate's hold-out.

A live model is never replaced uncompared. Where the two cannot be compared, the difference refuses the candidate unless
its owner's wish (`replace` in spec.yaml) accepts it; what was accepted is told in a note.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, assert_never

from botocore.exceptions import ClientError

from dropforge.contract.schema import TASKS
from dropforge.contract.spec import Replace
from dropforge.inference.faults import InputFault, ModelFault
from dropforge.inference.model import ServedModel
from dropforge.metrics.evaluation import compare
from lambdas.pipeline.judge.evidence import SEED, judged

if TYPE_CHECKING:
    from dropforge.contract.registry import LiveRow
    from dropforge.contract.schema import ModelCard, Task
    from dropforge.contract.scores import Gain
    from dropforge.metrics.evaluation import Answered
    from lambdas.common.artifacts import Artifacts
    from lambdas.pipeline.judge.evidence import Holdout

GONE = ("NoSuchKey", "404")
NAMED = 5
"""Columns or classes that a message names."""


@dataclass(frozen=True)
class Difference:
    """One thing in which a candidate differs from the live model; `wish` is the field of `Replace` that accepts it."""

    wish: str
    what: str


@dataclass(frozen=True)
class Compared:
    """What is known of the champion on the candidate's rows."""

    version: str | None = None
    """None where nothing serves."""
    scores: dict[str, float] | None = None
    """None where it was not compared."""
    gains: dict[str, Gain] = field(default_factory=dict)
    """How much better the candidate is, by metric."""
    refused: tuple[Difference, ...] = ()
    """Differences that no wish accepts."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Candidate:
    """The model that is judged, with its answers."""

    model: ServedModel
    holdout: Holdout
    answered: Answered
    replace: Replace = field(default_factory=Replace)

    def accepts(self, difference: Difference) -> bool:
        """Whether the owner's wish accepts the difference."""
        return bool(getattr(self.replace, difference.wish))


def compare_with_live(live: LiveRow | None, candidate: Candidate, artifacts: Artifacts) -> Compared:
    """The live model's scores on the same rows, or the differences for which there are none."""
    if live is None:
        return Compared()
    try:
        champion = ServedModel.from_bytes(artifacts.read(live.artifact), live.sha256)
    except ClientError as fault:
        if fault.response["Error"]["Code"] not in GONE:
            raise  # the step is tried again: a bucket that is busy for a moment does not open the gate
        return _settled(live, candidate, [_unreadable(fault)])
    except ModelFault as fault:
        return _settled(live, candidate, [_unreadable(fault)])
    apart = differences(champion.card, candidate.model.card)
    lacking = lacking_columns(champion.card, candidate.model.card)
    comparable = not apart and (not lacking or can_lack_columns(champion.card.task))
    if not comparable or not all(map(candidate.accepts, lacking)):
        return _settled(live, candidate, [*apart, *lacking])
    return _scored(live, champion, candidate, _accepted(live, lacking))


def _unreadable(fault: Exception) -> Difference:
    return Difference("uncompared", f"its file cannot be read ({fault})")


def _scored(live: LiveRow, champion: ServedModel, candidate: Candidate, notes: tuple[str, ...]) -> Compared:
    """The champion's scores; columns that the rows lack are missing values to it."""
    card = candidate.model.card
    absent = [name for name in champion.card.names if name not in candidate.holdout.rows.columns]
    holdout = candidate.holdout.with_missing(absent)
    unread = [name for name in absent if name in card.ignored]
    try:
        answered = judged(champion, holdout, candidate.model).model
    except (InputFault, ModelFault) as fault:
        return _settled(
            live, candidate, [Difference("uncompared", f"it cannot answer the new hold-out rows ({fault})")]
        )
    if unread:
        notes += (f"the live version {live.version} was compared with {_listed(unread)} missing: the new version does "
                  "not read what it reads there",)  # fmt: skip
    notes += news_for_callers(champion.card, card)
    gains = compare(candidate.answered, answered, SEED).gains
    return Compared(live.version, answered.scores, gains, notes=notes)


def _settled(live: LiveRow, candidate: Candidate, apart: list[Difference]) -> Compared:
    """Not compared: each difference refuses the candidate, unless all of them are accepted."""
    refused = tuple(difference for difference in apart if not candidate.accepts(difference))
    return Compared(live.version, refused=refused, notes=() if refused else _accepted(live, apart, compared=False))


def _accepted(live: LiveRow, differences: list[Difference], *, compared: bool = True) -> tuple[str, ...]:
    how = "compared" if compared else "not compared"
    return tuple(
        f"{how} with the live version {live.version}: {difference.what}, as the wish "
        f"`replace: {{{difference.wish}: true}}` accepts"
        for difference in differences
    )


def differences(champion: ModelCard, candidate: ModelCard) -> list[Difference]:
    """Why the two answer different questions, if they do; what follows from another target is not told beside it."""
    if champion.target != candidate.target:
        return [Difference("target", f"it predicts {champion.target!r} ({champion.task}), the new version predicts "
                           f"{candidate.target!r} ({candidate.task})")]  # fmt: skip
    if champion.task != candidate.task:
        return [Difference("task", f"its task is {champion.task}, the new version's is {candidate.task}")]
    if TASKS[champion.task].classes != "labels" or set(champion.classes) == set(candidate.classes):
        return []
    lost = [name for name in champion.classes if name not in candidate.classes]
    new = [name for name in candidate.classes if name not in champion.classes]
    told = [f"the new version {verb} {_listed(names)}" for verb, names in (("lacks", lost), ("adds", new)) if names]
    return [Difference("classes", f"the classes differ: {' and '.join(told)}")]


def lacking_columns(champion: ModelCard, candidate: ModelCard) -> list[Difference]:
    """That the new data lack columns which the live version reads; those that were only left out may still be sent."""
    known = {*candidate.names, *candidate.ignored}
    lacking = [name for name in champion.names if name not in known]
    if not lacking:
        return []
    return [Difference("columns", f"it reads {_listed(lacking)}, which the new data lack: requests that send "
                       f"{'it' if len(lacking) == 1 else 'them'} would be refused")]  # fmt: skip


def can_lack_columns(task: Task) -> bool:
    """Whether a model of the task answers rows that lack a column, which is a missing value to it."""
    match task:
        case "regression" | "binary" | "multiclass" | "clustering":
            return True
        case "recommendation":
            return False  # a rating is of a user and of an item
        case _:
            assert_never(task)


def news_for_callers(champion: ModelCard, candidate: ModelCard) -> tuple[str, ...]:
    """That callers must send more than before, if they must."""
    known = {*champion.names, *champion.ignored}
    new = [name for name in candidate.names if name not in champion.names]
    must = f"requests must now hold {_listed(new)}: without it they are refused (null stands for a missing value)"
    unknown = [name for name in new if name not in known]
    return (must,) if unknown else ()


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(map(repr, names[:NAMED])) + more
