"""Monitoring: one alarm for each way in which the deployment can fail, and one dashboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from constructs import Construct

from dropforge.contract.settings import GPU_NOT_SEEN_METRIC, NO_HEALTHY_MODEL, UNKNOWN_VALUES_METRIC

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_stepfunctions as sfn

    from cdk_app.api import Api
    from cdk_app.batch import Batch
    from cdk_app.notifications import AlarmTopic
    from cdk_app.pipeline import Pipeline
    from cdk_app.reconciler import Reconciler
    from cdk_app.rollouts import Rollouts
    from cdk_app.trigger import Trigger

SLOW_MILLISECONDS = 2_000
"""The 95th percentile of the latency that raises the alarm: longer than a cold start takes."""


class Monitoring(Construct):
    """Alarms that notify the alarm topic, and the dashboard."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        alarm_topic: AlarmTopic,
        pipeline: Pipeline,
        batch: Batch,
        rollouts: Rollouts,
        triggers: Sequence[Trigger],
        api: Api,
        reconciler: Reconciler,
        namespace: str,
    ) -> None:
        super().__init__(scope, id)
        self._alarm_topic = alarm_topic
        self._namespace = namespace
        self.alarms = [
            *self._runs("Run", pipeline.machine, "A run ended without a verdict"),
            *self._runs("Batch", batch.machine, "A batch ended without predictions"),
            self._alarm(
                "RolloutFailed",
                rollouts.machine.metric_failed(period=Duration.minutes(1)),
                1,
                "Nobody looks at a rollout; the reconciler has it looked at again within a quarter of an hour",
            ),
            *(self._dead_letters(trigger) for trigger in triggers),
            self._alarm("Reconciler", reconciler.errors, 1, "The reconciler failed: what was missed is not started"),
            *self._predictions(api),
            self._models(),
            self._gpus(),
        ]
        self._dashboard(pipeline, batch, triggers, api)

    def _runs(self, what: str, machine: sfn.StateMachine, meaning: str) -> list[cloudwatch.Alarm]:
        metrics = {
            f"{what}Failed": machine.metric_failed(period=Duration.minutes(1)),
            f"{what}TimedOut": machine.metric_timed_out(period=Duration.minutes(1)),
            f"{what}Aborted": machine.metric_aborted(period=Duration.minutes(1)),
        }
        return [self._alarm(name, metric, 1, meaning) for name, metric in metrics.items()]

    def _dead_letters(self, trigger: Trigger) -> cloudwatch.Alarm:
        metric = trigger.dead_letters.metric_approximate_number_of_messages_visible(period=Duration.minutes(1))
        name = trigger.node.id.replace("Trigger", "DeadLetters")
        meaning = "A drop started no run; its event is in the dead-letter queue: dropforge redrive starts it"
        return self._alarm(name, metric, 1, meaning)

    def _predictions(self, api: Api) -> list[cloudwatch.Alarm]:
        minute, five = Duration.minutes(1), Duration.minutes(5)
        errors = api.rest.metric_server_error(period=minute, statistic="Sum")
        latency = api.rest.metric_latency(period=five, statistic="p95")
        throttled = "Predict calls were throttled: raise the concurrency"
        hot = {f"Throttles-{model}": function for model, function in api.hot.items()}
        return [
            self._alarm("PredictErrors", errors, 1, "The API answered with a 5xx"),
            self._alarm(
                "PredictLatency",
                latency,
                SLOW_MILLISECONDS,
                "The 95th percentile of the API's latency is high",
                periods=3,
            ),
            *(
                self._alarm(name, predict.function.metric_throttles(period=minute), 1, throttled)
                for name, predict in {"PredictThrottles": api.predict, **hot}.items()
            ),
        ]

    def _models(self) -> cloudwatch.Alarm:
        metric = cloudwatch.Metric(
            namespace=self._namespace, metric_name=NO_HEALTHY_MODEL, period=Duration.minutes(1), statistic="Sum"
        )
        return self._alarm("NoHealthyModel", metric, 1, "A live model cannot be loaded")

    def _gpus(self) -> cloudwatch.Alarm:
        metric = cloudwatch.Metric(
            namespace=self._namespace, metric_name=GPU_NOT_SEEN_METRIC, period=Duration.minutes(1), statistic="Sum"
        )
        return self._alarm("GpuNotSeen", metric, 1, "A training job could not use the GPU of its machine")

    def _alarm(
        self, name: str, metric: cloudwatch.IMetric, threshold: float, meaning: str, *, periods: int = 1
    ) -> cloudwatch.Alarm:
        alarm = cloudwatch.Alarm(
            self,
            name,
            metric=metric,
            threshold=threshold,
            evaluation_periods=periods,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            alarm_description=f"Dropforge: {meaning}",
        )
        alarm.add_alarm_action(actions.SnsAction(self._alarm_topic.topic))
        return alarm

    def _dashboard(self, pipeline: Pipeline, batch: Batch, triggers: Sequence[Trigger], api: Api) -> None:
        machine, predict = pipeline.machine, api.predict.function
        dashboard = cloudwatch.Dashboard(self, "Dashboard", period_override=cloudwatch.PeriodOverride.AUTO)
        dashboard.add_widgets(cloudwatch.AlarmStatusWidget(alarms=list(self.alarms), width=24, height=3))
        dashboard.add_widgets(
            _graph("Runs", [machine.metric_started(), machine.metric_succeeded(), machine.metric_failed()]),
            _graph(
                "How long a run takes", [machine.metric_time(statistic="p50"), machine.metric_time(statistic="Maximum")]
            ),
            _graph(
                "Drops that started nothing",
                [trigger.dead_letters.metric_approximate_number_of_messages_visible() for trigger in triggers],
            ),
        )
        dashboard.add_widgets(
            _graph("Calls", [api.rest.metric_count(), api.rest.metric_client_error(), api.rest.metric_server_error()]),
            _graph("Latency", [api.rest.metric_latency(statistic=statistic) for statistic in ("p50", "p95", "p99")]),
            _graph("Predict", [predict.metric_errors(), predict.metric_throttles()]),
        )
        batches = batch.machine
        dashboard.add_widgets(
            _graph("Batches", [batches.metric_started(), batches.metric_succeeded(), batches.metric_failed()]),
            _graph(
                "How long a batch takes", [batches.metric_time(statistic=statistic) for statistic in ("p50", "Maximum")]
            ),
            _graph("Values that a model does not know", [_of_every_model(self._namespace, UNKNOWN_VALUES_METRIC)]),
        )


def _of_every_model(namespace: str, name: str) -> cloudwatch.MathExpression:
    """One line a model of a metric of ours."""
    search = f"SEARCH('{{\"{namespace}\",model}} MetricName=\"{name}\"', 'Sum')"
    return cloudwatch.MathExpression(expression=search, using_metrics={}, label="")


def _graph(title: str, metrics: Sequence[cloudwatch.IMetric]) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=list(metrics), width=8, height=6)
