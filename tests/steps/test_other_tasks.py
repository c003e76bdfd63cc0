"""Recommendation and clustering the whole way: dropped, inspected, trained, judged, registered, promoted, asked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from sklearn.datasets import load_iris

from dropforge.contract import names
from lambdas.pipeline.inspect.handler import handle as inspect
from tests.api.calls import get, post
from tests.steps.cloud import HANDLERS, Cloud
from tests.training.opinions import opinions
from training_container import trainer

if TYPE_CHECKING:
    from pathlib import Path


def iris() -> bytes:
    """Iris without its species."""
    bunch = load_iris()
    lines = [",".join(map(str, row)) for row in bunch.data]
    return "\n".join(["sepal_length,sepal_width,petal_length,petal_width", *lines]).encode()


def whole_way(cloud: Cloud, root: Path, model: str, body: bytes, spec: str) -> tuple[str, dict[str, Any]]:
    """From the drop to the answer of Promote (or of a step before that refuses); the run."""
    cloud.drop(f"datasets/{model}/spec.yaml", spec.encode())
    claimed = cloud.claim(f"datasets/{model}/a.csv", body, execution=f"exe-{len(body)}")
    run = claimed["run"]
    inspected = inspect({"run": run, "model": model}, None)
    assert inspected["outcome"] == "accepted", inspected
    train(cloud, root, run)
    job = {"job": "job-1", "instance_type": "ml.m5.xlarge", "billable_seconds": 90}
    uri = f"s3://artifacts/{names.RunFiles(run).training}job/output/model/"
    judged = HANDLERS["judge"]({"run": run, "model": model, "artifacts_uri": uri, **job}, None)
    version = HANDLERS["register"]({"run": run, "model": model, **judged}, None)["version"]
    if judged["outcome"] != "approved":
        return run, judged
    return run, HANDLERS["promote"]({"run": run, "model": model, "version": version}, None)


def train(cloud: Cloud, root: Path, run: str) -> None:
    """What SageMaker does: the channels from S3, the trainer, its files to S3."""
    files = names.RunFiles(run)
    for channel, prefix in (("data", files.data), ("plan", files.plan)):
        folder = root / "input" / "data" / channel
        folder.mkdir(parents=True)
        for item in cloud.s3.list_objects_v2(Bucket="artifacts", Prefix=prefix)["Contents"]:
            content = cloud.s3.get_object(Bucket="artifacts", Key=item["Key"])["Body"].read()
            (folder / item["Key"].removeprefix(prefix)).write_bytes(content)
    (root / "input" / "config").mkdir()
    (root / "input" / "config" / "hyperparameters.json").write_text(json.dumps({"run": run}))
    assert trainer.main(["train", "--ml-root", str(root)]) == 0
    for path in (root / "model").rglob("*"):
        if path.is_file():
            key = f"{files.training}job/output/model/{path.relative_to(root / 'model').as_posix()}"
            cloud.s3.put_object(Bucket="artifacts", Key=key, Body=path.read_bytes())


def verdict(cloud: Cloud, run: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(cloud.file(run, names.VERDICT_FILE))
    return found


def test_ratings_become_a_recommender_by_their_columns(cloud: Cloud, tmp_path: Path) -> None:
    run, answer = whole_way(cloud, tmp_path / "1", "films", opinions().write_csv().encode(), "budget: 0.1\n")
    assert answer["outcome"] == "promoted", answer
    found = verdict(cloud, run)
    assert found["metric"] == "rmse" and found["parity"] <= 1e-5
    trained = json.loads(cloud.file(run, names.METRICS_FILE))
    assert found["candidate"] == pytest.approx(trained["holdout"], rel=1e-4)
    assert found["candidate"]["ndcg@10"] > found["baseline"]["ndcg@10"]
    reply = post([{"user_id": "u1", "item_id": 101}, {"user_id": "u1", "item_id": None}], "films")
    assert reply.status == 200, reply.body
    rating, best = reply.body["predictions"]
    none, items = reply.body["recommendations"]
    assert none is None and reply.body["probabilities"] is None and 1 <= rating <= 5
    assert len(items) == 10 and items[0]["score"] == best
    csv = post("user_id,item_id\nnobody,\n", "films", "text/csv")
    assert len(csv.body["recommendations"][0]) == 10
    page = get("/models/{model}", model="films").body
    assert (page["task"], page["target"]) == ("recommendation", "rating")
    assert [column["name"] for column in page["card"]["columns"]] == ["user_id", "item_id"]
    check_the_live_one_is_compared(cloud, tmp_path / "2")


def check_the_live_one_is_compared(cloud: Cloud, root: Path) -> None:
    """The live version answers the hold-out of a second drop, lists and all."""
    body = opinions(seed=1).write_csv().encode()
    run, _ = whole_way(cloud, root, "films", body, "budget: 0.1\n")
    found = verdict(cloud, run)
    assert found["champion_version"] == "1" and found["notes"] == []
    assert set(found["champion"]) == set(found["candidate"]) == {"rmse", "mae", "ndcg@10", "recall@10"}
    worse = found["candidate"]["rmse"] > found["champion"]["rmse"]  # on a busy machine six seconds may be too few
    assert found["outcome"] == ("refused" if worse else "approved"), found


def test_clusters_by_the_spec(cloud: Cloud, tmp_path: Path) -> None:
    wishes = "task: clustering\nbudget: 0.05\n"
    run, answer = whole_way(cloud, tmp_path / "1", "flowers", iris(), wishes)
    assert answer["outcome"] == "promoted", answer
    found = verdict(cloud, run)
    trained = json.loads(cloud.file(run, names.METRICS_FILE))
    assert found["metric"] == "silhouette" and found["parity"] <= 1e-5
    assert found["candidate"] == pytest.approx(trained["holdout"], rel=1e-3)
    assert found["candidate"]["silhouette"] > 0.4 > found["baseline"]["silhouette"]
    row = {"sepal_length": 5.0, "sepal_width": 3.4, "petal_length": 1.5, "petal_width": 0.2}
    reply = post([row, {**row, "petal_length": 6.0, "petal_width": 2.2, "sepal_length": 7.0}, dict.fromkeys(row)],
                 "flowers")  # fmt: skip
    assert reply.status == 200, reply.body
    setosa, other, _ = reply.body["predictions"]
    assert {setosa, other} <= {1, 2, 3} and setosa != other
    shares = reply.body["probabilities"][0]
    assert max(shares, key=shares.get) == str(setosa) and sum(shares.values()) == pytest.approx(1, abs=1e-5)
    assert reply.body["recommendations"] is None
    page = get("/models/{model}", model="flowers").body
    assert (page["task"], page["target"], page["metric"]) == ("clustering", "cluster", "silhouette")
    more = iris() + b"\n5.05,3.35,1.45,0.25\n"
    second, _ = whole_way(cloud, tmp_path / "2", "flowers", more, wishes)
    assert verdict(cloud, second)["champion"]["silhouette"] > 0.4


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ("task: clustering\ntarget: petal_width\n", "clustering, which has none"),
        ("task: clustering\nmetric: rmse\n", "none of clustering; expected one of"),
        ("task: recommendation\n", "needs a user, an item and a rating"),
    ],
)
def test_wishes_that_do_not_fit_are_rejected(cloud: Cloud, spec: str, reason: str) -> None:
    cloud.drop("datasets/flowers/spec.yaml", spec.encode())
    run = cloud.claim("datasets/flowers/a.csv", iris())["run"]
    answer = inspect({"run": run, "model": "flowers"}, None)
    assert answer["outcome"] == "rejected" and reason in answer["reason"]
