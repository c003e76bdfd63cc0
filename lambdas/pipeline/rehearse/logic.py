"""What a rehearsal comes to: both versions answer the same rows, and the tests of a rollout look at the pairs."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from dropforge.contract.captures import Captured, Paired
from dropforge.metrics.decision import objection
from dropforge.metrics.evidence import begun, fold

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from dropforge.contract.rollouts import Disagreement, Evidence, RolloutWish
    from lambdas.pipeline.rehearse.deployed import Reply
    from lambdas.pipeline.rehearse.rows import Row

REPLAYS = 2
"""How often a row is asked again that the candidate alone failed on."""

SECONDS = 180.0
"""After so many, no further row is asked: what was seen until then decides."""


class Answering(Protocol):
    """Whatever answers a row with a version."""

    def answer(self, version: str, row: Mapping[str, Any]) -> Reply:
        """The version's answer."""


def refusal(
    model: str,
    candidate: str,
    champion: str,
    rows: Sequence[Row],
    function: Answering,
    wish: RolloutWish,
    holdout: Disagreement | None,
) -> tuple[str, Evidence]:
    """Why the candidate is refused (empty if it is not), and what was seen.

    Args:
        model: its name.
        candidate: its version on trial.
        champion: the version that serves; empty where none does, and then failures alone are looked for.
        rows: that both answer, in order.
        function: the deployed function.
        wish: the owner's limits.
        holdout: how often the two differed on the hold-out.
    """
    evidence = begun(model, candidate, champion, wish, holdout)
    if rows:
        for version in filter(None, (champion, candidate)):
            function.answer(version, rows[0].inputs)  # it loads the model, which no later request waits for
    began = time.monotonic()
    for at, row in enumerate(rows):
        if time.monotonic() - began > SECONDS:
            break
        ours, theirs = _both(candidate, champion, row, function, candidate_first=at % 2 == 1)
        fails_alone = bool(ours.code) and (theirs is None or not theirs.code)
        if fails_alone and all(function.answer(candidate, row.inputs).code for _ in range(REPLAYS)):
            evidence = replace(evidence, proof=_repeated(candidate, champion, row, ours))
            break
        if theirs is not None:
            evidence = fold(evidence, [_record(model, candidate, champion, at, row, ours, theirs)])
    return objection(evidence), evidence


def _both(
    candidate: str, champion: str, row: Row, function: Answering, *, candidate_first: bool
) -> tuple[Reply, Reply | None]:
    """Both replies; who is asked first changes, so that neither always finds what the other has warmed."""
    if not champion:
        return function.answer(candidate, row.inputs), None
    if candidate_first:
        ours = function.answer(candidate, row.inputs)
        return ours, function.answer(champion, row.inputs)
    theirs = function.answer(champion, row.inputs)
    return function.answer(candidate, row.inputs), theirs


def _repeated(candidate: str, champion: str, row: Row, reply: Reply) -> str:
    other = f", and version {champion} answers it" if champion else ""
    return (
        f"in the rehearsal, the deployed function failed on {row.name} with version {candidate} each of "
        f"{REPLAYS + 1} times ({reply.code!r}){other}"
    )


def _record(model: str, candidate: str, champion: str, at: int, row: Row, ours: Reply, theirs: Reply) -> Captured:
    """The pair of replies as a captured request to the champion."""
    pair = Paired(candidate, failure=ours.code, milliseconds=ours.milliseconds)
    if row.is_sample and not ours.code and not theirs.code:
        pair = Paired(
            candidate,
            milliseconds=ours.milliseconds,
            difference=_apart(ours.prediction, theirs.prediction),
            same=ours.prediction == theirs.prediction,
            prediction=ours.prediction,
        )
    return Captured(
        time=f"{at:08d}", model=model, version=champion, sandbox="rehearsal", sequence=at + 1, id=row.name,
        inputs=row.inputs, prediction=theirs.prediction, milliseconds=theirs.milliseconds, code=theirs.code,
        paired=pair,
    )  # fmt: skip


def _apart(one: Any, other: Any) -> float | None:
    """The distance of two numbers; None for classes."""
    numbers = all(isinstance(each, int | float) and not isinstance(each, bool) for each in (one, other))
    return abs(float(one) - float(other)) if numbers else None
