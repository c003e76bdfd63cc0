"""All parts of the recommender on one set of ratings; what is done is kept, so that a killed job goes on."""

from __future__ import annotations

import io
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import torch

from training_container.tasks.recommendation import parts
from training_container.tasks.recommendation.factors import Chain, sample_factors
from training_container.tasks.recommendation.pairs import Pair

if TYPE_CHECKING:
    from collections.abc import Callable

    from training_container.budget import Budget
    from training_container.checkpoints import Checkpoints
    from training_container.progress import Progress
    from training_container.tasks.recommendation.ratings import Ratings

CHAINS = (16, 24, 24)
"""Dimensions of the factor models; each has a seed of its own."""

MANY = 500_000
"""Ratings, beyond which one chain gets the time of all: a long chain is worth more than three short ones."""

IMPLICIT_RANK = 64
NEIGHBOUR_PENALTY = 100.0


@dataclass(frozen=True)
class Part:
    """One part, less the mean rating."""

    pair: Pair
    seconds: float = 0.0
    noise: list[float] = field(default_factory=list)
    """Of a chain: the standard deviation of what is left, by round."""

    def content(self) -> bytes:
        """What `read` reads."""
        out = io.BytesIO()
        torch.save({"users": self.pair.users, "items": self.pair.items, "seconds": self.seconds,
                    "noise": self.noise}, out)  # fmt: skip
        return out.getvalue()

    @classmethod
    def read(cls, content: bytes) -> Part:
        """The part that was kept."""
        stored = torch.load(io.BytesIO(content), weights_only=True)
        return cls(Pair(stored["users"], stored["items"]), stored["seconds"], stored["noise"])


@dataclass(frozen=True)
class Fitting:
    """What the parts are fitted to, and where they are kept."""

    known: Ratings
    seed: int
    checkpoints: Checkpoints
    phase: str
    """Folder among the checkpoints."""

    def parts(self, budget: Budget, progress: Progress) -> dict[str, Part]:
        """Every part by name; of a job that was stopped, those that there are."""
        known, seed = self.known, self.seed
        biases = self._part("biases", budget, lambda: Part(parts.biases(known)))
        neighbours = self._part("neighbours", budget, lambda: Part(
            parts.neighbours(known, biases.pair, NEIGHBOUR_PENALTY, seed)))  # fmt: skip
        implicit = self._part("implicit", budget, lambda: Part(parts.implicit(known, IMPLICIT_RANK, seed)))
        fitted = {"biases": biases, "neighbours": neighbours}
        chains = CHAINS if len(known) <= MANY else CHAINS[:1]
        for number, dimensions in enumerate(chains):
            if number and budget.stopped:
                break
            name, own = f"factors-{number + 1}", budget.part(1 / (len(chains) - number))
            within = progress.within(number / len(chains), (number + 1) / len(chains), model=name)
            start = (implicit.pair, dimensions, seed + number)
            fitted[name] = self._part(name, own, lambda: self._sampled(name, start, own, within))  # noqa: B023  # called at once
        return fitted

    def _part(self, name: str, budget: Budget, make: Callable[[], Part]) -> Part:
        """From the checkpoints where it was made before."""
        content = self.checkpoints.read(f"{self.phase}/{name}.done")
        if content is not None:
            return Part.read(content)
        before = budget.spent
        part = make()
        part = replace(part, seconds=part.seconds + budget.spent - before)
        if not budget.stopped:
            self.checkpoints.keep(f"{self.phase}/{name}.done", part.content())
        return part

    def _sampled(self, name: str, start: tuple[Pair, int, int], budget: Budget, progress: Progress) -> Part:
        """A chain from its start, or from where a killed job had come to."""
        chain, begun = Chain.start(self.known, *start), f"{self.phase}/{name}.begun"
        content = self.checkpoints.read(begun)
        if content is not None:
            chain.restore(content)

        def told(share: float) -> None:
            if chain.rounds % 10 == 0 or share == 1:
                progress.update(share, round=chain.rounds, noise=chain.noise[-1])
            if self.checkpoints.due(begun):
                self.checkpoints.keep(begun, chain.state(budget.spent))

        return Part(sample_factors(chain, budget, told), chain.seconds, chain.noise)
