"""Training: one SageMaker job without network and AWS credentials, on the first place that has an instance free."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from cdk_app.acknowledgements import acknowledge_wildcards
from cdk_app.images import training_images
from cdk_app.jsonata import jsonata
from cdk_app.retries import retry
from dropforge.contract import names
from dropforge.contract.hops import WITHOUT_GPU
from dropforge.contract.instances import has_gpu, has_own_disk
from dropforge.contract.lines import LINE_METRICS, definition

if TYPE_CHECKING:
    from cdk_app.settings import Settings
    from cdk_app.storage import Storage

CREATE_JOB = "states:::sagemaker:createTrainingJob.sync"
"""The integration, without the partition in front of it."""
LONGEST_PREFIX = 24
"""A job's name has at most 63 characters, of which the run and the attempt take 37."""
THROTTLED = ["SageMaker.ThrottlingException", "ThrottlingException"]
"""Too many calls at once, which started no job. What to do about any other error is decided by Reroute."""
EVENTS_RULE = "StepFunctionsGetEventsForSageMakerTrainingJobsRule"
"""The rule that Step Functions creates to learn when a job has ended."""
BILLABLE = "$states.result.BillableTimeInSeconds, $states.result.TrainingTimeInSeconds, 0"
"""The first of these that is there: a missing field must not fail a run that has trained."""
MAX_SECONDS = 180_000
"""The longest wait for spot capacity (twice a day's budget) and a margin; SageMaker enforces each job's own limit."""
VOLUME_GIB = 50


class Training(Construct):
    """The training image, the job's role, and the state that runs a job."""

    def __init__(self, scope: Construct, id: str, *, storage: Storage, settings: Settings) -> None:
        super().__init__(scope, id)
        self._storage, self._without_gpu = storage, settings.without_gpu
        self._types = sorted(settings.prices.training)
        self.job_prefix = job_prefix(settings.stack)
        """How every training job's name begins; the roles' rights are limited to such names."""
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"))
        self._allow_job()
        self._images = training_images(self, storage=storage, settings=settings)
        self.image = self._images.cpu
        """The trainer as plans and claims name it, whatever place it trains on."""

    def state(self) -> sfn.CustomState:
        """The task `Train`, which reads `run`, `place` and the variables of Inspect."""
        task = sfn.CustomState(
            self,
            "Train",
            state_json={
                "Type": "Task",
                "Resource": f"arn:{Stack.of(self).partition}:{CREATE_JOB}",
                "Arguments": self._job(),
                "TimeoutSeconds": MAX_SECONDS,
                "Assign": {
                    "job": jsonata("$states.result.TrainingJobName"),
                    "artifacts": jsonata("$states.result.ModelArtifacts.S3ModelArtifacts"),
                    "instance": jsonata("$states.result.ResourceConfig.InstanceType"),
                    "billable": jsonata(f"[{BILLABLE}][0]"),
                },
                "Output": {"run": jsonata("$run")},
            },
        )
        task.add_retry(**retry(THROTTLED, attempts=3, first_wait=5, growth=1.5))
        return task

    def _job(self) -> dict[str, Any]:
        attempt = (
            "$string($toMillis($states.context.State.EnteredTime)) & '-' & $string($states.context.State.RetryCount)"
        )
        return {
            "TrainingJobName": jsonata(f"'{self.job_prefix}' & $run & '-' & {attempt}"),
            "RoleArn": self.role.role_arn,
            "AlgorithmSpecification": {
                "TrainingImage": self._image(),
                "TrainingInputMode": "File",
                "MetricDefinitions": [definition(name) for name in LINE_METRICS],
            },
            "HyperParameters": {"run": jsonata("$run"), WITHOUT_GPU: self._without_gpu},
            "InputDataConfig": [_channel("data", "$data_uri"), _channel("plan", "$plan_uri")],
            "OutputDataConfig": {
                "S3OutputPath": jsonata("$output_uri"),
                "CompressionType": "NONE",
                "KmsKeyId": self._storage.key.key_arn,
            },
            "CheckpointConfig": {"S3Uri": jsonata("$checkpoint_uri")},
            "ResourceConfig": self._instance(),
            "EnableManagedSpotTraining": jsonata("$place.spot"),
            "EnableNetworkIsolation": True,
            "StoppingCondition": jsonata(
                "$merge([{'MaxRuntimeInSeconds': $max_seconds},"
                " $place.spot ? {'MaxWaitTimeInSeconds': $max_seconds * 2} : {}])"
            ),
            "Tags": [{"Key": "dropforge:run", "Value": jsonata("$run")}],
        }

    def _instance(self) -> str:
        """One instance. Its volume is encrypted with the stack's key, unless the instance has a disk of its own."""
        instance = f"{{'InstanceType': $place.instance_type, 'InstanceCount': 1, 'VolumeSizeInGB': {VOLUME_GIB}}}"
        key = f"{{'VolumeKmsKeyId': '{self._storage.key.key_arn}'}}"
        return jsonata(
            f"$merge([{instance}, $place.instance_type in {list(filter(has_own_disk, self._types))} ? {{}} : {key}])"
        )

    def _image(self) -> str:
        """The image of the place: with torch for its GPU, or the small one."""
        with_gpu = list(filter(has_gpu, self._types))
        return jsonata(f"$place.instance_type in {with_gpu} ? '{self._images.gpu}' : '{self._images.cpu}'")

    def _allow_job(self) -> None:
        """Allows what SageMaker does for the job outside its container: pulling, reading, writing, logging.

        It may pull any image of this account, so that a deployment with another image needs no other rights.
        """
        bucket, stack = self._storage.artifacts, Stack.of(self)
        runs = bucket.arn_for_objects(f"{names.RUNS}*")
        checkpoints = bucket.arn_for_objects(f"{names.CHECKPOINTS}*")
        logs = f"arn:{stack.partition}:logs:{stack.region}:{stack.account}:log-group:/aws/sagemaker/TrainingJobs*"
        images = stack.format_arn(service="ecr", resource="repository", resource_name="*")
        for actions, resources in (
            (["ecr:GetAuthorizationToken"], ["*"]),
            (["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], [images]),
            (["s3:GetObject", "s3:PutObject"], [runs, checkpoints]),
            (["s3:ListBucket", "s3:GetBucketLocation"], [bucket.bucket_arn]),
            (["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"], [logs]),
        ):
            self.role.add_to_policy(iam.PolicyStatement(actions=actions, resources=resources))
        self.role.add_to_policy(
            iam.PolicyStatement(
                actions=["cloudwatch:PutMetricData"],
                resources=["*"],
                conditions={"StringLike": {"cloudwatch:namespace": "/aws/sagemaker/*"}},
            )
        )
        self._storage.grant_key(self.role)
        wildcards = [runs, checkpoints, logs, images]
        acknowledge_wildcards(self.role, wildcards, "Names that a job makes, and images that people name.")
        acknowledge_wildcards(self.role, ["*"], "PutMetricData and GetAuthorizationToken have no resource.")
        self._storage.key.grant(self.role, "kms:CreateGrant", "kms:DescribeKey")

    def allow_starting(self, machine: iam.Role) -> None:
        """Lets the state machine's role start jobs, learn of their end, and stop them."""
        stack = Stack.of(self)
        jobs = stack.format_arn(service="sagemaker", resource="training-job", resource_name=f"{self.job_prefix}run-*")
        rule = stack.format_arn(service="events", resource="rule", resource_name=EVENTS_RULE)
        service = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
        job_actions = ["CreateTrainingJob", "DescribeTrainingJob", "StopTrainingJob", "AddTags"]
        for statement in (
            iam.PolicyStatement(actions=[f"sagemaker:{name}" for name in job_actions], resources=[jobs]),
            iam.PolicyStatement(actions=["iam:PassRole"], resources=[self.role.role_arn], conditions=service),
            iam.PolicyStatement(
                actions=["events:PutTargets", "events:PutRule", "events:DescribeRule"], resources=[rule]
            ),
        ):
            machine.add_to_policy(statement)
        acknowledge_wildcards(machine, [jobs], "Every job's name is new and begins so.")


def job_prefix(stack: str) -> str:
    """How the names of a stack's training jobs begin: its own name in small letters, the end of a long one hashed."""
    prefix = f"{stack.lower()}-"
    if len(prefix) <= LONGEST_PREFIX:
        return prefix
    digest = hashlib.sha256(stack.encode()).hexdigest()[:8]
    return f"{prefix[: LONGEST_PREFIX - 10].rstrip('-')}-{digest}-"


def _channel(name: str, uri: str) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": jsonata(uri), "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}}
