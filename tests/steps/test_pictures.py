"""Pictures through the functions: dropped as a zip, inspected, trained, judged, promoted, asked in every way."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from dropforge.contract import names
from lambdas.pipeline.inspect.handler import handle as inspect
from tests.api.calls import post
from tests.steps.cloud import HANDLERS, Cloud
from tests.steps.test_other_tasks import train, verdict

if TYPE_CHECKING:
    from pathlib import Path

CLASSES = ("zero", "one", "two")


def files() -> dict[str, bytes]:
    """Real digits of three classes: 537 of them, one of which lies there twice, and one of which is broken."""
    data, found = load_digits(), {}
    for at, (pixels, label) in enumerate(zip(data.images, data.target, strict=True)):
        if label < len(CLASSES):
            out = io.BytesIO()
            Image.fromarray((pixels * 15.9).astype(np.uint8)).save(out, "PNG")
            found[f"digits/{CLASSES[label]}/{at}.png"] = out.getvalue()
    first = found["digits/zero/0.png"]
    return {**found, "digits/zero/copy.png": first, "digits/one/broken.png": first[:60], "__MACOSX/x": b"x"}


def zipped(content: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, body in content.items():
            archive.writestr(name, body)
    return out.getvalue()


def inspected(cloud: Cloud, body: bytes, spec: str = "") -> tuple[str, dict[str, Any]]:
    """The run and what Inspect says."""
    cloud.drop("datasets/digits/spec.yaml", spec.encode())
    run = cloud.claim("datasets/digits/digits.zip", body, execution=f"exe-{len(body)}-{len(spec)}")["run"]
    return run, inspect({"run": run, "model": "digits"}, None)


def test_a_zip_becomes_a_model_that_takes_pictures(cloud: Cloud, tmp_path: Path) -> None:
    content = files()
    run, answer = inspected(cloud, zipped(content), "budget: 0.1\n")
    assert (answer["outcome"], answer["task"], answer["target"]) == ("accepted", "multiclass", "class"), answer
    train(cloud, tmp_path, run)
    uri = f"s3://artifacts/{names.RunFiles(run).training}job/output/model/"
    job = {"job": "job-1", "instance_type": "ml.m5.xlarge", "billable_seconds": 90}
    judged = HANDLERS["judge"]({"run": run, "model": "digits", "artifacts_uri": uri, **job}, None)
    assert judged["outcome"] == "approved", judged
    check_evidence(cloud, run)
    version = HANDLERS["register"]({"run": run, "model": "digits", **judged}, None)["version"]
    promoted = HANDLERS["promote"]({"run": run, "model": "digits", "version": version}, None)
    assert promoted["outcome"] == "promoted"
    check_answers(content)


def check_evidence(cloud: Cloud, run: str) -> None:
    """What the trainer left, and that the judge scored the same."""
    found, trained = verdict(cloud, run), json.loads(cloud.file(run, names.METRICS_FILE))
    assert found["parity"] <= 1e-5
    assert found["candidate"] == pytest.approx(trained["holdout"], rel=1e-4)
    assert trained["rows"]["duplicates"] == trained["rows"]["unreadable"] == 1
    assert trained["holdout"]["accuracy"] > trained["baseline"]["accuracy"]
    assert set(trained["intervals"]) >= {"logloss", "accuracy"}
    assert any("could not be read" in note for note in trained["notes"])
    profile = json.loads(cloud.file(run, names.PROFILE_FILE))
    assert profile["image"] == {"height": 8, "width": 8, "channels": 1, "resize": "stretch-bilinear"}
    report = cloud.file(run, names.REPORT_FILE).decode()
    assert "digits/one/broken.png" in report and "Right and wrong" in report
    golden = [json.loads(line) for line in cloud.file(run, names.GOLDEN_FILE).splitlines()]
    bodies = [base64.b64decode(line["row"]["image"]) for line in golden]
    dropped = set(files().values())
    assert sum(body in dropped for body in bodies) >= 10


def check_answers(content: dict[str, bytes]) -> None:
    """As base64, and as the body itself; a table's rows and broken pictures are refused."""
    body = content["digits/two/2.png"]
    text = base64.b64encode(body).decode()
    rows = post({"rows": [{"image": text}, {"image": text, "class": "two"}]}, "digits")
    assert rows.status == 200, rows.body
    assert len(set(rows.body["predictions"])) == 1
    raw = post(text, "digits", "image/png", isBase64Encoded=True)
    assert raw.body["predictions"] == rows.body["predictions"][:1]
    assert raw.body["probabilities"][0] == pytest.approx(rows.body["probabilities"][0], abs=1e-6)
    assert set(raw.body["probabilities"][0]) == set(CLASSES)
    refused = [
        (post([{"image": "%%%"}], "digits"), 422, "not_base64"),
        (post([{"area": 3}], "digits"), 422, "missing_column"),
        (post("", "digits", "image/png"), 400, "empty"),
        (post("text", "digits", "image/png"), 422, "not_a_picture"),
        (post("text", "digits", "image/tiff"), 415, "content_type"),
    ]
    assert [(reply.status, reply.code) for reply, *_ in refused] == [(status, code) for _, status, code in refused]


def test_a_table_s_model_refuses_a_picture_by_its_type(cloud: Cloud) -> None:
    cloud.serve("multiclass", "flowers")
    reply = post("text", "flowers", "image/png")
    assert (reply.status, reply.code) == (415, "content_type")


@pytest.mark.parametrize(
    ("spec", "more", "words"),
    [
        ("target: price\n", {}, "target: 'price': pictures have no columns"),
        ("metric: rmse\n", {}, "metric: 'rmse' is none of multiclass"),
        ("", {"digits/../x.png": b"x"}, "a name that leads out of its folder"),
        ("", {"digits/rare/1.png": b"\x89PNG\r\n\x1a\n"}, "class 'rare' has 1 different picture"),
    ],
)
def test_what_is_wrong_is_told_before_a_machine_is_paid_for(
    cloud: Cloud, spec: str, more: dict[str, bytes], words: str
) -> None:
    _, answer = inspected(cloud, zipped({**files(), **more}), spec)
    assert answer["outcome"] == "rejected"
    assert words in answer["reason"]
