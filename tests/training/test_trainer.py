"""The entry: SageMaker's folders, what a failure leaves, and how a stop ends."""

from __future__ import annotations

import hashlib
import json
import math
import re
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from dropforge.contract.lines import LINE_METRICS, definition
from dropforge.contract.results import Manifest
from dropforge.inference import explain
from dropforge.inference.http import Request
from dropforge.inference.model import ServedModel
from dropforge.inference.protocols.dispatch import respond
from dropforge.serve.sources import find
from dropforge.serve.store import Files
from lambdas.pipeline.judge.evidence import parity
from training_container import trainer
from training_container.checkpoints import Checkpoints

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dropforge.contract.schema import Column


@pytest.mark.usefixtures("lean")
def test_a_job_under_sagemakers_contract(ml_root: Callable[..., Path], capfd: pytest.CaptureFixture[str]) -> None:
    root = ml_root("penguins", task="multiclass", metric="accuracy", budget=1.0)
    assert trainer.main(["train", "--ml-root", str(root)]) == 0
    manifest = Manifest.from_json(json.loads((root / "model" / "manifest.json").read_text()))
    assert manifest.run == "run-0123456789abcdef"
    assert manifest.lineage is not None
    assert manifest.lineage.key == "datasets/penguins/penguins.csv"
    assert not (root / "output" / "failure").exists()
    assert json.loads((root / "model" / "metrics.json").read_text())["metric"] == "accuracy"
    lines = capfd.readouterr().out.splitlines()
    check_progress(lines)
    check_metric_definitions(lines)


def check_progress(lines: list[str]) -> None:
    """Every line is `dropforge key=value …`, and progress runs from 0 to 1 without going back."""
    events = []
    for line in lines:
        first, *words = line.split()
        assert first == "dropforge"
        events.append(dict(word.split("=", 1) for word in words))
    progress = [float(event["progress"]) for event in events]
    assert progress == sorted(progress)
    assert (progress[0], progress[-1]) == (0.0, 1.0)
    timed = [(int(event["budget"]), int(event["left"])) for event in events if event["step"] == "fit"]
    assert {budget for budget, _ in timed} == {60} and all(0 <= left <= 60 for _, left in timed)
    assert [left for _, left in timed] == sorted((left for _, left in timed), reverse=True)
    assert not [event for event in events if event["step"] != "fit" and "left" in event]
    fitted = [event for event in events if event["step"] == "fit" and event["model"] == "neural"]
    assert {"epoch", "train_loss", "validation_loss"} <= set(fitted[0])


def check_metric_definitions(lines: list[str]) -> None:
    """SageMaker would find a figure for each of its definitions, and for no other key."""
    for name in LINE_METRICS:
        found = [re.search(definition(name)["Regex"], line) for line in lines]
        assert any(found), f"no line of the trainer has {name!r}"
        assert all(math.isfinite(float(each.group(1))) for each in found if each)
        told = [each for each in found if each]
        assert len(told) == sum(any(word.startswith(f"{name}=") for word in line.split()) for line in lines)


@pytest.mark.parametrize(
    ("wishes", "reason"),
    [({"metric": "beauty"}, "metric"), ({"task": "regression"}, "species"), ({"drop": ("no such",)}, "no such")],
)
def test_a_wish_that_cannot_be_met_fails_in_one_line(
    ml_root: Callable[..., Path], wishes: dict[str, object], reason: str, capfd: pytest.CaptureFixture[str]
) -> None:
    root = ml_root("penguins", **wishes)
    assert trainer.main(["train", "--ml-root", str(root)]) == 1
    told = (root / "output" / "failure").read_text()
    assert reason in told
    assert told.count("\n") == 1
    assert list((root / "model").iterdir()) == []
    assert "Traceback" not in capfd.readouterr().err


def test_another_run_than_the_plans_is_refused(ml_root: Callable[..., Path]) -> None:
    root = ml_root("penguins")
    (root / "input/config/hyperparameters.json").write_text('{"run": "run-ffffffffffffffff"}')
    assert trainer.main(["train", "--ml-root", str(root)]) == 1
    assert "expected 'run-0123456789abcdef'" in (root / "output" / "failure").read_text()


def test_no_plan_is_one_line(tmp_path: Path) -> None:
    assert trainer.main(["train", "--ml-root", str(tmp_path)]) == 1
    assert "plan.json" in (tmp_path / "output" / "failure").read_text()


ODD = {
    "regression": ("prediction,probabilities,y", lambda at: f"{('west', 'east')[at % 2]},{at % 7 + 0.5},{at * 3 % 11}"),
    "binary": ("prediction,probabilities,y", lambda at: f"{at % 5 + 0.5},{at % 7},{('no', 'yes')[at % 5 > 2]}"),
    "recommendation": ("user_id,items,rating", lambda at: f"{at % 20},{at // 20},{at * 3 % 5}"),
    "clustering": (
        "prediction,features,prediction_",
        lambda at: f"{at % 3 * 9 + at % 7 / 7},{at % 3 * 5 + at % 4},{at % 11}",
    ),
}
"""Tables whose columns have the names of a model's outputs."""


@pytest.mark.long
@pytest.mark.usefixtures("lean")
@pytest.mark.parametrize("task", ODD)
def test_columns_named_as_outputs_are_read_and_served_under_their_own_names(task: str, tmp_path: Path) -> None:
    header, line = ODD[task]
    path, out = tmp_path / "odd.csv", tmp_path / "out"
    path.write_text("\n".join([header, *map(line, range(400))]))
    target = ["--target", "y"] if task in ("regression", "binary") else []
    words = ["--data", str(path), *target, "--task", task, "--out", str(out), "--search", "none", "--budget", "0.1"]
    assert trainer.main(words) == 0
    body = (out / "model.onnx").read_bytes()
    model = ServedModel.from_bytes(body, hashlib.sha256(body).hexdigest())
    names = [name for name in header.split(",") if name not in ("y", "rating")]
    assert list(model.card.names) == names
    inputs = [each.name for each in model.session.get_inputs()]
    assert inputs == list(model.card.inputs.values()) and not set(inputs) & {
        each.name for each in model.session.get_outputs()
    }
    assert parity(model, (out / "golden.jsonl").read_bytes()) < 1e-3
    rows = [dict(zip(header.split(","), line(at).split(","), strict=True)) for at in range(5)]
    tensors = [_tensor(column, [row[column.name] for row in rows]) for column in model.card.columns]
    files = Files.of(find([f"m={out / 'model.onnx'}"]))
    request = Request(
        "POST", "/v2/models/{model}/infer", {"model": "m"}, {}, {}, json.dumps({"inputs": tensors}).encode()
    )
    answered = json.loads(respond(request, files).body)
    (predicted,) = [each for each in answered["outputs"] if each["name"] == "prediction"]
    simple = {"rows": [{tensor["name"]: tensor["data"][at] for tensor in tensors} for at in range(len(rows))]}
    request = Request("POST", "/models/{model}/predict", {"model": "m"}, {}, {"content-type": "application/json"},
                      json.dumps(simple).encode())  # fmt: skip
    answered = json.loads(respond(request, files).body)
    assert predicted["data"] == pytest.approx(answered["predictions"]) and len(predicted["data"]) == len(rows)
    if task in ("regression", "binary"):
        explain.check(model)


def _tensor(column: Column, values: list[Any]) -> dict[str, Any]:
    if not column.takes_numbers:
        return {"name": column.name, "datatype": "BYTES", "shape": [len(values), 1], "data": values}
    numbers = [float(value) for value in values]
    return {"name": column.name, "datatype": "FP32", "shape": [len(values), 1], "data": numbers}


def test_by_hand_a_missing_file_is_one_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert trainer.main(["--data", str(tmp_path / "none.csv"), "--target", "y", "--out", str(tmp_path)]) == 1
    assert "none.csv" in capfd.readouterr().err


def test_an_unexpected_fault_shows_its_traceback(
    ml_root: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    root = ml_root("penguins")

    def broken(*_: object) -> None:
        raise RuntimeError("a fault\nof ours")

    monkeypatch.setattr("training_container.driver.train", broken)
    assert trainer.main(["train", "--ml-root", str(root)]) == 1
    assert (root / "output" / "failure").read_text() == "unexpected RuntimeError: a fault of ours\n"
    assert "Traceback" in capfd.readouterr().err


def start(root: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "training_container.trainer", "train", "--ml-root", str(root)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def signal_at(process: subprocess.Popen[str], word: str, number: signal.Signals) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if word in line:
            process.send_signal(number)
            return
    raise AssertionError(f"no line with {word!r} was told")


@pytest.mark.long
def test_a_stop_while_fitting_leaves_the_model_of_what_was_fitted(ml_root: Callable[..., Path]) -> None:
    root = ml_root("penguins", budget=5.0, search="tpe")
    process = start(root)
    signal_at(process, "model=lightgbm", signal.SIGTERM)
    _, told = process.communicate(timeout=100)
    assert (process.returncode, told) == (0, "")
    found = json.loads((root / "model" / "metrics.json").read_text())
    assert "linear" in {each["name"] for each in found["candidates"]}
    assert "neural" not in {each["name"] for each in found["candidates"]}
    assert not (root / "output" / "failure").exists()


@pytest.mark.long
def test_a_job_whose_machine_was_taken_away_goes_on_where_it_was(ml_root: Callable[..., Path]) -> None:
    """A spot loss: SIGTERM, then the machine and its model folder are gone, and another starts with the checkpoints."""
    root = ml_root("penguins", budget=0.3, search="none")
    (root / "checkpoints").mkdir()
    process = start(root)
    signal_at(process, "model=lightgbm", signal.SIGTERM)
    process.communicate(timeout=100)
    assert process.returncode == 0
    kept = Checkpoints(root / "checkpoints").kept
    assert kept > 0
    shutil.rmtree(root / "model")
    again = start(root)
    told, _ = again.communicate(timeout=300)
    assert again.returncode == 0
    assert (root / "model" / "manifest.json").is_file()
    assert f"resumed={kept} " in told
    assert list((root / "checkpoints").iterdir()) == []


@pytest.mark.long
def test_a_stop_before_anything_was_fitted_is_one_line(ml_root: Callable[..., Path]) -> None:
    root = ml_root("houses")
    process = start(root)
    signal_at(process, "step=read", signal.SIGTERM)
    _, told = process.communicate(timeout=100)
    assert process.returncode == 1
    assert "Traceback" not in told
    assert "stopped by SIGTERM" in (root / "output" / "failure").read_text()
    assert list((root / "model").iterdir()) == []


@pytest.mark.parametrize("arguments", [[], ["--data", "x.csv"], ["--out", "y"], ["--ml-root", "z"]])
def test_a_command_line_without_sense_is_refused(arguments: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        trainer.main(arguments)
    assert "expected 'train" in capfd.readouterr().err
