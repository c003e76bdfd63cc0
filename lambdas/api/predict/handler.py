"""Predict: a request in one of the protocols in, the live model's answer in the same protocol out."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Any

from dropforge.contract.artifacts import ArtifactSettings, CaptureSettings
from dropforge.contract.environment import load
from dropforge.contract.log import begin_request
from dropforge.inference.http import Request
from dropforge.inference.protocols.dispatch import respond

if TYPE_CHECKING:
    from lambdas.api.predict.capturing import Capturing
    from lambdas.api.predict.extension import Extension
    from lambdas.api.predict.models import Models


@cache
def models() -> Models:
    """What this process serves."""
    from lambdas.api.predict.models import Models

    return Models(load(ArtifactSettings), capturing())


def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
    """A proxy event in, a proxy response out."""
    begin_request("Predict", event, context)
    served = models()
    try:
        return respond(Request.from_event(event), served).to_proxy()
    finally:
        if served.capturing is not None:
            served.capturing.carrier.done()


def capturing() -> Capturing | None:
    """What is kept after the answers; None where the stack captures nothing."""
    if "CAPTURES" not in os.environ:
        return None
    from lambdas.api.predict.capturing import Capturing

    return Capturing(load(CaptureSettings).captures, EXTENSION)


def extension() -> Extension | None:
    """Registers this process as an extension, which Lambda allows until the first call; None where there is no API."""
    if "AWS_LAMBDA_RUNTIME_API" not in os.environ or "CAPTURES" not in os.environ:
        return None
    from lambdas.api.predict.extension import Extension

    return Extension.registered()


EXTENSION = extension()


if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand") != "on-demand":  # nobody waits for this process yet
    from lambdas.api.predict.warm import warm

    warm(models())
