"""Drop to promoted model: one Standard workflow in JSONata, top to bottom as the data flow.

Variables of an execution, each assigned where it becomes known: `bucket key version size run model status reason step
fault cause` from the start, `places data_uri plan_uri output_uri checkpoint_uri max_seconds` from Inspect, `job
artifacts instance billable` from Train, `outcome` from Judge, `registered` from Register. None has the name of a
JSONata function (`$error`, `$number`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from cdk_app import steps
from cdk_app.findings import acknowledge, acknowledge_wildcards
from cdk_app.step import RESULT, caught, jsonata
from cdk_app.training import FURTHER_PLACES, Training, another_place

if TYPE_CHECKING:
    from cdk_app.lake import Lake
    from cdk_app.steps import Surroundings
    from cdk_app.watch import Bell

NOTHING = jsonata("''")
INSPECTED = ("places", "data_uri", "plan_uri", "output_uri", "checkpoint_uri", "max_seconds")

LONGEST_WAY = 7
"""Days: two of waiting for spot capacity and one on each further place, at the largest budget, and some."""


class Pipeline(Construct):
    """The state machine and the functions that are its states."""

    def __init__(self, scope: Construct, id: str, *, around: Surroundings, training: Training, bell: Bell) -> None:
        super().__init__(scope, id)
        self._training = training
        self._claim = steps.claim(self, around, training.image)
        self._inspect = steps.inspect(self, around, training.image)
        self._judge = steps.judge(self, around)
        self._register = steps.register(self, around)
        self._promote = steps.promote(self, around)
        self._notify = steps.notify(self, around, bell)
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("states.amazonaws.com"))
        self.machine = self._machine(self._way(), around.lake)
        training.allow_starting(self.role)
        self._note_wildcards()

    def _way(self) -> sfn.IChainable:
        """Every state, in the order of the way."""
        drop, claim, inspect = self._drop(), self._claim_state(), self._inspect_state()
        train, judge, register = self._training.state(), self._judge_state(), self._register_state()
        promote, notify = self._promote_state(), self._notify_state()
        for name, task in (("Claim", claim), ("Inspect", inspect), ("Judge", judge), ("Register", register),
                           ("Promote", promote)):  # fmt: skip
            task.add_catch(notify, **caught(name))
        train.add_catch(self._no_machine(train, notify), **caught("Train"))
        register.next(self._when("Refused", "$status = 'refused'", notify, otherwise=promote.next(notify)))
        judge.next(register)
        train.next(judge)
        inspect.next(self._when("Rejected", "$status = 'rejected'", notify, otherwise=train))
        return drop.next(claim).next(self._claimed(inspect))

    def _drop(self) -> sfn.Pass:
        """The object that S3 told of; and a value for everything that Notify reads, whatever comes."""
        detail = "$states.input.detail"
        found = {
            "bucket": f"{detail}.bucket.name",
            "key": f"{detail}.object.key",
            "version": f"{detail}.object.`version-id`",
            "size": f"{detail}.object.size",
        }
        nothing = dict.fromkeys(("run", "model", "reason", "step", "fault", "cause"), NOTHING)
        assign = {name: jsonata(each) for name, each in found.items()}
        return sfn.Pass.jsonata(self, "Drop", assign={**assign, **nothing, "status": "running"})

    def _claim_state(self) -> sfn.TaskStateBase:
        given = {name: f"${name}" for name in ("bucket", "key", "version", "size")}
        return self._claim.state(
            given={**given, "execution": "$states.context.Execution.Id"},
            assign={"run": f"{RESULT}.run", "model": f"{RESULT}.model"},
        )

    def _claimed(self, inspect: sfn.IChainable) -> sfn.Choice:
        outcome = sfn.Choice.jsonata(self, "Claimed?")
        for name in ("Duplicate", "Ignored"):
            is_so = sfn.Condition.jsonata(jsonata(f"$states.input.outcome = '{name.lower()}'"))
            outcome.when(is_so, sfn.Succeed.jsonata(self, name))
        return outcome.otherwise(inspect)

    def _inspect_state(self) -> sfn.TaskStateBase:
        status = f"{RESULT}.outcome = 'rejected' ? 'rejected' : 'running'"
        known = {name: f"{RESULT}.{name}" for name in INSPECTED}
        return self._inspect.state(
            given={"run": "$run", "model": "$model"}, assign={**known, "status": status, "reason": f"{RESULT}.reason"}
        )

    def _no_machine(self, train: sfn.CustomState, notify: sfn.IChainable) -> sfn.Choice:
        """A job that found no machine goes on to the next place; any other failure ends the run."""
        forgotten = dict.fromkeys(("step", "fault", "cause"), NOTHING)
        assign = {"places": FURTHER_PLACES, "status": "running", **forgotten}
        onwards = sfn.Pass.jsonata(self, "NextPlace", assign=assign)
        choice = sfn.Choice.jsonata(self, "AnotherPlace?")
        return choice.when(another_place(), onwards.next(train)).otherwise(notify)

    def _judge_state(self) -> sfn.TaskStateBase:
        found = {"job": "$job", "artifacts_uri": "$artifacts"}
        cost = {"instance_type": "$instance", "billable_seconds": "$billable"}
        status = f"{RESULT}.outcome = 'refused' ? 'refused' : 'running'"
        return self._judge.state(
            given={"run": "$run", "model": "$model", **found, **cost},
            assign={"outcome": f"{RESULT}.outcome", "reason": f"{RESULT}.reason", "status": status},
        )

    def _register_state(self) -> sfn.TaskStateBase:
        return self._register.state(
            given={"run": "$run", "model": "$model", "outcome": "$outcome", "reason": "$reason"},
            assign={"registered": f"{RESULT}.version"},
        )

    def _promote_state(self) -> sfn.TaskStateBase:
        return self._promote.state(
            given={"run": "$run", "model": "$model", "version": "$registered"},
            assign={"status": f"{RESULT}.outcome", "reason": f"{RESULT}.reason"},
        )

    def _notify_state(self) -> sfn.TaskStateBase:
        """Closes every run that was claimed, then ends in the state that names how it ended."""
        told = {name: f"${name}" for name in ("run", "model", "status", "reason", "step", "cause")}
        given = {"execution": "$states.context.Execution.Id", **told, "error": "$fault"}
        task = self._notify.state(given=given, assign={})
        failed = sfn.Fail.jsonata(self, "Failed", error=jsonata("$fault"), cause=jsonata("$cause"))
        task.add_catch(failed, **caught("Notify"))
        ended = sfn.Choice.jsonata(self, "Ended")
        for name in ("Promoted", "Refused", "Rejected"):
            is_so = sfn.Condition.jsonata(jsonata(f"$status = '{name.lower()}'"))
            ended.when(is_so, sfn.Succeed.jsonata(self, name))
        task.next(ended.otherwise(failed))
        return task

    def _when(self, name: str, condition: str, then: sfn.IChainable, *, otherwise: sfn.IChainable) -> sfn.Choice:
        choice = sfn.Choice.jsonata(self, f"{name}?")
        return choice.when(sfn.Condition.jsonata(jsonata(condition)), then).otherwise(otherwise)

    def _machine(self, way: sfn.IChainable, lake: Lake) -> sfn.StateMachine:
        """The workflow; its log holds states and errors but not their data, which may name columns and classes."""
        group = logs.LogGroup(
            self,
            "Logs",
            encryption_key=lake.key,
            retention=logs.RetentionDays.THREE_MONTHS,
            removal_policy=RemovalPolicy.DESTROY,
        )
        return sfn.StateMachine(
            self,
            "Machine",
            definition_body=sfn.DefinitionBody.from_chainable(way),
            query_language=sfn.QueryLanguage.JSONATA,
            state_machine_type=sfn.StateMachineType.STANDARD,
            timeout=Duration.days(LONGEST_WAY),
            tracing_enabled=True,
            logs=sfn.LogOptions(destination=group, level=sfn.LogLevel.ALL, include_execution_data=False),
            role=self.role,
        )

    def _note_wildcards(self) -> None:
        acknowledge(self.role, "IAM5[Resource::*]", "X-Ray and the delivery of logs know no resources.")
        for step in (self._claim, self._inspect, self._judge, self._register, self._promote, self._notify):
            versions = f"{step.function.function_arn}:*"
            acknowledge_wildcards(self.role, [versions], "Versions of the same function, as CDK grants an invocation.")
