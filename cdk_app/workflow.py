"""What both workflows share: how they begin with an S3 event, how they end in Notify, and the state machine itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import ArnFormat, Duration, Fn, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda_destinations as destinations
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from cdk_app.acknowledgements import acknowledge, acknowledge_wildcards
from cdk_app.deadletters import dead_letter_queue
from cdk_app.jsonata import EMPTY_TEXT, RESULT, condition, jsonata
from cdk_app.logs import log_group
from cdk_app.retries import catch_all

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_stepfunctions_tasks as tasks

    from cdk_app.step import Step
    from cdk_app.storage import Storage


class Workflow(Construct):
    """One Standard state machine in JSONata: an S3 event starts it, and every way it can end reaches Notify.

    A subclass makes the functions, chains the states that this class and its own methods render, and hands the chain
    to `make_machine`.
    """

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("states.amazonaws.com"))

    def drop_state(self) -> sfn.Pass:
        """Assigns the object of the S3 event, and a default for every variable that Notify reads."""
        detail = "$states.input.detail"
        dropped = {
            "bucket": f"{detail}.bucket.name",
            "key": f"{detail}.object.key",
            "version": f"{detail}.object.`version-id`",
            "size": f"{detail}.object.size",
            "sequencer": f"[{detail}.object.sequencer, ''][0]",
        }
        defaults = dict.fromkeys(("run", "model", "reason", "step", "fault", "cause"), EMPTY_TEXT)
        assign = {name: jsonata(expression) for name, expression in dropped.items()}
        return sfn.Pass.jsonata(self, "Drop", assign={**assign, **defaults, "status": "running"})

    def claim_state(self, claim: Step) -> tasks.LambdaInvoke:
        """Claims the object for this execution, unless another one has it."""
        dropped = {name: f"${name}" for name in ("bucket", "key", "version", "size", "sequencer")}
        return claim.state(
            payload={**dropped, "execution": "$states.context.Execution.Id"},
            assign={"run": f"{RESULT}.run", "model": f"{RESULT}.model"},
        )

    def claimed(self, then: sfn.IChainable) -> sfn.Choice:
        """Goes on to `then` with an object that this execution owns; ends with success otherwise."""
        outcome = sfn.Choice.jsonata(self, "Claimed?")
        for name in ("Duplicate", "Ignored"):
            outcome.when(condition(f"$states.input.outcome = '{name.lower()}'"), sfn.Succeed.jsonata(self, name))
        return outcome.otherwise(then)

    def notify_state(self, notify: Step, ends: Sequence[str]) -> tasks.LambdaInvoke:
        """Tells how the run ended, then ends in the state that is named after the run's status.

        Args:
            notify: the function.
            ends: names of the successful ends; any other status ends in `Failed`.
        """
        known = ("run", "model", "status", "reason", "step", "cause", "bucket", "key", "version", "size")
        variables = {name: f"${name}" for name in known}
        payload = {"execution": "$states.context.Execution.Id", **variables, "error": "$fault"}
        task = notify.state(payload=payload, assign={"status": f"{RESULT}.status"})
        failed = sfn.Fail.jsonata(self, "Failed", error=jsonata("$fault"), cause=jsonata("$cause"))
        task.add_catch(failed, **catch_all("Notify"))
        ended = sfn.Choice.jsonata(self, "Ended")
        for name in ends:
            ended.when(condition(f"$status = '{name.lower()}'"), sfn.Succeed.jsonata(self, name))
        task.next(ended.otherwise(failed))
        return task

    def make_machine(self, states: sfn.IChainable, storage: Storage, timeout: Duration) -> sfn.StateMachine:
        """The state machine. Its log has states and errors without their data, which may name columns and classes."""
        group = log_group(self, "Logs", storage)
        return sfn.StateMachine(
            self,
            "Machine",
            definition_body=sfn.DefinitionBody.from_chainable(states),
            query_language=sfn.QueryLanguage.JSONATA,
            state_machine_type=sfn.StateMachineType.STANDARD,
            timeout=timeout,
            tracing_enabled=True,
            logs=sfn.LogOptions(destination=group, level=sfn.LogLevel.ALL, include_execution_data=False),
            role=self.role,
        )

    def allow_asking_for_executions(self, machine: sfn.StateMachine, step: Step) -> None:
        """Lets a function ask whether executions of this state machine have ended.

        The policy stands apart from the function's others, because the state machine depends on those.
        """
        executions = self.executions_of(machine)
        statement = iam.PolicyStatement(actions=["states:DescribeExecution"], resources=[executions])
        policy = iam.Policy(self, f"{step.node.id}Executions", statements=[statement], roles=[step.role])
        acknowledge_wildcards(policy, [executions], "Every execution of this state machine, which no other has.")

    def executions_of(self, machine: sfn.StateMachine) -> str:
        """The ARN of every execution of a state machine."""
        name = Fn.select(6, Fn.split(":", machine.state_machine_arn))
        return Stack.of(self).format_arn(
            service="states", resource="execution", resource_name=f"{name}:*", arn_format=ArnFormat.COLON_RESOURCE_NAME
        )

    def notify_of_early_ends(self, machine: sfn.StateMachine, notify: Step) -> None:
        """Invokes Notify for executions that end before its state: stopped, timed out, or with an uncatchable error.

        An event that could not be delivered, and one that Notify failed at, is kept in a dead-letter queue; the
        reconciler ends such a run.
        """
        self.dead_letters = dead_letter_queue(self)
        notify.function.configure_async_invoke(
            on_failure=destinations.SqsDestination(self.dead_letters), retry_attempts=2
        )
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
            targets=[targets.LambdaFunction(notify.function, dead_letter_queue=self.dead_letters)],
        )

    def acknowledge_role(self, steps: Sequence[Step]) -> None:
        """Notes why the role may touch resources with wildcards in their names."""
        acknowledge(self.role, "IAM5[Resource::*]", "X-Ray and the delivery of logs know no resources.")
        for step in steps:
            versions = f"{step.function.function_arn}:*"
            acknowledge_wildcards(self.role, [versions], "Versions of the same function, as CDK grants an invocation.")
