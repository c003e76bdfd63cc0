"""Alarms evaluated as AWS does it: over the alarm's own dimensions, period by period, missing data as it says, and
by the clock. MiniStack looks at all dimensions of a metric name together, and only when a metric is put.
"""

from __future__ import annotations

import logging
import operator
import threading
import time
from typing import TYPE_CHECKING, Any

from dropforge.embedded.metrics.record import cloudwatch, enter_scope

if TYPE_CHECKING:
    from collections.abc import Callable

EVERY_SECONDS = 5.0
BEFORE: list[Callable[[], None]] = []
"""Functions that measure something right before each periodic evaluation."""

OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
_ONE_AT_A_TIME = threading.Lock()


def register() -> None:
    """Replace MiniStack's evaluation and start the clock."""
    cloudwatch()._evaluate_alarm = evaluate
    threading.Thread(target=_clock, name="dropforge-alarms", daemon=True).start()


def evaluate(alarm: dict[str, Any]) -> None:
    """Update the state of one alarm; a change calls the alarm's actions."""
    if alarm.get("ComparisonOperator") not in OPERATORS or not alarm.get("MetricName"):
        return  # metric maths and anomaly bands are stored only
    service = cloudwatch()
    with _ONE_AT_A_TIME:
        old, new = alarm["StateValue"], new_state(alarm, periods(alarm, time.time()))
        if new == old:
            return
        reason = f"{alarm['MetricName']} {alarm['ComparisonOperator']} {alarm['Threshold']}: {new}"
        alarm.update(StateValue=new, StateReason=reason, StateUpdatedTimestamp=int(time.time()))
    service._record_history(alarm["AlarmName"], old, new, reason)
    service._dispatch_alarm_actions(alarm, old, new, reason)
    service._evaluate_parent_alarms(alarm)


def periods(alarm: dict[str, Any], now: float) -> list[float | None]:
    """The alarm's statistic in each evaluation period, newest first; None where nothing was recorded."""
    service = cloudwatch()
    dimensions = service._dims_key({each["Name"]: each["Value"] for each in alarm.get("Dimensions", [])})
    points = service._metrics.get((alarm["Namespace"], alarm["MetricName"], dimensions)) or []
    length, count = int(alarm.get("Period", 60)), int(alarm.get("EvaluationPeriods", 1))
    statistic = alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "Average"
    values: list[float | None] = []
    for at in range(count):
        end = now - at * length
        inside = [each for each in list(points) if end - length < each["Timestamp"] <= end]
        values.append(service._stat_value(service._calc_stats(inside), statistic, inside) if inside else None)
    return values


def new_state(alarm: dict[str, Any], values: list[float | None]) -> str:
    """`ALARM`, `OK` or `INSUFFICIENT_DATA`, from the values of the evaluation periods."""
    missing = alarm.get("TreatMissingData", "missing")
    if all(value is None for value in values) and missing not in ("breaching", "notBreaching"):
        return str(alarm["StateValue"]) if missing == "ignore" else "INSUFFICIENT_DATA"
    crossed = OPERATORS[alarm["ComparisonOperator"]]
    breaching = sum(
        missing == "breaching" if value is None else crossed(value, float(alarm["Threshold"])) for value in values
    )
    return "ALARM" if breaching >= int(alarm.get("DatapointsToAlarm") or len(values)) else "OK"


def _clock() -> None:
    enter_scope()
    while True:
        time.sleep(EVERY_SECONDS)
        try:
            for measure in BEFORE:
                measure()
            for alarm in list(cloudwatch()._alarms.values()):
                evaluate(alarm)
        except Exception:
            logging.getLogger(__name__).exception("alarms were not evaluated this time")
