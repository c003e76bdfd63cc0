"""The environment of the functions that read models; apart from the others' for Predict's cold starts."""

from __future__ import annotations

from typing import NamedTuple


class ArtifactSettings(NamedTuple):
    """Judge, Register, Catalog and Predict; of a batch Answer and Join."""

    registry: str
    artifacts: str
