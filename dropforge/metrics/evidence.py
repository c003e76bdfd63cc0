"""What captured predictions say of a version on trial, against the one that it is to replace.

`begun` makes the evidence of a rollout, and `fold` adds records to it. Five things are tested, each by an e-process of
`sequential`, at one level together:

- `failures`: of the requests on which exactly one of the two versions failed, more than half are the candidate's.
  Equal models fail equally often, whatever makes them fail.
- `latency`: in more than half of the requests the candidate took more than `slower` times as long, and longer by more
  than a caller could notice. Both ran the same rows in one process, so that load touches both; only the sign counts, so
  that a pause of the process is one request, however long it was.
- `outputs`: the answers differ in a larger share of the rows than the hold-out made expect.
- `constant`: where the other version's answer changed from one row to the next, the candidate's stayed the same in more
  than four of five cases. A constant answer agrees with most rows where one class is common: `outputs` may miss it.
- `losses`: with true labels, the candidate's loss is larger on average (`fold_losses`).

A failure that repeats when the row is replayed needs no statistics: it is kept as the `proof`.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from dropforge.contract.rollouts import Arms, Disagreement, Evidence, Phase, Point, RolloutWish, Tally
from dropforge.metrics.phases import PhaseSums
from dropforge.metrics.sequential import allowed, bet, combined, of_mean, of_share
from dropforge.metrics.sketches import count_in, hashed, median

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dropforge.contract.captures import Captured
    from dropforge.contract.models import Candidate
    from dropforge.contract.rollouts import Stream

WEIGHTS: dict[Stream, float] = {"failures": 0.3, "latency": 0.2, "outputs": 0.3, "constant": 0.1, "losses": 0.1}
"""How the stake is divided among the streams."""

STAYS = 0.8
"""Of the rows where the other version's answer changes, the share in which the candidate's may stay the same."""

NOTICED = 0.1
"""Milliseconds by which a slower candidate is slower at least. Small graphs take some hundredths of one, an answer over
the API takes many: that a graph takes .07 instead of .03 is no reason to keep a better model away."""

HALF = 0.5
TO_MILLISECONDS = 23
"""Characters of a time up to its milliseconds; as texts, they sort as the times do."""

MOST_ROWS = 256
"""Rows that are remembered, so that one that is sent again counts once."""

MOST_POINTS = 200
"""Points of the history; when there are more, every second one is left out."""


def begun(model: str, version: str, against: str, wish: RolloutWish, holdout: Disagreement | None = None) -> Evidence:
    """The evidence at the beginning of a rollout.

    Args:
        model: its name.
        version: the one on trial.
        against: the one that it is to replace.
        wish: the owner's limits.
        holdout: how often the two differed on the hold-out; without it, and without a limit in the wish, no limit for
            outputs is known, and they are not tested.
    """
    differs = wish.differs
    if differs is None and holdout is not None:
        differs = allowed(holdout.share, holdout.rows)
    limits: dict[Stream, float | None] = {
        "failures": HALF, "latency": HALF, "outputs": differs, "constant": STAYS, "losses": 0.0
    }  # fmt: skip
    return Evidence(
        model=model,
        version=version,
        against=against,
        slower=wish.slower,
        beyond=None if holdout is None else holdout.beyond,
        streams={name: Tally(limit=limit) for name, limit in limits.items()},
    )


def fold(evidence: Evidence, records: Iterable[Captured], candidate: Candidate | None = None) -> Evidence:
    """The evidence with these records added; records of other models and versions change nothing.

    Records that were added before must not come again. Whether they come one by one or all at once changes nothing but
    the history, which gets a point for each call that brought some.

    Args:
        evidence: of the looks before.
        records: those that have come since.
        candidate: the live pointer's, which says in which stage the rollout is since when.
    """
    sums = _Sums(evidence, candidate)
    for record in records:
        sums.add(record)
    return sums.evidence()


def fold_losses(evidence: Evidence, losses: Iterable[tuple[float, float]]) -> Evidence:
    """The evidence with pairs of losses added: the candidate's first, then the other version's, on the same row.

    Of each pair the difference divided by the sum is taken, from -1 to 1, so that no scale of losses is needed.
    """
    tally = evidence.streams["losses"]
    hits, trials, wealth = tally.hits, tally.trials, tally.wealth
    for ours, theirs in losses:
        value = (ours - theirs) / (ours + theirs) if ours + theirs > 0 else 0.0
        hits, trials, wealth = hits + value, trials + 1, bet(wealth, value)
    streams = {**evidence.streams, "losses": replace(tally, hits=hits, trials=trials, wealth=wealth)}
    return replace(evidence, streams=streams, logarithm=combined(logarithms(streams), WEIGHTS))


def is_slower(ours: float, theirs: float, slower: float) -> bool:
    """Whether a candidate that took so many milliseconds counts as slower than the other version."""
    return ours > slower * theirs and ours > theirs + NOTICED


def logarithms(streams: dict[str, Tally]) -> dict[str, float]:
    """The logarithm of each stream's e-value."""
    return {name: _of(name, tally) for name, tally in streams.items()}


def _of(name: str, tally: Tally) -> float:
    if tally.limit is None or tally.limit >= 1:
        return 0.0
    if name == "losses":
        return of_mean(tally.wealth)
    if tally.limit <= 0:  # no hit is allowed: the first one refuses
        return math.inf if tally.hits > 0 else 0.0
    return of_share(tally.hits, tally.trials, tally.limit)


class _Sums:
    """The sums of an evidence while records are added to them."""

    def __init__(self, evidence: Evidence, candidate: Candidate | None) -> None:
        self.before = evidence
        self.counted = {name: [tally.hits, tally.trials] for name, tally in evidence.streams.items()}
        self.failures = [evidence.failures.champion, evidence.failures.candidate]
        self.compared = evidence.compared
        self.milliseconds = {version: dict(steps) for version, steps in evidence.milliseconds.items()}
        self.ratios, self.last, self.rows = dict(evidence.ratios), dict(evidence.last), list(evidence.rows)
        self.known = set(self.rows)
        self.proof, self.time, self.count = evidence.proof, "", 0
        self.phases = [PhaseSums(phase) for phase in evidence.phases]
        if candidate is not None and not _is_in(evidence, candidate):
            self.phases.append(PhaseSums(Phase(candidate.stage, candidate.share, candidate.since)))

    def add(self, record: Captured) -> None:
        """Adds one record."""
        pair, versions = record.paired, (self.before.version, self.before.against)
        if record.model != self.before.model or record.version not in versions:
            return
        if pair is not None and (pair.version not in versions or pair.version == record.version):
            return
        weight = 1 / max(1, record.rows)
        self.count, self.time = self.count + 1, max(self.time, record.time)
        for phase in reversed(self.phases):
            if record.time[:TO_MILLISECONDS] >= phase.before.since[:TO_MILLISECONDS]:
                phase.add(record, self.before.version, weight)
                break
        if pair is None:
            return
        if record.code or pair.failure:
            self._add_failure(record, weight)
        else:
            self._add_answers(record, weight)

    def _add_failure(self, record: Captured, weight: float) -> None:
        """A request that one of the two failed on; those that both failed on say nothing."""
        pair = record.paired
        assert pair is not None
        if record.code and pair.failure:
            return
        whose = record.version if record.code else pair.version
        is_candidate = whose == self.before.version
        self.failures[is_candidate] += weight
        self._count("failures", is_candidate, weight)
        if is_candidate and pair.repeated and not record.code and not self.proof:
            self.proof = (
                f"version {whose} fails with {pair.failure!r} on the row of prediction {record.id or 'without an id'}, "
                f"each time that it is replayed, and version {record.version} answers it"
            )

    def _add_answers(self, record: Captured, weight: float) -> None:
        """A row that both answered."""
        pair = record.paired
        assert pair is not None
        self.compared += weight
        times = {record.version: record.milliseconds, pair.version: pair.milliseconds}
        ours, theirs = times[self.before.version], times[self.before.against]
        if ours > 0 and theirs > 0:
            self._count("latency", is_slower(ours, theirs, self.before.slower), weight)
            for version, time in times.items():
                count_in(self.milliseconds.setdefault(version, {}), time, weight)
            count_in(self.ratios, ours / theirs, weight)
        if record.inputs and not self._is_new(hashed(record.inputs)):
            return
        differs = self._differs(record)
        if differs is not None:
            self._count("outputs", differs, weight)
        self._compare_with_last(record, weight)

    def _differs(self, record: Captured) -> bool | None:
        """Whether the two answers count as different; None where nobody can tell."""
        pair = record.paired
        assert pair is not None
        if self.before.beyond is not None and pair.difference is not None:
            return pair.difference > self.before.beyond
        return None if pair.same is None else not pair.same

    def _compare_with_last(self, record: Captured, weight: float) -> None:
        """Whether the candidate's answer stayed while the other version's changed."""
        pair = record.paired
        assert pair is not None
        if record.prediction is None or pair.prediction is None:
            return
        answers = {record.version: hashed(record.prediction), pair.version: hashed(pair.prediction)}
        ours, theirs = self.before.version, self.before.against
        if self.last.keys() >= answers.keys() and answers[theirs] != self.last[theirs]:
            self._count("constant", answers[ours] == self.last[ours], weight)
        self.last = answers

    def _is_new(self, row: str) -> bool:
        if row in self.known:
            return False
        self.rows.append(row)
        self.known.add(row)
        if len(self.rows) > MOST_ROWS:
            self.known.discard(self.rows.pop(0))
        return True

    def _count(self, stream: Stream, hit: bool, weight: float) -> None:
        counted = self.counted[stream]
        counted[0] += weight * hit
        counted[1] += weight

    def evidence(self) -> Evidence:
        """The sums as a document."""
        streams = {name: replace(self.before.streams[name], hits=hits, trials=trials)
                   for name, (hits, trials) in self.counted.items()}  # fmt: skip
        after = replace(
            self.before,
            streams=streams,
            phases=tuple(phase.phase() for phase in self.phases),
            failures=Arms(*self.failures),
            compared=self.compared,
            milliseconds=self.milliseconds,
            ratios=self.ratios,
            proof=self.proof,
            last=self.last,
            rows=tuple(self.rows),
            logarithm=combined(logarithms(streams), WEIGHTS),
        )
        return replace(after, history=_with_point(after, self.time)) if self.count else after


def share_of(tally: Tally) -> float | None:
    """The share of hits; None without an observation."""
    return tally.hits / tally.trials if tally.trials else None


def _with_point(evidence: Evidence, time: str) -> tuple[Point, ...]:
    """The history with a point more, thinned out where it has grown too long."""
    times = Arms(*(median(evidence.milliseconds.get(version, {})) for version in (evidence.against, evidence.version)))
    point = Point(time, evidence.compared, evidence.logarithm, share_of(evidence.streams["outputs"]), times)
    history = (*evidence.history, point)
    return history if len(history) <= MOST_POINTS else history[::-2][::-1]


def _is_in(evidence: Evidence, candidate: Candidate) -> bool:
    """Whether the evidence's last phase is the one that the live pointer names."""
    here = (candidate.stage, candidate.share, candidate.since)
    return bool(evidence.phases) and here == (
        evidence.phases[-1].stage, evidence.phases[-1].share, evidence.phases[-1].since
    )  # fmt: skip
