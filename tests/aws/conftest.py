"""The synthesized template and walks over its state machines, made once for all tests of this folder."""

from __future__ import annotations

from typing import Any

import pytest

from tests.infra.conftest import assembly, definition, definition_of, template

from .walks import walked

__all__ = ["assembly", "definition", "template"]


@pytest.fixture(scope="session")
def walks(template: dict[str, Any]) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:  # a fixture
    """Each state machine's definition, and what random walks over it showed (see `walk.mjs`)."""
    definitions = {name: definition_of(template, name) for name in ("Pipeline", "Batch")}
    return {name: (found, walked(found, batch=name == "Batch")) for name, found in definitions.items()}
