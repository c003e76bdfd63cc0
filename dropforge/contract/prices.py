"""AWS's list prices for what a deployment uses, in one dated table. Training instances are in `instances.PRICES`.

Noted on 30 November 2026. Source: the public price pages of each service for us-east-1, on demand. The program does not
look prices up; other regions differ, some by half. Whoever changes a price changes `DATE` with it.
"""

from __future__ import annotations

from typing import NamedTuple

DATE, REGION = "2026-11-30", "us-east-1"
HOURS = 730
"""Hours of a month, as AWS counts them."""


class Price(NamedTuple):
    """What one unit costs."""

    dollars: float
    unit: str
    free: float = 0.0
    """Units a month that every account has free, without end; all stacks of the account share them."""


MILLION = 1_000_000

PRICES = {
    "alarm": Price(0.10, "alarms, a month", 10),
    "dashboard": Price(3.00, "dashboards, a month", 3),
    "metric": Price(0.30, "custom metrics, a month", 10),
    "log_bytes": Price(0.50, "GB written to logs", 5),
    "key": Price(1.00, "KMS keys, a month"),
    "key_requests": Price(0.03 / 10_000, "requests to KMS", 20_000),
    "object_bytes": Price(0.023, "GB in S3, a month"),
    "object_puts": Price(0.005 / 1_000, "objects written"),
    "object_gets": Price(0.0004 / 1_000, "objects read"),
    "table_bytes": Price(0.25, "GB in DynamoDB, a month", 25),
    "table_backup_bytes": Price(0.20, "GB of point-in-time recovery, a month"),
    "table_writes": Price(0.625 / MILLION, "rows written"),
    "table_reads": Price(0.125 / MILLION, "rows read"),
    "image_bytes": Price(0.10, "GB of images in ECR, a month"),
    "function_requests": Price(0.20 / MILLION, "invocations", MILLION),
    "function_seconds": Price(0.0000166667, "GB-seconds of functions", 400_000),
    "api_requests": Price(3.50 / MILLION, "requests to the REST API"),
    "transitions": Price(0.025 / 1_000, "state transitions", 4_000),
    "events": Price(1.00 / MILLION, "events of S3"),
    "traces": Price(5.00 / MILLION, "traces recorded by X-Ray", 100_000),
    "serverless_seconds": Price(0.00002, "GB-seconds of a serverless endpoint"),
}
"""The services' prices by what is counted."""

ENDPOINTS = {"ml.m5.large": 0.115, "ml.m5.xlarge": 0.23}
"""US dollars an hour of an instance behind a SageMaker real-time endpoint."""
