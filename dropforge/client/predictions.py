"""Answers of a model, put together from several requests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dropforge.client.faults import Fault
from dropforge.contract.documents import Record

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Predictions(Record):
    """Answers of one model version, an entry a row."""

    model: str
    version: str
    predictions: list[Any]
    probabilities: list[dict[str, float]] | None
    """Class to probability; None for regression."""
    ids: list[str]
    """Under these, the true labels can come back."""


def joined(parts: Sequence[dict[str, Any]]) -> Predictions:
    """The API's answers to consecutive rows as one.

    Raises:
        Fault: the live version changed between two requests.
    """
    versions = [part["version"] for part in parts]
    if len(set(versions)) > 1:
        message = (
            f"{parts[0]['model']!r} moved from version {versions[0]} to {versions[-1]} while predicting: ask again"
        )
        raise Fault(message, "version_changed")
    shares = [each for part in parts for each in part["probabilities"] or []]
    return Predictions(
        model=parts[0]["model"],
        version=versions[0],
        predictions=[each for part in parts for each in part["predictions"]],
        probabilities=shares or None,
        ids=[each for part in parts for each in part["ids"]],
    )
