"""The training images: which place gets which, and how they come to be in the account."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from cdk_app.image_build import BUILD_ARGUMENTS
from cdk_app.image_settings import GPU_CUDA, GPU_TORCH
from dropforge.contract.instances import PRICES, has_gpu

from .conftest import EMBEDDED, IN_ACCOUNT, ROOT, definition_of, flat, of_type, synthesize
from .evaluate import evaluate

if TYPE_CHECKING:
    from pathlib import Path

BUILDER = "TrainingImageBuilder"


def image_of(template: dict[str, Any], instance_type: str) -> str:
    """The image of a job on an instance of this type."""
    expression = definition_of(template, "Pipeline")["States"]["Train"]["Arguments"]["AlgorithmSpecification"]
    return str(evaluate(expression["TrainingImage"], place={"instance_type": instance_type, "spot": False}))


def test_a_place_with_a_gpu_gets_the_image_with_cuda(account_template: dict[str, Any]) -> None:
    assert {has_gpu(name) for name in PRICES} == {True, False}
    for name in PRICES:
        kind = "Gpu" if has_gpu(name) else "Cpu"
        assert re.fullmatch(f"<{BUILDER}{kind}Image[0-9A-F]{{8}}.Image>", image_of(account_template, name))
    environments = [
        function["Properties"]["Environment"]["Variables"]
        for function in of_type(account_template, "AWS::Lambda::Function").values()
    ]
    named = {flat(variables["IMAGE"]) for variables in environments if "IMAGE" in variables}
    assert named == {image_of(account_template, "ml.m5.4xlarge")}


@pytest.mark.parametrize(("gpu", "expected"), [({}, "mine:1"), ({"dropforge:gpu-training-image": "mine:2"}, "mine:2")])
def test_existing_images_are_taken_and_nothing_is_built(tmp_path: Path, gpu: dict[str, str], expected: str) -> None:
    template = synthesize(tmp_path, **IN_ACCOUNT, **{"dropforge:training-image": "mine:1"}, **gpu)
    assert (image_of(template, "ml.m5.xlarge"), image_of(template, "ml.g6.xlarge")) == ("mine:1", expected)
    assert not [name for name in template["Resources"] if name.startswith(BUILDER)]


def test_tags_are_made_of_the_sources_and_the_arguments(tmp_path: Path, account_template: dict[str, Any]) -> None:
    other = synthesize(tmp_path, **IN_ACCOUNT, **{"dropforge:gpu-torch-index": "https://example.org/cu129"})
    before, after = tags(account_template), tags(other)
    assert all(re.fullmatch(f"{kind}-[0-9a-f]{{32}}", before[kind]) for kind in ("cpu", "gpu"))
    assert before["cpu"].removeprefix("cpu-") != before["gpu"].removeprefix("gpu-")
    assert (after["cpu"] == before["cpu"], after["gpu"] == before["gpu"]) == (True, False)


def tags(template: dict[str, Any]) -> dict[str, str]:
    """The tags of the images by kind."""
    images = [flat(each["Properties"]["Image"]) for each in of_type(template, "Custom::TrainingImage").values()]
    return {tag.partition("-")[0]: tag for tag in (image.rpartition(":")[2] for image in images)}


def test_what_is_built_holds_the_trainer_alone(account_assembly: Path, account_template: dict[str, Any]) -> None:
    (project,) = of_type(account_template, "AWS::CodeBuild::Project").values()
    asset = flat(project["Properties"]["Source"]["Location"]["Fn::Join"][1][-1]).strip("/").removesuffix(".zip")
    sources = account_assembly / f"asset.{asset}"
    found = {path.relative_to(sources).as_posix() for path in sources.rglob("*") if path.is_file()}
    arguments = [
        each["Properties"]["Arguments"] for each in of_type(account_template, "Custom::TrainingImage").values()
    ]
    assert arguments == [{}, {"TORCH_INDEX": GPU_TORCH, "CUDA": GPU_CUDA}]
    assert "training_container/Dockerfile" in found
    assert {path.split("/")[0] for path in found} == {"dropforge", "training_container"}
    packages = {path.split("/")[1] for path in found if path.startswith("dropforge/")}
    assert packages == {"__init__.py", "contract", "datasets", "metrics", "pictures.py"}


def test_every_build_argument_is_one_of_the_dockerfile() -> None:
    declared = re.findall(r"^ARG ([A-Z_]+)", (ROOT / "training_container" / "Dockerfile").read_text(), re.MULTILINE)
    assert sorted(declared) == sorted(BUILD_ARGUMENTS)


def test_the_repository_scans_keeps_a_few_and_never_changes_a_tag(account_template: dict[str, Any]) -> None:
    (repository,) = of_type(account_template, "AWS::ECR::Repository").values()
    properties = repository["Properties"]
    assert properties["ImageScanningConfiguration"] == {"ScanOnPush": True}
    assert properties["ImageTagMutability"] == "IMMUTABLE"
    assert (repository["DeletionPolicy"], properties["EmptyOnDelete"]) == ("Delete", True)
    rules = json.loads(properties["LifecyclePolicy"]["LifecyclePolicyText"])["rules"]
    assert [(rule["selection"]["tagPrefixList"], rule["selection"]["countNumber"]) for rule in rules] == [
        (["cpu-"], 5),
        (["gpu-"], 5),
    ]


def test_a_build_can_answer_within_the_hour_that_cloudformation_waits(account_template: dict[str, Any]) -> None:
    (project,) = of_type(account_template, "AWS::CodeBuild::Project").values()
    assert project["Properties"]["TimeoutInMinutes"] + project["Properties"]["QueuedTimeoutInMinutes"] < 60
    (rule,) = (rule["Properties"] for name, rule in of_type(account_template, "AWS::Events::Rule").items()
               if name.startswith(BUILDER))  # fmt: skip
    assert rule["EventPattern"]["source"] == ["aws.codebuild"]
    assert {"SUCCEEDED", "FAILED", "FAULT", "STOPPED", "TIMED_OUT"} == {*rule["EventPattern"]["detail"]["build-status"]}


def test_one_build_runs_at_a_time(account_template: dict[str, Any]) -> None:
    """A new account's quota may be one."""
    names = {name.removeprefix(BUILDER)[:3]: name for name in of_type(account_template, "Custom::TrainingImage")}
    assert names["Cpu"] in account_template["Resources"][names["Gpu"]]["DependsOn"]


def test_a_build_may_push_into_its_repository_and_nothing_else(account_template: dict[str, Any]) -> None:
    policies = of_type(account_template, "AWS::IAM::Policy").items()
    (role,) = (policy["Properties"] for name, policy in policies if name.startswith(f"{BUILDER}ProjectRole"))
    for statement in role["PolicyDocument"]["Statement"]:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        assert not [action for action in actions if "*" in action]
        assert statement["Resource"] != "*" or actions == ["ecr:GetAuthorizationToken"]


def test_the_local_docker_builds_both_from_one_dockerfile(tmp_path: Path) -> None:
    settings = {
        "dropforge:image-build": "docker",
        "dropforge:base-image": "base:1",
        "dropforge:package-index": "https://i",
    }
    template = synthesize(tmp_path, **IN_ACCOUNT, **settings)
    assert not [name for name in template["Resources"] if name.startswith(BUILDER)]
    assets = json.loads((tmp_path / "Dropforge.assets.json").read_text())["dockerImages"].values()
    sources = [asset["source"] for asset in assets]
    assert {(source["dockerFile"], *source["dockerOutputs"]) for source in sources} == {
        ("training_container/Dockerfile", "type=image,oci-mediatypes=false")
    }
    arguments = sorted((source["dockerBuildArgs"] for source in sources), key=len)
    assert arguments == [
        {"BASE_IMAGE": "base:1", "PACKAGE_INDEX": "https://i"},
        {"PACKAGE_INDEX": "https://i", "TORCH_INDEX": GPU_TORCH, "CUDA": GPU_CUDA},
    ]
    assert image_of(template, "ml.m5.xlarge") != image_of(template, "ml.g6.xlarge")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"dropforge:image-build": "podman"}, "expected 'codebuild' or 'docker', got 'podman'"),
        (
            {"dropforge:training-image": "", "dropforge:gpu-training-image": "x:1"},
            "expected dropforge:training-image with",
        ),
    ],
)
def test_settings_that_fit_nothing_are_refused(tmp_path: Path, settings: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        synthesize(tmp_path, **{**EMBEDDED, **settings})
