"""The two training images: named by the deployer, built by CodeBuild in the account, or built by the local Docker."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, assert_never

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


class Images(NamedTuple):
    """URIs of the training images."""

    cpu: str
    """For places without a GPU. As its tag is made of the sources, it also names the trainer's version."""
    gpu: str
    """For places with a GPU: the same trainer, with torch built for CUDA."""


def training_images(scope: Construct, *, storage: Storage, settings: Settings) -> Images:
    """The images that the settings choose, and what builds them."""
    choice = settings.images
    if choice.existing:
        return Images(choice.existing, choice.existing_gpu)
    match choice.build:
        case "codebuild":
            builder = ImageBuilder(scope, "ImageBuilder", storage=storage, settings=settings, dockerfile=DOCKERFILE)
            return Images(builder.image("cpu"), builder.image("gpu"))
        case "docker":
            return Images(_local(scope, "Image", "cpu", settings), _local(scope, "GpuImage", "gpu", settings))
        case _:
            assert_never(choice.build)


def _local(scope: Construct, id: str, kind: ImageKind, settings: Settings) -> str:
    """An image of the files that .dockerignore lets through, so that only those change its digest."""
    asset = ecr_assets.DockerImageAsset(
        scope,
        id,
        directory=str(ROOT),
        file=DOCKERFILE,
        platform=ecr_assets.Platform.LINUX_AMD64,
        build_args=settings.images.arguments(kind),
        outputs=[DOCKER_MANIFEST],
    )
    return asset.image_uri
