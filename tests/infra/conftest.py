"""One synthesized template for all tests of the infrastructure; synthesizing is slow."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "20")
os.environ.setdefault("CDK_VALIDATION", "false")

from aws_cdk import App

from cdk_app.app import make

ROOT = Path(__file__).parents[2]
EMBEDDED = {"dropforge:packaging": "code", "dropforge:training-image": "dropforge-trainer:tests"}
IN_ACCOUNT = {"dropforge:packaging": "code"}
"""As an account deploys it, with images that CodeBuild builds; packing its functions is tested apart."""


def context(**more: Any) -> dict[str, Any]:
    """What the CDK CLI would read from cdk.json, and more."""
    return {**json.loads((ROOT / "cdk.json").read_text())["context"], **more}


def synthesize(folder: Path, **more: Any) -> dict[str, Any]:
    """The template of the stack under this context, written into `folder`."""
    app = App(context=context(**more), outdir=str(folder))
    stack = make(app)
    app.synth()
    template: dict[str, Any] = json.loads((folder / stack.template_file).read_text())
    return template


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the cloud assembly as the embedded cloud deploys it."""
    folder = tmp_path_factory.mktemp("assembly")
    synthesize(folder, **EMBEDDED)
    return folder


@pytest.fixture(scope="session")
def account_assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the cloud assembly as an account deploys it."""
    folder = tmp_path_factory.mktemp("account")
    synthesize(folder, **IN_ACCOUNT)
    return folder


@pytest.fixture(scope="session")
def account_template(account_assembly: Path) -> dict[str, Any]:
    """The stack's template as an account deploys it."""
    loaded: dict[str, Any] = json.loads((account_assembly / "Dropforge.template.json").read_text())
    return loaded


@pytest.fixture(scope="session")
def template(assembly: Path) -> dict[str, Any]:
    """The stack's template; tests that change it work on a copy."""
    loaded: dict[str, Any] = json.loads((assembly / "Dropforge.template.json").read_text())
    return loaded


@pytest.fixture(scope="session")
def definition(template: dict[str, Any]) -> dict[str, Any]:
    """The rendered state machine of the pipeline, tokens as `<Name>` or `<Name.Arn>`."""
    return definition_of(template, "Pipeline")


def definition_of(template: dict[str, Any], construct: str) -> dict[str, Any]:
    """The rendered state machine of a construct."""
    machines = of_type(template, "AWS::StepFunctions::StateMachine")
    (machine,) = (each for name, each in machines.items() if name.startswith(construct))
    loaded: dict[str, Any] = json.loads(flat(machine["Properties"]["DefinitionString"]))
    return loaded


def of_type(template: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    """Resources of one type by logical id."""
    return {name: each for name, each in template["Resources"].items() if each["Type"] == kind}


def flat(value: Any) -> str:
    """A text of CloudFormation with its references written out."""
    if isinstance(value, str):
        return value
    if "Fn::Join" in value:
        return str(value["Fn::Join"][0]).join(flat(part) for part in value["Fn::Join"][1])
    if "Fn::GetAtt" in value:
        return f"<{'.'.join(value['Fn::GetAtt'])}>"
    if "Fn::Sub" in value:
        return str(value["Fn::Sub"])
    if "Fn::Select" in value:
        return f"<part of {flat(value['Fn::Select'][1]['Fn::Split'][1])}>"
    return f"<{value['Ref']}>"
