"""A rollout by hand: shown, begun, advanced, promoted, paused, resumed and aborted, each by one move of the pointer."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, assert_never

from dropforge.contract.api import RolloutPage
from dropforge.contract.figures import figure
from dropforge.contract.log import log
from lambdas.api.live_pointer.asked import Refused, approved, busy
from lambdas.common.pointer import advanced, beginning, candidate_of, ended, finished, move, on_trial, paused, resumed
from lambdas.common.registry import ATTEMPTS

if TYPE_CHECKING:
    from dropforge.contract.api import RolloutRequest
    from dropforge.contract.registry import LiveRow
    from lambdas.common.registry import Registry

MOST_MOVES = 50
"""Moves of a rollout that its page shows."""


def show(model: str, registry: Registry) -> RolloutPage:
    """The rollout of a model.

    Raises:
        Refused: 404, nothing was ever promoted under this name.
    """
    return page(pointer(model, registry), registry)


def act(model: str, request: RolloutRequest, registry: Registry, by: str) -> RolloutPage:
    """Makes a move; one that is made already changes nothing.

    Raises:
        Refused: 400, the request lacks what the move needs; 404, there is no such model or approved version; 409, the
            rollout is not where this move could be made.
    """
    for _ in range(ATTEMPTS):
        before = pointer(model, registry)
        after = moved(before, request, registry, by)
        if after is None:
            return page(before, registry)
        if move(before, after, registry):
            log("rollout moved by hand", model=model, move=request.move, generation=after.generation)
            return page(after, registry)
    raise busy(model)


def moved(before: LiveRow, request: RolloutRequest, registry: Registry, by: str) -> LiveRow | None:
    """The row after the move; None if the pointer is there already."""
    if request.move == "begin":
        return begun(before, request, registry, by)
    candidate = before.candidate
    if candidate is None or before.withdrawn:
        if request.move == "abort" and not before.withdrawn:
            return None
        raise Refused(409, "no_rollout", f"model {before.model!r}: no rollout is under way; expected move 'begin'")
    trial = on_trial(before) is not None
    match request.move:
        case "advance":
            return larger(before, request, by)
        case "promote":
            return finished(before, by, request.because) if trial else None
        case "pause":
            return None if candidate.paused else paused(before, by, request.because)
        case "resume":
            return resumed(before, by, request.because) if candidate.paused else None
        case "abort":
            said = f"the rollout of version {candidate.version} was aborted" if trial else ""
            return ended(before, by, "; ".join(filter(None, (request.because, said))))
    assert_never(request.move)


def begun(before: LiveRow, request: RolloutRequest, registry: Registry, by: str) -> LiveRow | None:
    """The row in which the version is on trial."""
    version = approved(before.model, request.version, registry)
    if not 0 <= request.share < 1:
        raise Refused(
            400, "wrong_shape", f"share: expected 0 for a shadow, or less than 1, got {request.share}", "share"
        )
    if before.withdrawn:
        raise Refused(409, "nothing_serves", f"model {before.model!r}: it is removed; expected a live version")
    if before.version == version.version:
        raise Refused(409, "serves_already", f"version {version.version} of {before.model!r} answers everybody already")
    trial = on_trial(before)
    if trial is None:
        return beginning(before, version, share=request.share, unit=request.unit, by=by, because=request.because)
    if (trial.version, trial.share, trial.by) == (version.version, request.share, request.unit):
        return None
    raise Refused(
        409, "rollout_under_way", f"version {trial.version} of {before.model!r} is on trial; expected it aborted first"
    )


def larger(before: LiveRow, request: RolloutRequest, by: str) -> LiveRow | None:
    """The row with the larger share; a smaller one would send callers back."""
    candidate = candidate_of(before)
    if on_trial(before) is None:
        raise Refused(409, "finished", f"version {before.version} of {before.model!r} answers everybody already")
    if request.share == candidate.share > 0:
        return None
    if not candidate.share < request.share < 1:
        least = figure(candidate.share)
        message = f"share: expected more than {least} and less than 1, got {request.share}; 'promote' takes all traffic"
        raise Refused(400, "wrong_shape", message, "share")
    return advanced(before, request.share, by, request.because)


def pointer(model: str, registry: Registry) -> LiveRow:
    """The live pointer; `Refused` 404 where there is none."""
    row = registry.pointer(model)
    if row is None:
        raise Refused(404, "not_found", f"model {model!r}: nothing ever served; GET /models lists what does")
    return row


def page(row: LiveRow, registry: Registry) -> RolloutPage:
    """The page of the rollout that `row` is in."""
    moves: list[LiveRow] = []
    if row.candidate is not None:
        salt = row.candidate.salt
        newest = registry.history(row.model, MOST_MOVES, row.generation + 1)
        moves = list(
            itertools.takewhile(lambda each: each.candidate is not None and each.candidate.salt == salt, newest)
        )
    return RolloutPage(row.model, None if row.withdrawn else row.version, row.generation, row.candidate, tuple(moves))
