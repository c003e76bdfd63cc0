"""Why a training job left its place, what follows, and how the run tells of it.

A place is an instance type on spot or on demand. What stood in the way there is one of `OBSTACLES`: Reroute reads it
from the job's error, and everything else about it stands in this table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from dropforge.contract.documents import Record
from dropforge.contract.instances import Place
from dropforge.contract.remarks import remark

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dropforge.contract.remarks import Remark

GPU_NOT_SEEN = "GpuNotSeen"
"""How the reason of a job begins that stopped because its machine has a GPU which the trainer does not see."""
OUT_OF_MEMORY = "OutOfMemory"
"""How the reason of a job begins whose memory, or whose GPU's, was not enough."""

WITHOUT_GPU = "without_gpu"
"""Hyperparameter: what a job does that does not see the GPU of its machine, one of `WITHOUT_GPU_CHOICES`."""
WithoutGpu = Literal["fail-over", "train"]
WITHOUT_GPU_CHOICES: tuple[WithoutGpu, ...] = ("fail-over", "train")
"""`fail-over`: it ends at once, and the run goes on at a place without a GPU. `train`: it trains on the CPU of its
machine."""

Obstacle = Literal[
    "no_quota",
    "quota_in_use",
    "no_capacity",
    "no_spot",
    "unknown_type",
    "internal",
    "out_of_memory",
    "out_of_time",
    "gpu_not_seen",
]
Then = Literal["another", "same", "more_memory", "more_cores", "no_gpu"]
"""Where the run goes on: at another place, at the same one for a few times, or only at one that has more memory or
more cores, or has no GPU."""


class Fact(NamedTuple):
    """What is known of an obstacle."""

    then: Then
    passes: bool
    """Whether waiting may help, when no other place is left."""
    words: str
    """The rest of a sentence that begins with the place."""


OBSTACLES: dict[Obstacle, Fact] = {
    "no_quota": Fact("another", False, "has a quota of 0 in this account"),
    "quota_in_use": Fact("another", True, "had all of its quota in use"),
    "no_capacity": Fact("another", True, "had no machine free"),
    "no_spot": Fact("another", False, "was not available, or was taken away, until the longest wait was over"),
    "unknown_type": Fact("another", False, "does not exist in this region"),
    "internal": Fact("same", False, "failed with an error of SageMaker itself"),
    "out_of_memory": Fact("more_memory", False, "has too little memory for these data"),
    "out_of_time": Fact("more_cores", False, "did not finish within the time limit"),
    "gpu_not_seen": Fact("no_gpu", False, "has a GPU that the trainer could not use"),
}


class Hop(Record):
    """One reason for which a run left one place, or had to try there again."""

    instance_type: str
    spot: bool
    obstacle: str
    """One of `OBSTACLES`, or one that a newer version has added."""
    times: int = 1
    """How often it stood in the way there."""
    round: int = 0
    """The last round in which it did; a round ends when every place has been tried."""
    billable_seconds: int = 0
    """Of all jobs that ended so."""

    @property
    def place(self) -> Place:
        """The place that was left."""
        return Place(self.instance_type, self.spot)


def sentence(hop: Hop) -> str:
    """The hop as a clause: `ml.g6.xlarge on spot had no machine free`."""
    known: dict[str, str] = {name: fact.words for name, fact in OBSTACLES.items()}
    often = f" ({hop.times} times)" if hop.times > 1 else ""
    return f"{hop.place.name} {known.get(hop.obstacle, hop.obstacle)}{often}"


def clauses(hops: Iterable[Hop]) -> str:
    """The hops in words; places that one obstacle closed share a clause, so that the names of all of them fit."""
    alike: dict[tuple[str, int], list[Hop]] = {}
    for hop in hops:
        alike.setdefault((hop.obstacle, hop.times), []).append(hop)
    return "; ".join(sentence(same[0]) if len(same) == 1 else _shared(same) for same in alike.values())


def _shared(hops: Sequence[Hop]) -> str:
    """Hops of one obstacle as one clause."""
    first = hops[0].place.name
    return f"{', '.join(hop.place.name for hop in hops)}: each {sentence(hops[0]).removeprefix(first).lstrip()}"


def gpu_remark(instance_type: str, *, moved: bool) -> Remark:
    """The warning of a run whose job did not see the GPU of its machine."""
    then = "it went on at a place without a GPU" if moved else "it trained on the CPU of that machine, at a GPU's price"
    return remark(
        "gpu_not_seen",
        f"{instance_type} has a GPU, but the trainer could not use it: {then}. The image's CUDA and the machine's "
        "driver probably do not fit: build the training image for the driver, or deploy with places without a GPU.",
    )


def hop_remarks(hops: Iterable[Hop]) -> tuple[Remark, ...]:
    """What a run tells of the places that it left, the worst first."""
    every = tuple(hops)
    unseen = [hop for hop in every if hop.obstacle == "gpu_not_seen"]
    left = clauses(hop for hop in every if hop.obstacle != "gpu_not_seen")
    return (
        *(gpu_remark(hop.instance_type, moved=True) for hop in unseen),
        *([remark("place", f"Training was moved or repeated: {left}.")] if left else []),
    )


HOP_CODES = ("gpu_not_seen", "place")
"""The codes of the remarks that come from hops."""
