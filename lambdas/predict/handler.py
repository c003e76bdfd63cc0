"""Predict: a request in one of the protocols in, the live model's answer in the same protocol out."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Any

from dropforge.contract.artifacts import ArtifactSettings
from dropforge.contract.environment import load
from lambdas.predict import simple
from lambdas.predict.common import fitting
from lambdas.serving.faults import InputFault, ModelFault
from lambdas.shared.http import Request

if TYPE_CHECKING:
    from lambdas.predict.common import Dialect, Store
    from lambdas.predict.models import Models
    from lambdas.shared.http import Response


@cache
def models() -> Models:
    """What this process serves."""
    from lambdas.predict.models import Models

    return Models(load(ArtifactSettings))


def handle(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """A proxy event in, a proxy response out."""
    return respond(Request.from_event(event), models()).to_proxy()


def respond(request: Request, served: Store) -> Response:
    """The answer to any route of `dropforge.contract.routes`; a caller's mistake never becomes a 5xx."""
    dialect = spoken(request.resource)
    try:
        return fitting(dialect.answered(request, served))
    except InputFault as fault:
        return dialect.refused(fault)
    except ModelFault as fault:
        model = request.path["model"]
        served.report(model, fault)
        message = f"model {model!r} cannot be served at the moment; its owner has been told"
        return dialect.refused(InputFault(503, "no_healthy_model", message))


def spoken(resource: str) -> Dialect:
    """The protocol of a route; those that not everybody speaks are imported when they are first spoken."""
    if resource.startswith("/v2"):
        from lambdas.predict.inference import dialect

        return dialect
    if resource.endswith(("/invocations", "/ping")):
        from lambdas.predict import sagemaker

        return sagemaker
    return simple


if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand") != "on-demand":  # nobody waits for this process yet
    from lambdas.predict.warm import warm

    warm(models())
