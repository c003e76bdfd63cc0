"""Weigh looks at a rollout: it adds what was captured since its last look to the evidence, and moves the live pointer.

A look that was interrupted is made again: what was captured is added once, since the evidence keeps which objects it
has seen, and a move is one conditional write.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dropforge.contract.environment import load
from dropforge.contract.log import begin_step, log
from dropforge.contract.settings import WeighSettings
from dropforge.contract.steps import Weighed, WeighInput
from dropforge.metrics.decision import decide
from lambdas.common.aws import sns
from lambdas.common.pointer import advanced, ended, finished, move, pointing
from lambdas.common.registry import Registry, RegistryFault
from lambdas.rollout.weigh.state import State

if TYPE_CHECKING:
    from dropforge.contract.registry import LiveRow
    from dropforge.contract.rollouts import Decision, RolloutWish

BY = "rollout"
"""Who moves the pointer, as the history has it."""

SOONEST, LATEST = 5, 900
"""Seconds between two looks."""

LOOKS_A_STAGE, LOOKS_AFTER = 4, 50
"""Looks within the least time of a stage, and within that of the stage `after`."""


def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Takes `WeighInput` and returns `Weighed`."""
    begin_step("Weigh", event, context)
    return weigh(WeighInput.from_json(event), load(WeighSettings), datetime.now(UTC)).to_json()


def weigh(request: WeighInput, settings: WeighSettings, now: datetime) -> Weighed:
    """One look at the rollout that `request` names; it has ended once another one, or none, is under way."""
    registry = Registry(settings.registry)
    live = registry.live(request.model)
    if live is None or live.candidate is None or live.candidate.salt != request.salt:
        return Weighed("ended", 0)
    state = State.of(live, settings.artifacts, now)
    evidence = state.look(live, now)
    decision = decide(evidence, state.wish, live.candidate, now)
    state.save(decision, now)
    log("weighed", model=request.model, version=evidence.version, move=decision.move, compared=evidence.compared)
    pause = Weighed("waits", seconds_between(state.wish, live))
    if decision.move == "wait":
        return pause
    after = moved(live, decision, registry)
    if not move(live, after, registry):
        return Weighed("waits", SOONEST)  # somebody else moved it: the next look sees how
    tell(live, after, decision, settings.topic)
    return pause if after.candidate is not None else Weighed("ended", 0)


def seconds_between(wish: RolloutWish, live: LiveRow) -> int:
    """Seconds until the next look: a part of the time that the stage takes at least."""
    assert live.candidate is not None
    stage = wish.after * 3600 / LOOKS_AFTER if live.candidate.stage == "after" else wish.minutes * 60 / LOOKS_A_STAGE
    return math.ceil(min(max(stage, SOONEST), LATEST))


def moved(live: LiveRow, decision: Decision, registry: Registry) -> LiveRow:
    """The row that the decision asks for.

    Raises:
        RegistryFault: the former version, which is to answer everybody again, is not registered.
    """
    assert live.candidate is not None
    if decision.move == "advance" and decision.stage == "after":
        return finished(live, BY, decision.reason)
    if decision.move == "advance":
        return advanced(live, decision.share, BY, decision.reason)
    if decision.move == "refuse" and live.candidate.stage == "after":
        former = registry.version(live.model, live.candidate.version)
        if former is None:
            raise RegistryFault(f"version {live.candidate.version} of {live.model!r}: expected it registered")
        return pointing(former, live, BY, decision.reason)
    return ended(live, BY, decision.reason)


def tell(before: LiveRow, after: LiveRow, decision: Decision, topic: str) -> None:
    """Publishes the moves that change who answers everybody, and the end of the rollout."""
    text = told(before, after, decision)
    if not text:
        return
    subject = f"Dropforge: {after.model} version {after.version} serves"[:100]
    sns().publish(TopicArn=topic, Subject=subject, Message=text)


def told(before: LiveRow, after: LiveRow, decision: Decision) -> str:
    """The message about a move; empty for one from share to share."""
    assert before.candidate is not None
    model, trial = after.model, before.candidate.version
    by_hand = f"`dropforge rollout {model}` shows every move."
    if decision.move == "refuse" and before.candidate.stage == "after":
        return (
            f"Version {before.version} of {model} is rolled back: {decision.reason}. Version {after.version} answers "
            f"everybody again. {by_hand}"
        )
    if decision.move == "refuse":
        return f"Version {trial} of {model} is refused: {decision.reason}. Version {after.version} serves on. {by_hand}"
    if decision.move == "finish":
        return f"The rollout of version {after.version} of {model} is finished: {decision.reason}."
    if decision.stage == "after":
        return (
            f"Version {trial} of {model} answers everybody from now on: {decision.reason}. Version {before.version} "
            f"runs beside it for a while, so that going back is instant: `dropforge rollback {model}`."
        )
    return ""
