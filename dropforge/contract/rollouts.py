"""How a version takes over: what the owner wishes, and the names of what a rollout stores.

The candidate itself stands in the live pointer (`models.Candidate`), since Predict reads nothing else.
"""

from __future__ import annotations

from typing import Literal, get_args

from dropforge.contract.documents import Record
from dropforge.contract.models import Stage

Mode = Literal["auto", "at-once", "shadow", "canary", "manual"]
"""`auto`: at once where nothing served or nobody asked within a day, and otherwise by shadow and canary. `at-once`: all
traffic in one move. `shadow`: it takes all traffic after it has shadowed. `canary`: shares without a shadow before.
`manual`: it shadows until somebody promotes it."""

MODES: tuple[Mode, ...] = get_args(Mode)
STAGES: tuple[Stage, ...] = get_args(Stage)


class RolloutWish(Record):
    """`rollout` of spec.yaml: how a new version takes over from the one that serves."""

    mode: Mode = "auto"
    by: str = ""
    """Whose requests stay with one version: a column of the data, or `header:` and a header's name. Empty for
    the caller's identity."""
    shares: tuple[float, ...] = (0.05, 0.25, 0.5, 1.0)
    """The candidate's share of all units, canary stage by canary stage, rising to 1."""
    requests: int = 50
    """Requests that a stage must have seen before it is left."""
    minutes: float = 10.0
    """The least time of a stage."""
    patience: float = 24.0
    """Hours after which a stage with fewer requests, but some, is left nevertheless."""
    after: float = 24.0
    """Hours for which the former version shadows once the new one has all traffic."""
    slower: float = 1.5
    """The latency ratio of candidate and champion above which it is refused."""
    differs: float | None = None
    """The share of rows with another answer than the champion's that refuses it; None for what was seen on the
    hold-out, with a margin."""
