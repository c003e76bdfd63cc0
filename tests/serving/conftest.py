"""Little models, loaded as they are served."""

from __future__ import annotations

import pytest

from dropforge.inference.model import ServedModel
from tests.serving.little import TASKS, Little, little


@pytest.fixture(params=TASKS)
def made(request: pytest.FixtureRequest) -> Little:
    """A model of each task."""
    return little(request.param)


@pytest.fixture
def served(made: Little) -> ServedModel:
    """`made`, loaded."""
    return ServedModel.from_bytes(made.body, made.sha256)
