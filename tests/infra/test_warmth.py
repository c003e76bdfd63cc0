"""Warmth is a setting: off by default, one kind at a time; a hot model has its own function, routes and alarm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cdk_app.settings import Settings, Warmth
from dropforge.contract.names import NameFault

from .conftest import EMBEDDED, of_type, synthesize

if TYPE_CHECKING:
    from pathlib import Path


def settings(**context: Any) -> Settings:
    return Settings.from_context({f"dropforge:{name.replace('_', '-')}": each for name, each in context.items()})


def predicting(template: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The functions that predict, by logical id."""
    functions = of_type(template, "AWS::Lambda::Function")
    return {name: each for name, each in functions.items() if "lambdas.api.predict." in each["Properties"]["Handler"]}


def targets(template: dict[str, Any]) -> dict[tuple[str, str], str]:
    """Where a route and method lead: the path to the reference in the integration."""
    resources = template["Resources"]

    def path(reference: dict[str, Any]) -> str:
        if "Fn::GetAtt" in reference:
            return ""
        found = resources[reference["Ref"]]["Properties"]
        return f"{path(found['ParentId'])}/{found['PathPart']}"

    return {
        (path(each["Properties"]["ResourceId"]), each["Properties"]["HttpMethod"]): str(
            each["Properties"]["Integration"]
        )
        for each in of_type(template, "AWS::ApiGateway::Method").values()
    }


def test_nothing_stands_by_unless_it_is_asked_for(template: dict[str, Any]) -> None:
    assert settings().warmth == Warmth() and settings().hot == {}
    assert len(predicting(template)) == 1
    assert of_type(template, "AWS::Lambda::Alias") == of_type(template, "AWS::Lambda::Version") == {}
    assert all("SnapStart" not in each["Properties"] for each in of_type(template, "AWS::Lambda::Function").values())


def test_snapshots_belong_to_the_version_that_is_called(tmp_path: Path) -> None:
    made = synthesize(tmp_path, **EMBEDDED, **{"dropforge:snap-start": "true"})
    (function,) = predicting(made).values()
    assert function["Properties"]["SnapStart"] == {"ApplyOn": "PublishedVersions"}
    (alias,) = of_type(made, "AWS::Lambda::Alias")
    found = targets(made)
    assert alias in found["/models/{model}/predict", "POST"] and alias in found["/v2/models/{model}/infer", "POST"]
    assert alias not in found["/models", "GET"]


def test_a_hot_model_has_a_function_routes_and_an_alarm_of_its_own(template: dict[str, Any], tmp_path: Path) -> None:
    asked = {"dropforge:hot-models": "houses=2, in-come", "dropforge:provisioned-concurrency": 1}
    made = synthesize(tmp_path, **EMBEDDED, **asked)
    names = {each["Properties"]["Environment"]["Variables"].get("HOT"): name for name, each in predicting(made).items()}
    assert set(names) == {None, "houses", "in-come"}
    aliases = of_type(made, "AWS::Lambda::Alias")
    counts = sorted(
        each["Properties"]["ProvisionedConcurrencyConfig"]["ProvisionedConcurrentExecutions"]
        for each in aliases.values()
    )
    assert counts == [1, 2]
    found, before = targets(made), targets(template)
    assert names["in-come"] in found["/models/in-come/predict", "POST"]
    (houses,) = (name for name in aliases if "Hothouses" in name)
    for path in ("/models/houses/predict", "/v2/models/houses/infer", "/models/houses/versions/{version}/predict"):
        assert houses in found[path, "POST"]
    for path, method in before:
        assert (path.replace("{model}", "houses"), method) in found
    assert found["/models/houses", "GET"] == found["/models/{model}", "GET"]
    watched = [str(each["Properties"].get("Dimensions")) for each in of_type(made, "AWS::CloudWatch::Alarm").values()]
    assert all(any(name in each for each in watched) for name in names.values())


def test_what_cannot_be_is_said() -> None:
    with pytest.raises(ValueError, match="expected one of them, got both"):
        settings(snap_start="true", provisioned_concurrency="2")
    with pytest.raises(ValueError, match="provisioned-concurrency: expected a whole number, got 'many'"):
        settings(provisioned_concurrency="many")
    with pytest.raises(ValueError, match="hot-models: houses: expected a whole number, got '-1'"):
        settings(hot_models="houses=-1")
    with pytest.raises(NameFault, match="Bad Name"):
        settings(hot_models="Bad Name")
    assert settings(hot_models="a=1,b", snap_start="true").hot == {
        "a": Warmth(provisioned=1),
        "b": Warmth(snap_start=True),
    }
