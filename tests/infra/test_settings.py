"""What a deployment can choose, and that nothing else differs between a laptop and AWS."""

from __future__ import annotations

import copy
import json
import re
import shutil
from typing import TYPE_CHECKING, Any

from cdk_app import packaging

from .conftest import EMBEDDED, ROOT, of_type, synthesize

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

INFERENCE = {*packaging.files_in("dropforge/inference")}
PICTURES = {"dropforge/pictures.py"}
ROWS = {"lambdas/batch/common", *INFERENCE}
IMAGE_BUILDER = "TrainingImageBuilder"
HTTP = {"dropforge/inference/__init__.py", "dropforge/inference/http.py"}
ROLLOUTS = ("__init__", "decision", "evidence", "evidence_page", "linechart", "phases", "sequential", "sketches")
SHARES = {
    "pipeline/judge": INFERENCE | PICTURES | {"dropforge/metrics"},
    "pipeline/inspect": {"dropforge/datasets"},
    "pipeline/rehearse": {f"dropforge/metrics/{name}.py" for name in ROLLOUTS},
    "rollout/weigh": {f"dropforge/metrics/{name}.py" for name in ROLLOUTS},
    "batch/plan": ROWS | {"dropforge/datasets"},
    "batch/answer": ROWS,
    "api/predict": INFERENCE | PICTURES | {"dropforge/inference/protocols", "dropforge/inference/capture"},
    "api/catalog": HTTP | {"dropforge/inference/openapi"},
    "api/live_pointer": HTTP,
}
"""What each function has beside its own folder and what all have."""


def test_what_costs_by_call_or_route_is_off_unless_a_setting_says_otherwise(
    template: dict[str, Any], tmp_path: Path
) -> None:
    """And every alarm watches a metric that is there without it."""
    assert observed(template) == (False, False, {"Runs"})
    both = {"dropforge:detailed-metrics": "true", "dropforge:trace-calls": "true"}
    assert observed(synthesize(tmp_path, **EMBEDDED, **both)) == (True, True, {"Api", "Runs"})
    alarms = [each["Properties"] for each in of_type(template, "AWS::CloudWatch::Alarm").values()]
    of_api = [each for each in alarms if each.get("Namespace") == "AWS/ApiGateway"]
    assert of_api and all([pair["Name"] for pair in each["Dimensions"]] == ["ApiName"] for each in of_api)


def observed(template: dict[str, Any]) -> tuple[bool, bool, set[str]]:
    """Whether the API has metrics by route, whether it is traced, and which functions are."""
    (stage,) = (each["Properties"] for each in of_type(template, "AWS::ApiGateway::Stage").values())
    functions = of_type(template, "AWS::Lambda::Function").items()
    traced = {
        "Api" if name.startswith("Api") else "Runs"
        for name, each in functions
        if each["Properties"].get("TracingConfig", {}).get("Mode") == "Active"
    }
    return stage["MethodSettings"][0]["MetricsEnabled"], stage["TracingEnabled"], traced


def scrubbed(template: dict[str, Any]) -> dict[str, Any]:
    """The template without what may differ: where code lies, which image trains, and what builds it."""
    loaded: dict[str, Any] = copy.deepcopy(template)
    for name in [name for name in loaded["Resources"] if name.startswith(IMAGE_BUILDER)]:
        del loaded["Resources"][name]
    for function in of_type(loaded, "AWS::Lambda::Function").values():
        function["Properties"]["Code"] = "CODE"
        function["Metadata"] = {}
        variables = function["Properties"]["Environment"]["Variables"]
        variables.update({"IMAGE": "IMAGE"} if "IMAGE" in variables else {})
    for resource in loaded["Resources"].values():
        resource.pop("Metadata", None)
    return loaded


def test_laptop_and_aws_differ_in_packing_and_the_images_name_alone(template: dict[str, Any], tmp_path: Path) -> None:
    full = synthesize(tmp_path, **{"aws:cdk:bundling-stacks": []})
    mine, theirs = scrubbed(template), scrubbed(full)
    differing = sorted(name for name in theirs["Resources"] if theirs["Resources"][name] != mine["Resources"].get(name))
    assert mine["Resources"].keys() == theirs["Resources"].keys()
    assert [theirs["Resources"][name]["Type"] for name in differing] == [
        "AWS::StepFunctions::StateMachine", "AWS::IAM::Policy",
    ]  # fmt: skip
    assert {name: each for name, each in mine.items() if name != "Resources"} == {
        name: each for name, each in theirs.items() if name != "Resources"
    }
    definitions = [t["Resources"][differing[0]]["Properties"]["DefinitionString"] for t in (mine, theirs)]
    assert without_image(definitions[0]) == without_image(definitions[1])
    policies = [t["Resources"][differing[1]]["Properties"] for t in (mine, theirs)]
    assert without_repository(policies[0]) == without_repository(policies[1])


def without_repository(policy: dict[str, Any]) -> dict[str, Any]:
    """The training role's rights but for the one statement that names the image's repository."""
    said = policy["PolicyDocument"]["Statement"]
    others = [each for each in said if "ecr:BatchGetImage" not in each["Action"]]
    assert len(others) == len(said) - 1
    return {**policy, "PolicyDocument": others}


def without_image(definition: dict[str, Any]) -> str:
    """The definition as one text, the training image taken out."""
    parts = definition["Fn::Join"][1]
    text = "".join(part if isinstance(part, str) else json.dumps(part) for part in parts)
    return re.sub(r'"TrainingImage":".*?","TrainingInputMode"', '"TrainingInputMode"', text)


def test_each_function_holds_its_folder_and_what_it_shares(template: dict[str, Any], assembly: Path) -> None:
    for function in of_type(template, "AWS::Lambda::Function").values():
        folder = "/".join(function["Properties"]["Handler"].split(".")[1:3])
        asset = assembly / f"asset.{function['Properties']['Code']['S3Key'].removesuffix('.zip')}"
        held = {path.relative_to(asset).as_posix() for path in asset.rglob("*") if path.is_file()}
        shares = {*packaging.Package(folder).paths, *SHARES.get(folder, ())}
        assert all(any(path == share or path.startswith(f"{share}/") for share in shares) for path in held)
        assert all(any(path == share or path.startswith(f"{share}/") for path in held) for share in shares)
        assert not [path for path in held if "__pycache__" in path]


def test_editing_one_function_leaves_the_others_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("lambdas", "dropforge/contract"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    shutil.copy(ROOT / "dropforge" / "__init__.py", tmp_path / "dropforge")
    monkeypatch.setattr(packaging, "ROOT", tmp_path)
    paths = {step: packaging.Package(f"pipeline/{step}").paths for step in ("claim", "promote")}
    before = {step: packaging.content_hash(each, "") for step, each in paths.items()}
    (tmp_path / "lambdas/pipeline/claim/__pycache__").mkdir(exist_ok=True)
    (tmp_path / "lambdas/pipeline/claim/__pycache__/x.pyc").write_bytes(b"compiled")
    assert packaging.content_hash(paths["claim"], "") == before["claim"]
    handler = tmp_path / "lambdas/pipeline/claim/handler.py"
    handler.write_text(handler.read_text() + "\n")
    assert packaging.content_hash(paths["claim"], "") != before["claim"]
    assert packaging.content_hash(paths["promote"], "") == before["promote"]
