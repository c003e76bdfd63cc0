"""A step that is recorded and replayed: a tape of torch's operations stands for a GPU's record of launches."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

from training_container.budget import Budget
from training_container.models import replay
from training_container.models.network import Settings
from training_container.models.packed_training import Trainer
from training_container.models.replay import UNRECORDED, Replay

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Set

    from training_container.models.packed_training import Trained
    from training_container.progress import Progress

COMPANY = [Settings(epochs=6, patience=6, width=24, bins=8, batch=32, rate=rate, dropout=0.2) for rate in (2e-3, 6e-3)]
CPU = torch.device("cpu")


class Tape(TorchDispatchMode):
    """Operations on the tensors that they were recorded with, as a GPU's graph plays them: numbers of the host stay."""

    def __init__(self) -> None:
        super().__init__()
        self.operations: list[tuple[Any, tuple[Any, ...], dict[str, Any], Any]] = []
        self.played = 0

    def __torch_dispatch__(self, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Does it, and notes it."""
        assert torch.Tag.data_dependent_output not in operation.tags, operation
        if torch.Tag.dynamic_output_shape in operation.tags:  # indexing, which waits for the device to count a mask
            assert not any(isinstance(each, torch.Tensor) and each.dtype == torch.bool for each in tree_leaves(args))
        made = operation(*args, **(kwargs or {}))
        self.operations.append((operation, *tree_map(_bare, (args, kwargs or {}, made))))
        return made

    @classmethod
    def record(cls, work: Callable[[], None]) -> Callable[[], None]:
        """The work is done once while it is noted, which the first play does not repeat."""
        tape = cls()
        with tape:
            work()
        tapes.append(tape)
        return tape.play

    def play(self) -> None:
        """Everything again, each result into the place that it had."""
        self.played += 1
        if self.played == 1:
            return
        for operation, args, kwargs, made in self.operations:
            again = operation(*args, **kwargs)
            for old, new in zip(tree_leaves(made), tree_leaves(again), strict=True):
                if isinstance(old, torch.Tensor) and old.data_ptr() != new.data_ptr():
                    old.copy_(new)


def _bare(value: Any) -> Any:
    """The same memory without a gradient's history."""
    return value.detach() if isinstance(value, torch.Tensor) else value


tapes: list[Tape] = []


@pytest.fixture
def recording(monkeypatch: pytest.MonkeyPatch) -> None:
    tapes.clear()
    monkeypatch.setattr(replay, "recorder", lambda _: Tape.record)


def trained(problem: object, quiet: Progress, leaves: int | None = None) -> list[Trained | None]:
    trainer = Trainer(problem, COMPANY, "neural")  # type: ignore[arg-type]
    trainer.run(Budget(1), quiet, lambda epoch, _: [1] if epoch == leaves else [])
    return trainer.trained()


@pytest.mark.parametrize("name", ["cars", "penguins"])
@pytest.mark.parametrize("leaves", [None, 2])
def test_a_replayed_course_ends_as_one_step_by_step(
    posed: Callable[[str], Set], quiet: Progress, name: str, leaves: int | None, request: pytest.FixtureRequest
) -> None:
    problem = posed(name).problem
    plain = trained(problem, quiet, leaves)
    request.getfixturevalue("recording")
    replayed = trained(problem, quiet, leaves)
    assert [tape.played > 5 for tape in tapes] == [True] * (1 if leaves is None else 2)  # a record a company
    for one, other in zip(plain, replayed, strict=True):
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            assert other.history.validation == pytest.approx(one.history.validation, rel=1e-5)
            torch.testing.assert_close(torch.cat(other.margins), torch.cat(one.margins))


@pytest.mark.usefixtures("recording")
def test_rate_and_batch_are_not_those_of_the_record(posed: Callable[[str], Set]) -> None:
    """A number of the host would stay what it was."""
    problem = posed("cars").problem
    trainer = Trainer(problem, COMPANY, "neural")
    steps = trainer.steps
    steps.lay(trainer.learn.repeat(2, 1))
    at = []
    for _ in range(steps.count):
        steps.step()
        at.append((int(steps.at), int(steps.optimizer.at)))
    assert tapes and at == [((step + 1) % steps.count, step + 1) for step in range(steps.count)]


def test_what_cannot_be_recorded_goes_on_step_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[int] = []

    def refused(_: Callable[[], None]) -> Callable[[], None]:
        raise RuntimeError("operation not permitted when stream is capturing")

    monkeypatch.setattr(replay, "recorder", lambda _: refused)
    repeated = Replay(lambda: done.append(1), CPU)
    for _ in range(UNRECORDED):
        repeated()
    with pytest.warns(UserWarning, match="not permitted when stream is capturing"):
        repeated()
    repeated()
    assert len(done) == UNRECORDED + 2


def test_a_record_is_made_once_and_anew_when_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    records, plays, done = [], [], []

    def record(work: Callable[[], None]) -> Callable[[], None]:
        records.append(work)
        return lambda: plays.append(1)

    monkeypatch.setattr(replay, "recorder", lambda _: record)
    repeated = Replay(lambda: done.append(1), CPU)
    for _ in range(2):
        for _ in range(UNRECORDED + 2):
            repeated()
        repeated.forget()
    assert (len(records), len(plays), len(done)) == (2, 4, 2 * UNRECORDED)


def test_a_cpu_records_nothing() -> None:
    assert replay.recorder(CPU) is None
    assert replay.recorder(torch.device("cuda")) is not None


def test_batches_are_even_and_hold_every_row(posed: Callable[[str], Set]) -> None:
    problem = posed("cars").problem
    trainer = Trainer(problem, [replace(COMPANY[0], batch=100)], "neural")
    trainer.steps.lay(trainer.learn)
    rows, steps = trainer.learn.shape[1], trainer.steps
    assert steps.batch <= 100 and steps.count * steps.batch - rows < steps.count
    for ensemble, learn in enumerate(trainer.learn):
        assert set(steps.order[:, ensemble].flatten().tolist()) == set(learn.tolist())
