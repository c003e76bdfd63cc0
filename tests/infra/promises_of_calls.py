"""More promises of the template: of the API, of events, alarms, images and jobs, and of what there is at all."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from dropforge.contract.instances import PRICES

from .conftest import flat
from .evaluate import evaluate
from .insecure import Template, job
from .promises import NO_QUEUE_NEEDED, PROMISES, promise, properties

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["PROMISES"]
KINDS = {
    *(f"AWS::ApiGateway::{name}" for name in "Account Deployment Method Resource RestApi Stage".split()),
    *(f"AWS::CloudWatch::{name}" for name in ("Alarm", "Dashboard")),
    *(f"AWS::IAM::{name}" for name in ("Policy", "Role")),
    *(f"AWS::KMS::{name}" for name in ("Alias", "Key")),
    *(f"AWS::Lambda::{name}" for name in "Alias EventInvokeConfig Function Permission Version".split()),
    *(f"AWS::Logs::{name}" for name in ("LogGroup", "MetricFilter")),
    *(f"AWS::S3::{name}" for name in ("Bucket", "BucketPolicy")),
    *(f"AWS::SNS::{name}" for name in ("Subscription", "Topic", "TopicPolicy")),
    *(f"AWS::SQS::{name}" for name in ("Queue", "QueuePolicy")),
    *("AWS::CodeBuild::Project", "AWS::DynamoDB::Table", "AWS::ECR::Repository", "AWS::Events::Rule"),
    *("AWS::StepFunctions::StateMachine", "Custom::TrainingImage"),
}
"""The kinds of resources that the promises here and in `promises.py` look at."""


@promise("known kinds", "the stack has no kind of resource that no promise looks at: add it to KINDS with its promises")
def _(template: Template) -> Iterator[str]:
    return (name for name, each in template["Resources"].items() if each["Type"] not in KINDS)


@promise("calls logged and throttled", "calls of the API are logged, and throttled over all callers")
def _(template: Template) -> Iterator[str]:
    for name, stage in properties(template, "AWS::ApiGateway::Stage"):
        settings = [each for each in stage.get("MethodSettings", []) if each["ResourcePath"] == "/*"]
        limits = [each.get(f"Throttling{limit}Limit", 0) for each in settings for limit in ("Rate", "Burst")]
        if "DestinationArn" not in stage.get("AccessLogSetting", {}) or not limits or not 0 < max(limits) <= 1000:
            yield name


@promise("no policy of the API", "who may call is said by callers' own policies; the API has none that lets others in")
def _(template: Template) -> Iterator[str]:
    return (name for name, api in properties(template, "AWS::ApiGateway::RestApi") if "Policy" in api)


@promise("nothing lost on the way", "an event or a call that fails for good is kept in a dead-letter queue")
def _(template: Template) -> Iterator[str]:
    for name, rule in properties(template, "AWS::Events::Rule"):
        for target in rule["Targets"]:
            if "DeadLetterConfig" not in target and not name.startswith(NO_QUEUE_NEEDED):
                yield name
    for name, config in properties(template, "AWS::Lambda::EventInvokeConfig"):
        if "OnFailure" not in config.get("DestinationConfig", {}):
            yield name


@promise("events stay here", "rules are on, and tell functions and state machines of this stack alone")
def _(template: Template) -> Iterator[str]:
    for name, rule in properties(template, "AWS::Events::Rule"):
        if rule["State"] != "ENABLED" or [each for each in rule["Targets"] if not flat(each["Arn"]).startswith("<")]:
            yield name


@promise("drops of this bucket", "only what is dropped into the stack's own bucket starts a run")
def _(template: Template) -> Iterator[str]:
    for name, rule in properties(template, "AWS::Events::Rule"):
        pattern = rule.get("EventPattern", {})
        bucket = pattern.get("detail", {}).get("bucket", {}).get("name", [""])
        if "aws.s3" in pattern.get("source", []) and not flat(bucket[0]).startswith("<LakeDrop"):
            yield name


@promise("alarms that tell", "every alarm is on and tells the topic")
def _(template: Template) -> Iterator[str]:
    for name, alarm in properties(template, "AWS::CloudWatch::Alarm"):
        if alarm.get("ActionsEnabled") is False or not flat(alarm.get("AlarmActions", [""])[0]).startswith(
            "<BellTopic"
        ):
            yield name


@promise("images stay what they are", "an image's tag is never given to another, and images are scanned")
def _(template: Template) -> Iterator[str]:
    for name, each in properties(template, "AWS::ECR::Repository"):
        scanned = each.get("ImageScanningConfiguration") == {"ScanOnPush": True}
        if each.get("ImageTagMutability") != "IMMUTABLE" or not scanned or "RepositoryPolicyText" in each:
            yield name


@promise("one machine a job", "a job runs on one machine; on several, what they tell each other is encrypted")
def _(template: Template) -> Iterator[str]:
    asked = job(template)
    resources = [evaluate(asked["ResourceConfig"], place={"instance_type": name}) for name in PRICES]
    if asked.get("EnableInterContainerTrafficEncryption") is not True and {
        each["InstanceCount"] for each in resources
    } != {1}:
        yield "Train"


@promise("job of its own role", "a job has the training role, and nothing else of the account")
def _(template: Template) -> Iterator[str]:
    asked = job(template)
    if not asked["RoleArn"].startswith("<TrainingRole") or "VpcConfig" in asked or '"Environment"' in json.dumps(asked):
        yield "Train"


@promise("no names for all", "nothing of the stack is exported to other stacks of the account")
def _(template: Template) -> Iterator[str]:
    return (name for name, output in template.get("Outputs", {}).items() if "Export" in output)
