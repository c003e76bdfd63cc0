"""Image builds a training image in the account: a custom resource of CloudFormation that CodeBuild's events complete.

CloudFormation asks for an image by its tag, which is made of the content of its sources. If the repository has it,
the answer is given at once. Otherwise a build is started, which carries where to answer in its environment, and the
event of its end comes back here. So nothing polls, and no function waits.
"""

from __future__ import annotations

from typing import Any

from dropforge.contract.environment import load
from dropforge.contract.log import begin
from dropforge.contract.settings import ImageSettings
from lambdas.deploy.image.answering import Question, answer
from lambdas.deploy.image.builds import Build, image_fault, start

NOT_BUILT = "the training image {image} was not built: the build ended as {status}; its log: {log}"
NOT_THERE = "the training image {image} is not in the repository, although its build succeeded; its log: {log}"


def handle(event: dict[str, Any], context: object) -> None:
    """Takes a request of CloudFormation, or CodeBuild's event of a build that has ended.

    Every error is an answer too: CloudFormation would wait for an hour for one that does not come.
    """
    begin("Image", request=getattr(context, "aws_request_id", None))
    if event.get("source") == "aws.codebuild":
        build = Build.from_event(event)
        if build.question is not None:
            answer(build.question, fault_after(build, build.question.image))
        return
    question = Question.from_event(event)
    fault = fault_before(question)
    if fault is not None:
        answer(question, fault)


def fault_before(question: Question) -> str | None:
    """The fault to answer with at once, empty for none; None where the end of a build will answer."""
    if question.kind == "Delete":  # the repository goes with the stack, and its images with it
        return ""
    try:
        settings = load(ImageSettings)
        fault = image_fault(settings.repository, question.image)
        if fault is None:
            start(settings.project, question)
    except Exception as error:
        return f"{question.image}: {type(error).__name__}: {error}"
    return fault


def fault_after(build: Build, image: str) -> str:
    """The fault of a build that has ended; empty for none."""
    if build.status != "SUCCEEDED":
        return NOT_BUILT.format(image=image, status=build.status, log=build.log)
    try:
        fault = image_fault(load(ImageSettings).repository, image)
    except Exception as error:
        return f"{image}: {type(error).__name__}: {error}"
    return NOT_THERE.format(image=image, log=build.log) if fault is None else fault
