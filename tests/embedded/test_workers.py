"""A burst waits for places: few processes, no time limit that runs while a task waits, and nothing that fails."""

from __future__ import annotations

import json
import threading
import zipfile
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest

from dropforge.embedded import process
from dropforge.embedded.home import Home
from dropforge.embedded.settings import ACCOUNT, Address
from dropforge.embedded.workers import Places
from tests.embedded.conftest import Cloud, eventually, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SLOW = """
import json, os, time
def all(event, context):
    time.sleep(0.3)
    return {"pid": os.getpid()}
"""
DROPS = 40


@pytest.fixture
def narrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """A cloud with two places for tasks."""
    monkeypatch.setenv("DROPFORGE_TASKS", "2")
    home, address = Home(tmp_path / "home"), Address(free_port(), strict=False)
    home.root.mkdir()
    server = process.start(home, address)
    yield Cloud(home, address)
    process.stop(server)


def machine(cloud: Cloud) -> str:
    """A state machine whose one task has a second, of which its function takes a third."""
    body = BytesIO()
    with zipfile.ZipFile(body, "w") as file:
        file.writestr("slow.py", SLOW)
    role = f"arn:aws:iam::{ACCOUNT}:role/any"
    function = cloud.client("lambda").create_function(
        FunctionName="slow", Runtime="python3.12", Role=role, Handler="slow.all", Code={"ZipFile": body.getvalue()}
    )["FunctionArn"]
    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": function, "Payload": {}},
        "TimeoutSeconds": 5,
        "End": True,
    }
    definition = {"QueryLanguage": "JSONata", "StartAt": "Slow", "States": {"Slow": state}}
    made = cloud.client("stepfunctions").create_state_machine(
        name="slow", definition=json.dumps(definition), roleArn=role
    )
    return str(made["stateMachineArn"])


def test_a_burst_of_executions_is_worked_off_by_few_processes(narrow: Cloud) -> None:
    """40 tasks of a third of a second at two places take longer than the 5 s that each of them has."""
    states, arn = narrow.client("stepfunctions"), machine(narrow)
    for _ in range(DROPS):
        states.start_execution(stateMachineArn=arn, input="{}")

    def ended(status: str) -> list[Any]:
        return list(states.list_executions(stateMachineArn=arn, statusFilter=status)["executions"])

    eventually(lambda: not ended("RUNNING"), seconds=120)
    assert len(ended("SUCCEEDED")) == DROPS
    outputs = [states.describe_execution(executionArn=found["executionArn"])["output"] for found in ended("SUCCEEDED")]
    assert len({json.loads(output)["Payload"]["pid"] for output in outputs}) <= 2


def test_a_function_that_asks_for_too_much_memory_fails_alone(narrow: Cloud) -> None:
    """The limit is of its own process; the next invocation gets another one."""
    body = BytesIO()
    with zipfile.ZipFile(body, "w") as file:
        file.writestr("greedy.py", "def all(event, context):\n    return len(bytearray(event['bytes']))\n")
    function = narrow.client("lambda").create_function(
        FunctionName="greedy",
        Runtime="python3.12",
        Role=f"arn:aws:iam::{ACCOUNT}:role/any",
        Handler="greedy.all",
        Code={"ZipFile": body.getvalue()},
        MemorySize=256,
    )["FunctionName"]

    def invoked(size: int) -> Any:
        answer = narrow.client("lambda").invoke(FunctionName=function, Payload=json.dumps({"bytes": size}))
        return answer.get("FunctionError"), answer["Payload"].read()

    assert invoked(10**10)[0] == "Unhandled"
    assert invoked(1000) == (None, b"1000")


def test_places_are_taken_in_the_order_of_arrival() -> None:
    places, order = Places(1), []

    def work(number: int) -> None:
        with places.one():
            order.append(number)

    threads = []
    with places.one():
        for number in range(5):
            thread = threading.Thread(target=work, args=(number,))
            thread.start()
            threads.append(thread)
            eventually(lambda number=number: len(places._waiting) == number + 1)
    for thread in threads:
        thread.join(5)
    assert order == [0, 1, 2, 3, 4]


def test_who_waits_in_vain_takes_no_place() -> None:
    places = Places(1)
    with places.one():
        with places.one(seconds=0.05) as taken:
            assert not taken
    with places.one(seconds=0.05) as taken:
        assert taken
