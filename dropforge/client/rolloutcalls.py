"""The SDK's calls about rollouts: a version on trial beside the live one, moved by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dropforge.client.base import BaseClient
from dropforge.contract.api import RolloutRequest

if TYPE_CHECKING:
    from dropforge.contract.api import RolloutPage


class RolloutCalls(BaseClient):
    """Shows a rollout, begins it, and moves it on, to its end, or back."""

    def rollout(self, model: str) -> RolloutPage:
        """Returns the version on trial, its stage and share, and the moves since the rollout began.

        Raises:
            ApiFault: no version of such a model was ever live (status 404).

        Example:
            >>> forge.rollout("houses").candidate.stage
            'canary'
        """
        return self._api.rollout(model)

    def begin_rollout(
        self, model: str, version: str, share: float = 0.0, unit: str = "", because: str = ""
    ) -> RolloutPage:
        """Puts an approved version on trial beside the live one.

        Args:
            model: the model's name.
            version: an approved version that is not live.
            share: of the callers that it answers; at 0, it shadows the live version and answers nobody.
            unit: whose requests stay with one version: a column, or `header:` and a header's name; by default the
                caller's identity.
            because: why, for the history.

        Raises:
            ApiFault: there is no such model or version (404), or another version is on trial (409).

        Example:
            >>> forge.begin_rollout("houses", "4", share=0.05, unit="customer_id")
        """
        return self._api.move_rollout(model, RolloutRequest("begin", version, share, unit, because))

    def advance(self, model: str, share: float, because: str = "") -> RolloutPage:
        """Lets the version on trial answer a larger share of the callers; nobody switches back.

        Raises:
            ApiFault: no version is on trial (409), or the share is not larger and below 1 (400).

        Example:
            >>> forge.advance("houses", 0.5)
        """
        return self._api.move_rollout(model, RolloutRequest("advance", share=share, because=because))

    def promote(self, model: str, because: str = "") -> RolloutPage:
        """Gives all traffic to the version on trial; the former version stays beside it, to go back to.

        Raises:
            ApiFault: no version is on trial (409).

        Example:
            >>> forge.promote("houses", because="a day without a difference")
        """
        return self._api.move_rollout(model, RolloutRequest("promote", because=because))

    def pause(self, model: str, because: str = "") -> RolloutPage:
        """Marks the rollout as paused: it stays where it stands.

        Raises:
            ApiFault: no rollout is under way (409).

        Example:
            >>> forge.pause("houses")
        """
        return self._api.move_rollout(model, RolloutRequest("pause", because=because))

    def resume(self, model: str, because: str = "") -> RolloutPage:
        """Lets a paused rollout go on.

        Raises:
            ApiFault: no rollout is under way (409).

        Example:
            >>> forge.resume("houses")
        """
        return self._api.move_rollout(model, RolloutRequest("resume", because=because))

    def abort(self, model: str, because: str = "") -> RolloutPage:
        """Ends the rollout: the live version answers everybody, and nothing runs beside it.

        Example:
            >>> forge.abort("houses", because="the new version is slower")
        """
        return self._api.move_rollout(model, RolloutRequest("abort", because=because))
