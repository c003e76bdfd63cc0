"""What each stage of a rollout has seen: requests by version, and how many units they came from."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dropforge.contract.rollouts import Arms, Phase
from dropforge.metrics.sketches import hashed, keep_least, number_of

if TYPE_CHECKING:
    from dropforge.contract.captures import Captured


class PhaseSums:
    """The sums of one phase."""

    def __init__(self, phase: Phase) -> None:
        self.before = phase
        self.requests = [phase.requests.champion, phase.requests.candidate]
        self.compared = phase.compared
        self.units = {version: set(hashes) for version, hashes in phase.units.items()}

    def add(self, record: Captured, trial: str, weight: float) -> None:
        """Adds one record."""
        if record.paired is not None:
            self.compared += weight
        if record.code:
            return
        self.requests[record.version == trial] += weight
        if record.unit:
            kept = self.units.setdefault(record.version, set())
            kept.add(hashed(record.unit))
            keep_least(kept)

    def phase(self) -> Phase:
        """The sums as a record."""
        units = {version: tuple(sorted(kept)) for version, kept in self.units.items()}
        return replace(self.before, requests=Arms(*self.requests), compared=self.compared, units=units)


def units(phase: Phase, version: str | None = None) -> int:
    """How many units a phase has answered, by one version or by both: exact up to 127, estimated above."""
    return number_of(each for name, kept in phase.units.items() if version in (None, name) for each in kept)
