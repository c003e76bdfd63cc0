"""Starts the runs whose events are in a dead-letter queue.

EventBridge puts an event there that it could not hand to Step Functions for a day. The reconciler starts most of such
drops by itself; this does it at once, whatever their age, and empties the queues.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from dropforge.client.faults import Fault, readable
from dropforge.contract.events import dropped_object
from dropforge.contract.names import starts_run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dropforge.client.connection import Connection
    from dropforge.contract.registry import RunRow

QUEUES = {"DeadLetters": "StateMachineArn", "BatchDeadLetters": "BatchMachineArn"}
"""Outputs of the stack: the queue, and the state machine that its events are for."""
ATTEMPTS = 100
"""How often a drop is started in 90 days, which is how long Step Functions remembers a name."""
EMPTY_AFTER = 1
"""Seconds without a message after which a queue is empty."""


@dataclass(frozen=True)
class Redriven:
    """What became of one message of a dead-letter queue.

    Example:
        >>> [event.run for event in forge.redrive() if event.outcome == "started"]
        ['run-0123456789abcdef']
    """

    outcome: Literal["started", "known", "waits", "unreadable"]
    """`started`: an execution was started. `known`: the drop has a run already. `waits`: the object starts no run, such
    as `spec.yaml`. `unreadable`: no event of a dropped object. All but `unreadable` are deleted from the queue."""
    queue: str
    """The output of the stack that names the queue."""
    message: str
    """The id of the message."""
    run: str | None = None
    key: str | None = None
    execution: str | None = None
    """The ARN of the execution that was started."""


def redrive(connection: Connection, find_run: Callable[[str], RunRow | None]) -> Iterator[Redriven]:
    """Starts an execution for every event in the dead-letter queues that has no run, one after the other.

    A message is deleted once its execution was started; where that fails, it stays in the queue.

    Raises:
        Fault: the stack is older than these queues, or refuses a call.
    """
    for queue, machine in QUEUES.items():
        for name in (queue, machine):
            if name not in connection.outputs:
                raise Fault(f"the stack in {connection.where} has no output {name}: deploy it again", "no_stack")
        with readable(f"reading the queue {queue}", connection.where):
            yield from _redrive_queue(connection, queue, machine, find_run)


def _redrive_queue(
    connection: Connection, queue: str, machine: str, find_run: Callable[[str], RunRow | None]
) -> Iterator[Redriven]:
    sqs, states = connection.client("sqs"), connection.client("stepfunctions")
    url = connection.outputs[queue]
    seen: set[str] = set()
    while True:
        received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=EMPTY_AFTER)
        messages = [message for message in received.get("Messages", []) if message["MessageId"] not in seen]
        if not messages:
            return
        for message in messages:
            seen.add(message["MessageId"])
            redriven = _redrive(message, queue, states, connection.outputs[machine], find_run)
            if redriven.outcome != "unreadable":
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            yield redriven


def _redrive(
    message: dict[str, Any], queue: str, states: Any, machine: str, find_run: Callable[[str], RunRow | None]
) -> Redriven:
    dropped = dropped_object(message["Body"])
    if dropped is None:
        return Redriven("unreadable", queue, message["MessageId"])
    if not starts_run(dropped.key):
        return Redriven("waits", queue, message["MessageId"], key=dropped.key)
    row = next((row for run in dropped.runs if (row := find_run(run)) is not None), None)
    if row is not None and (row.status, row.step) != ("failed", "Claim"):
        return Redriven("known", queue, message["MessageId"], row.run, dropped.key)
    run = dropped.runs[0] if row is None else row.run
    execution = _start(states, machine, run, message["Body"])
    return Redriven("started", queue, message["MessageId"], run, dropped.key, execution)


def _start(states: Any, machine: str, run: str, event: str) -> str:
    """Starts an execution; one that was started before and still runs is not started again."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            started = states.start_execution(stateMachineArn=machine, name=f"redrive-{attempt}-{run}", input=event)
        except states.exceptions.ExecutionAlreadyExists:
            continue
        return str(started["executionArn"])
    raise Fault(f"{run} was started {ATTEMPTS} times in vain: drop the file again", "redrive")
