"""The two training images: named by the deployer, built by CodeBuild in the account, or built by the local Docker."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, assert_never

from aws_cdk import Stack
from aws_cdk import aws_ecr_assets as ecr_assets

from cdk_app.image_build import ImageBuilder
from cdk_app.packaging import ROOT

if TYPE_CHECKING:
    from constructs import Construct

    from cdk_app.image_settings import ImageKind
    from cdk_app.settings import Settings
    from cdk_app.storage import Storage

DOCKERFILE = "training_container/Dockerfile"
DOCKER_MANIFEST = "type=image,oci-mediatypes=false"
"""Docker Desktop would write manifests of the OCI, which SageMaker refuses for endpoints."""

ECR_REGISTRY = r"(?P<account>\d{12})\.dkr\.ecr(-fips)?\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?/"
"""How the URI of an image in a private repository of ECR begins."""


class Images(NamedTuple):
    """URIs of the training images."""

    cpu: str
    """For places without a GPU. As its tag is made of the sources, it also names the trainer's version."""
    gpu: str
    """For places with a GPU: the same trainer, with torch built for CUDA."""
    repositories: tuple[str, ...]
    """ARNs of the repositories that they are in."""


def training_images(scope: Construct, *, storage: Storage, settings: Settings) -> Images:
    """The images that the settings choose, and what builds them."""
    choice = settings.images
    if choice.existing:
        existing = (choice.existing, choice.existing_gpu)
        return Images(*existing, tuple(dict.fromkeys(_repository(scope, uri) for uri in existing)))
    match choice.build:
        case "codebuild":
            builder = ImageBuilder(scope, "ImageBuilder", storage=storage, settings=settings, dockerfile=DOCKERFILE)
            return Images(builder.image("cpu"), builder.image("gpu"), (builder.repository.repository_arn,))
        case "docker":
            cpu, gpu = _local(scope, "Image", "cpu", settings), _local(scope, "GpuImage", "gpu", settings)
            return Images(cpu.image_uri, gpu.image_uri, (cpu.repository.repository_arn,))
        case _:
            assert_never(choice.build)


def _repository(scope: Construct, uri: str) -> str:
    """The ARN of the repository of an image that exists. A name without a registry is this account's and region's."""
    own, stack = re.match(ECR_REGISTRY, uri), Stack.of(scope)
    name = re.split("[:@]", uri[own.end() :] if own else uri.rpartition("/")[2])[0]
    return stack.format_arn(
        service="ecr",
        resource="repository",
        resource_name=name,
        account=own["account"] if own else None,
        region=own["region"] if own else None,
    )


def _local(scope: Construct, id: str, kind: ImageKind, settings: Settings) -> ecr_assets.DockerImageAsset:
    """An image of the files that .dockerignore lets through, so that only those change its digest."""
    return ecr_assets.DockerImageAsset(
        scope,
        id,
        directory=str(ROOT),
        file=DOCKERFILE,
        platform=ecr_assets.Platform.LINUX_AMD64,
        build_args=settings.images.arguments(kind),
        outputs=[DOCKER_MANIFEST],
    )
