"""JSONata, the language in which the state machines read and write data."""

from __future__ import annotations

from aws_cdk import aws_stepfunctions as sfn

RESULT = "$states.result.Payload"
"""What the function of the current state returned."""


def jsonata(expression: str) -> str:
    """`expression` between the marks by which Step Functions tells an expression from plain text."""
    return f"{{% {expression} %}}"


def condition(expression: str) -> sfn.Condition:
    """`expression` as the condition of a Choice state."""
    return sfn.Condition.jsonata(jsonata(expression))


EMPTY_TEXT = jsonata("''")
