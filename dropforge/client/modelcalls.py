"""The calls of `Dropforge` about models: which are live, their versions, and which version serves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dropforge.client import specs
from dropforge.client.base import BaseClient
from dropforge.client.faults import Fault
from dropforge.client.moves import served_before

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dropforge.contract.api import ModelLine, ModelPage
    from dropforge.contract.models import LiveRow, VersionRow


class ModelCalls(BaseClient):
    """Lists models, versions and moves; removes models and rolls them back; shows and sets a model's options."""

    def models(self) -> list[ModelLine]:
        """Returns every live model with its scores, as `GET /models` does.

        Example:
            >>> [model.model for model in forge.models()]
            ['churn', 'houses']
        """
        return self._api.models()

    def model(self, name: str) -> ModelPage:
        """Returns one model: its live version, scores, card (the columns it reads), newest 20 versions and moves.

        Raises:
            ApiFault: there is no such model (status 404).

        Example:
            >>> page = forge.model("houses")
        """
        return self._api.model(name)

    def versions(self, model: str) -> list[VersionRow]:
        """Returns all versions of a model, the newest first.

        Raises:
            ApiFault: there is no such model (status 404).

        Example:
            >>> len(forge.versions("houses"))
            31
        """
        return list(self._api.versions(model))

    def history(self, model: str) -> list[LiveRow]:
        """Returns all moves of a model's live pointer (which version was live from when), the latest first.

        Raises:
            ApiFault: there is no such model (status 404).

        Example:
            >>> latest, *older = forge.history("houses")
        """
        return list(self._api.history(model))

    def spec(self, model: str) -> str | None:
        """Returns the text of a model's `spec.yaml`, whose options apply to every drop; None if it has none.

        Example:
            >>> forge.spec("houses")
            'target: price\\n'
        """
        return specs.stored(self.connection, model)

    def set_spec(self, model: str, spec: str | Path | None) -> None:
        """Checks the file `spec` and makes it the `spec.yaml` of a model; None removes the one that it has.

        Raises:
            Fault: there is no such file, or an option in it is invalid.

        Example:
            >>> forge.set_spec("houses", "spec.yaml")
            >>> forge.set_spec("houses", None)
        """
        if spec is None:
            specs.clear(self.connection, model)
        else:
            specs.place(self.connection, model, specs.checked(spec))

    def remove(self, model: str, because: str = "") -> LiveRow:
        """Takes a model off the API within seconds; its versions and history stay, and a rollout ends.

        `rollback` restores it, and so does a data set that is dropped and promoted afterwards.

        Args:
            model: the model's name.
            because: why, for the history.

        Raises:
            ApiFault: no version of such a model was ever live (status 404).

        Example:
            >>> forge.remove("houses")
            >>> forge.rollback("houses")
        """
        return self._api.remove(model, because)

    def rollback(self, model: str, version: str | None = None, because: str = "") -> LiveRow:
        """Rolls back to the previous version, or to a chosen one.

        While a version is on trial, the live one answers everybody again by default, and the rollout ends.

        Args:
            model: the model's name; a removed one is restored.
            version: an approved version; by default the previous one, or the live one from before the removal.
            because: why, for the history.

        Raises:
            ApiFault: there is no such model or version, or the version was refused.
            Fault: no version was live before.

        Example:
            >>> forge.rollback("houses")
            >>> forge.rollback("houses", "3", because="callers see wrong prices")
        """
        wanted = version or served_before(self._moves(model))
        if wanted is None:
            raise Fault(f"model {model!r}: nothing served before; name a version", "no_version", "version")
        return self._api.serve(model, wanted, because)

    def _moves(self, model: str) -> Iterator[LiveRow]:
        page = self.model(model)
        yield from page.history
        if page.history_next:
            yield from self._api.history(model, page.history_next)
