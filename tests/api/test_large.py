"""A large model the whole way: its fast form is judged, registered, promoted, and what Predict loads."""

from __future__ import annotations

import json

import pytest

from dropforge.contract import names
from dropforge.inference.fast import FastFiles
from lambdas.api.predict import handler
from lambdas.pipeline.judge import fast_form
from tests.api.calls import post
from tests.serving.large import large
from tests.serving.little import little, trained, worse
from tests.steps.cloud import HANDLERS, Cloud

ROWS = little("regression").rows(5)


def served(cloud: Cloud) -> str:
    """A large model, live; its run."""
    run: str = cloud.claim("datasets/flowers/a.csv")["run"]
    made = little("regression", run, "flowers")
    answer = cloud.judged("regression", run, files=trained(made, **{names.MODEL_FILE: large(made)}))
    version = HANDLERS["register"]({"run": run, "model": "flowers", **answer}, None)["version"]
    assert HANDLERS["promote"]({"run": run, "model": "flowers", "version": version}, None)["outcome"] == "promoted"
    return run


def key(run: str, name: str) -> str:
    return names.RunFiles(run).key(name)


def test_predict_loads_the_fast_form_alone(cloud: Cloud) -> None:
    run = served(cloud)
    live, version = cloud.registry.live("flowers"), cloud.registry.version("flowers", "1")
    assert live is not None and version is not None and live.fast is not None
    verdict = json.loads(cloud.file(run, names.VERDICT_FILE))
    assert verdict["fast"] == live.fast.to_json() == version.to_json()["fast"]
    cloud.s3.delete_object(Bucket="artifacts", Key=live.artifact)
    reply = post(ROWS)
    assert reply.status == 200
    columns = {name: values[:5] for name, values in little("regression").columns.items()}
    assert reply.body["predictions"] == pytest.approx(little("regression").expected(columns).tolist(), rel=1e-5)
    assert handler.models().held.size > 8 * 2**20


@pytest.mark.parametrize("name", [names.FAST_GRAPH_FILE, names.FAST_WEIGHTS_FILE])
def test_a_changed_file_is_not_served(cloud: Cloud, name: str) -> None:
    run = served(cloud)
    body = bytearray(cloud.file(run, name))
    body[-1] ^= 1
    cloud.s3.put_object(Bucket="artifacts", Key=key(run, name), Body=bytes(body))
    assert post(ROWS).code == "no_healthy_model"


def test_another_onnxruntime_loads_the_model_file(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    run = served(cloud)
    for name in (names.FAST_GRAPH_FILE, names.FAST_WEIGHTS_FILE):
        cloud.s3.delete_object(Bucket="artifacts", Key=key(run, name))
    monkeypatch.setattr("onnxruntime.__version__", "9.9.9")
    assert post(ROWS).status == 200


def test_a_form_that_answers_otherwise_is_not_kept(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    other = FastFiles.of(large(worse(little("regression"))))
    monkeypatch.setattr(fast_form.FastFiles, "of", lambda _body: other)
    run = served(cloud)
    live = cloud.registry.live("flowers")
    assert live is not None and live.fast is None
    found = cloud.s3.list_objects_v2(Bucket="artifacts", Prefix=key(run, "fast/"))
    assert found["KeyCount"] == 0
    assert post(ROWS).status == 200
