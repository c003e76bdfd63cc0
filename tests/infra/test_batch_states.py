"""The state machine of batches as it is rendered: reviewed with every change, checked as the pipeline's is."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from dropforge.contract.steps import BATCH_STEPS, STEPS

from .conftest import ROOT, definition_of
from .evaluate import evaluate
from .test_states import asl_validator, statelint, tasks

if TYPE_CHECKING:
    from pathlib import Path

GOLDEN = ROOT / "tests" / "golden" / "batch.asl.json"
Definition = dict[str, Any]


@pytest.fixture(scope="session")
def batch(template: Definition) -> Definition:
    """The rendered state machine."""
    return definition_of(template, "Batch")


def inner(batch: Definition) -> Definition:
    """The one state inside the map."""
    processor = batch["States"]["AnswerAll"]["ItemProcessor"]
    assert list(processor["States"]) == ["AnswerPiece"]
    found: Definition = processor["States"]["AnswerPiece"]
    return found


def test_the_rendered_state_machine_is_the_reviewed_one(batch: Definition) -> None:
    rendered = json.dumps(batch, indent=2, sort_keys=True) + "\n"
    if os.environ.get("DROPFORGE_WRITE_GOLDEN") == "1":
        GOLDEN.write_text(rendered)
    assert rendered == GOLDEN.read_text(), "write it anew with DROPFORGE_WRITE_GOLDEN=1 and review the difference"


def test_every_step_is_a_task_of_its_own_name(batch: Definition) -> None:
    assert set(tasks(batch)) == set(BATCH_STEPS)
    for name in BATCH_STEPS:
        room = "pipeline" if name in STEPS else "batch"
        assert (ROOT / "lambdas" / room / name.lower() / "handler.py").exists()
        assert f"Batch{name}Function" in tasks(batch)[name]["Arguments"]["FunctionName"]


def test_every_task_has_timeout_and_retry_and_whatever_fails_is_told(batch: Definition) -> None:
    for task in (*tasks(batch).values(), inner(batch)):
        assert task["TimeoutSeconds"]
        assert {error for retry in task["Retry"] for error in retry["ErrorEquals"]} >= {"States.ALL", "States.Timeout"}
    for name in ("Claim", "Plan", "Answer", "AnswerAll", "Join"):
        (caught,) = batch["States"][name]["Catch"]
        assert (caught["ErrorEquals"], caught["Next"]) == (["States.ALL"], "Notify")
        assert caught["Assign"]["status"] == "failed"
    assert batch["States"]["Notify"]["Catch"][0]["Next"] == "Failed"
    assert batch["States"]["Ended"]["Default"] == "Failed"


def test_one_piece_is_one_call_and_many_are_a_distributed_map(batch: Definition) -> None:
    states = batch["States"]
    assert states["Planned?"]["Default"] == "Answer"
    assert states["Pieces"]["Next"] == "AnswerAll"
    processor = states["AnswerAll"]["ItemProcessor"]["ProcessorConfig"]
    assert processor == {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    assert inner(batch)["Arguments"]["FunctionName"] == states["Answer"]["Arguments"]["FunctionName"]
    assert "ToleratedFailureCount" not in states["AnswerAll"], "a batch with a piece missing is no batch"


def test_the_items_of_the_map_are_pointers_that_name_their_run(batch: Definition) -> None:
    listed = batch["States"]["Pieces"]["Output"]
    items = evaluate(listed, run="run-1", model="houses", pieces=3)
    assert items == [{"run": "run-1", "model": "houses", "piece": piece} for piece in (1, 2, 3)]
    payload = inner(batch)["Arguments"]["Payload"]
    assert all(value.startswith("{% $states.input.") for value in payload.values()), "no variable is seen in there"
    most = json.dumps(evaluate(listed, run="run-0123456789abcdef", model="m" * 63, pieces=1_000))
    assert len(most) < 256 * 1024, "what a state may hold"


def test_statelint_finds_nothing(batch: Definition, tmp_path: Path) -> None:
    statelint(batch, tmp_path)


def test_asl_validator_finds_nothing(batch: Definition, tmp_path: Path) -> None:
    asl_validator(batch, tmp_path)
