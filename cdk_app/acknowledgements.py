"""Acknowledges findings of the security rules (cdk-nag, AwsSolutions) on the resource, each with its reason."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aws_cdk import Acknowledgment, Stack, Validations

if TYPE_CHECKING:
    from collections.abc import Iterable

    from constructs import IConstruct

PACK = "AwsSolutions::AwsSolutions-"


def acknowledge(construct: IConstruct, rule: str, reason: str) -> None:
    """Notes that `construct` does not follow `rule` (such as `S1`), and why."""
    Validations.of(construct).acknowledge(Acknowledgment(id=f"{PACK}{rule}", reason=reason))


def acknowledge_wildcards(construct: IConstruct, resources: Iterable[str], reason: str) -> None:
    """Notes why a role may touch the resources whose names have a wildcard; others need no note."""
    for resource in resources:
        name = _flat(Stack.of(construct).resolve(resource))
        if "*" in name:
            acknowledge(construct, f"IAM5[Resource::{name}]", reason)


def _flat(value: Any) -> str:
    """A resolved ARN as the rules write it: `<LogicalId.Arn>/runs/*`."""
    if isinstance(value, str):
        return value
    if "Fn::Join" in value:
        delimiter, parts = value["Fn::Join"]
        return str(delimiter).join(_flat(part) for part in parts)
    if "Fn::GetAtt" in value:
        return f"<{'.'.join(value['Fn::GetAtt'])}>"
    return f"<{value['Ref']}>" if "Ref" in value else json.dumps(value, separators=(",", ":"))
