"""API Gateway has every route of the table, each with its function, and no other."""

from __future__ import annotations

from typing import Any

from dropforge.contract.routes import ROUTES

FUNCTIONS = {"predict": "ApiPredict", "catalog": "ApiCatalog", "live_pointer": "ApiLive"}
"""How the logical ids of the functions begin."""


def path_of(resource: Any, resources: dict[str, Any]) -> str:
    """The path of a resource of API Gateway, by its parents."""
    if "Ref" not in resource:
        return ""  # the root
    own = resources[resource["Ref"]]["Properties"]
    return f"{path_of(own['ParentId'], resources)}/{own['PathPart']}"


def test_the_api_has_the_routes_of_the_table(template: dict[str, Any]) -> None:
    resources = template["Resources"]
    methods = [each["Properties"] for each in resources.values() if each["Type"] == "AWS::ApiGateway::Method"]
    routes = {(each["HttpMethod"], path_of(each["ResourceId"], resources)): each for each in methods}
    assert set(routes) == {route.key for route in ROUTES}
    for route in ROUTES:
        assert routes[route.key]["AuthorizationType"] == "AWS_IAM"
        assert FUNCTIONS[route.function] in str(routes[route.key]["Integration"]["Uri"])
