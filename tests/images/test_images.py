"""The image trainer on scikit-learn's digits: it learns, resumes after a kill, keeps its budget, exports, proves."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch
from sklearn.datasets import load_digits

from dropforge.contract.parity import TOLERANCE
from dropforge.contract.schema import ImageInput
from training_container.checkpoints import Checkpoints
from training_container.export.runtime import Runtime
from training_container.faults import ParityFault
from training_container.progress import Progress
from training_container.tasks.images import fit as fitting
from training_container.tasks.images import graph
from training_container.tasks.images.augment import Augmentation
from training_container.tasks.images.checkpoint import CHECKPOINT_FILE, RunCheckpoint
from training_container.tasks.images.fit import Run, finished, fit
from training_container.tasks.images.network import Answering
from training_container.tasks.images.recipe import Recipe
from training_container.tasks.images.sets import ImageSet, Pictures
from training_container.tasks.images.state import RunState
from training_container.tasks.images.steps import Learner, Material, one_cycle

CPU = torch.device("cpu")
RECIPE = Recipe(width=8, threads=1, half=False)


@pytest.fixture(scope="module")
def digits() -> ImageSet:
    data = load_digits()
    every = Pictures((data.images * 15.9).astype(np.uint8)[..., None], data.target.astype(np.int64))
    order = np.random.default_rng(0).permutation(len(every))
    parts = (every.take(part) for part in (order[:1150], order[1150:1437], order[1437:]))
    return ImageSet(tuple("0123456789"), ImageInput(8, 8, 1), *parts, counts={})


@pytest.fixture(scope="module")
def fitted(digits):
    torch.manual_seed(1)
    return fit(digits, minutes=0.15, seed=0, progress=Progress(), device=CPU)


def test_it_learns_within_its_budget(digits, fitted):
    """How much it learns in nine seconds is the machine's affair; guessing would be right in one of ten."""
    assert fitted.seconds <= 1.1 * 0.15 * 60 + 2
    assert fitted.validation["accuracy"] > 0.5
    answers = graph.native(fitted, digits.holdout.pixels)
    assert (answers.argmax(axis=1) == digits.holdout.codes).mean() > 0.5


def test_the_graph_answers_as_the_network(digits, fitted):
    card = graph.card_of("digits", "run-0", digits)
    model = graph.build(card, fitted)
    proof, answers = graph.prove(model.SerializeToString(), card, fitted, digits.holdout)
    assert proof.largest <= 1e-5
    assert proof.rows == len(digits.holdout) + 11
    assert answers.sum(axis=1) == pytest.approx(np.ones(len(digits.holdout)), abs=1e-5)
    (entry,) = model.graph.input
    shape = entry.type.tensor_type.shape.dim
    assert entry.type.tensor_type.elem_type == onnx.TensorProto.UINT8
    assert (shape[0].dim_param, [each.dim_value for each in shape[1:]]) == ("N", [8, 8, 1])
    assert Runtime(model.SerializeToString(), card).session.get_modelmeta().custom_metadata_map["dropforge.card"]


def test_another_network_is_no_match(digits, fitted):
    card = graph.card_of("digits", "run-0", digits)
    model = graph.build(card, fitted).SerializeToString()
    with pytest.raises(ParityFault, match=r"(?s)hold-out picture .* apart"):
        graph.prove(model, card, replace(fitted, temperature=fitted.temperature * 1.01), digits.holdout)


def test_norms_are_folded_before_the_graph_is_made(digits, fitted):
    """By us, so that the network that proves the graph has the graph's own weights, rounded once."""
    pixels = torch.from_numpy(digits.holdout.pixels)
    body = Answering(fitted.network, fitted.temperature)
    assert not [part for part in body.modules() if isinstance(part, torch.nn.BatchNorm2d)]
    with torch.no_grad():
        trained = torch.softmax(fitted.network.eval()(pixels) / fitted.temperature, dim=1)
        torch.testing.assert_close(body.eval()(pixels), trained, rtol=1e-4, atol=1e-5)
    core = graph._core(body, (8, 8, 1))
    kept = {each.name.removeprefix("df.body."): onnx.numpy_helper.to_array(each) for each in core.initializer}
    for name, weights in body.state_dict().items():
        if "norm" not in name and name in kept:
            np.testing.assert_array_equal(kept[name], weights.numpy())
    assert sum(name in kept for name in body.state_dict()) > 10


def test_what_torch_rounds_is_no_fault_of_the_graph(digits, fitted, monkeypatch):
    card = graph.card_of("digits", "run-0", digits)
    model, native = graph.build(card, fitted).SerializeToString(), graph.native

    def rough(fitted, pixels, precision=torch.float32):
        answers = native(fitted, pixels, precision)
        return answers * (1 + 1.5e-5) if precision == torch.float32 else answers

    monkeypatch.setattr(graph, "native", rough)
    assert graph.prove(model, card, fitted, digits.holdout)[0].largest <= TOLERANCE


def test_a_killed_run_ends_as_one_that_was_not(digits, tmp_path, monkeypatch):
    monkeypatch.setattr(fitting, "MOST_EPOCHS", 4)
    material = Material.of(digits, CPU)

    def run(place, stop_at=None):
        checkpoint = RunCheckpoint(Checkpoints(place))
        found = checkpoint.read()
        learner, state = Learner.fresh(material, RECIPE, 0), RunState()
        if found:
            state = checkpoint.restore(found, learner)
        made = Run(learner, state, checkpoint, 1e6, 0, Progress())  # so long that only the epochs count
        if stop_at is not None:
            monkeypatch.setattr(fitting, "SAVE_EVERY", -1.0)
            step, taken = learner.step, []

            def step_or_die(rows, share):
                if len(taken) == stop_at:
                    raise KeyboardInterrupt
                taken.append(share)
                return step(rows, share)

            monkeypatch.setattr(learner, "step", step_or_die)
        made.go()
        return finished(digits, learner, state, resumed=bool(found))

    whole = run(None)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, stop_at=35)  # in the middle of the second epoch
    monkeypatch.setattr(fitting, "SAVE_EVERY", 1e9)
    again = run(tmp_path)
    assert (whole.resumed, again.resumed) == (False, True)
    for one, other in zip(whole.network.parameters(), again.network.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-6)


def test_a_checkpoint_is_its_own_jobs_alone(digits, tmp_path):
    def opened(run):
        return RunCheckpoint(Checkpoints.open(tmp_path, {"run": run}))

    learner = Learner.fresh(Material.of(digits, CPU), RECIPE, 0)
    opened("one").write(learner, RunState(epoch=3))
    saved = opened("one").read()
    assert saved is not None
    assert saved["state"]["epoch"] == 3
    assert opened("other").read() is None
    assert opened("one").read() is None  # the other job emptied the folder
    (tmp_path / CHECKPOINT_FILE).write_bytes(b"torn")
    assert opened("one").read() is None


def test_augmented_pictures_are_moved_flipped_and_cut():
    pixels = torch.arange(1, 17, dtype=torch.uint8).repeat(64, 16, 1)[..., None]  # each column is one value
    generator = torch.Generator().manual_seed(0)
    moved = Augmentation(flip=False, shift=1, cutout=0).apply(pixels, generator)
    assert moved.shape == pixels.shape
    assert {int(row) for row in moved[:, 8, 8, 0]} == {8, 9, 10}
    flipped = Augmentation(flip=True, shift=0, cutout=0).apply(pixels, generator)
    assert {int(row) for row in flipped[:, 0, 0, 0]} == {1, 16}
    cut = Augmentation(flip=False, shift=0, cutout=4).apply(pixels, generator)
    blank = (cut == 0).sum(dim=(1, 2, 3))
    assert 0 < int((blank > 0).sum()) < 64
    assert int(blank.max()) <= 16


def test_the_learning_rate_rises_and_falls():
    rates = [one_cycle(at / 100) for at in range(101)]
    assert max(rates) == pytest.approx(1.0)
    assert rates.index(max(rates)) == 20
    assert rates[-1] == pytest.approx(1e-3)


def test_time_is_spent_over_all_attempts(digits):
    learner = Learner.fresh(Material.of(digits, CPU), RECIPE, 0)
    start = time.monotonic()
    Run(learner, RunState(spent=50.0), RunCheckpoint(Checkpoints()), 52.0, 0, Progress()).go()
    assert time.monotonic() - start < 4.0
