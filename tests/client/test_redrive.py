"""Dead-lettered events: each drop is started once, and no message is lost before it was."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import boto3
import pytest

from dropforge.cli.main import main
from dropforge.client import Dropforge, Fault
from dropforge.client.base import BaseClient
from dropforge.contract.events import drop_event
from dropforge.contract.ids import run_id
from tests.client.server import run_row
from tests.client.test_connection import make_stack

if TYPE_CHECKING:
    from dropforge.client import Connection
    from tests.client.server import ApiServer

REGION = "eu-central-1"
KEY = "datasets/houses/houses.csv"


@dataclass
class DeadLetters:
    """The SDK, two queues and two state machines in AWS in memory."""

    forge: Dropforge
    sqs: Any
    states: Any
    outputs: dict[str, str]

    def send(self, key: str, queue: str = "DeadLetters") -> str:
        """EventBridge gives up an event; the run that it is of."""
        body = json.dumps(drop_event("drops", key, "v1", 10))
        self.sqs.send_message(QueueUrl=self.outputs[queue], MessageBody=body)
        return run_id("drops", key, "v1")

    def left(self) -> int:
        """How many messages both queues hold, those that somebody looks at included."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        urls = [self.outputs[queue] for queue in ("DeadLetters", "BatchDeadLetters")]
        found = [self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"] for url in urls]
        return sum(int(attributes[name]) for attributes in found for name in names)

    def started(self, machine: str = "StateMachineArn") -> list[dict[str, Any]]:
        """The inputs of all executions of a state machine."""
        found = self.states.list_executions(stateMachineArn=self.outputs[machine])["executions"]
        inputs = (self.states.describe_execution(executionArn=each["executionArn"])["input"] for each in found)
        return [json.loads(text) for text in inputs]


@pytest.fixture
def letters(request: pytest.FixtureRequest, connection: Connection, monkeypatch: pytest.MonkeyPatch) -> DeadLetters:
    request.getfixturevalue("aws")
    monkeypatch.setattr("dropforge.client.redrive.EMPTY_AFTER", 0)
    sqs, states = boto3.client("sqs", region_name=REGION), boto3.client("stepfunctions", region_name=REGION)
    outputs = {name: sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("DeadLetters", "BatchDeadLetters")}
    for name in ("StateMachineArn", "BatchMachineArn"):
        made = states.create_state_machine(name=name, definition="{}", roleArn="arn:aws:iam::123456789012:role/states")
        outputs[name] = made["stateMachineArn"]
    forge = Dropforge.__new__(Dropforge)
    BaseClient.__init__(forge, replace(connection, outputs={**connection.outputs, **outputs}))
    return DeadLetters(forge, sqs, states, outputs)


def test_an_event_without_a_run_is_started_and_its_message_deleted(letters: DeadLetters) -> None:
    run, batch = letters.send(KEY), letters.send("batch/houses/new.csv", "BatchDeadLetters")
    redriven = letters.forge.redrive()
    assert [(event.outcome, event.run) for event in redriven] == [("started", run), ("started", batch)]
    assert letters.started() == [drop_event("drops", KEY, "v1", 10)]
    assert letters.started("BatchMachineArn") == [drop_event("drops", "batch/houses/new.csv", "v1", 10)]
    assert letters.left() == 0 and letters.forge.redrive() == []


@pytest.mark.parametrize(
    ("status", "step", "outcome"),
    [("promoted", "Notify", "known"), ("failed", "Train", "known"), ("running", "Claim", "known"),
     ("failed", "Claim", "started")],
)  # fmt: skip
@pytest.mark.parametrize("spell", [str, quote])
def test_only_a_run_that_was_never_claimed_is_started(
    letters: DeadLetters, api: ApiServer, status: str, step: str, outcome: str, spell: Any
) -> None:
    key = "datasets/houses/House Prices.csv"
    run = run_id("drops", key, "v1")
    api.say(f"GET /live/runs/{run}", run_row(run=run, status=status, step=step))
    letters.send(spell(key))
    assert [(event.outcome, event.run) for event in letters.forge.redrive()] == [(outcome, run)]
    assert len(letters.started()) == (outcome == "started") and letters.left() == 0


def test_more_messages_than_one_look_has_are_all_started_once(letters: DeadLetters) -> None:
    for number in range(25):
        letters.send(f"datasets/houses/{number}.csv")
    letters.send("datasets/houses/0.csv")
    assert {event.outcome for event in letters.forge.redrive()} == {"started"}
    assert len(letters.started()) == 25 and letters.left() == 0


@pytest.mark.parametrize("body", ["", "no json", "[]", "{}", '{"detail": {"bucket": "drops"}}'])
def test_what_is_no_event_of_a_drop_stays(letters: DeadLetters, body: str) -> None:
    letters.sqs.send_message(QueueUrl=letters.outputs["DeadLetters"], MessageBody=body or " ")
    (event,) = letters.forge.redrive()
    assert (event.outcome, event.run) == ("unreadable", None)
    assert letters.started() == [] and letters.left() == 1


def test_an_object_that_starts_no_run_is_only_deleted(letters: DeadLetters) -> None:
    letters.send("datasets/houses/spec.yaml")
    assert [event.outcome for event in letters.forge.redrive()] == ["waits"]
    assert letters.started() == [] and letters.left() == 0


def test_a_message_whose_execution_cannot_be_started_stays(letters: DeadLetters) -> None:
    letters.send(KEY)
    letters.states.delete_state_machine(stateMachineArn=letters.outputs["StateMachineArn"])
    with pytest.raises(Fault, match="DeadLetters"):
        letters.forge.redrive()
    assert letters.left() == 1


def test_an_execution_that_died_before_its_claim_is_started_anew(letters: DeadLetters) -> None:
    for _ in range(2):
        letters.send(KEY)
        (event,) = letters.forge.redrive()
        assert event.outcome == "started" and event.execution is not None
        letters.states.stop_execution(executionArn=event.execution)
    assert len(letters.started()) == 2


def test_a_stack_that_is_older_than_its_queues_says_so(connection: Connection) -> None:
    forge = Dropforge.__new__(Dropforge)
    BaseClient.__init__(forge, connection)
    with pytest.raises(Fault, match="no output DeadLetters: deploy it again"):
        forge.redrive()


def test_the_command_redrives_the_stack_that_is_named(
    letters: DeadLetters, connection: Connection, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The API is this machine's; everything else is found by the outputs of the stack."""
    monkeypatch.setenv("AWS_REGION", REGION)
    make_stack({**connection.outputs, **letters.outputs}, stack="Another")
    run = letters.send(KEY)
    assert main(["--stack", "Another", "redrive", "--json"]) == 0
    (event,) = json.loads(capsys.readouterr().out)["redriven"]
    assert (event["outcome"], event["run"], event["key"]) == ("started", run, KEY)
    assert main(["--stack", "Another", "redrive"]) == 0
    assert capsys.readouterr().out == "the queues are empty\n"
    letters.send("batch/houses/new.csv", "BatchDeadLetters")
    assert main(["--stack", "Another", "redrive"]) == 0
    assert "1 started" in capsys.readouterr().out
