"""What both workflows share: how they begin with an S3 event, how they end in Notify, and the state machine itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from cdk_app.acknowledgements import acknowledge, acknowledge_wildcards
from cdk_app.jsonata import EMPTY_TEXT, RESULT, condition, jsonata
from cdk_app.retries import catch_all

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_stepfunctions_tasks as tasks

    from cdk_app.step import Step
    from cdk_app.storage import Storage


class Workflow(Construct):
    """One Standard state machine in JSONata, started by an object, whose every end is told."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("states.amazonaws.com"))

    def drop_state(self) -> sfn.Pass:
        """The object that S3 told of; and a value for everything that Notify reads, whatever comes."""
        detail = "$states.input.detail"
        found = {
            "bucket": f"{detail}.bucket.name",
            "key": f"{detail}.object.key",
            "version": f"{detail}.object.`version-id`",
            "size": f"{detail}.object.size",
        }
        nothing = dict.fromkeys(("run", "model", "reason", "step", "fault", "cause"), EMPTY_TEXT)
        assign = {name: jsonata(each) for name, each in found.items()}
        return sfn.Pass.jsonata(self, "Drop", assign={**assign, **nothing, "status": "running"})

    def claim_state(self, claim: Step) -> tasks.LambdaInvoke:
        """Owns the object for this execution, or says who does."""
        given = {name: f"${name}" for name in ("bucket", "key", "version", "size")}
        return claim.state(
            payload={**given, "execution": "$states.context.Execution.Id"},
            assign={"run": f"{RESULT}.run", "model": f"{RESULT}.model"},
        )

    def claimed(self, then: sfn.IChainable) -> sfn.Choice:
        """Goes on with what this execution owns."""
        outcome = sfn.Choice.jsonata(self, "Claimed?")
        for name in ("Duplicate", "Ignored"):
            outcome.when(condition(f"$states.input.outcome = '{name.lower()}'"), sfn.Succeed.jsonata(self, name))
        return outcome.otherwise(then)

    def notify_state(self, notify: Step, ends: Sequence[str]) -> tasks.LambdaInvoke:
        """Closes every run that was claimed, then ends in the state that names how it ended."""
        told = {name: f"${name}" for name in ("run", "model", "status", "reason", "step", "cause")}
        given = {"execution": "$states.context.Execution.Id", **told, "error": "$fault"}
        task = notify.state(payload=given, assign={})
        failed = sfn.Fail.jsonata(self, "Failed", error=jsonata("$fault"), cause=jsonata("$cause"))
        task.add_catch(failed, **catch_all("Notify"))
        ended = sfn.Choice.jsonata(self, "Ended")
        for name in ends:
            ended.when(condition(f"$status = '{name.lower()}'"), sfn.Succeed.jsonata(self, name))
        task.next(ended.otherwise(failed))
        return task

    def make_machine(self, way: sfn.IChainable, storage: Storage, longest: Duration) -> sfn.StateMachine:
        """The machine; its log holds states and errors but not their data, which may name columns and classes."""
        group = logs.LogGroup(
            self,
            "Logs",
            encryption_key=storage.key,
            retention=logs.RetentionDays.THREE_MONTHS,
            removal_policy=RemovalPolicy.DESTROY,
        )
        return sfn.StateMachine(
            self,
            "Machine",
            definition_body=sfn.DefinitionBody.from_chainable(way),
            query_language=sfn.QueryLanguage.JSONATA,
            state_machine_type=sfn.StateMachineType.STANDARD,
            timeout=longest,
            tracing_enabled=True,
            logs=sfn.LogOptions(destination=group, level=sfn.LogLevel.ALL, include_execution_data=False),
            role=self.role,
        )

    def close_early_ends(self, machine: sfn.StateMachine, notify: Step) -> None:
        """Notify hears of executions that never came to its state: stopped, out of time, or on an uncatchable error."""
        events.Rule(
            self,
            "EarlyEnd",
            description="Dropforge: an execution ended badly",
            event_pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={
                    "stateMachineArn": [machine.state_machine_arn],
                    "status": ["ABORTED", "TIMED_OUT", "FAILED"],
                },
            ),
            targets=[targets.LambdaFunction(notify.function)],
        )

    def note_wildcards(self, steps: Sequence[Step]) -> None:
        """Why the role's rights end in stars."""
        acknowledge(self.role, "IAM5[Resource::*]", "X-Ray and the delivery of logs know no resources.")
        for step in steps:
            versions = f"{step.function.function_arn}:*"
            acknowledge_wildcards(self.role, [versions], "Versions of the same function, as CDK grants an invocation.")
