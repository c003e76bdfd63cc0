"""An object's event on EventBridge names its version, however the object came."""

from __future__ import annotations

import json
from typing import Any

from tests.embedded.conftest import Cloud, eventually


def versions_told(cloud: Cloud) -> list[str | None]:
    """Puts, copies and uploads in parts into a versioned bucket; the versions that a rule's queue hears of."""
    s3, sqs, events = cloud.client("s3"), cloud.client("sqs"), cloud.client("events")
    s3.create_bucket(Bucket="versioned")
    s3.put_bucket_versioning(Bucket="versioned", VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_notification_configuration(
        Bucket="versioned", NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    queue = sqs.create_queue(QueueName="heard")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="created", EventPattern=json.dumps({"source": ["aws.s3"]}))
    events.put_targets(Rule="created", Targets=[{"Id": "queue", "Arn": arn}])
    put = s3.put_object(Bucket="versioned", Key="a b", Body=b"1")["VersionId"]
    copy = s3.copy_object(Bucket="versioned", Key="copy", CopySource={"Bucket": "versioned", "Key": "a b"})["VersionId"]
    upload = s3.create_multipart_upload(Bucket="versioned", Key="parts")["UploadId"]
    part = s3.upload_part(Bucket="versioned", Key="parts", UploadId=upload, PartNumber=1, Body=b"2")["ETag"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": part}]}
    whole = s3.complete_multipart_upload(Bucket="versioned", Key="parts", UploadId=upload, MultipartUpload=parts)
    expected = {put, copy, whole["VersionId"]}
    heard: list[Any] = []

    def all_heard() -> bool:
        found = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        heard.extend(json.loads(each["Body"])["detail"]["object"].get("version-id") for each in found)
        return len(heard) == len(expected)

    eventually(all_heard)
    assert set(heard) in (expected, {None})
    return heard


def test_versions_are_told(cloud: Cloud) -> None:
    assert None not in versions_told(cloud)
