"""A cloud in memory for every test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.steps.cloud import Cloud, cloud_in_memory

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """An empty cloud."""
    with cloud_in_memory(monkeypatch) as made:
        yield made
