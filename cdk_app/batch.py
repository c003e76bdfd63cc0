"""The state machine of a batch, from a dropped file to its predictions: a Standard workflow in JSONata.

`_states` chains the states; the functions behind them are in `batch_functions.py`, and how every workflow begins and
ends is in `workflow.py`.

Variables of an execution are assigned by the first state that knows them: `bucket key version size sequencer run
model status reason step fault cause` by Drop, `pieces` by Plan. States inside the Distributed Map see only their own
input, so each piece names its run.
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

CONCURRENT_PIECES = 6
"""How many pieces are predicted at once: a new account may run ten functions at once, and Predict needs some."""

MAX_HOURS = 48
"""A thousand pieces that take a quarter of an hour each take forty-two hours."""


class Batch(Workflow):
    """The state machine, and the functions that are its states."""

    def __init__(self, scope: Construct, id: str, *, context: Context, alarm_topic: AlarmTopic) -> None:
        super().__init__(scope, id)
        self._claim = batch_functions.claim(self, context)
        self._plan = batch_functions.plan(self, context)
        self._answer = batch_functions.answer(self, context)
        self._join = batch_functions.join(self, context)
        self._notify = pipeline_functions.notify(self, context, alarm_topic)
        self.machine = self.make_machine(self._states(), context.storage, Duration.hours(MAX_HOURS))
        self.allow_asking_for_executions(self.machine, self._claim)
        self.notify_of_early_ends(self.machine, self._notify)
        self.acknowledge_role([self._claim, self._plan, self._answer, self._join, self._notify])
        self._acknowledge_children()

    def _states(self) -> sfn.IChainable:
        """Chains every state, in the order in which the data flow."""
        drop, claim, plan = self.drop_state(), self.claim_state(self._claim), self._plan_state()
        only_piece, pieces, join = self._answer_only_piece(), self._pieces(), self._join_state()
        notify = self.notify_state(self._notify, ("Predicted", "Rejected"))
        for name, state in (
            ("Claim", claim),
            ("Plan", plan),
            ("Answer", only_piece),
            ("Answer", pieces),
            ("Join", join),
        ):
            state.add_catch(notify, **catch_all(name))
        planned = sfn.Choice.jsonata(self, "Planned?")
        planned.when(condition("$status = 'rejected'"), notify)
        planned.when(condition("$pieces > 1"), self._list_pieces().next(pieces))
        pieces.next(join)
        plan.next(planned.otherwise(only_piece.next(join)))
        join.next(notify)
        return drop.next(claim).next(self.claimed(plan))

    def _plan_state(self) -> tasks.LambdaInvoke:
        status = f"{RESULT}.outcome = 'rejected' ? 'rejected' : 'running'"
        return self._plan.state(
            payload={"run": "$run", "model": "$model"},
            assign={"status": status, "reason": f"{RESULT}.reason", "pieces": f"{RESULT}.pieces"},
        )

    def _answer_only_piece(self) -> tasks.LambdaInvoke:
        return self._answer.state(payload={"run": "$run", "model": "$model", "piece": "1"}, assign={})

    def _list_pieces(self) -> sfn.Pass:
        """Lists the items of the map. An item is a pointer to its piece; the plan itself is in S3."""
        item = "{'run': $run, 'model': $model, 'piece': $}"
        return sfn.Pass.jsonata(self, "Pieces", outputs=jsonata(f"[1..$pieces].{item}"))

    def _pieces(self) -> sfn.DistributedMap:
        """Predicts each piece in a child execution with its own retries; a piece that keeps failing fails the batch."""
        pieces = sfn.DistributedMap.jsonata(
            self,
            "AnswerAll",
            items=sfn.ProvideItems.jsonata(jsonata("$states.input")),
            max_concurrency=CONCURRENT_PIECES,
            map_execution_type=sfn.StateMachineType.STANDARD,
            outputs=jsonata("{}"),
        )
        payload = {name: f"$states.input.{name}" for name in ("run", "model", "piece")}
        return pieces.item_processor(self._answer.state(payload=payload, assign={}, name="AnswerPiece"))

    def _join_state(self) -> tasks.LambdaInvoke:
        return self._join.state(payload={"run": "$run", "model": "$model"}, assign={"status": "'predicted'"})

    def _acknowledge_children(self) -> None:
        """Notes the right that CDK grants the map: to start and follow executions of its own state machine."""
        machine = json.dumps(Stack.of(self).resolve(self.machine.state_machine_arn), separators=(",", ":"))
        name = f'{{"Fn::Select":[6,{{"Fn::Split":[":",{machine}]}}]}}'
        executions = f"arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:execution:{name}"
        for resource in (f"{executions}:*", f"{executions}/*:*"):
            acknowledge(
                self.machine, f"IAM5[Resource::{resource}]", "The map starts and follows children of this machine."
            )
