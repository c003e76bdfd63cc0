"""The settings of the functions that read models; separate from the others for Predict's cold starts."""

from __future__ import annotations

from typing import NamedTuple


class ArtifactSettings(NamedTuple):
    """Settings of Register, Catalog and Predict, and of Answer and Join in a batch."""

    registry: str
    artifacts: str


class CaptureSettings(NamedTuple):
    """Settings of a function that predicts and captures; one that does not has no such variable."""

    captures: str
    """Bucket of the captures, which is that of the artifacts."""
