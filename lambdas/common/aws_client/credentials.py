"""The role's credentials, from the environment, or from the container endpoint that a function has under SnapStart.

Source: "Activating and managing Lambda SnapStart", AWS Lambda Developer Guide. Credentials in a snapshot would have
expired when it is restored, so such a function has `AWS_CONTAINER_CREDENTIALS_FULL_URI` instead.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import closing
from datetime import datetime
from urllib.parse import urlsplit

from lambdas.common.aws_client.connections import ConnectionFault, Host
from lambdas.common.aws_client.signing import Keys

RENEW_SECONDS = 300.0
"""How long before their expiry keys are renewed."""

_cached: dict[str, Keys] = {}


def keys() -> Keys:
    """Keys that are valid now.

    Raises:
        ConnectionFault: the environment has neither keys nor an endpoint for them.
    """
    environ = os.environ
    if "AWS_ACCESS_KEY_ID" in environ:
        token = environ.get("AWS_SESSION_TOKEN", "")
        return Keys(environ["AWS_ACCESS_KEY_ID"], environ["AWS_SECRET_ACCESS_KEY"], token)
    url = environ.get("AWS_CONTAINER_CREDENTIALS_FULL_URI")
    if not url:
        raise ConnectionFault("no AWS keys: expected AWS_ACCESS_KEY_ID or AWS_CONTAINER_CREDENTIALS_FULL_URI to be set")
    cached = _cached.get(url)
    if cached is None or cached.expires - RENEW_SECONDS < time.time():
        cached = _cached[url] = _request(url)
    return cached


def _request(url: str) -> Keys:
    parts = urlsplit(url)
    headers = {"Host": parts.netloc, "Authorization": os.environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN", "")}
    with closing(Host(f"{parts.scheme}://{parts.netloc}")) as host:
        response = host.send("GET", parts.path + (f"?{parts.query}" if parts.query else ""), headers)
    if response.status != 200:
        raise ConnectionFault(f"{url}: expected the role's credentials, got status {response.status}")
    document = json.loads(response.body)
    expires = datetime.fromisoformat(document["Expiration"].replace("Z", "+00:00")).timestamp()
    return Keys(document["AccessKeyId"], document["SecretAccessKey"], document["Token"], expires)
