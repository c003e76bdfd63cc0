"""The format of log lines."""

from __future__ import annotations

import json
from contextvars import copy_context
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from dropforge.contract.log import FIELDS, begin, begin_request, begin_step, log

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest


def lines(act: Callable[[], None], capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """What `act` logs, in a context of its own."""
    copy_context().run(act)
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_shared_fields_come_first_and_unknown_ones_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    def act() -> None:
        begin("Judge", request="r", execution="e", run="run-1", model="houses")
        log("judged", outcome="approved", version="3")
        begin("Serve")
        log("file changed", level="warning", run="")

    first, second = lines(act, capsys)
    assert list(first) == [*FIELDS, "outcome"]
    assert second == {"level": "warning", "event": "file changed", "function": "Serve"}


def test_a_line_names_its_own_model_where_it_knows_better(capsys: pytest.CaptureFixture[str]) -> None:
    def act() -> None:
        begin("Judge", model="houses")
        log("judged", model="flowers")

    assert lines(act, capsys)[0]["model"] == "flowers"


def test_ids_of_a_step_and_of_a_request(capsys: pytest.CaptureFixture[str]) -> None:
    context = SimpleNamespace(aws_request_id="of-lambda")

    def act() -> None:
        begin_step("Claim", {"execution": "arn:exe", "key": "datasets/houses/1.csv"}, context)
        log("claimed")
        begin_request("Predict", {"requestContext": {"requestId": "of-the-api"}}, context)
        log("late")
        begin_request("Predict", {"requestContext": None}, context)
        log("late")

    step, request, bare = lines(act, capsys)
    assert (step["request"], step["execution"]) == ("of-lambda", "arn:exe")
    assert (request["request"], bare["request"]) == ("of-the-api", "of-lambda")
