"""Every JSONata expression of the rendered state machines has a value on every way through them.

Step Functions ends an execution at an expression without a value, which no validator of definitions finds. The engine
is npm `jsonata`, which defines the language; the embedded cloud has another one, which must agree with it.
"""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest
from jsonata.jsonata import Jsonata

from .walks import walked

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.aws


@pytest.fixture(params=["Pipeline", "Batch"])
def machine(request: pytest.FixtureRequest, walks: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """A definition, and what its walks showed."""
    found: tuple[dict[str, Any], dict[str, Any]] = walks[request.param]
    return found


def expressions(value: Any) -> Iterator[str]:
    if isinstance(value, str) and value.startswith("{%"):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from expressions(part)


def test_no_expression_is_ever_without_a_value(machine: tuple[dict[str, Any], dict[str, Any]]) -> None:
    definition, walks = machine
    assert walks["faults"] == []
    every = {*expressions(definition)}
    assert every - walks["seen"].keys() == set(), "expressions that no walk came by"
    contexts = sum(map(len, walks["seen"].values()))
    print(f"{len(every)} expressions had a value in all of {sum(walks['ends'].values()):,} walks; {contexts} compared")


def test_every_end_is_reached(machine: tuple[dict[str, Any], dict[str, Any]]) -> None:
    definition, walks = machine
    ends = {name for name, state in definition["States"].items() if state["Type"] in ("Succeed", "Fail")}
    assert ends == set(walks["ends"])


def test_the_embedded_clouds_engine_agrees(machine: tuple[dict[str, Any], dict[str, Any]]) -> None:
    differing = []
    for expression, contexts in machine[1]["seen"].items():
        for context in contexts:
            ours = Jsonata.jsonata(expression[2:-2].strip()).evaluate(None, copy.deepcopy(context["variables"]))
            if json.dumps(ours, sort_keys=True) != json.dumps(context["value"], sort_keys=True):
                differing.append((expression, ours, context["value"]))
    assert differing == []


@pytest.mark.parametrize(
    ("broken", "fault"),
    [
        ("{% $states.errorOutput.Cause %}", "no value"),
        ("{% $nobody %}", "no value"),
        ("{% $places[9] %}", "no value"),
        ("{% $string( %}", "before end of expression"),
    ],
)
def test_an_expression_without_a_value_is_found(definition: dict[str, Any], broken: str, fault: str) -> None:
    changed = copy.deepcopy(definition)
    changed["States"]["Train"]["Catch"][0]["Assign"]["cause"] = broken
    found = " ".join(each["fault"] for each in walked(changed, batch=False, walks=400)["faults"])
    assert broken in found and fault in found
