"""The question that CloudFormation asks of a custom resource, and the answer that it waits for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

from dropforge.contract.log import log

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_REASON = 1000
"""Characters of a reason; the whole answer may have 4,096 bytes."""
ATTEMPTS, SECONDS = 3, 10.0


@dataclass(frozen=True)
class Question:
    """A request for an image, and where its answer goes."""

    kind: str
    """`Create`, `Update` or `Delete`."""
    url: str
    """A presigned URL, which takes the answer by PUT."""
    stack: str
    request: str
    resource: str
    """The logical id."""
    image: str
    """The image's URI with its tag."""
    arguments: Mapping[str, str]
    """Build arguments of the Dockerfile, by name."""

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> Question:
        """The question in CloudFormation's event."""
        properties = event["ResourceProperties"]
        return cls(
            kind=event["RequestType"],
            url=event["ResponseURL"],
            stack=event["StackId"],
            request=event["RequestId"],
            resource=event["LogicalResourceId"],
            image=properties["Image"],
            arguments=dict(properties["Arguments"]),
        )

    @property
    def variables(self) -> dict[str, str]:
        """The environment of the build that answers it."""
        return {
            **self.arguments,
            "IMAGE": self.image,
            "ANSWER_URL": self.url,
            "ANSWER_STACK": self.stack,
            "ANSWER_REQUEST": self.request,
            "ANSWER_RESOURCE": self.resource,
        }

    @classmethod
    def from_variables(cls, variables: Mapping[str, str]) -> Question | None:
        """The question that a build's environment holds; None for a build that somebody started by hand."""
        if "ANSWER_URL" not in variables:
            return None
        return cls(
            kind="Create",
            url=variables["ANSWER_URL"],
            stack=variables["ANSWER_STACK"],
            request=variables["ANSWER_REQUEST"],
            resource=variables["ANSWER_RESOURCE"],
            image=variables["IMAGE"],
            arguments={},
        )


def answer(question: Question, fault: str) -> None:
    """Tells CloudFormation that the image is there, or why not (`fault`).

    An answer that nobody takes is no error: the deployment was cancelled, or answered before.
    """
    body = {
        "Status": "FAILED" if fault else "SUCCESS",
        "Reason": fault[:LONGEST_REASON] or "The image is in the repository.",
        "PhysicalResourceId": question.image,
        "StackId": question.stack,
        "RequestId": question.request,
        "LogicalResourceId": question.resource,
        "Data": {"Image": question.image},
    }
    log("answered", level="error" if fault else "info", image=question.image, reason=body["Reason"])
    # The URL's signature is over an empty content type.
    request = Request(question.url, json.dumps(body).encode(), {"Content-Type": ""}, method="PUT")
    for attempt in range(ATTEMPTS):
        try:
            with urlopen(request, timeout=SECONDS):
                return
        except OSError as error:
            log("answer not taken", level="warning", attempt=attempt + 1, error=str(error))
