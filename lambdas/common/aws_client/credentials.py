"""The role's keys: from the environment, or of the container endpoint that a function has under SnapStart.

Source: "Activating and managing Lambda SnapStart", AWS Lambda Developer Guide: keys of the time when the snapshot was
taken would have expired when it is restored, so such a function has `AWS_CONTAINER_CREDENTIALS_FULL_URI` instead.
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

EARLY = 300.0
"""Seconds before their end that keys are asked for anew."""

_kept: dict[str, Keys] = {}


def keys() -> Keys:
    """Keys that are good now.

    Raises:
        ConnectionFault: there are none in the environment, and no endpoint that gives any.
    """
    environ = os.environ
    if "AWS_ACCESS_KEY_ID" in environ:
        token = environ.get("AWS_SESSION_TOKEN", "")
        return Keys(environ["AWS_ACCESS_KEY_ID"], environ["AWS_SECRET_ACCESS_KEY"], token)
    url = environ.get("AWS_CONTAINER_CREDENTIALS_FULL_URI")
    if not url:
        raise ConnectionFault("no AWS keys: expected AWS_ACCESS_KEY_ID or AWS_CONTAINER_CREDENTIALS_FULL_URI to be set")
    held = _kept.get(url)
    if held is None or held.expires - EARLY < time.time():
        held = _kept[url] = _asked(url)
    return held


def _asked(url: str) -> Keys:
    parts = urlsplit(url)
    headers = {"Host": parts.netloc, "Authorization": os.environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN", "")}
    with closing(Host(f"{parts.scheme}://{parts.netloc}")) as host:
        answer = host.send("GET", parts.path + (f"?{parts.query}" if parts.query else ""), headers)
    if answer.status != 200:
        raise ConnectionFault(f"{url}: expected the role's credentials, got status {answer.status}")
    found = json.loads(answer.body)
    until = datetime.fromisoformat(found["Expiration"].replace("Z", "+00:00")).timestamp()
    return Keys(found["AccessKeyId"], found["SecretAccessKey"], found["Token"], until)
