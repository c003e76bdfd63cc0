"""The moves of a live pointer: each is the next row, one generation after the row that was read.

A rollout is a candidate beside the live version. It begins in the stage `shadow` or `canary`, advances to larger
shares, may be paused, and is finished when the candidate takes all traffic; the former version is then the candidate,
in the stage `after`. Whatever else moves the pointer (a rollback, a removal, another promotion) ends the rollout, and
the move says so.

    none ─ beginning ─▶ shadow, canary ─ finished ─▶ after ─ ended ─▶ none
                            └──────── ended, pointing, withdrawn ────────▶ none
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dropforge.contract.fitting import shortened
from dropforge.contract.models import Candidate
from dropforge.contract.registry import LiveRow
from lambdas.common.clock import now
from lambdas.common.runrows import RegistryFault

if TYPE_CHECKING:
    from dropforge.contract.models import Stage
    from dropforge.contract.registry import VersionRow
    from dropforge.contract.steps import Status
    from lambdas.common.registry import Registry


def pointing(version: VersionRow, before: LiveRow | None, by: str = "", because: str = "") -> LiveRow:
    """The row that makes `version` live for everybody; a rollout that was under way has ended."""
    return LiveRow(
        model=version.model,
        version=version.version,
        run=version.run,
        artifact=version.artifact,
        sha256=version.sha256,
        generation=1 if before is None else before.generation + 1,
        moved=now(),
        previous=None if before is None else before.version,
        fast=version.fast,
        by=by,
        because=because if before is None else _with_end(because, before, version.version),
    )


def withdrawn(before: LiveRow, by: str = "", because: str = "") -> LiveRow:
    """The row that leaves no version live; it keeps the last one, so that it can be restored. It ends a rollout."""
    because = _with_end(because, before, "")
    return _next(before, by, because, previous=before.version, withdrawn=True, candidate=None)


def beginning(
    before: LiveRow, version: VersionRow, *, share: float = 0.0, unit: str = "", by: str = "", because: str = ""
) -> LiveRow:
    """The row that puts `version` beside the live one.

    Args:
        before: the live pointer.
        version: the version on trial.
        share: of the units that it answers; at 0, it shadows.
        unit: where a request's unit stands, as in `Candidate.by`.
        by: who moves.
        because: why.
    """
    moved = now()
    candidate = Candidate(
        version=version.version,
        run=version.run,
        artifact=version.artifact,
        sha256=version.sha256,
        stage="canary" if share > 0 else "shadow",
        share=share,
        salt=f"{version.run}-{before.generation + 1}",
        since=moved,
        by=unit,
        fast=version.fast,
    )
    return replace(_next(before, by, because, candidate=candidate), moved=moved)


def advanced(before: LiveRow, share: float, by: str = "", because: str = "") -> LiveRow:
    """The row in which the candidate answers this share of the units; the salt stays, so that nobody switches back."""
    return _staged(before, "canary", share, by, because)


def paused(before: LiveRow, by: str = "", because: str = "") -> LiveRow:
    """The row that keeps the rollout where it stands."""
    return _next(before, by, because, candidate=replace(candidate_of(before), paused=True))


def resumed(before: LiveRow, by: str = "", because: str = "") -> LiveRow:
    """The row that lets a paused rollout go on."""
    return _next(before, by, because, candidate=replace(candidate_of(before), paused=False))


def finished(before: LiveRow, by: str = "", because: str = "") -> LiveRow:
    """The row in which the candidate has all traffic, and the former version shadows it."""
    new, moved = candidate_of(before), now()
    former = replace(
        new,
        version=before.version,
        run=before.run,
        artifact=before.artifact,
        sha256=before.sha256,
        stage="after",
        share=0.0,
        since=moved,
        paused=False,
        fast=before.fast,
    )
    row = _next(
        before,
        by,
        because,
        version=new.version,
        run=new.run,
        artifact=new.artifact,
        sha256=new.sha256,
        previous=before.version,
        fast=new.fast,
        candidate=former,
    )
    return replace(row, moved=moved)


def ended(before: LiveRow, by: str = "", because: str = "") -> LiveRow:
    """The row in which nothing runs beside the live version any more."""
    candidate_of(before)
    return _next(before, by, because, candidate=None)


def move(before: LiveRow | None, after: LiveRow, registry: Registry, promoted: str | None = None) -> bool:
    """Writes a move, and in the same write how the run of the candidate ended, if it was still running.

    A run whose version was on trial is promoted when that version has become live, and refused when its rollout ended
    otherwise.

    Args:
        before: the row that was read.
        after: the row to write.
        registry: where.
        promoted: a run that this move promotes, which must be running.

    Returns:
        False if somebody else moved the pointer, or ended one of the runs, in the meantime.
    """
    endings: dict[str, tuple[Status, str]] = {} if promoted is None else {promoted: ("promoted", "")}
    trial, next_trial = on_trial(before), on_trial(after)
    goes_on = next_trial is not None and trial is not None and next_trial.salt == trial.salt
    if trial is not None and not goes_on and trial.run not in endings:
        run = registry.find_run(trial.run)
        if run is not None and run.status == "running":
            serves = after.version == trial.version and not after.withdrawn
            endings[trial.run] = ("promoted", "") if serves else ("refused", after.because)
    return registry.move_live(after, endings)


def on_trial(row: LiveRow | None) -> Candidate | None:
    """The candidate that has not yet all traffic; None without one."""
    if row is None or row.candidate is None or row.candidate.stage == "after":
        return None
    return row.candidate


def candidate_of(row: LiveRow) -> Candidate:
    """The candidate; `RegistryFault` where no rollout is under way."""
    if row.candidate is None:
        raise RegistryFault(f"model {row.model!r}: expected a rollout under way, got none at move {row.generation}")
    return row.candidate


def _staged(before: LiveRow, stage: Stage, share: float, by: str, because: str) -> LiveRow:
    moved = now()
    candidate = replace(candidate_of(before), stage=stage, share=share, since=moved, paused=False)
    return replace(_next(before, by, because, candidate=candidate), moved=moved)


def _next(before: LiveRow, by: str, because: str, **changes: Any) -> LiveRow:
    row = replace(before, generation=before.generation + 1, moved=now(), by=by, because=because)
    return replace(row, **changes)


def _with_end(because: str, before: LiveRow, version: str) -> str:
    """Why the pointer moves, and that this ends the rollout of another version than the one that is live then."""
    trial = on_trial(before)
    if trial is None or trial.version == version:
        return because
    said = f"it ended the rollout of version {trial.version} in the stage {trial.stage!r}"
    return shortened(f"{because}; {said}" if because else said)
