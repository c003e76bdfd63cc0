"""File to predictions: one Standard workflow in JSONata, top to bottom as the rows flow.

Variables of an execution: `bucket key version size run model status reason step fault cause` from the start, `pieces`
from Plan. The states inside the Distributed Map see their own input alone, so each piece names its run.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aws_cdk import Duration, Stack
from aws_cdk import aws_stepfunctions as sfn

from cdk_app import batch_functions, pipeline_functions
from cdk_app.acknowledgements import acknowledge
from cdk_app.jsonata import RESULT, condition, jsonata
from cdk_app.retries import catch_all
from cdk_app.workflow import Workflow

if TYPE_CHECKING:
    from aws_cdk import aws_stepfunctions_tasks as tasks
    from constructs import Construct

    from cdk_app.context import Context
    from cdk_app.notifications import AlarmTopic

AT_ONCE = 6
"""Pieces that are answered at the same time: a new account may have ten functions at once, and Predict needs some."""

LONGEST_WAY = 48
"""Hours: a thousand pieces that take a quarter of an hour each take forty-two."""


class Batch(Workflow):
    """The state machine and the functions that are its states."""

    def __init__(self, scope: Construct, id: str, *, context: Context, alarm_topic: AlarmTopic) -> None:
        super().__init__(scope, id)
        self._claim = batch_functions.claim(self, context)
        self._plan = batch_functions.plan(self, context)
        self._answer = batch_functions.answer(self, context)
        self._join = batch_functions.join(self, context)
        self._notify = pipeline_functions.notify(self, context, alarm_topic)
        self.machine = self.make_machine(self._way(), context.storage, Duration.hours(LONGEST_WAY))
        self.close_early_ends(self.machine, self._notify)
        self.note_wildcards([self._claim, self._plan, self._answer, self._join, self._notify])
        self._note_children()

    def _way(self) -> sfn.IChainable:
        """Every state, in the order of the way."""
        drop, claim, plan = self.drop_state(), self.claim_state(self._claim), self._plan_state()
        alone, pieces, join = self._answer_alone(), self._pieces(), self._join_state()
        notify = self.notify_state(self._notify, ("Predicted", "Rejected"))
        for name, state in (("Claim", claim), ("Plan", plan), ("Answer", alone), ("Answer", pieces), ("Join", join)):
            state.add_catch(notify, **catch_all(name))
        planned = sfn.Choice.jsonata(self, "Planned?")
        planned.when(condition("$status = 'rejected'"), notify)
        planned.when(condition("$pieces > 1"), self._listed().next(pieces))
        pieces.next(join)
        plan.next(planned.otherwise(alone.next(join)))
        join.next(notify)
        return drop.next(claim).next(self.claimed(plan))

    def _plan_state(self) -> tasks.LambdaInvoke:
        status = f"{RESULT}.outcome = 'rejected' ? 'rejected' : 'running'"
        return self._plan.state(
            payload={"run": "$run", "model": "$model"},
            assign={"status": status, "reason": f"{RESULT}.reason", "pieces": f"{RESULT}.pieces"},
        )

    def _answer_alone(self) -> tasks.LambdaInvoke:
        return self._answer.state(payload={"run": "$run", "model": "$model", "piece": "1"}, assign={})

    def _listed(self) -> sfn.Pass:
        """The pieces as the items of the map: pointers, for the plan itself lies in S3."""
        each = "{'run': $run, 'model': $model, 'piece': $}"
        return sfn.Pass.jsonata(self, "Pieces", outputs=jsonata(f"[1..$pieces].{each}"))

    def _pieces(self) -> sfn.DistributedMap:
        """Every piece in an execution of its own, with retries of its own; one that stays ill fails the batch."""
        pieces = sfn.DistributedMap.jsonata(
            self,
            "AnswerAll",
            items=sfn.ProvideItems.jsonata(jsonata("$states.input")),
            max_concurrency=AT_ONCE,
            map_execution_type=sfn.StateMachineType.STANDARD,
            outputs=jsonata("{}"),
        )
        given = {name: f"$states.input.{name}" for name in ("run", "model", "piece")}
        return pieces.item_processor(self._answer.state(payload=given, assign={}, name="AnswerPiece"))

    def _join_state(self) -> tasks.LambdaInvoke:
        return self._join.state(payload={"run": "$run", "model": "$model"}, assign={"status": "'predicted'"})

    def _note_children(self) -> None:
        """The map's right to its own machine's executions, as CDK grants it."""
        machine = json.dumps(Stack.of(self).resolve(self.machine.state_machine_arn), separators=(",", ":"))
        name = f'{{"Fn::Select":[6,{{"Fn::Split":[":",{machine}]}}]}}'
        executions = f"arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:execution:{name}"
        for each in (f"{executions}:*", f"{executions}/*:*"):
            acknowledge(self.machine, f"IAM5[Resource::{each}]", "The map starts and follows children of this machine.")
