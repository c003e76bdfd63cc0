"""Strict mode: tells MiniStack's policies the CloudWatch namespace that a request would write to.

MiniStack's IAM knows no condition key `cloudwatch:namespace`, so it refuses every count of a function whose role may
write to one namespace alone. This reads the namespace from the request's body and adds it to the request's condition
keys.
"""

from __future__ import annotations

import importlib
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from collections.abc import Callable

ACTION, KEY = "cloudwatch:PutMetricData", "cloudwatch:namespace"


def register() -> None:
    """Add the condition key from now on; MiniStack must not be serving yet."""
    actions: Any = importlib.import_module("ministack.core.iam_actions")
    keys: Callable[..., dict[str, Any]] = actions.request_tag_context

    def with_namespace(service: str, action: str, body: bytes, parameters: Any) -> dict[str, Any]:
        known = keys(service, action, body, parameters)
        return {**known, KEY: namespace(body)} if action == ACTION else known

    actions.request_tag_context = with_namespace


def namespace(body: bytes) -> str | None:
    """The `Namespace` of a PutMetricData request, in JSON or as a form; None, which no policy allows, if it names none.

    MiniStack reads a third form, CBOR, with a package that is not installed here, and that botocore does not choose.
    """
    try:
        if body[:1] == b"{":
            found = json.loads(body).get("Namespace")
            return found if isinstance(found, str) else None
        values = parse_qs(body.decode()).get("Namespace", [])
    except ValueError:  # a body that is neither is refused by the service itself
        return None
    return values[0] if len(values) == 1 else None
