"""Validates a CreateTrainingJob request as SageMaker does, before anything is created."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import botocore.session
from botocore.validate import ParamValidator

from dropforge.contract.errors import CallerError

NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
ROLE = re.compile(r"arn:aws[a-z\-]*:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+")
SERVICE = "Service: AmazonSageMaker; Status Code: 400; Error Code: "


class Refusal(CallerError):
    """SageMaker's answer to a request that starts no job: an error code and a message."""

    def __init__(self, code: str, message: str) -> None:
        self.code, self.message = code, message
        super().__init__(f"{code}: {message}")

    @property
    def cause(self) -> str:
        """The cause as Step Functions writes it."""
        return f"{self.message} ({SERVICE}{self.code})"


def check(request: dict[str, Any]) -> None:
    """Refuse a request that SageMaker would refuse, as far as the request alone shows it.

    Raises:
        Refusal: with code ValidationException.
    """
    faults = [*_shape_faults(request)]
    if not faults:
        faults = [
            *_name_faults(request),
            *_enum_faults(request),
            *_stopping_faults(request),
            *_algorithm_faults(request),
        ]
    if faults:
        many = f"{len(faults)} validation error{'s' if len(faults) > 1 else ''} detected: "
        raise Refusal("ValidationException", many + "; ".join(faults))


@cache
def _input_shape() -> Any:
    """CreateTrainingJob's input in the service's own published model."""
    model = botocore.session.get_session().get_service_model("sagemaker")
    return model.operation_model("CreateTrainingJob").input_shape


def _shape_faults(request: dict[str, Any]) -> list[str]:
    report = ParamValidator().validate(request, _input_shape())
    return [line.strip() for line in report.generate_report().splitlines() if line.strip()]


def _name_faults(request: dict[str, Any]) -> list[str]:
    faults = []
    name, role = request["TrainingJobName"], request["RoleArn"]
    if NAME.fullmatch(name) is None or len(name) > 63:
        faults.append(
            f"Value '{name}' at 'trainingJobName' failed to satisfy constraint: Member must satisfy regular "
            f"expression pattern: {NAME.pattern} and have length less than or equal to 63"
        )
    if ROLE.fullmatch(role) is None:
        faults.append(f"Value '{role}' at 'roleArn' failed to satisfy constraint: expected the ARN of an IAM role")
    return faults


def _enum_faults(request: dict[str, Any]) -> list[str]:
    """Unknown values of fields in which a typing error is likely."""
    shape, resources = _input_shape().members, request["ResourceConfig"]
    checks = [
        ("resourceConfig.instanceType", resources.get("InstanceType"), shape["ResourceConfig"].members["InstanceType"]),
        (
            "outputDataConfig.compressionType",
            request["OutputDataConfig"].get("CompressionType"),
            shape["OutputDataConfig"].members["CompressionType"],
        ),
    ]
    return [
        f"Value '{value}' at '{where}' failed to satisfy constraint: Member must satisfy enum value set"
        for where, value, known in checks
        if value is not None and value not in known.enum
    ]


def _stopping_faults(request: dict[str, Any]) -> list[str]:
    stopping = request.get("StoppingCondition", {})
    longest, wait = stopping.get("MaxRuntimeInSeconds", 86400), stopping.get("MaxWaitTimeInSeconds")
    spot = request.get("EnableManagedSpotTraining", False)
    if longest < 1:
        return [f"Value '{longest}' at 'stoppingCondition.maxRuntimeInSeconds' must be greater than or equal to 1"]
    if spot and wait is None:
        return ["MaxWaitTimeInSeconds must be set when EnableManagedSpotTraining is true"]
    if spot and wait < longest:
        return [f"MaxWaitTimeInSeconds ({wait}) must be greater than or equal to MaxRuntimeInSeconds ({longest})"]
    if wait is not None and not spot:
        return ["MaxWaitTimeInSeconds must not be set when EnableManagedSpotTraining is false"]
    return []


def _algorithm_faults(request: dict[str, Any]) -> list[str]:
    algorithm, channels = request["AlgorithmSpecification"], request.get("InputDataConfig", [])
    faults = []
    if not algorithm.get("TrainingImage"):
        faults.append("AlgorithmSpecification.TrainingImage: expected an image, got none")
    if algorithm["TrainingInputMode"] != "File":
        faults.append(f"TrainingInputMode {algorithm['TrainingInputMode']!r}: only File runs here")
    names = [channel["ChannelName"] for channel in channels]
    if len(set(names)) < len(names):
        faults.append(f"InputDataConfig: channel names must be unique, got {names}")
    if any("S3DataSource" not in channel["DataSource"] for channel in channels):
        faults.append("InputDataConfig: only S3DataSource runs here")
    return faults
