"""A rollout by the real rules: records are drawn, folded and decided upon, until it is refused or over."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dropforge.contract.captures import Captured, Paired
from dropforge.contract.models import Candidate
from dropforge.contract.rollouts import Arms, Evidence, Phase, RolloutWish
from dropforge.metrics.decision import decide
from dropforge.metrics.evidence import WEIGHTS, begun, fold, fold_losses, is_slower, logarithms
from dropforge.metrics.sequential import combined

if TYPE_CHECKING:
    from benchmarks.rollout.pairs import Pool

START = datetime(2026, 12, 1, tzinfo=UTC)
FAILED = "no_healthy_model"
CALLERS = 64
LOOK, LOOK_AFTER = 1 / 6, 1.0
"""Hours from one look to the next: before, and once the candidate has all traffic."""


@dataclass(frozen=True)
class Behaviour:
    """What the candidate does, by place in the pool: answers, milliseconds, and the rows that it fails on."""

    pool: Pool
    answers: list[Any]
    milliseconds: np.ndarray
    fails: np.ndarray
    """Bool [N]: rows on which it fails whenever it is asked."""
    errors: tuple[float, float] = (0.0, 0.0)
    """The chances that champion and candidate fail on a request without any reason in it."""

    @property
    def differing(self) -> np.ndarray:
        """Bool [N]: rows that it answers otherwise, by the rule of the evidence."""
        theirs, beyond = self.pool.champion, self.pool.holdout.beyond
        if beyond is None:
            return np.array([ours != other for ours, other in zip(self.answers, theirs, strict=True)])
        differing: np.ndarray = np.abs(np.array(self.answers) - np.array(theirs)) > beyond
        return differing


def honest(pool: Pool, errors: tuple[float, float] = (0.0, 0.0)) -> Behaviour:
    """The candidate as it was trained."""
    return Behaviour(pool, pool.candidate, pool.milliseconds[:, 1], np.zeros(len(pool.candidate), bool), errors)


class Outcome(NamedTuple):
    """How a rollout ended."""

    refused: bool
    reason: str
    stage: str
    requests: int
    """All that came until then."""
    failed: int
    """Requests that the candidate was to answer and that nobody answered."""


class Drawn(NamedTuple):
    """Requests, an array of each, [N]."""

    places: np.ndarray
    """In the pool."""
    callers: np.ndarray
    candidate: np.ndarray
    """Whether the candidate is to answer."""
    theirs: np.ndarray
    """Whether the champion fails."""
    ours: np.ndarray
    """Whether the candidate fails."""


class Simulation:
    """One rollout.

    Args:
        behaviour: of the candidate.
        rate: requests an hour.
        seed: of everything that is drawn.
        wish: the owner's rules.
        labels: the share of the requests whose true answer comes an hour later.
    """

    def __init__(
        self, behaviour: Behaviour, rate: float, seed: int, wish: RolloutWish | None = None, labels: float = 0.0
    ) -> None:
        self.behaviour, self.rate, self.labels = behaviour, rate, labels
        self.wish = wish or RolloutWish()
        self.chance = np.random.default_rng(seed)
        self.now, self.requests, self.failed = START, 0, 0
        stage, share = ("canary", self.wish.shares[0]) if self.wish.mode == "canary" else ("shadow", 0.0)
        self.pointer = Candidate("2", "run-2", "artifact", "0", stage, share, "salt", self._time())  # type: ignore[arg-type]
        self.evidence = begun("m", "2", "1", self.wish, behaviour.pool.holdout)
        pairs = zip(behaviour.milliseconds, behaviour.pool.milliseconds[:, 0], strict=True)
        self.slower = np.array([is_slower(ours, theirs, self.wish.slower) for ours, theirs in pairs])
        self.differing = behaviour.differing
        self.codes = _codes(behaviour.answers, behaviour.pool.champion)
        self.last = np.empty(0, int), np.empty(0, int)
        self.labelled: list[tuple[float, float]] = []

    def run(self, *, by_counts: bool = False) -> Outcome:
        """The rollout until it is refused or over; `by_counts` adds the sums of a look instead of its records."""
        while True:
            hours = LOOK_AFTER if self.pointer.stage == "after" else LOOK
            drawn = self._drawn(int(self.chance.poisson(self.rate * hours)))
            self.evidence = self._counted(drawn) if by_counts else self._folded(drawn, hours)
            self.now += timedelta(hours=hours)
            self.requests += len(drawn.places)
            self.failed += int((drawn.candidate & drawn.ours & drawn.theirs).sum())
            decision = decide(self.evidence, self.wish, self.pointer, self.now)
            if decision.move in ("refuse", "finish"):
                refused = decision.move == "refuse"
                return Outcome(refused, decision.reason, self.pointer.stage, self.requests, self.failed)
            if decision.move == "advance":
                self.pointer = replace(
                    self.pointer, stage=decision.stage, share=decision.share, since=self._time(),
                    version="1" if decision.stage == "after" else "2",
                )  # fmt: skip

    def _time(self, more: timedelta = timedelta()) -> str:
        return (self.now + more).isoformat(timespec="microseconds")

    def _drawn(self, count: int) -> Drawn:
        """So many requests."""
        callers = self.chance.integers(CALLERS, size=count)
        places = self.chance.integers(len(self.behaviour.answers), size=count)
        theirs, ours = (self.chance.random((count, 2)) < self.behaviour.errors).T
        stage = self.pointer.stage
        candidate = np.full(count, stage == "after") if stage != "canary" else callers / CALLERS < self.pointer.share
        return Drawn(places, callers, candidate, theirs, ours | self.behaviour.fails[places])

    def _folded(self, drawn: Drawn, hours: float) -> Evidence:
        """The evidence with records of these requests, one by one."""
        count = len(drawn.places)
        rows = zip(*(each.tolist() for each in drawn), strict=True)
        records = [self._record(at, timedelta(hours=hours * at / count), *row) for at, row in enumerate(rows)]
        evidence = fold(self.evidence, records, self.pointer)
        due, self.labelled = self.labelled, []
        for place in drawn.places[self.chance.random(count) < self.labels] if self.labels else ():
            truth = self.behaviour.pool.truth[place]
            self.labelled.append((_loss(self.behaviour.answers[place], truth),
                                  _loss(self.behaviour.pool.champion[place], truth)))  # fmt: skip
        return fold_losses(evidence, due) if due else evidence

    def _record(
        self, at: int, when: timedelta, place: int, caller: int, candidate: bool, theirs: bool, ours: bool
    ) -> Captured:
        """One request: who answers, and what the other one did. Where one fails, the other answers in its place."""
        behaviour, stage = self.behaviour, self.pointer.stage
        answers = {"1": behaviour.pool.champion[place], "2": behaviour.answers[place]}
        times = {"1": float(behaviour.pool.milliseconds[place, 0]), "2": float(behaviour.milliseconds[place])}
        fails = {"1": theirs, "2": ours}
        version, other = ("2", "1") if candidate and not ours else ("1", "2")
        if stage == "canary" and not candidate:
            pair = None  # the candidate is not asked
        elif fails[other]:
            pair = Paired(other, failure=FAILED, repeated=other == "2" and bool(behaviour.fails[place]))
        else:
            pair = Paired(other, milliseconds=times[other], difference=_apart(answers["1"], answers["2"]),
                          same=answers["1"] == answers["2"], prediction=answers[other])  # fmt: skip
        failed = fails[version]
        return Captured(
            self._time(when), "m", version, "s", at + 1, id=f"p-{at}", unit=f"u{caller}",
            inputs=None if failed else {"row": self.requests + at}, prediction=None if failed else answers[version],
            milliseconds=times[version], code=FAILED if failed else "",
            arm="candidate" if version == "2" else "champion", stage=stage, paired=pair,
        )  # fmt: skip

    def _counted(self, drawn: Drawn) -> Evidence:
        """The evidence with the sums of these requests: what `fold` adds, without the records."""
        asked = drawn.candidate | (self.pointer.stage != "canary")
        both = drawn.places[asked & ~drawn.theirs & ~drawn.ours]
        alone = asked & (drawn.theirs ^ drawn.ours)
        mine, other = (np.concatenate([last, codes[both]]) for last, codes in zip(self.last, self.codes, strict=True))
        self.last = mine[-1:], other[-1:]
        changed = np.diff(other) != 0
        streams = dict(self.evidence.streams)
        for name, hits, trials in (
            ("failures", alone & drawn.ours, alone), ("latency", self.slower[both], both),
            ("outputs", self.differing[both], both), ("constant", changed & (np.diff(mine) == 0), changed),
        ):  # fmt: skip
            seen = float(trials.sum()) if trials.dtype == bool else len(trials)
            tally = streams[name]
            streams[name] = replace(tally, hits=tally.hits + float(hits.sum()), trials=tally.trials + seen)
        return replace(self.evidence, streams=streams, logarithm=combined(logarithms(streams), WEIGHTS),
                       phases=self._phases(drawn, int(asked.sum())))  # fmt: skip

    def _phases(self, drawn: Drawn, asked: int) -> tuple[Phase, ...]:
        """The phase of the pointer with these requests added."""
        before = self.evidence.phases[-1] if self.evidence.phases else None
        here = (self.pointer.stage, self.pointer.share, self.pointer.since)
        if before is None or (before.stage, before.share, before.since) != here:
            before = Phase(*here)
        by_candidate = drawn.candidate & ~drawn.ours
        requests = Arms(before.requests.champion + int((~by_candidate & ~drawn.theirs).sum()),
                        before.requests.candidate + int(by_candidate.sum()))  # fmt: skip
        return (replace(before, requests=requests, compared=before.compared + asked),)


def _codes(*answers: list[Any]) -> tuple[np.ndarray, ...]:
    """Equal numbers for equal answers."""
    known: dict[Any, int] = {}
    return tuple(np.array([known.setdefault(each, len(known)) for each in part]) for part in answers)


def _apart(one: Any, other: Any) -> float | None:
    return abs(one - other) if isinstance(one, float) and isinstance(other, float) else None


def _loss(answer: Any, truth: Any) -> float:
    """Zero or one for a class, the absolute error of a number."""
    return abs(answer - float(truth)) if isinstance(answer, float) else float(str(answer) != str(truth))
