"""Configurations of the neural family as one program: each ends as it would alone, whoever leaves before."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING

import optuna
import pytest
import torch

from training_container.budget import Budget
from training_container.checkpoints import Checkpoints
from training_container.models import neural
from training_container.models.adamw import WARM_UP_SHARE, PackedAdamW, PackedWeights
from training_container.models.network import PackedCore, Settings
from training_container.models.neural import Neural
from training_container.models.packed_training import Trained, Trainer
from training_container.tasks.table.tuning import Tuner, tune

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from conftest import Set

    from training_container.models.family import Family, Problem
    from training_container.progress import Progress

BASE = Settings(epochs=6, patience=6, width=24, bins=8, dropout=0.0)
COMPANY = [replace(BASE, rate=rate) for rate in (2e-3, 6e-3, 1e-3)]


def trained(problem: Problem, company: Sequence[Settings], quiet: Progress, **given: object) -> list[Trained | None]:
    trainer = Trainer(problem, company, "neural")
    trainer.run(Budget(1), quiet, **given)  # type: ignore[arg-type]
    return trainer.trained()


def alike(one: Trained | None, other: Trained | None) -> None:
    assert one is not None and other is not None
    assert one.history.validation == pytest.approx(other.history.validation, rel=1e-3)
    torch.testing.assert_close(torch.cat(one.margins), torch.cat(other.margins), rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize("name", ["cars", "penguins"])
@pytest.mark.parametrize("waves", [0, 4])
def test_a_configuration_ends_in_company_as_it_does_alone(
    posed: Callable[[str], Set], quiet: Progress, name: str, waves: int
) -> None:
    problem, company = posed(name).problem, [replace(each, waves=waves) for each in COMPANY]
    together = trained(problem, company, quiet)
    for settings, found in zip(company, together, strict=True):
        alike(found, trained(problem, [settings], quiet)[0])
    last = [found.history.validation[-1] for found in together if found is not None]
    assert len(set(last)) == 3  # the rates made a difference


def test_who_leaves_takes_nothing_from_the_others(posed: Callable[[str], Set], quiet: Progress) -> None:
    problem, told = posed("cars").problem, []

    def after(epoch: int, losses: Mapping[int, float]) -> list[int]:
        told.append((epoch, sorted(losses)))
        return [1] if epoch == 2 else []

    together = trained(problem, COMPANY, quiet, after=after)
    assert together[1] is None
    assert told == [(1, [0, 1, 2]), (2, [0, 1, 2]), *((epoch, [0, 2]) for epoch in range(3, 7))]
    for at in (0, 2):
        alike(together[at], trained(problem, [COMPANY[at]], quiet)[0])
    assert trained(problem, COMPANY, quiet, after=lambda _, losses: list(losses)) == [None] * 3


def test_patience_ends_each_for_itself(posed: Callable[[str], Set], quiet: Progress) -> None:
    """A high rate stops getting better long before a low one does."""
    patient = [replace(BASE, batch=32, average=0.5, epochs=40, patience=3, rate=rate) for rate in (5e-2, 5e-4)]
    wild, tame = trained(posed("cars").problem, patient, quiet)
    assert wild is not None and tame is not None
    assert len(wild.history.validation) < len(tame.history.validation)
    assert len(wild.history.validation) == len(wild.history.train)


def test_a_company_that_was_killed_goes_on(posed: Callable[[str], Set], quiet: Progress, tmp_path: Path) -> None:
    """One configuration had left it before."""
    problem = posed("cars").problem
    budget = Budget(1)

    def leaving(epoch: int, _: Mapping[int, float]) -> list[int]:
        return [0] if epoch == 2 else []

    def cut(epoch: int, losses: Mapping[int, float]) -> list[int]:
        if epoch == 4:
            budget.cut()
        return leaving(epoch, losses)

    whole = trained(problem, COMPANY, quiet, after=leaving)
    kept = replace(problem, checkpoints=Checkpoints.open(tmp_path, {"run": "one"}))
    Trainer(kept, COMPANY, "neural").run(budget, quiet, cut)
    resumed = trained(kept, COMPANY, quiet)
    assert resumed[0] is None
    for at in (1, 2):
        alike(resumed[at], whole[at])


def test_only_what_one_program_can_train_is_company(posed: Callable[[str], Set]) -> None:
    with pytest.raises(ValueError, match="differ in dropout, rate and decay alone"):
        Trainer(posed("cars").problem, [BASE, replace(BASE, width=32)], "neural")


def test_packed_steps_are_those_of_torch(posed: Callable[[str], Set]) -> None:
    """Each ensemble's as torch's AdamW takes them, with the clipping and the one-cycle schedule of torch."""
    problem = posed("penguins").problem
    torch.manual_seed(0)
    core = PackedCore(problem, BASE, 2)
    rates, decays = (2e-3, 8e-3), (0.1, 0.0)
    alone = [copy.deepcopy(core) for _ in rates]
    weights = PackedWeights(core, PackedWeights.of(core))
    packed = PackedAdamW(weights, torch.tensor(rates), torch.tensor(decays), 19)
    optimizers, schedules = [], []
    for each, rate, decay in zip(alone, rates, decays, strict=True):
        optimizers.append(torch.optim.AdamW(each.parameters(), lr=rate, weight_decay=decay))
        schedules.append(
            torch.optim.lr_scheduler.OneCycleLR(optimizers[-1], rate, total_steps=20, pct_start=WARM_UP_SHARE)
        )
    for step in range(18):
        dense = torch.randn(2, 16, core.features.width) * (30 if step % 2 else 1)  # some gradients are clipped
        codes = problem.rows.codes[: 2 * 16].reshape(2, 16, -1)
        packed.step(weights.gradient(core.margins(dense, codes).square().sum()))
        for at, each in enumerate(alone):
            optimizers[at].zero_grad()
            each.margins(dense, codes)[at].square().sum().backward()
            torch.nn.utils.clip_grad_norm_(each.parameters(), 1.0)
            optimizers[at].step()
        for schedule in schedules:
            schedule.step()
    for at, each in enumerate(alone):
        torch.testing.assert_close(weights.values[at], PackedWeights.of(each)[at], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("waves", [0, 8])
def test_a_trial_suggests_the_dials_of_its_flavour(waves: int) -> None:
    family, dials = Neural(replace(BASE, waves=waves)), {"waves", "frequency"} if waves else {"bins"}
    trial = optuna.create_study(sampler=optuna.samplers.RandomSampler(0)).ask()
    tuned = family.tuned(trial, "tuned")
    assert trial.params.keys() & {"waves", "frequency", "bins"} == dials
    assert family.grid().keys() == trial.params.keys() and set(family.shared) == {"width", "layers", *dials}
    assert bool(tuned.settings.waves) == bool(waves) and tuned.rival == family.rival


@pytest.mark.parametrize("search", ["tpe", "random", "grid"])
def test_trials_are_fitted_in_company(
    posed: Callable[[str], Set], quiet: Progress, search: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(neural.ENSEMBLES, "cpu", 15)
    fitted_together: list[list[Settings]] = []
    seen = Trainer.__init__

    def noted(self: Trainer, problem: Problem, configurations: Sequence[Settings], *given: object) -> None:
        fitted_together.append(list(configurations))
        seen(self, problem, configurations, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(Trainer, "__init__", noted)
    families: dict[str, Family] = {"neural": Neural(replace(BASE, epochs=3))}
    problem = posed("penguins").problem
    ((_, fitted, _),) = tune(problem, [("neural", 0.1)], families, search, Budget(0.1), quiet)  # type: ignore[arg-type]
    assert {len(each) for each in fitted_together} == ({1} if search == "grid" else {3})
    for company in fitted_together:
        assert len({each.program for each in company}) == 1
        assert len({each.rate for each in company}) == len(company)
    assert any(fitted.settings["rate"] == each.rate for company in fitted_together for each in company)


def test_trials_in_company_are_pruned_one_by_one(
    posed: Callable[[str], Set], quiet: Progress, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(neural.ENSEMBLES, "cpu", 15)
    problem = posed("penguins").problem

    class Second(optuna.pruners.BasePruner):
        def prune(self, _: optuna.Study, trial: optuna.trial.FrozenTrial) -> bool:
            return trial.number % 3 == 1

    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(0), pruner=Second())
    tuner = Tuner(problem, Neural(replace(BASE, epochs=3)), Budget(1), quiet)
    study.optimize(tuner.attempt, n_trials=2)
    assert [trial.state.name for trial in study.trials] == ["COMPLETE", "PRUNED", "COMPLETE"] * 2
    best = min(trial.value for trial in study.trials if trial.value is not None)
    assert tuner.best is not None and tuner.best.validation[problem.metric] == best
