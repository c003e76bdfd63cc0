"""The rendered JSONata, evaluated with the engine that the embedded cloud uses; what has no value is a fault."""

from __future__ import annotations

from typing import Any

from jsonata.jsonata import Jsonata


def evaluate(template: Any, **variables: Any) -> Any:
    """`template` with every `{% … %}` in it replaced by its value.

    Raises:
        LookupError: an expression has no value; Step Functions ends the execution at that point.
    """
    if isinstance(template, dict):
        return {name: evaluate(each, **variables) for name, each in template.items()}
    if isinstance(template, list):
        return [evaluate(each, **variables) for each in template]
    if not isinstance(template, str) or not template.startswith("{%"):
        return template
    value = Jsonata.jsonata(template[2:-2].strip()).evaluate(None, variables)
    if value is None:
        raise LookupError(template)
    return value
