"""Work that a GPU records once and then plays as a whole: hundreds of small launches become one (CUDA graphs).

What is recorded asks the device nothing, reads and writes the same tensors every time, and has no number of the host
that changes. On a CPU the same work is simply done.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

    Work = Callable[[], None]

UNRECORDED = 3
"""Times that the work is done before it is recorded: libraries choose their ways and make room then."""


class Replay:
    """Calls do the work: the first ones step by step, all further ones from the record, where the device has one."""

    def __init__(self, work: Work, device: torch.device) -> None:
        self.work, self.record = work, recorder(device)
        self.forget()

    def forget(self) -> None:
        """Records anew: the tensors are others now."""
        self.done = 0
        self.play: Work | None = None

    def __call__(self) -> None:
        """Does the work once."""
        if self.record is not None and self.play is None and self.done >= UNRECORDED:
            self._record(self.record)
        (self.play or self.work)()
        self.done += 1

    def _record(self, record: Callable[[Work], Work]) -> None:
        try:
            self.play = record(self.work)
        except RuntimeError as error:
            warnings.warn(f"expected a step that the GPU can record, got: {error}; it goes on launch by launch, which "
                          "is slower and answers alike", stacklevel=3)  # fmt: skip
            self.record = None


def recorder(device: torch.device) -> Callable[[Work], Work] | None:
    """How the device records; None where it does not."""
    return _cuda_graph if device.type == "cuda" else None


def _cuda_graph(work: Work) -> Work:
    """Records the work without doing it; the memory that it needs is the record's own."""
    graph, stream = torch.cuda.CUDAGraph(), torch.cuda.current_stream()
    chance = torch.cuda.default_generators[torch.cuda.current_device()]
    before = chance.clone_state()
    try:
        with torch.cuda.graph(graph, capture_error_mode="thread_local"):
            work()
    except RuntimeError:  # torch would stay on the record's stream, and go on drawing for it
        torch.cuda.set_stream(stream)
        chance.graphsafe_set_state(before)
        raise
    return graph.replay
