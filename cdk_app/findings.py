"""Findings of the security rules that we live with, each on its resource with its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Acknowledgment, Validations

if TYPE_CHECKING:
    from constructs import IConstruct


def acknowledge(construct: IConstruct, rule: str, reason: str) -> None:
    """Notes that `rule` is not followed here, and why."""
    Validations.of(construct).acknowledge(Acknowledgment(id=rule, reason=reason))
