"""What the evidence of a rollout says to do: wait, advance, refuse or finish, always with the figure and its limit.

A candidate is refused as soon as a failure of it alone repeats, or the combined e-value of all streams reaches 100. It
advances when nothing speaks against it, enough requests were seen and the least time has passed. No requests means
waiting; after the wish's patience, some requests are enough.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from dropforge.contract.figures import figure
from dropforge.contract.fitting import shortened
from dropforge.contract.rollouts import Decision, Phase
from dropforge.metrics.evidence import WEIGHTS, logarithms, share_of
from dropforge.metrics.phases import units
from dropforge.metrics.sequential import THRESHOLD
from dropforge.metrics.sketches import median

if TYPE_CHECKING:
    from dropforge.contract.models import Candidate, Stage
    from dropforge.contract.rollouts import Evidence, Move, RolloutWish, Stream, Tally

SHARE_OF_PATIENCE = 0.5
"""A share is passed over if the candidate would see too few requests within this part of the patience."""

LEAST_UNITS = 1.0
"""A share is passed over if fewer units than this are expected in it."""

MOST_TOLD = 1_000_000
"""An e-value above is told as being above."""


def decide(evidence: Evidence, wish: RolloutWish, candidate: Candidate, now: datetime) -> Decision:
    """What to do now.

    Args:
        evidence: with all records that have come, `fold`ed with this candidate.
        wish: the owner's rules.
        candidate: the live pointer's.
        now: the time, with a zone.
    """
    reason = objection(evidence)
    if reason:
        return _decision("refuse", candidate, reason)
    phase, hours = _phase(evidence, candidate), _hours(candidate, now)
    if candidate.stage == "after":
        return _after(evidence, wish, candidate, hours)
    waits_for = _waits_for(phase, wish, candidate, hours)
    if waits_for:
        return _decision("wait", candidate, quiet(evidence), waits_for)
    stage, share = next_stage(wish, candidate, phase, hours)
    to = "all traffic" if stage == "after" else f"a share of {figure(share * 100)} %"
    counted = f"after {_requests(_seen(phase, candidate))} in {figure(hours, digits=3)} hours"
    return _decision("advance", candidate, f"{quiet(evidence)}; on to {to} {counted}", stage=stage, share=share)


def objection(evidence: Evidence) -> str:
    """Why the candidate is refused, with the figure and its limit; empty while nothing speaks against it."""
    if evidence.proof:
        return shortened(f"{evidence.proof}; no failure of the new version alone is allowed to repeat")
    if evidence.logarithm < THRESHOLD:
        return ""
    parts = {name: math.log(WEIGHTS[name]) + value for name, value in _by_stream(evidence).items()}
    name = max(parts, key=lambda each: parts[each])
    return shortened(f"{said(evidence, name)}; e-value {_e_value(evidence.logarithm)}, where 100 refuses")


def quiet(evidence: Evidence) -> str:
    """Says that nothing speaks against the candidate, with the e-value."""
    return f"nothing speaks against version {evidence.version}: e-value {_e_value(evidence.logarithm)} of 100"


def said(evidence: Evidence, stream: Stream) -> str:
    """What a stream has seen, in words: the figure and its limit."""
    tally, ours, theirs = evidence.streams[stream], f"version {evidence.version}", f"version {evidence.against}"
    seen, allowed, trials = _percent(share_of(tally)), _percent(tally.limit), _requests(tally.trials)
    match stream:
        case "failures":
            return (
                f"{ours} alone failed in {seen} of the {trials} on which one of the two versions failed alone; "
                f"expected at most {allowed}"
            )
        case "latency":
            return (
                f"{ours} took more than {figure(evidence.slower)} times as long as {theirs} in {seen} of {trials}, "
                f"{figure(median(evidence.ratios), digits=3)} times in the median; expected it in at most {allowed}"
            )
        case "outputs":
            return (
                f"{ours} answers {_differently(evidence)} {theirs} on {seen} of {trials}; expected at most {allowed}, "
                "by the hold-out or the limit `differs`"
            )
        case "constant":
            return (
                f"{ours} gave the same answer again in {seen} of {trials} in which the answer of {theirs} changed; "
                f"expected at most {allowed}"
            )
        case "losses":
            return (
                f"{ours} is further from the true labels than {theirs}: the mean relative excess of its loss is "
                f"{_excess(tally)} over {trials}; expected at most 0"
            )


def next_stage(wish: RolloutWish, candidate: Candidate, phase: Phase, hours: float) -> tuple[Stage, float]:
    """The stage and share that follow; shares in which the candidate would see hardly anybody are passed over."""
    if wish.mode == "shadow":
        return "after", 0.0
    shares = [share for share in wish.shares if candidate.share < share < 1]
    if not shares:
        return "after", 0.0
    an_hour = (phase.requests.champion + phase.requests.candidate) / max(hours, wish.minutes / 60, 1 / 60)
    known = units(phase)
    for share in shares:
        in_time = an_hour * share * wish.patience * SHARE_OF_PATIENCE >= wish.requests
        if in_time and (known == 0 or known * share >= LEAST_UNITS):
            return "canary", share
    return "canary", shares[-1]


def _after(evidence: Evidence, wish: RolloutWish, candidate: Candidate, hours: float) -> Decision:
    if candidate.paused:
        return _decision("wait", candidate, quiet(evidence), "somebody to let it go on: it is paused")
    if hours < wish.after:
        left = figure(wish.after - hours, digits=3)
        return _decision("wait", candidate, quiet(evidence), f"{left} more hours with the former version beside it")
    return _decision("finish", candidate, f"{quiet(evidence)}, {figure(wish.after)} hours after it took all traffic")


def _waits_for(phase: Phase, wish: RolloutWish, candidate: Candidate, hours: float) -> str:
    """What an advance waits for, in words; empty if it may advance."""
    if candidate.paused:
        return "somebody to let it go on: it is paused"
    if wish.mode == "manual":
        return f"somebody to promote it: the mode is {wish.mode!r}"
    if hours * 60 < wish.minutes:
        return f"{figure(wish.minutes - hours * 60, digits=3)} more minutes of at least {figure(wish.minutes)}"
    seen = _seen(phase, candidate)
    if seen >= wish.requests:
        return ""
    some = phase.compared if candidate.stage == "shadow" else phase.requests.champion + phase.requests.candidate
    if hours >= wish.patience and some > 0:
        return ""
    patience = f"or, once there is one, {figure(wish.patience)} hours in this stage"
    return f"{_requests(wish.requests - seen)} more of at least {wish.requests}, {patience}"


def _seen(phase: Phase, candidate: Candidate) -> float:
    """The requests that count for leaving a stage: those that the candidate answered, or ran beside."""
    return phase.requests.candidate if candidate.stage == "canary" else phase.compared


def _phase(evidence: Evidence, candidate: Candidate) -> Phase:
    """The phase that the live pointer is in."""
    for phase in reversed(evidence.phases):
        if (phase.stage, phase.share, phase.since) == (candidate.stage, candidate.share, candidate.since):
            return phase
    return Phase(candidate.stage, candidate.share, candidate.since)


def _hours(candidate: Candidate, now: datetime) -> float:
    return (now - datetime.fromisoformat(candidate.since)) / timedelta(hours=1)


def _decision(
    move: Move,
    candidate: Candidate,
    reason: str,
    waits_for: str = "",
    *,
    stage: Stage | None = None,
    share: float = 0.0,
) -> Decision:
    if stage is None:
        return Decision(move, candidate.stage, candidate.share, shortened(reason), waits_for)
    return Decision(move, stage, share, shortened(reason), waits_for)


def _by_stream(evidence: Evidence) -> dict[Stream, float]:
    found = logarithms(evidence.streams)
    return {name: found[name] for name in WEIGHTS if name in found}


def _differently(evidence: Evidence) -> str:
    return "otherwise than" if evidence.beyond is None else f"more than {figure(evidence.beyond)} away from"


def _e_value(logarithm: float) -> str:
    if logarithm > math.log(MOST_TOLD):
        return f"above {figure(MOST_TOLD)}"
    return figure(math.exp(logarithm), digits=3)


def _excess(tally: Tally) -> str:
    return figure(tally.hits / tally.trials if tally.trials else 0.0, digits=3)


def _percent(share: float | None) -> str:
    return "none" if share is None else f"{figure(share * 100, digits=3)} %"


def _requests(number: float) -> str:
    shown = figure(round(number)) if number >= 10 or number == round(number) else figure(number, digits=2)
    return f"{shown} {'request' if shown == '1' else 'requests'}"
