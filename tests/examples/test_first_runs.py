"""The two first runs on AWS: their data go where they should train, and what they settle is read from the run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dropforge.contract.hops import Hop
from dropforge.contract.registry import TrainingRun
from examples import first_runs
from examples.first_runs import RUNS, SETTLES, settled
from lambdas.pipeline.inspect.forecast import places_for

if TYPE_CHECKING:
    from pathlib import Path


def run(status: str, **more: Any) -> TrainingRun:
    fixed = {"run": "run-0123456789abcdef", "model": "first-gpu", "status": status, "step": "Notify", "size": 1}
    texts = dict.fromkeys(("created", "updated", "execution", "bucket", "key", "object_version"), "")
    return TrainingRun.from_json({**fixed, **texts, "schema": TrainingRun.SCHEMA, **more})


@pytest.mark.parametrize("name", RUNS)
def test_the_data_go_to_the_instance_that_is_meant(name: str, tmp_path: Path) -> None:
    path = first_runs.write(name, tmp_path)
    assert path.read_text().count("\n") == RUNS[name].rows + 1
    assert places_for(path.stat().st_size)[0].instance_type == RUNS[name].instance


def test_both_cost_less_than_half_a_dollar() -> None:
    assert sum(each.most_dollars for each in RUNS.values()) < 0.50


@pytest.mark.parametrize(
    ("name", "row", "expected"),
    [
        ("cpu", run("promoted", instance_type="ml.m5.xlarge", device="cpu"), [True, True, True, True]),
        ("cpu", run("promoted", instance_type="ml.c5.xlarge", device="cpu"), [True, True, True, False]),
        ("cpu", run("failed"), [False, False, False, False]),
        ("gpu", run("promoted", instance_type="ml.g6.xlarge", device="NVIDIA L4"), [True, True, True]),
        ("gpu", run("promoted", instance_type="ml.m5.4xlarge", device="cpu"), [False, False, False]),
        (
            "gpu",
            run(
                "promoted",
                instance_type="ml.m5.4xlarge",
                device="cpu",
                hops=[Hop("ml.g6.xlarge", True, "gpu_not_seen").to_json()],
            ),
            [True, False, False],
        ),
        ("gpu", run("promoted", instance_type="ml.g6.xlarge", device="cpu"), [False, False, True]),
    ],
)
def test_a_run_settles_what_it_shows_and_no_more(name: str, row: TrainingRun, expected: list[bool]) -> None:
    assert settled(name, row) == dict(zip(SETTLES[name], expected, strict=True))


def test_the_plan_is_printed_without_a_cloud(capsys: pytest.CaptureFixture[str]) -> None:
    assert first_runs.main(["--plan"]) == 0
    assert "ml.m5.xlarge" in capsys.readouterr().out
    assert first_runs.main(["tpu"]) == 2
    assert "expected some of cpu, gpu, or --plan, got tpu" in capsys.readouterr().err
