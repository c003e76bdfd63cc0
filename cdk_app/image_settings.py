"""Which training images a deployment uses, one for places with a GPU and a small one for others; who builds them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from cdk_app.context_values import SettingFault

if TYPE_CHECKING:
    from cdk_app.context_values import ContextValues

ImageBuild = Literal["codebuild", "docker"]
ImageKind = Literal["cpu", "gpu"]

GPU_TORCH = "https://download.pytorch.org/whl/cu126"
GPU_CUDA = "12"
"""CUDA 12 runs on every driver since 525, which every GPU of `instances.PLACES` had from its first day or can have;
PyPI's own build of torch is for CUDA 13, which wants 580 (docs/decisions/0039-two-training-images.md)."""


@dataclass(frozen=True)
class ImageChoice:
    """The training images of a deployment."""

    existing: str = ""
    """URI of an existing image for every place; if empty, images are built from training_container/Dockerfile."""
    existing_gpu: str = ""
    """URI of an existing image for the places with a GPU; if empty, `existing`."""
    build: ImageBuild = "codebuild"
    """Who builds: CodeBuild in the account, or the Docker engine of the machine that deploys."""
    base: str = ""
    """Base of the CPU image; if empty, the Dockerfile's."""
    gpu_base: str = ""
    """Base of the GPU image; if empty, the Dockerfile's."""
    package_index: str = ""
    """URL of the package index that pip installs from; if empty, the Dockerfile's."""
    torch_index: str = ""
    """URL of the index with torch for CPUs; if empty, the Dockerfile's."""
    gpu_torch_index: str = GPU_TORCH
    gpu_cuda: str = GPU_CUDA
    """The major version of CUDA that the torch of `gpu_torch_index` is built with."""

    @classmethod
    def from_values(cls, values: ContextValues) -> ImageChoice:
        """Reads the choice from `cdk.json` and the `-c` options.

        Raises:
            SettingFault: an unknown way to build, or a GPU image without one for the other places.
        """
        existing, existing_gpu = values.text("training-image"), values.text("gpu-training-image")
        if existing_gpu and not existing:
            raise SettingFault(
                f"dropforge:gpu-training-image: expected dropforge:training-image with it, got {existing_gpu!r} alone; "
                "name the image of the places without a GPU too"
            )
        return cls(
            existing=existing,
            existing_gpu=existing_gpu or existing,
            build=values.choice("image-build", get_args(ImageBuild)),
            base=values.text("base-image"),
            gpu_base=values.text("gpu-base-image"),
            package_index=values.text("package-index"),
            torch_index=values.text("torch-index"),
            gpu_torch_index=values.text("gpu-torch-index", GPU_TORCH),
            gpu_cuda=values.text("gpu-cuda", GPU_CUDA),
        )

    def arguments(self, kind: ImageKind) -> dict[str, str]:
        """The build arguments of one of the two images, without those whose default is the Dockerfile's."""
        if kind == "cpu":
            arguments = {"BASE_IMAGE": self.base, "TORCH_INDEX": self.torch_index}
        else:
            arguments = {"BASE_IMAGE": self.gpu_base, "TORCH_INDEX": self.gpu_torch_index, "CUDA": self.gpu_cuda}
        return {name: value for name, value in {**arguments, "PACKAGE_INDEX": self.package_index}.items() if value}
