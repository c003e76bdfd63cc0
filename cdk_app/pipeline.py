"""Drop to promoted model: one Standard workflow in JSONata, top to bottom as the data flow.

Variables of an execution, each assigned where it becomes known: `bucket key version size run model status reason step
fault cause` from the start, `places data_uri plan_uri output_uri checkpoint_uri max_seconds` from Inspect, `job
artifacts instance billable` from Train, `outcome champion` from Judge, `registered` from Register. None has the name of
a JSONata function (`$error`, `$number`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration
from aws_cdk import aws_stepfunctions as sfn

from cdk_app import pipeline_functions
from cdk_app.jsonata import EMPTY_TEXT, RESULT, condition
from cdk_app.retries import catch_all
from cdk_app.training import FURTHER_PLACES, Training, another_place
from cdk_app.workflow import Workflow

if TYPE_CHECKING:
    from constructs import Construct

    from cdk_app.context import Context
    from cdk_app.notifications import AlarmTopic

INSPECTED = ("places", "data_uri", "plan_uri", "output_uri", "checkpoint_uri", "max_seconds")

LONGEST_WAY = 7
"""Days: two of waiting for spot capacity and one on each further place, at the largest budget, and some."""


class Pipeline(Workflow):
    """The state machine and the functions that are its states."""

    def __init__(
        self, scope: Construct, id: str, *, context: Context, training: Training, alarm_topic: AlarmTopic
    ) -> None:
        super().__init__(scope, id)
        self._training = training
        self._claim = pipeline_functions.claim(self, context, training.image)
        self._inspect = pipeline_functions.inspect(self, context, training.image)
        self._judge = pipeline_functions.judge(self, context)
        self._register = pipeline_functions.register(self, context)
        self._promote = pipeline_functions.promote(self, context)
        self._notify = pipeline_functions.notify(self, context, alarm_topic)
        self.machine = self.make_machine(self._way(), context.storage, Duration.days(LONGEST_WAY))
        self.close_early_ends(self.machine, self._notify)
        training.allow_starting(self.role)
        self.note_wildcards([self._claim, self._inspect, self._judge, self._register, self._promote, self._notify])

    def _way(self) -> sfn.IChainable:
        """Every state, in the order of the way."""
        drop, claim, inspect = self.drop_state(), self.claim_state(self._claim), self._inspect_state()
        train, judge, register = self._training.state(), self._judge_state(), self._register_state()
        promote = self._promote_state()
        notify = self.notify_state(self._notify, ("Promoted", "Refused", "Rejected"))
        for name, task in (("Claim", claim), ("Inspect", inspect), ("Judge", judge), ("Register", register),
                           ("Promote", promote)):  # fmt: skip
            task.add_catch(notify, **catch_all(name))
        train.add_catch(self._no_machine(train, notify), **catch_all("Train"))
        promote.next(self._when("Overtaken", "$status = 'running'", judge, otherwise=notify))
        register.next(self._when("Refused", "$status = 'refused'", notify, otherwise=promote))
        judge.next(register)
        train.next(judge)
        inspect.next(self._when("Rejected", "$status = 'rejected'", notify, otherwise=train))
        return drop.next(claim).next(self.claimed(inspect))

    def _inspect_state(self) -> sfn.TaskStateBase:
        status = f"{RESULT}.outcome = 'rejected' ? 'rejected' : 'running'"
        known = {name: f"{RESULT}.{name}" for name in INSPECTED}
        return self._inspect.state(
            payload={"run": "$run", "model": "$model"}, assign={**known, "status": status, "reason": f"{RESULT}.reason"}
        )

    def _no_machine(self, train: sfn.CustomState, notify: sfn.IChainable) -> sfn.Choice:
        """A job that found no machine goes on to the next place; any other failure ends the run."""
        forgotten = dict.fromkeys(("step", "fault", "cause"), EMPTY_TEXT)
        assign = {"places": FURTHER_PLACES, "status": "running", **forgotten}
        onwards = sfn.Pass.jsonata(self, "NextPlace", assign=assign)
        choice = sfn.Choice.jsonata(self, "AnotherPlace?")
        return choice.when(another_place(), onwards.next(train)).otherwise(notify)

    def _judge_state(self) -> sfn.TaskStateBase:
        found = {"job": "$job", "artifacts_uri": "$artifacts"}
        cost = {"instance_type": "$instance", "billable_seconds": "$billable"}
        status = f"{RESULT}.outcome = 'refused' ? 'refused' : 'running'"
        return self._judge.state(
            payload={"run": "$run", "model": "$model", **found, **cost},
            assign={
                "outcome": f"{RESULT}.outcome",
                "reason": f"{RESULT}.reason",
                "champion": f"{RESULT}.champion",
                "status": status,
            },
        )

    def _register_state(self) -> sfn.TaskStateBase:
        return self._register.state(
            payload={"run": "$run", "model": "$model", "outcome": "$outcome", "reason": "$reason"},
            assign={"registered": f"{RESULT}.version"},
        )

    def _promote_state(self) -> sfn.TaskStateBase:
        status = f"{RESULT}.outcome = 'overtaken' ? 'running' : {RESULT}.outcome"
        return self._promote.state(
            payload={"run": "$run", "model": "$model", "version": "$registered", "champion": "$champion"},
            assign={"status": status, "reason": f"{RESULT}.reason"},
        )

    def _when(self, name: str, test: str, then: sfn.IChainable, *, otherwise: sfn.IChainable) -> sfn.Choice:
        choice = sfn.Choice.jsonata(self, f"{name}?")
        return choice.when(condition(test), then).otherwise(otherwise)
