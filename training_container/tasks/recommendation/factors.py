"""Bayesian matrix factorisation with implicit feedback, by Gibbs sampling: the strongest part, and no rate to tune.

A user's vector has a Gaussian prior whose mean depends on what the user rated at all (the implicit part that SVD++
adds; here linear in the user's implicit vector), and the same holds for items. Means, covariances, those linear maps
and the noise are sampled with the vectors, so regularisation comes from the data. Salakhutdinov and Mnih (2008) without
side information, Simm et al. (Macau, 2017) with it. The model's score is the mean over the samples, kept as one pair.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch

from training_container.tasks.recommendation.pairs import Pair, stacked
from training_container.tasks.recommendation.ratings import REAL, Ratings, sparse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from training_container.budget import Budget

SAMPLING_ROUNDS = 120
WARM_UP_ROUNDS = 30
"""Rounds with a smaller weight, by the square of their number: a chain begins at random."""

MEAN_RANK = 128
"""Dimensions of the mean over the samples."""

MERGED_SAMPLES = 4
"""Samples that are added up before they are truncated to `MEAN_RANK`."""

LINK_PENALTY = 0.1
"""The penalty on the links to the implicit vectors, as a share of the rows."""

USERS_AT_ONCE, ITEMS_AT_ONCE = 4_096, 16_384
"""Users whose sums and items whose products are in memory at once, and the other way round for items."""

FEWEST_ROUNDS = 4


@dataclass
class Side:
    """Users or items: their vectors with a bias last, and what their prior is made of."""

    known: Ratings
    """ImageModel from this side: `users` are its own codes."""
    features: torch.Tensor
    """Implicit vectors [count, F]."""
    vectors: torch.Tensor
    """[count, dimensions + 1]."""
    links: torch.Tensor
    """From implicit vector to prior mean, [F, dimensions + 1]."""
    slabs: list[tuple[int, int, list[tuple[int, int, torch.Tensor]]]]
    """(first, last, blocks) of `USERS_AT_ONCE` rows; a block is (first, last, ratings) of `ITEMS_AT_ONCE` columns."""

    @classmethod
    def start(cls, known: Ratings, features: torch.Tensor, dimensions: int, generator: torch.Generator) -> Side:
        """Small random vectors and no links."""
        count = known.user_count
        vectors = 0.1 * torch.randn(count, dimensions + 1, dtype=REAL, generator=generator)
        links = torch.zeros(features.shape[1], dimensions + 1, dtype=REAL)
        return cls(known, features, vectors, links, list(_slabs(known)))


def _slabs(known: Ratings) -> Iterator[tuple[int, int, list[tuple[int, int, torch.Tensor]]]]:
    for first in range(0, known.user_count, USERS_AT_ONCE):
        last = min(first + USERS_AT_ONCE, known.user_count)
        inside = ((known.users >= first) & (known.users < last)).nonzero().flatten()
        users, items, blocks = known.users[inside] - first, known.items[inside], []
        for begin in range(0, known.item_count, ITEMS_AT_ONCE):
            end = min(begin + ITEMS_AT_ONCE, known.item_count)
            here = ((items >= begin) & (items < end)).nonzero().flatten()
            ones = torch.ones(len(here), dtype=REAL)
            blocks.append((begin, end, sparse(users[here], items[here] - begin, ones, (last - first, end - begin))))
        yield first, last, blocks


@dataclass
class Chain:
    """One chain of samples under way; `state` and `restore` carry it over a kill, to the bit."""

    users: Side
    items: Side
    generator: torch.Generator
    precision: float = 1.0
    rounds: int = 0
    total: list[Pair] = field(default_factory=list)
    """Sum of the samples, each times its `_weight`, as the sum of these pairs."""
    noise: list[float] = field(default_factory=list)
    """Standard deviation of what is left, round by round."""
    seconds: float = 0.0
    """Seconds that the chain took before it was killed."""

    @classmethod
    def start(cls, known: Ratings, implicit: Pair, dimensions: int, seed: int) -> Chain:
        """A chain that has drawn nothing."""
        generator = torch.Generator().manual_seed(seed)
        users = Side.start(known, _evened(implicit.users), dimensions, generator)
        return cls(users, Side.start(known.turned(), _evened(implicit.items), dimensions, generator), generator)

    def draw(self) -> None:
        """Draws the sample of one round."""
        _draw_side(self.users, self.items, self.precision, self.generator)
        _draw_side(self.items, self.users, self.precision, self.generator)
        sample, known = _as_pair(self.users.vectors, self.items.vectors), self.users.known
        errors = known.values - known.mean - sample.scores(known.users, known.items)
        self.precision = _draw_gamma(1 + len(known) / 2, 1 + float(errors.square().sum()) / 2, self.generator)
        self.noise.append(self.precision**-0.5)
        self.rounds += 1
        self.total.append(sample.scaled(_weight(self.rounds)))
        if len(self.total) > MERGED_SAMPLES:
            self.total = [stacked(self.total).truncated(MEAN_RANK)]

    def mean(self) -> Pair:
        """The mean of the samples so far."""
        weight = sum(_weight(number) for number in range(1, self.rounds + 1))
        return stacked(self.total).truncated(MEAN_RANK).scaled(1 / weight)

    def state(self, seconds: float) -> bytes:
        """Everything that the next round depends on, and the seconds that it took."""
        out = io.BytesIO()
        torch.save({"vectors": (self.users.vectors, self.items.vectors), "links": (self.users.links, self.items.links),
                    "total": [(pair.users, pair.items) for pair in self.total], "noise": self.noise,
                    "generator": self.generator.get_state(), "precision": self.precision, "rounds": self.rounds,
                    "seconds": self.seconds + seconds}, out)  # fmt: skip
        return out.getvalue()

    def restore(self, content: bytes) -> None:
        """Resumes where `state` was taken."""
        stored = torch.load(io.BytesIO(content), weights_only=True)
        self.users.vectors, self.items.vectors = stored["vectors"]
        self.users.links, self.items.links = stored["links"]
        self.total = [Pair(*pair) for pair in stored["total"]]
        self.generator.set_state(stored["generator"])
        for name in ("noise", "precision", "rounds", "seconds"):
            setattr(self, name, stored[name])


def _weight(number: int) -> float:
    """The weight of a round's sample."""
    return min(number / WARM_UP_ROUNDS, 1.0) ** 2


def sample_factors(chain: Chain, budget: Budget, report: Callable[[float], None]) -> Pair:
    """The mean score over the samples of one chain, less the mean rating, as a pair of at most `MEAN_RANK` dimensions.

    Args:
        chain: that was begun; it is drawn to its end.
        budget: where it is short for all rounds, the chain has fewer, but for `FEWEST_ROUNDS`.
        report: called after every round with the share that is done.
    """
    begun, length = chain.rounds, SAMPLING_ROUNDS
    while chain.rounds < length:
        chain.draw()
        pace = budget.spent / (chain.rounds - begun)
        length = max(FEWEST_ROUNDS, min(SAMPLING_ROUNDS, chain.rounds + int(budget.left / max(pace, 1e-9))))
        report(min(1.0, chain.rounds / length))
    return chain.mean()


def _evened(vectors: torch.Tensor) -> torch.Tensor:
    """Columns of mean square 1, so that one penalty fits all links."""
    return vectors / vectors.square().mean(0).sqrt().clamp(min=1e-12)


def _as_pair(users: torch.Tensor, items: torch.Tensor) -> Pair:
    """Factors and biases as one pair: a user's bias meets 1, and 1 meets an item's."""
    ones = (torch.ones(len(users), 1, dtype=REAL), torch.ones(len(items), 1, dtype=REAL))
    return Pair(torch.cat([users, ones[0]], 1), torch.cat([items[:, :-1], ones[1], items[:, -1:]], 1))


def _draw_side(own: Side, other: Side, precision: float, generator: torch.Generator) -> None:
    """New links and vectors of `own`, given the other side."""
    mean, spread = _draw_prior(own.vectors - own.features @ own.links, generator)
    own.links = _draw_links(own.features, own.vectors - mean, spread, generator)
    prior = (mean + own.features @ own.links) @ spread
    design = torch.cat([other.vectors[:, :-1], torch.ones(len(other.vectors), 1, dtype=REAL)], 1)
    width = design.shape[1]
    aims = own.known.values - own.known.mean - other.vectors[own.known.items, -1]
    pulls = own.known.by_user(aims) @ design
    for first, last, blocks in own.slabs:
        inner = precision * _squares(blocks, design).reshape(last - first, width, width) + spread
        lower = torch.linalg.cholesky(inner)
        wanted = (precision * pulls[first:last] + prior[first:last])[:, :, None]
        noise = torch.randn(last - first, width, 1, dtype=REAL, generator=generator)
        drawn = torch.cholesky_solve(wanted, lower) + torch.linalg.solve_triangular(lower.mT, noise, upper=True)
        own.vectors[first:last] = drawn[:, :, 0]


def _squares(blocks: list[tuple[int, int, torch.Tensor]], design: torch.Tensor) -> torch.Tensor:
    """Sums of outer products of the vectors that each row rated, [rows, D²]."""
    width = design.shape[1]
    total = torch.zeros(blocks[0][2].shape[0], width * width, dtype=REAL)
    for begin, end, seen in blocks:
        part = design[begin:end]
        total += seen @ (part[:, :, None] * part[:, None, :]).reshape(end - begin, -1)
    return total


def _draw_prior(vectors: torch.Tensor, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean [D] and precision [D, D] of vectors [N, D] from their Normal-Wishart posterior."""
    count, width = vectors.shape
    weight = 2.0
    mean = vectors.mean(0)
    around = (vectors - mean).T @ (vectors - mean)
    inverse = torch.eye(width, dtype=REAL) + around + weight * count / (weight + count) * torch.outer(mean, mean)
    spread = _draw_wishart(inverse, width + count, generator)
    lower = torch.linalg.cholesky((weight + count) * spread)
    noise = torch.randn(width, 1, dtype=REAL, generator=generator)
    shift = torch.linalg.solve_triangular(lower.mT, noise, upper=True)[:, 0]
    return count * mean / (weight + count) + shift, spread


def _draw_wishart(inverse: torch.Tensor, freedom: int, generator: torch.Generator) -> torch.Tensor:
    """A precision matrix from Wishart(inverse⁻¹, freedom), by Bartlett's decomposition."""
    width = len(inverse)
    scale = torch.linalg.cholesky(torch.linalg.inv(inverse))
    lower = torch.tril(torch.randn(width, width, dtype=REAL, generator=generator), -1)
    for column in range(width):
        lower[column, column] = _draw_gamma((freedom - column) / 2, 0.5, generator) ** 0.5
    drawn: torch.Tensor = scale @ lower
    return drawn @ drawn.T


def _draw_links(
    features: torch.Tensor, vectors: torch.Tensor, spread: torch.Tensor, generator: torch.Generator
) -> torch.Tensor:
    """Links [F, D] from their posterior: a ridge regression of the vectors on the features, with its noise."""
    count, width = features.shape
    inner = features.T @ features + LINK_PENALTY * count * torch.eye(width, dtype=REAL)
    lower = torch.linalg.cholesky(inner)
    noise = torch.randn(width, len(spread), dtype=REAL, generator=generator)
    root = torch.linalg.cholesky(torch.linalg.inv(spread))
    drawn: torch.Tensor = torch.linalg.solve_triangular(lower.T, noise, upper=True) @ root.T
    return drawn + torch.cholesky_solve(features.T @ vectors, lower)


def _draw_gamma(shape: float, rate: float, generator: torch.Generator) -> float:
    """One value of Gamma(shape, rate); numpy draws it, for torch's own takes no generator."""
    seed = int(torch.randint(2**62, (1,), generator=generator))
    return float(np.random.default_rng(seed).standard_gamma(shape)) / rate
