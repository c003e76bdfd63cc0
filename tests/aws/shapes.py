"""Checks a request against a service's own published model, with all that the model says of it.

botocore's `ParamValidator` checks names, types and least lengths. The service also refuses what breaks a pattern, an
enumeration or a largest length, which the model says too.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore.validate import ParamValidator

if TYPE_CHECKING:
    from collections.abc import Iterator


@cache
def input_shape(service: str, operation: str) -> Any:
    """The shape of an operation's input."""
    return botocore.session.get_session().get_service_model(service).operation_model(operation).input_shape


def faults(request: dict[str, Any], service: str, operation: str) -> list[str]:
    """Everything in `request` that the model forbids."""
    shape = input_shape(service, operation)
    report = ParamValidator().validate(request, shape).generate_report()
    return [*filter(None, report.splitlines()), *_beyond(request, shape, operation)]


def _beyond(value: Any, shape: Any, where: str) -> Iterator[str]:
    """Faults that `ParamValidator` does not look for."""
    if shape.type_name == "structure" and isinstance(value, dict):
        for name in value.keys() & shape.members.keys():
            yield from _beyond(value[name], shape.members[name], f"{where}.{name}")
    elif shape.type_name == "list" and isinstance(value, list):
        yield from _size(len(value), shape, where)
        for at, part in enumerate(value):
            yield from _beyond(part, shape.member, f"{where}[{at}]")
    elif shape.type_name == "map" and isinstance(value, dict):
        yield from _size(len(value), shape, where)
        for name, part in value.items():
            yield from _beyond(name, shape.key, f"{where}'s key {name!r}")
            yield from _beyond(part, shape.value, f"{where}[{name!r}]")
    elif isinstance(value, str):
        yield from _text(value, shape, where)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from _size(value, shape, where)


def _text(value: str, shape: Any, where: str) -> Iterator[str]:
    yield from _size(len(value), shape, where)
    pattern = shape.metadata.get("pattern")
    if pattern is not None and re.fullmatch(_pythons(pattern), value) is None:
        yield f"{where}: expected {pattern}, got {value!r}"
    enum = getattr(shape, "enum", None)
    if enum and value not in enum:
        yield f"{where}: expected one of {len(enum)} values such as {enum[0]!r}, got {value!r}"


def _pythons(pattern: str) -> str:
    """The pattern as Python writes it: letters, numbers and spaces of Unicode have other names in the model."""
    return pattern.replace(r"\p{L}", r"\w").replace(r"\p{N}", r"\w").replace(r"\p{Z}", r"\s")


def _size(size: float, shape: Any, where: str) -> Iterator[str]:
    low, high = shape.metadata.get("min", size), shape.metadata.get("max", size)
    if not low <= size <= high:
        yield f"{where}: expected {low} to {high}, got {size}"
