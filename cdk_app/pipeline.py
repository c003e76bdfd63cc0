"""The pipeline's state machine, from a dropped data set to a promoted model: a Standard workflow in JSONata.

`_states` chains the states; the functions behind them are in `pipeline_functions.py`, training is in `training.py`, and
how every workflow begins and ends is in `workflow.py`.

Each variable of an execution is assigned by the first state that knows it: `bucket key version size sequencer run model
status reason step fault cause` by Drop, `places data_uri plan_uri output_uri checkpoint_uri max_seconds` by Inspect,
and by it and then by Reroute `place hops rounds wait`, `job artifacts instance billable` by Train, `outcome champion`
by Judge, `registered` by Register. No variable may have the name of a JSONata function (`$error`, `$number`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration
from aws_cdk import aws_stepfunctions as sfn

from cdk_app import pipeline_functions
from cdk_app.jsonata import RESULT, condition, jsonata
from cdk_app.retries import catch_all
from cdk_app.workflow import Workflow

if TYPE_CHECKING:
    from constructs import Construct

    from cdk_app.context import Context
    from cdk_app.function import Function
    from cdk_app.notifications import AlarmTopic
    from cdk_app.rollouts import Rollouts
    from cdk_app.training import Training

FROM_INSPECT = ("places", "data_uri", "plan_uri", "output_uri", "checkpoint_uri", "max_seconds")
"""Variables that Inspect assigns."""

MAX_DAYS = 7
"""At the largest budget: two days of waiting for spot capacity, one for each job that may take all of its time (the
first, and one on more cores), half a day of waiting for any place, and a margin."""


class Pipeline(Workflow):
    """The state machine, and the functions that are its states."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        context: Context,
        training: Training,
        alarm_topic: AlarmTopic,
        predict: Function,
        rollouts: Rollouts,
    ) -> None:
        super().__init__(scope, id)
        self._training = training
        self._claim = pipeline_functions.claim(self, context, training.image)
        self._inspect = pipeline_functions.inspect(self, context, training.image)
        self._reroute = pipeline_functions.reroute(self, context)
        self._judge = pipeline_functions.judge(self, context)
        self._register = pipeline_functions.register(self, context)
        self._rehearse = pipeline_functions.rehearse(self, context, predict)
        self._promote = pipeline_functions.promote(self, context, rollouts.machine)
        self._notify = pipeline_functions.notify(self, context, alarm_topic)
        self.machine = self.make_machine(self._states(), context.storage, Duration.days(MAX_DAYS))
        self.allow_asking_for_executions(self.machine, self._claim)
        self.notify_of_early_ends(self.machine, self._notify)
        training.allow_starting(self.role)
        self.acknowledge_role(
            [self._claim, self._inspect, self._reroute, self._judge, self._register, self._rehearse, self._promote,
             self._notify]
        )  # fmt: skip

    def _states(self) -> sfn.IChainable:
        """Chains every state, in the order in which the data flow."""
        drop, claim, inspect = self.drop_state(), self.claim_state(self._claim), self._inspect_state()
        train, judge, register = self._training.state(), self._judge_state(), self._register_state()
        rehearse, promote, reroute = self._rehearse_state(), self._promote_state(), self._reroute_state()
        notify = self.notify_state(self._notify, ("Promoted", "Refused", "Rejected"))
        for name, task in (("Claim", claim), ("Inspect", inspect), ("Judge", judge), ("Register", register),
                           ("Rehearse", rehearse), ("Promote", promote)):  # fmt: skip
            task.add_catch(notify, **catch_all(name))
        train.add_catch(reroute, **catch_all("Train"))
        reroute.add_catch(notify, **catch_all("Train"))
        reroute.next(self._when("AnotherPlace", "$status = 'running'", self._wait().next(train), otherwise=notify))
        overtaken = self._when("Overtaken", "$status = 'running'", judge, otherwise=notify)
        overtaken.when(condition("$status = 'rolling'"), sfn.Succeed.jsonata(self, "Rolling"))
        promote.next(overtaken)
        register.next(self._when("Refused", "$status = 'refused'", notify, otherwise=rehearse))
        rehearse.next(self._when("RefusedByRehearsal", "$status = 'refused'", notify, otherwise=promote))
        judge.next(register)
        train.next(judge)
        inspect.next(self._when("Rejected", "$status = 'rejected'", notify, otherwise=train))
        return drop.next(claim).next(self.claimed(inspect))

    def _inspect_state(self) -> sfn.TaskStateBase:
        status = f"{RESULT}.outcome = 'rejected' ? 'rejected' : 'running'"
        results = {name: f"{RESULT}.{name}" for name in FROM_INSPECT}
        # A rejected drop has no place to train.
        start = {"place": f"[{RESULT}.places[0], {{}}][0]", "hops": "[]", "rounds": "0", "wait": "0"}
        return self._inspect.state(
            payload={"run": "$run", "model": "$model"},
            assign={**results, **start, "status": status, "reason": f"{RESULT}.reason"},
        )

    def _reroute_state(self) -> sfn.TaskStateBase:
        """After a job that failed: the next place to train at, or the end. A run that goes on has no error."""
        goes_on = f"{RESULT}.outcome = 'train'"
        error = {name: f"{goes_on} ? '' : ${name}" for name in ("step", "fault", "cause")}
        job = {"run": "$run", "model": "$model", "error": "$fault", "cause": "$cause"}
        return self._reroute.state(
            payload={**job, **{name: f"${name}" for name in ("places", "place", "hops")}, "round": "$rounds"},
            assign={
                **{name: f"{RESULT}.{name}" for name in ("place", "wait")},
                "rounds": f"{RESULT}.round",  # `$round` is a function
                "hops": f"[{RESULT}.hops]",  # without the brackets, none would have no value
                "status": f"{goes_on} ? 'running' : 'failed'",
                **error,
            },
        )

    def _wait(self) -> sfn.Wait:
        return sfn.Wait.jsonata(self, "WaitForPlace", time=sfn.WaitTime.seconds(jsonata("$wait")))

    def _judge_state(self) -> sfn.TaskStateBase:
        trained = {"job": "$job", "artifacts_uri": "$artifacts"}
        cost = {"instance_type": "$instance", "billable_seconds": "$billable"}
        status = f"{RESULT}.outcome = 'refused' ? 'refused' : 'running'"
        return self._judge.state(
            payload={"run": "$run", "model": "$model", **trained, **cost},
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

    def _rehearse_state(self) -> sfn.TaskStateBase:
        status = f"{RESULT}.outcome = 'refused' ? 'refused' : 'running'"
        return self._rehearse.state(
            payload={"run": "$run", "model": "$model", "version": "$registered"},
            assign={"status": status, "reason": f"{RESULT}.outcome = 'refused' ? {RESULT}.reason : $reason"},
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
