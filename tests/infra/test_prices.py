"""The price sheet counts what the template has."""

from __future__ import annotations

import json
from typing import Any

from dropforge.client import costs

from .conftest import ROOT, of_type


def count(template: dict[str, Any], kind: str) -> int:
    return len(of_type(template, kind))


def test_what_costs_while_idle_is_counted_right(template: dict[str, Any]) -> None:
    assert count(template, "AWS::CloudWatch::Alarm") == costs.ALARMS
    assert count(template, "AWS::CloudWatch::Dashboard") == costs.DASHBOARDS
    assert count(template, "AWS::KMS::Key") == costs.KEYS
    assert count(template, "AWS::DynamoDB::Table") == 1


def test_nothing_else_of_the_template_costs_by_the_hour(template: dict[str, Any]) -> None:
    by_the_hour = ("AWS::EC2::", "AWS::ElasticLoadBalancing", "AWS::RDS::", "AWS::SageMaker::Endpoint", "AWS::WAFv2::")
    text = json.dumps(template)
    assert [kind for kind in by_the_hour if f'"Type": "{kind}' in text] == []
    assert "ProvisionedConcurrencyConfig" not in text and '"ApplyOn": "PublishedVersions"' not in text
    assert count(template, "AWS::Lambda::Alias") == 0


def test_memory_is_that_of_the_functions(template: dict[str, Any]) -> None:
    found = {
        name.partition("Function")[0]: resource["Properties"].get("MemorySize", 128) / 1000
        for name, resource in of_type(template, "AWS::Lambda::Function").items()
    }
    assert found["ApiPredict"] == costs.PREDICT_MEMORY
    assert {found["PipelineInspect"], found["PipelineJudge"]} == {costs.LARGE_MEMORY}
    small = ("PipelineClaim", "PipelineRegister", "PipelinePromote", "PipelineNotify")
    assert {found[name] for name in small} == {costs.SMALL_MEMORY}


def test_a_promoted_run_has_as_many_transitions(definition: dict[str, Any]) -> None:
    way, state = [], definition["StartAt"]
    at_choices = {"Ended": "Promoted"}
    while state:
        way.append(state)
        found = definition["States"][state]
        state = at_choices.get(state) or found.get("Next") or found.get("Default")
    assert way[0] == "Drop" and way[-1] == "Promoted" and "Train" in way
    assert len(way) + 1 == costs.STATES, "and the start"


def test_captures_of_a_million_calls_cost_cents_and_their_page_says_how_many() -> None:
    lines = costs.captures(1_000_000)
    assert costs.total(lines) <= 0.10
    page = (ROOT / "docs" / "captures.md").read_text()
    assert f"together ${costs.total(lines):.2f}" in page and "`dropforge price`" in page


def test_the_page_has_the_sheets_figures() -> None:
    page = (ROOT / "docs" / "aws.md").read_text()
    run = costs.total(costs.a_run())
    idle = f"{costs.total(costs.idle()):.2f}, or {costs.to_pay(costs.idle()):.2f} after"
    rows = {
        "a month in which nothing happens": idle,
        "a run of 10 minutes on `ml.m5.xlarge`": f"{run + costs.training('ml.m5.xlarge', 10):.2f}",
        "a run of 20 minutes on `ml.g6.xlarge`, on demand": f"{run + costs.training('ml.g6.xlarge', 20):.2f}",
        "a million predictions": f"{costs.total(costs.predictions(1_000_000)):.2f}",
    }
    for use in costs.USES:
        ways = [f"{dollars:,.2f}" for way, dollars in costs.beside_endpoints(use).items() if "free" not in way]
        models = f"{use.models} model{'s' if use.models > 1 else ''}"
        rows[f"{use.name} ({models}, {use.predictions:,} calls)"] = " | ".join(ways)
    assert [f"| {what} | {dollars}" for what, dollars in rows.items() if f"| {what} | {dollars}" not in page] == []
    assert f"From\nabout {costs.break_even() / 1e6:.0f} million calls" in page
