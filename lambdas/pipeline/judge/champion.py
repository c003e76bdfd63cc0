"""Compares the live model, the champion, with the candidate on the candidate's hold-out.

A live model is never replaced without a comparison. If the two cannot be compared, the candidate is refused, unless its
owner accepts the difference by the option `replace` in spec.yaml; an accepted difference becomes a note.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, assert_never

from botocore.exceptions import ClientError

from dropforge.contract.spec import Replace
from dropforge.contract.tasks import TASKS
from dropforge.inference.faults import InputFault, ModelFault
from dropforge.inference.model import ServedModel
from dropforge.metrics.disagreement import disagreement
from dropforge.metrics.evaluation import compare
from lambdas.pipeline.judge.evidence import SEED, score

if TYPE_CHECKING:
    from dropforge.contract.registry import LiveRow
    from dropforge.contract.rollouts import Disagreement
    from dropforge.contract.schema import ModelCard
    from dropforge.contract.scores import Gain
    from dropforge.contract.tasks import Task
    from lambdas.common.artifacts import Artifacts
    from lambdas.pipeline.judge.evidence import Holdout, Scored

NOT_FOUND = ("NoSuchKey", "404")
MAX_NAMES = 5
"""How many columns or classes a message lists by name."""


@dataclass(frozen=True)
class Difference:
    """A difference between a candidate and the live model; `option` is the field of `Replace` that accepts it."""

    option: str
    what: str


@dataclass(frozen=True)
class ChampionResult:
    """The champion's scores on the candidate's rows, or the differences for which there are none."""

    version: str | None = None
    """None if no version is live."""
    scores: dict[str, float] | None = None
    """None if it was not compared."""
    gains: dict[str, Gain] = field(default_factory=dict)
    """How much better the candidate is, by metric."""
    refused: tuple[Difference, ...] = ()
    """Differences that no option accepts."""
    notes: tuple[str, ...] = ()
    disagreement: Disagreement | None = None
    """How often the two versions differ; None if they were not compared, and for clusterings."""


@dataclass(frozen=True)
class Candidate:
    """The model that is judged, with its scored predictions."""

    model: ServedModel
    holdout: Holdout
    scored: Scored
    replace: Replace = field(default_factory=Replace)

    def accepts(self, difference: Difference) -> bool:
        """Whether the owner's options accept the difference."""
        return bool(getattr(self.replace, difference.option))


def compare_with_live(live: LiveRow | None, candidate: Candidate, artifacts: Artifacts) -> ChampionResult:
    """Scores the live model on the candidate's rows, or says why it cannot."""
    if live is None:
        return ChampionResult()
    try:
        champion = ServedModel.from_bytes(artifacts.read(live.artifact), live.sha256)
    except ClientError as fault:
        if fault.response["Error"]["Code"] not in NOT_FOUND:
            raise  # the step is retried: a temporary error must not let a candidate pass uncompared
        return _without_scores(live, candidate, [_unreadable(fault)])
    except ModelFault as fault:
        return _without_scores(live, candidate, [_unreadable(fault)])
    differing = differences(champion.card, candidate.model.card)
    lacking = lacking_columns(champion.card, candidate.model.card)
    comparable = not differing and (not lacking or can_lack_columns(champion.card.task))
    if not comparable or not all(map(candidate.accepts, lacking)):
        return _without_scores(live, candidate, [*differing, *lacking])
    return _scored(live, champion, candidate, _accepted(live, lacking))


def _unreadable(fault: Exception) -> Difference:
    return Difference("uncompared", f"its file cannot be read ({fault})")


def _scored(live: LiveRow, champion: ServedModel, candidate: Candidate, notes: tuple[str, ...]) -> ChampionResult:
    """The champion's scores; columns that the rows lack are missing values for it."""
    card = candidate.model.card
    absent = [name for name in champion.card.names if name not in candidate.holdout.rows.columns]
    holdout = candidate.holdout.with_missing(absent)
    unread = [name for name in absent if name in card.ignored]
    try:
        scored = score(champion, holdout, candidate.model)
    except (InputFault, ModelFault) as fault:
        return _without_scores(
            live, candidate, [Difference("uncompared", f"it cannot answer the new hold-out rows ({fault})")]
        )
    if unread:
        notes += (f"the live version {live.version} was compared with {_listed(unread)} missing: the new version does "
                  "not read what it reads there",)  # fmt: skip
    notes += (*split_otherwise(live.version, champion.card, card), *changes_for_callers(champion.card, card))
    gains = compare(candidate.scored.model, scored.model, SEED).gains
    differing = disagreement(card.task, candidate.scored.predictions, scored.predictions)
    return ChampionResult(live.version, scored.model.scores, gains, notes=notes, disagreement=differing)


def _without_scores(live: LiveRow, candidate: Candidate, differing: list[Difference]) -> ChampionResult:
    """The result without a comparison: each difference refuses the candidate, unless all of them are accepted."""
    refused = tuple(difference for difference in differing if not candidate.accepts(difference))
    notes = () if refused else _accepted(live, differing, compared=False)
    return ChampionResult(live.version, refused=refused, notes=notes)


def _accepted(live: LiveRow, differences: list[Difference], *, compared: bool = True) -> tuple[str, ...]:
    how = "compared" if compared else "not compared"
    return tuple(
        f"{how} with the live version {live.version}: {difference.what}, "
        f"accepted by `replace: {{{difference.option}: true}}`"
        for difference in differences
    )


def differences(champion: ModelCard, candidate: ModelCard) -> list[Difference]:
    """Says why the two models cannot be compared. Differences that follow from another target are left out."""
    if champion.target != candidate.target:
        return [Difference("target", f"it predicts {champion.target!r} ({champion.task}), the new version predicts "
                           f"{candidate.target!r} ({candidate.task})")]  # fmt: skip
    if champion.task != candidate.task:
        return [Difference("task", f"its task is {champion.task}, the new version's is {candidate.task}")]
    if TASKS[champion.task].classes != "labels" or set(champion.classes) == set(candidate.classes):
        return []
    lost = [name for name in champion.classes if name not in candidate.classes]
    new = [name for name in candidate.classes if name not in champion.classes]
    changes = [f"the new version {verb} {_listed(names)}" for verb, names in (("lacks", lost), ("adds", new)) if names]
    return [Difference("classes", f"the classes differ: {' and '.join(changes)}")]


def lacking_columns(champion: ModelCard, candidate: ModelCard) -> list[Difference]:
    """Names columns of the live version that the new data lack; requests may still send columns that were left out."""
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


def split_otherwise(version: str, champion: ModelCard, candidate: ModelCard) -> tuple[str, ...]:
    """Says that the live version may have learned from rows that it is scored by, because its rows were split by
    something else."""
    theirs, ours = champion.split or "rows", candidate.split or "rows"
    if theirs == ours:
        return ()
    return (
        f"the rows of the live version {version} were split by {theirs.replace(':', ' ')}, those of the new version by "
        f"{ours.replace(':', ' ')}: the live version may have learned from rows of this hold-out, which flatters it; "
        "`replace: {worse: true}` replaces it even if it scores better",
    )


def changes_for_callers(champion: ModelCard, candidate: ModelCard) -> tuple[str, ...]:
    """Says which columns callers must send now and did not before."""
    known = {*champion.names, *champion.ignored}
    new = [name for name in candidate.names if name not in champion.names]
    must = f"requests must now hold {_listed(new)}: without it they are refused (null stands for a missing value)"
    unknown = [name for name in new if name not in known]
    return (must,) if unknown else ()


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
    return ", ".join(map(repr, names[:MAX_NAMES])) + more
