"""Judge: what is approved, what is refused and why, and what is nobody's verdict but a fault."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from dropforge.contract import names
from dropforge.contract.results import Verdict
from lambdas.common.artifacts import ArtifactFault
from tests.serving.little import TASKS, Little, golden, holdout, little, trained, worse
from tests.steps.cloud import HANDLERS, Cloud

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = "datasets/flowers/a.csv"


def verdict_of(cloud: Cloud, run: str) -> Verdict:
    return Verdict.from_json(json.loads(cloud.file(run, names.VERDICT_FILE)))


def judged_with(cloud: Cloud, task: str, change: Callable[[Little], dict[str, bytes]]) -> tuple[dict[str, Any], str]:
    run: str = cloud.claim(KEY)["run"]
    return cloud.judged(task, run, files=change(little(task, run))), run


def lines(rows: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


@pytest.mark.parametrize("task", TASKS)
def test_a_sound_model_is_approved_with_its_scores(cloud: Cloud, task: str) -> None:
    run = cloud.claim(KEY)["run"]
    assert cloud.judged(task, run) == {"outcome": "approved", "reason": "", "champion": ""}
    verdict, row = verdict_of(cloud, run), cloud.registry.run(run)
    assert verdict.parity is not None and verdict.parity <= 1e-5
    assert verdict.sha256 == little(task, run).sha256
    assert row.metrics == verdict.candidate and row.baseline == verdict.baseline
    assert verdict.candidate[verdict.metric] != verdict.baseline[verdict.metric]
    assert (verdict.champion, verdict.champion_version, verdict.notes) == (None, None, ())


@pytest.mark.parametrize("task", TASKS)
def test_answers_unlike_the_trainer_s_are_refused(cloud: Cloud, task: str) -> None:
    def shifted(made: Little) -> dict[str, bytes]:
        rows = golden(made)
        if task == "regression":
            rows[3]["prediction"] += 1.0
        else:
            rows[3]["prediction"] = next(each for each in made.card.classes if each != rows[3]["prediction"])
        return trained(made, **{names.GOLDEN_FILE: lines(rows)})

    answer, run = judged_with(cloud, task, shifted)
    assert answer["outcome"] == "refused" and "differs from the trained one" in answer["reason"]
    parity = verdict_of(cloud, run).parity
    assert parity is None if task != "regression" else parity is not None and parity > 1e-5


def test_probabilities_unlike_the_trainer_s_are_refused(cloud: Cloud) -> None:
    def shifted(made: Little) -> dict[str, bytes]:
        rows = golden(made)
        rows[0]["probabilities"]["0"] += 1e-3
        return trained(made, **{names.GOLDEN_FILE: lines(rows)})

    assert judged_with(cloud, "multiclass", shifted)[0]["outcome"] == "refused"


def test_no_better_than_the_baseline_is_refused(cloud: Cloud) -> None:
    def constant(made: Little) -> dict[str, bytes]:
        flat = replace(made, weights=np.zeros_like(made.weights), bias=made.bias + np.float32(1000))
        return trained(flat)

    answer, run = judged_with(cloud, "regression", constant)
    assert answer["outcome"] == "refused"
    assert "no better than the trivial baseline: rmse" in answer["reason"]
    assert cloud.registry.run(run).metrics["rmse"] > cloud.registry.run(run).baseline["rmse"]


@pytest.mark.parametrize("task", TASKS)
def test_worse_than_the_champion_is_refused_and_as_good_is_not(cloud: Cloud, task: str) -> None:
    cloud.serve(task, "flowers")
    run = cloud.claim("datasets/flowers/b.csv", b"more")["run"]
    assert cloud.judged(task, run)["outcome"] == "approved"
    verdict = verdict_of(cloud, run)
    assert verdict.champion_version == "1" and verdict.champion == pytest.approx(verdict.candidate)
    assert verdict.disagreement is not None and verdict.disagreement.share == 0
    assert verdict.disagreement.rows == verdict.rows and (verdict.disagreement.beyond is None) == (task != "regression")
    if task == "binary":
        return  # halved weights rank as before: the same AUC
    run = cloud.claim("datasets/flowers/c.csv", b"still more")["run"]
    answer = cloud.judged(task, run, files=trained(worse(little(task, run))))
    assert answer["outcome"] == "refused" and "worse than the live version 1" in answer["reason"]


@pytest.mark.parametrize("harm", ["no model", "no card", "not finite", "no row to explain with", "lost column"])
def test_a_model_that_cannot_be_served_is_refused(cloud: Cloud, harm: str) -> None:
    def harmed(made: Little) -> dict[str, bytes]:
        if harm == "no model":
            return trained(made, **{names.MODEL_FILE: b"no model"})
        if harm == "no card":
            return trained(made, **{names.MODEL_FILE: replace(made, broken={"card": None}).body})
        if harm == "not finite":
            nowhere = replace(made, weights=np.full_like(made.weights, np.nan))
            return trained(made, **{names.MODEL_FILE: nowhere.body})
        if harm == "no row to explain with":
            return trained(made, **{names.MODEL_FILE: replace(made, broken={"compared": {"x0": ()}}).body})
        rows = holdout(made)
        rows["columns"] = {name: values for name, values in made.columns.items() if name != "x1"}
        return trained(made, **{names.HOLDOUT_FILE: gzip.compress(json.dumps(rows).encode())})

    answer, run = judged_with(cloud, "regression", harmed)
    assert answer["outcome"] == "refused" and "cannot be served" in answer["reason"]
    version = HANDLERS["register"]({"run": run, "model": "flowers", **answer}, None)["version"]
    assert cloud.registry.versions("flowers")[0].outcome == "refused"
    told = {"execution": "exe-1", "run": run, "model": "flowers", "status": "refused", "reason": answer["reason"]}
    assert HANDLERS["notify"](told, None) == {"status": "refused"}
    assert version == "1" and "cannot be served" in cloud.messages()[0]["Message"]


def test_a_file_unlike_the_manifest_is_a_fault(cloud: Cloud) -> None:
    run = cloud.claim(KEY)["run"]
    files = trained(little("regression", run))
    with pytest.raises(ArtifactFault, match="expected SHA-256"):
        cloud.judged("regression", run, files={**files, names.MODEL_FILE: b"swapped"})


def test_another_run_s_files_are_a_fault(cloud: Cloud) -> None:
    run = cloud.claim(KEY)["run"]
    with pytest.raises(ArtifactFault, match="expected run-.* got run-0123456789abcdef"):
        cloud.judged("regression", run, files=trained(little("regression")))
