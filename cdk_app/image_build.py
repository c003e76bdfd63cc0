"""Builds training images in the account with CodeBuild, so that no machine that deploys needs Docker."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from aws_cdk import CustomResource, Duration, IgnoreMode, RemovalPolicy
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from cdk_app.acknowledgements import acknowledge, acknowledge_wildcards
from cdk_app.function import Function, Size
from cdk_app.logs import log_group
from cdk_app.packaging import ROOT, Package
from dropforge.contract.settings import ImageSettings

if TYPE_CHECKING:
    from typing import Any

    from cdk_app.image_settings import ImageKind
    from cdk_app.settings import Settings
    from cdk_app.storage import Storage

BUILD_ARGUMENTS = ("BASE_IMAGE", "PACKAGE_INDEX", "TORCH_INDEX", "CUDA")
KINDS: tuple[ImageKind, ...] = ("cpu", "gpu")
KEPT_IMAGES = 5
"""How many images of each kind the repository keeps: the deployed one, and those to roll back to."""
BUILD_MINUTES, QUEUED_MINUTES = 45, 10
"""Together less than the hour that CloudFormation waits for."""
PUSHING = [
    *(f"ecr:{name}LayerUpload" for name in ("Initiate", "Complete")),
    *("ecr:BatchCheckLayerAvailability", "ecr:UploadLayerPart", "ecr:BatchGetImage", "ecr:PutImage"),
]
ENDS = ("SUCCEEDED", "FAILED", "FAULT", "STOPPED", "TIMED_OUT")


class ImageBuilder(Construct):
    """A repository, a project that fills it, and the function that starts builds and answers CloudFormation.

    An image's tag is made of the content of its sources and its build arguments: a deployment that changes neither
    builds nothing. Nothing of it costs anything idle but the images' storage.
    """

    def __init__(self, scope: Construct, id: str, *, storage: Storage, settings: Settings, dockerfile: str) -> None:
        super().__init__(scope, id)
        self._storage, self._settings = storage, settings
        self._sources = s3_assets.Asset(
            self, "Sources", path=str(ROOT), exclude=ignored(), ignore_mode=IgnoreMode.DOCKER
        )
        self.repository = self._make_repository()
        self._log_group = log_group(self, "Logs", storage)
        self.role = self._make_role()
        self.project = self._make_project(dockerfile)
        self.function = self._make_function()
        self._rule = self._tell_ends()
        self._before: CustomResource | None = None

    def image(self, kind: ImageKind) -> str:
        """The URI of one of the two images, which is there before anything that uses it is deployed."""
        arguments = self._settings.images.arguments(kind)
        content = json.dumps([self._sources.asset_hash, arguments], sort_keys=True)
        tag = f"{kind}-{hashlib.sha256(content.encode()).hexdigest()[:32]}"
        resource = CustomResource(
            self,
            f"{kind.capitalize()}Image",
            service_token=self.function.function.function_arn,
            resource_type="Custom::TrainingImage",
            properties={"Image": self.repository.repository_uri_for_tag(tag), "Arguments": arguments},
        )
        resource.node.add_dependency(self.role, self.project, self.function, self._rule)  # and the roles' policies
        if self._before is not None:  # a new account may run one build at a time
            resource.node.add_dependency(self._before)
        self._before = resource
        return resource.get_att_string("Image")

    def _make_repository(self) -> ecr.Repository:
        repository = ecr.Repository(
            self,
            "Repository",
            image_scan_on_push=True,
            image_tag_mutability=ecr.TagMutability.IMMUTABLE,
            removal_policy=RemovalPolicy.DESTROY,
            empty_on_delete=True,
        )
        for kind in KINDS:
            repository.add_lifecycle_rule(tag_prefix_list=[f"{kind}-"], max_image_count=KEPT_IMAGES)
        return repository

    def _make_project(self, dockerfile: str) -> codebuild.Project:
        project = codebuild.Project(
            self,
            "Project",
            description="Dropforge: builds the training images",
            source=codebuild.Source.s3(bucket=self._sources.bucket, path=self._sources.s3_object_key),
            build_spec=codebuild.BuildSpec.from_object(build_spec(dockerfile)),
            environment=codebuild.BuildEnvironment(
                build_image=codebuild.LinuxBuildImage.AMAZON_LINUX_2023_5,
                compute_type=codebuild.ComputeType.MEDIUM,
                privileged=True,
            ),
            encryption_key=self._storage.key,
            role=self.role.without_policy_updates(),  # by itself it would get rights with wildcards
            timeout=Duration.minutes(BUILD_MINUTES),
            queued_timeout=Duration.minutes(QUEUED_MINUTES),
            grant_report_group_permissions=False,
            logging=codebuild.LoggingOptions(cloud_watch=codebuild.CloudWatchLoggingOptions(log_group=self._log_group)),
        )
        acknowledge(project, "CB3", "Building an image takes a Docker engine, which CodeBuild runs privileged.")
        return project

    def _make_role(self) -> iam.Role:
        """The project's role: it reads these sources, writes its log, and pushes into the repository."""
        role = iam.Role(self, "ProjectRole", assumed_by=iam.ServicePrincipal("codebuild.amazonaws.com"))
        source = self._sources.bucket.arn_for_objects(self._sources.s3_object_key)
        for actions, resources in (
            (["s3:GetObject", "s3:GetObjectVersion"], [source]),
            (["ecr:GetAuthorizationToken"], ["*"]),
            (PUSHING, [self.repository.repository_arn]),
        ):
            role.add_to_policy(iam.PolicyStatement(actions=actions, resources=resources))
        self._log_group.grant_write(role)
        acknowledge_wildcards(role, ["*"], "GetAuthorizationToken has no resource.")
        return role

    def _make_function(self) -> Function:
        names = ImageSettings(project=self.project.project_name, repository=self.repository.repository_name)
        function = Function(
            self,
            "Image",
            environment=names,
            packaging=self._settings.packaging,
            storage=self._storage,
            size=Size(memory=256, seconds=60),
            package=Package("deploy/image"),
        )
        function.allow(["codebuild:StartBuild"], [self.project.project_arn])
        function.allow(["ecr:DescribeImages"], [self.repository.repository_arn])
        return function

    def _tell_ends(self) -> events.Rule:
        return events.Rule(
            self,
            "Ended",
            description="Dropforge: a build of a training image has ended",
            event_pattern=events.EventPattern(
                source=["aws.codebuild"],
                detail_type=["CodeBuild Build State Change"],
                detail={"build-status": list(ENDS), "project-name": [self.project.project_name]},
            ),
            targets=[targets.LambdaFunction(self.function.function)],
        )


def build_spec(dockerfile: str) -> dict[str, Any]:
    """What CodeBuild does: IMAGE names the image, and the build arguments are in the environment."""
    arguments = " ".join(f"--build-arg {name}" for name in BUILD_ARGUMENTS)
    return {
        "version": "0.2",
        # Without attestations the engine writes one manifest, and not an index of the OCI.
        "env": {"variables": {"BUILDX_NO_DEFAULT_ATTESTATIONS": "1"}},
        "phases": {
            "build": {
                "on-failure": "ABORT",
                "commands": [
                    'aws ecr get-login-password | docker login --username AWS --password-stdin "${IMAGE%%/*}"',
                    f'docker build --file {dockerfile} --tag "$IMAGE" {arguments} .',
                    'docker push "$IMAGE"',
                ],
            }
        },
    }


def ignored() -> list[str]:
    """The patterns of .dockerignore: an allow-list, so that nothing else changes the sources' digest."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    return [*(line for line in lines if line and not line.startswith("#"))]
