"""More insecure changes of the template: of the API, of events, alarms, images and jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .mutations import MUTATIONS, Mutation, having, part, setting, training

if TYPE_CHECKING:
    from .insecure import Template


def open_route(template: Template) -> None:
    part(template, "ApiGateway::Method", "ApiRestmodelsmodelpredict")["AuthorizationType"] = "NONE"


def stage(template: Template) -> dict[str, Any]:
    return part(template, "ApiGateway::Stage", "ApiRest")


def target(template: Template, rule: str) -> dict[str, Any]:
    return part(template, "Events::Rule", rule)["Targets"][0]  # type: ignore[no-any-return]


def two_machines(arguments: dict[str, Any]) -> None:
    arguments["ResourceConfig"] = arguments["ResourceConfig"].replace("'InstanceCount': 1", "'InstanceCount': 2")


CALLS, LOST, HERE = "calls logged and throttled", "nothing lost on the way", "events stay here"
POLICY = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "*"}]}
MUTATIONS.update({
    "user with a password": Mutation("known kinds", having("IAM::User", LoginProfile={"Password": "hunter2"})),
    "second API": Mutation("known kinds", having("ApiGatewayV2::Api", ProtocolType="HTTP")),
    "event bus for anybody": Mutation("known kinds", having("Events::EventBusPolicy", Principal="*")),
    "machine open to the world": Mutation("known kinds", having("EC2::SecurityGroup", CidrIp="0.0.0.0/0")),
    "domain with TLS 1.0": Mutation("known kinds", having("ApiGateway::DomainName", SecurityPolicy="TLS_1_0")),
    "API route without AWS_IAM": Mutation("unsigned route", open_route),
    "calls not logged": Mutation(CALLS, lambda t: stage(t).pop("AccessLogSetting")),
    "calls not throttled": Mutation(CALLS, lambda t: stage(t).update(MethodSettings=[])),
    "requests in the log": Mutation(
        "request data in the trace", lambda t: stage(t)["MethodSettings"][0].update(DataTraceEnabled=True)
    ),
    "API policy for anybody": Mutation(
        "no policy of the API", setting("ApiGateway::RestApi", "ApiRest", Policy=POLICY)
    ),
    "no dead-letter queue of drops": Mutation(LOST, lambda t: target(t, "TriggerRule").pop("DeadLetterConfig")),
    "no dead-letter queue of Notify": Mutation(
        LOST, setting("Lambda::EventInvokeConfig", "PipelineNotify", DestinationConfig=None)
    ),
    "rule off": Mutation(HERE, setting("Events::Rule", "ReconcilerRule", State="DISABLED")),
    "events to another account": Mutation(
        HERE, lambda t: target(t, "TriggerRule").update(Arn="arn:aws:events:us-east-1:999999999999:event-bus/default")
    ),
    "drops of any bucket": Mutation(
        "drops of this bucket", lambda t: part(t, "Events::Rule", "TriggerRule")["EventPattern"]["detail"].pop("bucket")
    ),
    "alarm off": Mutation("alarms that tell", setting("CloudWatch::Alarm", "Watch", ActionsEnabled=False)),
    "alarm that tells nobody": Mutation("alarms that tell", setting("CloudWatch::Alarm", "Watch", AlarmActions=None)),
    "tags of images that move": Mutation(
        "images stay what they are", setting("ECR::Repository", "Training", ImageTagMutability="MUTABLE")
    ),
    "images for anybody": Mutation(
        "images stay what they are", setting("ECR::Repository", "Training", RepositoryPolicyText={"Statement": []})
    ),
    "images not scanned": Mutation(
        "images stay what they are", setting("ECR::Repository", "Training", ImageScanningConfiguration=None)
    ),
    "machines that talk in the clear": Mutation("one machine a job", training(two_machines)),
    "job with another role": Mutation("job of its own role", training(lambda a: a.update(RoleArn="arn:admin"))),
    "job in a network": Mutation("job of its own role", training(lambda a: a.update(VpcConfig={"Subnets": ["s"]}))),
    "network isolation off": Mutation(
        "training with a network", training(lambda a: a.update(EnableNetworkIsolation=False))
    ),
    "model without the key": Mutation(
        "training output without a key", training(lambda a: a["OutputDataConfig"].pop("KmsKeyId"))
    ),
    "bucket's name for other stacks": Mutation(
        "no names for all", lambda t: t["Outputs"]["DropBucket"].update(Export={"Name": "drops"})
    ),
})  # fmt: skip
