"""What every function needs to know of the stack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cdk_app.registry import RegistryTable
    from cdk_app.settings import Packaging
    from cdk_app.storage import Storage


@dataclass(frozen=True)
class Context:
    """Shared resources and settings, passed to every construct that makes functions."""

    storage: Storage
    registry: RegistryTable
    packaging: Packaging
    metrics: str
    """The CloudWatch namespace of this stack's own metrics."""
    places: str = ""
    """Where runs train, as `InspectSettings` has it."""
    most_cost: str = ""
    prices: str = ""

    @property
    def table_name(self) -> str:
        """Name of the registry's table."""
        return self.registry.table.table_name

    @property
    def artifact_bucket(self) -> str:
        """Name of the artifact bucket."""
        return self.storage.artifacts.bucket_name
