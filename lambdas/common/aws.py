"""boto3's clients, created when they are first used and kept for the life of the process.

boto3 is imported inside the functions, so that importing a handler stays cheap.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch.client import CloudWatchClient
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_lambda.client import LambdaClient
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_sns.client import SNSClient
    from mypy_boto3_stepfunctions.client import SFNClient


@cache
def s3() -> S3Client:
    """The S3 client."""
    import boto3

    return boto3.client("s3")


@cache
def dynamodb() -> DynamoDBClient:
    """The DynamoDB client."""
    import boto3

    return boto3.client("dynamodb")


@cache
def sns() -> SNSClient:
    """The SNS client."""
    import boto3

    return boto3.client("sns")


@cache
def stepfunctions() -> SFNClient:
    """The Step Functions client."""
    import boto3

    return boto3.client("stepfunctions")


@cache
def functions() -> LambdaClient:
    """Lambda's client."""
    import boto3

    return boto3.client("lambda")


@cache
def cloudwatch() -> CloudWatchClient:
    """The CloudWatch client."""
    import boto3

    return boto3.client("cloudwatch")
