"""The repository's images, and the builds that fill it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lambdas.deploy.image.answering import Question

if TYPE_CHECKING:
    from collections.abc import Mapping

TAKEN = "application/vnd.docker.distribution.manifest.v2+json"
"""The manifest that SageMaker takes: Docker's schema 2. It refuses those of the OCI for endpoints
(amazon-sagemaker-feedback#180), and for training nobody says that it does not."""

WRONG_TYPE = (
    f"{{image}}: expected a manifest of type {TAKEN}, got {{got!r}}; delete the image, build it as "
    "docs/decisions/0041-docker-manifests.md says, and deploy again"
)


@dataclass(frozen=True)
class Build:
    """A build that has ended."""

    id: str
    status: str
    """`SUCCEEDED`, `FAILED`, `FAULT`, `STOPPED` or `TIMED_OUT`."""
    log: str
    """The link to its log."""
    question: Question | None
    """What it was started for; None for a build that somebody started by hand."""

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> Build:
        """The build of an event `CodeBuild Build State Change`."""
        detail = event["detail"]
        more = detail["additional-information"]
        variables = {each["name"]: each["value"] for each in more["environment"]["environment-variables"]}
        log = more.get("logs", {}).get("deep-link", "none")
        return cls(detail["build-id"], detail["build-status"], log, Question.from_variables(variables))


def start(project: str, question: Question) -> None:
    """Starts the build that ends with the answer. A repeated request starts no second one."""
    import boto3

    variables = [{"name": name, "value": value, "type": "PLAINTEXT"} for name, value in question.variables.items()]
    boto3.client("codebuild").start_build(
        projectName=project, environmentVariablesOverride=variables, idempotencyToken=question.request
    )


def image_fault(repository: str, image: str) -> str | None:
    """Why SageMaker would not take the image; empty where it would, None where the repository lacks it."""
    import boto3

    tag = image.rpartition(":")[2]
    ecr = boto3.client("ecr")
    try:
        (details,) = ecr.describe_images(repositoryName=repository, imageIds=[{"imageTag": tag}])["imageDetails"]
    except ecr.exceptions.ImageNotFoundException:
        return None
    media_type = details.get("imageManifestMediaType", "")
    return "" if media_type == TAKEN else WRONG_TYPE.format(image=image, got=media_type)
