"""What goes wrong while fitting: a stop, a library that fails, files that vanish."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from training_container.budget import Budget
from training_container.checkpoints import Checkpoints
from training_container.driver import remaining_minutes
from training_container.models import lightgbm as lightgbm_family
from training_container.models.lightgbm import LightGBM
from training_container.models.linear import Ridge
from training_container.tasks.table.selection import CUT_NOTE, score, study

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Set

    from training_container.models.family import Fitted, Problem
    from training_container.progress import Progress


def test_what_a_stop_has_cut_is_grown_to_its_end_by_the_next_job(
    posed: Callable[[str], Set], quiet: Progress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fit(budget: Budget) -> tuple[Fitted, Problem]:
        problem = replace(posed("cars").problem, checkpoints=Checkpoints.open(tmp_path, {"run": "r"}))
        return LightGBM().fit(problem, budget, quiet), problem

    stopped, monitor = Budget(1), lightgbm_family.TrainingMonitor.__call__

    def told(self: lightgbm_family.TrainingMonitor, env: Any) -> None:
        if env.iteration == 3:
            stopped.cut()  # as SIGTERM does
        monitor(self, env)

    monkeypatch.setattr(lightgbm_family.TrainingMonitor, "__call__", told)
    cut, problem = fit(stopped)
    assert max(cut.settings["rounds"]) <= 5 and not list(tmp_path.rglob("*.done"))
    monkeypatch.undo()
    whole, _ = fit(Budget(1))
    assert min(whole.settings["rounds"]) > 20
    assert problem.better(whole.validation, cut.validation)


class Broken(LightGBM):
    """A family whose library fails."""

    def fit(self, *_: Any, **__: Any) -> Fitted:
        """Fails as CatBoost does where a fold has one target."""
        raise ValueError("All train targets are equal\nat pack.cpp:97")


def test_a_family_that_fails_is_no_reason_to_lose_the_others(posed: Callable[[str], Set], quiet: Progress) -> None:
    families = [(Ridge(), 0.1), (Broken("broken"), 0.2), (LightGBM(), 0.3)]
    done = study(posed("cars").dataset, metric=None, budget=Budget(0.2), seed=0, progress=quiet, search="none",
                 families=families)  # fmt: skip
    assert [trial.name for trial in done.trials] == ["linear", "lightgbm"]
    assert done.notes == ("broken could not be fitted and was left out: ValueError: All train targets are equal",)
    few = len(done.dataset.holdout)
    measured = score(
        done, done.chosen.fitted.answers[:few], lambda columns: np.zeros(len(next(iter(columns.values()))))
    )
    assert measured.notes[0] == done.notes[0]
    with pytest.raises(ValueError, match="All train targets are equal"):  # the first: there is nothing else
        study(posed("cars").dataset, metric=None, budget=Budget(0.2), seed=0, progress=quiet, families=families[1:])


def test_a_model_of_a_stopped_fit_says_so(posed: Callable[[str], Set], quiet: Progress) -> None:
    budget = Budget(1)
    budget.cut()
    done = study(posed("cars").dataset, metric=None, budget=budget, seed=0, progress=quiet)
    assert [trial.name for trial in done.trials] == ["linear"] and done.notes == (CUT_NOTE,)


def test_files_that_vanish_while_a_folder_is_emptied_fail_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SageMaker's agent puts marks like these beside files, and takes them away when it has copied them."""
    kept = Checkpoints.open(tmp_path, {"run": "r"})
    kept.keep("lightgbm/0.done", b"x")
    for mark in ("job.json.sagemaker-uploading", "lightgbm/0.done.sagemaker-uploaded"):
        (tmp_path / mark).touch()
    listed = list(tmp_path.iterdir())
    (tmp_path / "job.json.sagemaker-uploading").unlink()
    monkeypatch.setattr(type(tmp_path), "iterdir", lambda _: iter(listed))
    kept.clear()
    monkeypatch.undo()
    assert list(tmp_path.iterdir()) == []


def test_a_job_that_is_started_again_has_the_time_that_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("training_container.checkpoints.time", SimpleNamespace(monotonic=lambda: now[0]))

    def started() -> Checkpoints:
        return Checkpoints.open(tmp_path, {"run": "r"})

    first = started()
    now[0] += 60
    first.keep("lightgbm/0.done", b"x")
    now[0] += 30  # a kill: nobody knows of these
    second = started()
    assert second.spent == 60 and remaining_minutes(3.0, second.spent) == pytest.approx(2.0)
    now[0] += 200
    second.keep("lightgbm/1.done", b"x")
    assert remaining_minutes(3.0, started().spent) == pytest.approx(0.3)  # however often: enough for a model
    assert Checkpoints.open(tmp_path, {"run": "another"}).spent == 0 and remaining_minutes(3.0, 0.0) == 3.0


def test_folds_keep_side_by_side(tmp_path: Path) -> None:
    kept = Checkpoints.open(tmp_path, {"run": "r"})
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda at: [kept.keep(f"{at}.done", b"x" * at) for _ in range(50)], range(8)))
    assert [kept.read(f"{at}.done") for at in range(8)] == [b"x" * at for at in range(8)]
    assert not [path for path in tmp_path.iterdir() if path.suffix == ".partial"]
