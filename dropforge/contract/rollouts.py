"""How a version takes over: what the owner wishes, and the names of what a rollout stores.

The candidate itself stands in the live pointer (`models.Candidate`), since Predict reads nothing else.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import ClassVar, Literal, get_args

from dropforge.contract.documents import Document, Record, fields
from dropforge.contract.fitting import quoted
from dropforge.contract.models import Stage
from dropforge.contract.nearest import did_you_mean

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


def fault_in(value: object) -> str:
    """What is wrong with the `rollout` that a parsed spec.yaml holds, beyond the types of its values; empty if nothing.

    Args:
        value: what stands under the key; None if nothing does.
    """
    if value is None:
        return ""
    known = [each.name for each in fields(RolloutWish)]
    example = "`rollout: {mode: canary, by: customer_id}`"
    if not isinstance(value, Mapping):
        return f"expected keys and values such as {example}, got {quoted(value)}"
    unknown = [key for key in value if key not in known]
    if unknown:
        return f"unknown key {quoted(unknown[0])}; {did_you_mean(str(unknown[0]), known)}expected one of {known}"
    shares = value.get("shares", (1.0,))
    if isinstance(shares, list | tuple) and not _rises_to_one(shares):
        return f"shares: expected rising numbers above 0 that end with 1, such as [0.05, 0.25, 1], got {list(shares)}"
    for name, (least, most) in LIMITS.items():
        number = value.get(name)
        if isinstance(number, int | float) and not least <= number <= most:
            return f"{name}: expected a number from {least} to {most}, got {number}"
    return ""


LIMITS = {
    "requests": (1, 1_000_000), "minutes": (0, 10_080), "patience": (0, 8_760), "after": (0, 8_760),
    "slower": (1, 1_000), "differs": (0, 1),
}  # fmt: skip
"""The least and the most of the numbers of a `RolloutWish`."""


def _rises_to_one(shares: Sequence[object]) -> bool:
    """Whether these are rising numbers above 0 that end with 1; other types are refused elsewhere."""
    numbers = [share for share in shares if isinstance(share, int | float)]
    if len(numbers) < len(shares) or not numbers:
        return bool(shares)
    return numbers[0] > 0 and numbers[-1] == 1 and all(one < next for one, next in itertools.pairwise(numbers))


Stream = Literal["failures", "latency", "outputs", "constant", "losses"]
"""What a candidate is tested by, each by an e-process of its own; `metrics.evidence` says what each counts."""

STREAMS: tuple[Stream, ...] = get_args(Stream)

Move = Literal["wait", "advance", "refuse", "finish"]
"""What a look at the evidence decides. `advance`: to the stage and share that the decision names. `refuse`: the former
version answers everybody again. `finish`: nothing runs beside the live version any more."""

MOVES: tuple[Move, ...] = get_args(Move)


HandMove = Literal["begin", "advance", "promote", "pause", "resume", "abort"]
"""What a person does to a rollout. `begin`: a version shadows, or answers a share. `advance`: it answers a larger
share. `promote`: it takes all traffic, and the former version shadows it. `pause` keeps it where it stands and `resume`
lets it go on. `abort`: nothing runs beside the live version any more, whichever that is."""

HAND_MOVES: tuple[HandMove, ...] = get_args(HandMove)


class Disagreement(Record):
    """How often two versions differ on the same rows of a hold-out."""

    share: float
    """Of the rows, from 0 to 1."""
    rows: int
    beyond: float | None = None
    """Numbers: the absolute difference above which two answers count as different. None for classes."""


class Tally(Record):
    """What one e-process has seen. A request of N rows weighs as much as one row: its rows are no independent proof."""

    hits: float = 0.0
    """Observations that speak against the candidate."""
    trials: float = 0.0
    limit: float | None = None
    """The share of hits that is allowed; None while nothing is tested, since no limit is known."""
    wealth: tuple[float, ...] = ()
    """Of the stream `losses`: the logarithm of what each of its bets has become."""


class Arms(Record):
    """Figures of both versions; `candidate` is the one on trial, also once it has all traffic."""

    champion: float = 0.0
    candidate: float = 0.0


class Phase(Record):
    """One stage at one share, and what it has seen."""

    stage: Stage
    share: float
    since: str
    """When it began: UTC, ISO 8601."""
    requests: Arms = field(default_factory=Arms)
    """Requests that each version answered."""
    compared: float = 0.0
    """Requests that both versions ran."""
    units: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By version, the least hashes of those who were answered: as many as it takes to estimate how many there were."""


class Point(Record):
    """The evidence at one look, for pictures."""

    time: str
    requests: float
    """That both versions had run until then."""
    logarithm: float
    """The natural logarithm of the combined e-value."""
    differing: float | None
    """Share of the compared rows with another answer."""
    milliseconds: Arms
    """The medians."""


class Evidence(Document):
    """What a rollout has seen of both versions: small, whatever the traffic, and a look goes on from the last one."""

    SCHEMA: ClassVar[str] = "dropforge.evidence/1"

    model: str
    version: str
    """The version on trial."""
    against: str
    """The version that it is to replace."""
    slower: float
    beyond: float | None = None
    """As in `Disagreement`."""
    streams: dict[str, Tally] = field(default_factory=dict)
    phases: tuple[Phase, ...] = ()
    failures: Arms = field(default_factory=Arms)
    """Requests on which one version failed and the other did not."""
    compared: float = 0.0
    """Requests that both answered."""
    milliseconds: dict[str, dict[str, float]] = field(default_factory=dict)
    """By version: how many requests took how long, by the number of the step on a scale of logarithms."""
    ratios: dict[str, float] = field(default_factory=dict)
    """How many requests had which ratio of the two times, on the same scale."""
    proof: str = ""
    """The first failure of the candidate alone that repeated, in words; empty without one."""
    last: dict[str, str] = field(default_factory=dict)
    """Hashes of both versions' last answers, by version."""
    rows: tuple[str, ...] = ()
    """Hashes of the last rows, so that a row that is sent again and again counts once."""
    logarithm: float = 0.0
    """The natural logarithm of the combined e-value."""
    history: tuple[Point, ...] = ()


class Decision(Record):
    """What a look at the evidence says to do."""

    move: Move
    stage: Stage
    """The stage to be in from now on."""
    share: float
    """As in `models.Candidate`: 0 unless the stage is `canary`."""
    reason: str
    """In words, with the figure and its limit."""
    waits_for: str = ""
    """In words; empty unless the move is `wait`."""


class RolloutState(Document):
    """What the looks at a rollout leave for the next one: `rollout.json` in the folder of the run on trial."""

    SCHEMA: ClassVar[str] = "dropforge.rollout/1"

    salt: str
    """Of the rollout: as in `models.Candidate`."""
    evidence: Evidence
    begun: str
    """When the rollout began: UTC, ISO 8601."""
    looked: str
    """When the last look was."""
    added: tuple[str, ...] = ()
    """Keys of the captured objects of the last hours that are in the evidence."""
    decision: Decision | None = None
    """What the last look decided; None before the first."""
