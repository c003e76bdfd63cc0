"""The settings of the functions that read models; separate from the others for Predict's cold starts."""

from __future__ import annotations

from typing import NamedTuple


class ArtifactSettings(NamedTuple):
    """Settings of Register, Catalog and Predict, and of Answer and Join in a batch."""

    registry: str
    artifacts: str
