"""The gate: a live model is never replaced uncompared, and what is no better than a guess does not serve.

Each rule is tried without its wish, which must be named in the reason, and with it.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from dropforge.contract import names
from dropforge.contract.fitting import fitting, shortened
from dropforge.contract.results import Manifest, Metrics, Verdict
from dropforge.contract.schema import Column
from dropforge.contract.scores import Gain, Interval
from dropforge.contract.spec import DIFFERENCES, Replace, Spec
from lambdas.common.artifacts import Artifacts
from lambdas.pipeline.judge.handler import examine, result_fields
from tests.serving.little import Little, holdout, little, trained, worse

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.steps.cloud import Cloud


def dropped(
    cloud: Cloud, change: Callable[[Little], Little], *, task: str = "regression", **spec: Any
) -> dict[str, Any]:
    """Drops and judges a changed model under the wishes; the answer of Judge, its run, and the verdict."""
    run = cloud.claim(f"datasets/flowers/{change.__name__}-{len(spec)}.csv", repr((change, spec)).encode())["run"]
    answer = cloud.judged(task, run, files=trained(change(little(task, run))), spec=Spec(**spec))
    verdict = Verdict.from_json(json.loads(cloud.file(run, names.VERDICT_FILE)))
    return {**answer, "run": run, "verdict": verdict}


def same(model: Little) -> Little:
    return model


def carded(model: Little, **changes: Any) -> Little:
    return replace(model, card=replace(model.card, **changes))


def another_target(model: Little) -> Little:
    return carded(model, target="weight")


def a_class_more(model: Little) -> Little:
    """A class that no row has and no answer names."""
    weights = np.column_stack([model.weights, np.zeros(len(model.weights), np.float32)])
    bias = np.append(model.bias, np.float32(-20))
    return carded(replace(model, weights=weights, bias=bias), classes=(*model.card.classes, "9"))


def without(model: Little, column: str) -> Little:
    """The model of data that lack a column."""
    place = model.card.names.index(column)
    kept = [index for index in range(len(model.card.columns)) if index != place]
    columns = {name: values for name, values in model.columns.items() if name != column}
    smaller = replace(model, columns=columns, weights=model.weights[kept], means=model.means[kept],
                      bias=model.bias + model.weights[place] * model.means[place])  # fmt: skip
    return carded(smaller, columns=tuple(model.card.columns[index] for index in kept))


def without_x2(model: Little) -> Little:
    return without(model, "x2")


def x2_left_out(model: Little) -> Little:
    """The data have the column, and the model does not read it: callers may go on sending it."""
    return carded(without(model, "x2"), ignored=(*model.card.ignored, "x2"))


def with_a_new_column(model: Little) -> Little:
    """One column more, which says nothing."""
    columns = {"new": [float(row % 7) for row in range(len(model.target))], **model.columns}
    weights = np.vstack([np.zeros((1, model.weights.shape[1]), np.float32), model.weights])
    wider = replace(model, columns=columns, weights=weights, means=np.insert(model.means, 0, 0.0))
    return carded(wider, columns=(Column("new", "number"), *model.card.columns))


def other_words(model: Little) -> Little:
    """`x0` is a text that the live model, which reads numbers there, cannot read."""
    columns = {**model.columns, "x0": [f"about {value}" for value in model.columns["x0"]]}
    first, *others = model.card.columns
    weights = model.weights.copy()
    weights[0] = 0
    moved = model.bias + model.weights[0] * model.means[0]
    changed = replace(model, columns=columns, weights=weights, bias=moved)
    return carded(changed, columns=(Column(first.name, "category"), *others))


UNLIKE: list[tuple[Callable[[Little], Little], str, str, str]] = [
    (another_target, "regression", "target", "it predicts 'outcome' (regression), the new version predicts 'weight'"),
    (a_class_more, "multiclass", "classes", "the classes differ: the new version adds '9'"),
    (without_x2, "regression", "columns", "it reads 'x2', which the new data lack"),
    (other_words, "regression", "uncompared", "it cannot answer the new hold-out rows"),
]


@pytest.mark.parametrize(("change", "task", "wish", "what"), UNLIKE, ids=[each[2] for each in UNLIKE])
def test_what_cannot_be_compared_is_refused_and_the_wish_overrules_it(
    cloud: Cloud, change: Callable[[Little], Little], task: str, wish: str, what: str
) -> None:
    cloud.serve(task, "flowers")
    refused = dropped(cloud, change, task=task)
    assert refused["outcome"] == "refused"
    assert what in refused["reason"] and f"`replace: {{{wish}: true}}` replaces it anyway" in refused["reason"]
    other = next(name for name in DIFFERENCES if name not in (wish, "worse"))
    assert dropped(cloud, change, task=task, replace=Replace(**{other: True}))["outcome"] == "refused"
    accepted = dropped(cloud, change, task=task, replace=Replace(**{wish: True, "worse": True}))
    assert accepted["outcome"] == "approved", accepted["reason"]
    assert what in accepted["reason"] and f"accepted by `replace: {{{wish}: true}}`" in accepted["reason"]


def test_another_task_is_refused_and_the_wish_overrules_it(cloud: Cloud) -> None:
    cloud.serve("multiclass", "flowers")
    refused = dropped(cloud, same)
    assert "its task is multiclass, the new version's is regression" in refused["reason"]
    assert refused["outcome"] == "refused"
    accepted = dropped(cloud, same, replace=Replace(task=True))
    assert accepted["outcome"] == "approved" and accepted["verdict"].champion is None


@pytest.mark.parametrize("harm", ["gone", "changed"])
def test_a_live_model_that_cannot_be_read_is_replaced_by_the_wish_alone(cloud: Cloud, harm: str) -> None:
    key = names.RunFiles(cloud.serve("regression", "flowers")).key(names.MODEL_FILE)
    if harm == "gone":
        cloud.s3.delete_object(Bucket="artifacts", Key=key)
    else:
        cloud.s3.put_object(Bucket="artifacts", Key=key, Body=b"other bytes")
    refused = dropped(cloud, same)
    assert refused["outcome"] == "refused" and "its file cannot be read" in refused["reason"]
    assert dropped(cloud, same, replace=Replace(uncompared=True))["outcome"] == "approved"


def test_a_worse_one_is_refused_and_the_wish_overrules_it(cloud: Cloud) -> None:
    cloud.serve("regression", "flowers")
    refused = dropped(cloud, worse)
    assert refused["outcome"] == "refused" and "worse than the live version 1: rmse" in refused["reason"]
    assert "`replace: {worse: true}` replaces it anyway" in refused["reason"]
    accepted = dropped(cloud, worse, replace=Replace(worse=True))
    assert accepted["outcome"] == "approved" and "approved anyway: worse than" in accepted["reason"]


def test_with_a_column_gone_the_live_model_is_compared_with_it_missing(cloud: Cloud) -> None:
    cloud.serve("regression", "flowers")
    verdict: Verdict = dropped(cloud, without_x2, replace=Replace(columns=True))["verdict"]
    live = little("regression")
    blind = live.expected({**live.columns, "x2": [None] * len(live.target)})
    assert verdict.champion is not None
    assert verdict.champion["rmse"] == pytest.approx(np.sqrt(np.mean((blind - np.array(live.target)) ** 2)), rel=1e-4)
    assert verdict.champion["rmse"] == pytest.approx(verdict.candidate["rmse"], rel=1e-4)


def test_a_column_that_is_only_not_read_is_no_lacking_one(cloud: Cloud) -> None:
    cloud.serve("regression", "flowers")
    answer = dropped(cloud, x2_left_out, replace=Replace(worse=True))
    assert answer["outcome"] == "approved" and answer["verdict"].champion is not None
    assert "was compared with 'x2' missing" in answer["reason"]


def test_callers_are_told_what_they_must_send_from_now_on(cloud: Cloud) -> None:
    cloud.serve("regression", "flowers")
    answer = dropped(cloud, with_a_new_column)
    assert answer["outcome"] == "approved" and "requests must now hold 'new'" in answer["reason"]
    assert cloud.registry.run(answer["run"]).notes[0].startswith("requests must now hold 'new'")


def test_numbers_that_another_version_keeps_as_texts_are_compared(cloud: Cloud) -> None:
    cloud.serve("regression", "flowers")

    def as_texts(model: Little) -> dict[str, bytes]:
        rows = holdout(model)
        rows["columns"] = {**rows["columns"], "x0": [str(value) for value in rows["columns"]["x0"]]}
        return trained(model, **{names.HOLDOUT_FILE: gzip.compress(json.dumps(rows).encode())})

    run = cloud.claim("datasets/flowers/b.csv", b"more")["run"]
    assert cloud.judged("regression", run, files=as_texts(little("regression", run)))["outcome"] == "approved"
    assert Verdict.from_json(json.loads(cloud.file(run, names.VERDICT_FILE))).champion is not None


def by_group(model: Little) -> Little:
    return carded(model, split="group:x0")


def test_a_live_version_whose_rows_were_split_otherwise_may_be_flattered(cloud: Cloud) -> None:
    cloud.serve("regression", "flowers")  # by content, as older cards do not say
    answer = dropped(cloud, by_group)
    assert answer["outcome"] == "approved"
    assert "the live version 1 were split by rows, those of the new version by group x0" in answer["reason"]
    assert "`replace: {worse: true}`" in answer["reason"]
    assert "were split by" not in dropped(cloud, same)["reason"]


def test_rows_of_groups_are_drawn_and_dealt_by_the_group(cloud: Cloud) -> None:
    """The same model and the same rows: what is sure of single rows is not, where they are three groups."""
    model = little("regression", "run-groups")
    rows = {**holdout(model), "groups": [row % 3 for row in range(len(model.target))]}
    run = cloud.claim("datasets/flowers/c.csv", b"groups")["run"]
    files = trained(little("regression", run), **{names.HOLDOUT_FILE: gzip.compress(json.dumps(rows).encode())})
    answer = cloud.judged("regression", run, files=files)
    gain = Verdict.from_json(json.loads(cloud.file(run, names.VERDICT_FILE))).gains["rmse"]
    assert answer["outcome"] == "refused" and gain.interval.low > 0
    assert gain.by_chance is not None and gain.by_chance > 0.025  # one order of three groups in six is as it was


def by_mean(model: Little) -> Little:
    """A model that answers the mean, whatever the row."""
    mean = np.float32(np.mean(model.target))
    return replace(model, weights=np.zeros_like(model.weights), bias=np.full_like(model.bias, mean))


def by_chance(model: Little) -> Little:
    """A model that reads one column, which has next to nothing to do with the target."""
    weights = np.zeros_like(model.weights)
    weights[-1] = 1.0
    return replace(by_mean(model), weights=weights, bias=by_mean(model).bias - np.float32(0.5))


@pytest.mark.parametrize("change", [by_mean, by_chance])
def test_what_may_be_a_guess_is_refused_and_the_wish_overrules_it(
    cloud: Cloud, change: Callable[[Little], Little]
) -> None:
    refused = dropped(cloud, change)
    assert refused["outcome"] == "refused" and "no better than the trivial baseline" in refused["reason"]
    assert "`unproven: true` lets it serve anyway" in refused["reason"]
    accepted = dropped(cloud, change, unproven=True)
    assert accepted["outcome"] == "approved" and "accepted by `unproven: true`" in accepted["reason"]
    assert not accepted["verdict"].gains["rmse"].is_sure


def test_a_gain_that_shuffled_answers_reach_too_is_no_proof() -> None:
    gain = Gain(0.5, Interval(0.1, 0.9), by_chance=0.2)
    assert not gain.is_sure and replace(gain, by_chance=0.005).is_sure and replace(gain, by_chance=None).is_sure


@pytest.mark.parametrize("task", ["regression", "binary", "multiclass"])
def test_stated_scores_lie_in_their_intervals_and_are_of_the_same_rows(cloud: Cloud, task: str) -> None:
    """The trainer's own figures are over other rows here, as in a hold-out of more than 20,000."""

    def fewer(model: Little) -> dict[str, bytes]:
        rows = holdout(model)
        rows["columns"] = {name: values[::3] for name, values in rows["columns"].items()}
        rows["target"] = rows["target"][::3]
        return trained(model, **{names.HOLDOUT_FILE: gzip.compress(json.dumps(rows).encode())})

    run = cloud.claim("datasets/flowers/a.csv")["run"]
    cloud.judged(task, run, files=fewer(little(task, run)))
    row, verdict = cloud.registry.run(run), Verdict.from_json(json.loads(cloud.file(run, names.VERDICT_FILE)))
    trainers = json.loads(cloud.file(run, names.METRICS_FILE))
    assert verdict.rows == len(little(task).target[::3])
    assert verdict.baseline[verdict.metric] != trainers["baseline"][verdict.metric] or verdict.metric == "auc"
    for name, value in row.metrics.items():
        assert row.intervals[name].low <= value <= row.intervals[name].high
        assert row.gains[name].value == pytest.approx(abs(value - row.baseline[name]) * np.sign(row.gains[name].value))


def test_a_run_of_2000_columns_with_long_names_fits_into_its_row_and_its_payload() -> None:
    """DynamoDB takes rows of 400 KB, Step Functions payloads of 256 KB; what is cut is counted."""
    columns = [f"c{at} " + "ü" * 300 for at in range(2_000)]
    profile = {
        "told": [f"Dates such as 05/03/2024 in {name!r} are read with the day first." for name in columns],
        "suspects": [{"column": name, "why": "it is named like the target 'ü'", "score": None} for name in columns],
    }
    made = little("regression")
    files = trained(made, **{names.PROFILE_FILE: json.dumps(profile).encode()})
    manifest = Manifest.from_json(json.loads(files[names.MANIFEST_FILE]))
    metrics = Metrics.from_json(json.loads(files[names.METRICS_FILE]))
    digest = manifest.files[names.MODEL_FILE].sha256
    found = result_fields(examine(metrics, digest, files, None, Artifacts("none"), Spec()), metrics, files, ())
    assert len(json.dumps(found, ensure_ascii=False).encode()) < 200_000
    assert 50 < len(found["suspects"]) < 2_000 and found["suspects"] == profile["suspects"][: len(found["suspects"])]
    assert found["notes"][0] == profile["told"][0]
    assert found["notes"][-1] == f"{2_000 - len(found['suspects']):,} further leakage suspects are in profile.json."
    assert found["notes"][-2] == f"{2_001 - (len(found['notes']) - 2):,} further notes are in the report."
    long = shortened("; ".join(columns))
    assert len(json.dumps(long).encode()) < 30_000 and long.startswith(columns[0])
    assert fitting([1, "a", None]) == [1, "a", None] and shortened("x") == "x"


def test_verdict_notes_and_suspects_stand_in_the_run_and_in_the_report(cloud: Cloud) -> None:
    cloud.serve("regression", "flowers")
    answer = dropped(cloud, worse)
    row, page = cloud.registry.run(answer["run"]), cloud.file(answer["run"], names.REPORT_FILE).decode()
    assert [suspect.column for suspect in row.suspects] == ["x3"]
    assert "Only a few hold-out rows" in row.notes[-1]
    assert "This version may not serve." in page and names.VERDICT_MARK not in page
    assert "worse than the live version 1" in page and "replace: {worse: true}" in page
    manifest = json.loads(cloud.file(answer["run"], names.MANIFEST_FILE))
    assert manifest["files"][names.REPORT_FILE]["size"] == len(page.encode())
