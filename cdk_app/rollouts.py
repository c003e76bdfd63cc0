"""Rollouts: a state machine that looks at each one while it is under way, so that nothing runs and costs otherwise.

Variables of an execution are assigned by Begin (`model salt looks`) and by Weigh (`outcome wait looks`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration
from aws_cdk import aws_stepfunctions as sfn

from cdk_app import pipeline_functions
from cdk_app.function import Size
from cdk_app.jsonata import RESULT, condition, jsonata
from cdk_app.libraries import ROLLOUTS
from cdk_app.packaging import Package
from cdk_app.workflow import Workflow
from dropforge.contract import names, settings

if TYPE_CHECKING:
    from constructs import Construct

    from cdk_app.context import Context
    from cdk_app.notifications import AlarmTopic
    from cdk_app.step import Step

WEIGH = Package("rollout/weigh", ROLLOUTS)
EVERY_ROLLOUT = "The function looks at the rollouts of every model, and each has folders there."

MOST_LOOKS = 1_000
"""Looks of one execution, whose history holds 25,000 events; the reconciler starts the next one."""

MAX_DAYS = 30
"""A thousand looks, a quarter of an hour apart, take ten days."""


class Rollouts(Workflow):
    """The state machine, and the function that looks."""

    def __init__(self, scope: Construct, id: str, *, context: Context, alarm_topic: AlarmTopic) -> None:
        super().__init__(scope, id)
        self._weigh = weigh(self, context, alarm_topic)
        self.machine = self.make_machine(self._states(), context.storage, Duration.days(MAX_DAYS))
        self.acknowledge_role([self._weigh])

    def _states(self) -> sfn.IChainable:
        """Chains every state: look, wait, look again."""
        given = {name: jsonata(f"$states.input.{name}") for name in ("model", "salt")}
        begin = sfn.Pass.jsonata(self, "Begin", assign={**given, "looks": jsonata("0")})
        look = self._weigh.state(
            payload={"model": "$model", "salt": "$salt"},
            assign={"outcome": f"{RESULT}.outcome", "wait": f"{RESULT}.wait", "looks": "$looks + 1"},
        )
        look.add_catch(sfn.Fail.jsonata(self, "Failed", cause=jsonata("$states.input.Cause")))
        wait = sfn.Wait.jsonata(self, "WaitForEvidence", time=sfn.WaitTime.seconds(jsonata("$wait")))
        under_way = sfn.Choice.jsonata(self, "UnderWay?")
        under_way.when(condition(f"$outcome = 'waits' and $looks < {MOST_LOOKS}"), wait.next(look))
        return begin.next(look).next(under_way.otherwise(sfn.Succeed.jsonata(self, "Ended")))


def weigh(scope: Construct, context: Context, alarm_topic: AlarmTopic) -> Step:
    """Weigh reads captures, keeps the evidence in the run's folder, and moves the live pointer."""
    topic, bucket = alarm_topic.topic, context.storage.artifacts
    environment = settings.WeighSettings(context.table_name, context.artifact_bucket, topic.topic_arn)
    step = pipeline_functions.step_of(scope, "Weigh", context, environment, Size(memory=1024, seconds=300), WEIGH)
    context.registry.grant(step.role, ["GetItem", "PutItem", "UpdateItem"])
    files = (names.VERDICT_FILE, f"input/plan/{names.PLAN_FILE}")
    read = [bucket.arn_for_objects(f"{names.RUNS}*/{name}") for name in files]
    step.allow(["s3:GetObject"], [*read, bucket.arn_for_objects(f"{names.CAPTURES}*")], EVERY_ROLLOUT)
    kept = [bucket.arn_for_objects(f"{names.RUNS}*/{name}") for name in (names.ROLLOUT_FILE, names.ROLLOUT_PAGE)]
    step.allow(["s3:GetObject", "s3:PutObject"], kept, EVERY_ROLLOUT)
    step.allow(["s3:ListBucket"], [bucket.bucket_arn])
    alarm_topic.allow_publishing(step.role)
    return step
