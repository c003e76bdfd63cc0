"""Predict: a request in one of the protocols in, the live model's answer in the same protocol out."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Any

from dropforge.contract.artifacts import ArtifactSettings
from dropforge.contract.environment import load
from dropforge.contract.log import begin_request
from dropforge.inference.http import Request
from dropforge.inference.protocols.dispatch import respond

if TYPE_CHECKING:
    from lambdas.api.predict.models import Models


@cache
def models() -> Models:
    """What this process serves."""
    from lambdas.api.predict.models import Models

    return Models(load(ArtifactSettings))


def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
    """A proxy event in, a proxy response out."""
    begin_request("Predict", event, context)
    return respond(Request.from_event(event), models()).to_proxy()


if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand") != "on-demand":  # nobody waits for this process yet
    from lambdas.api.predict.warm import warm

    warm(models())
