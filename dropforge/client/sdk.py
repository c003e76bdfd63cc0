"""`Dropforge`: drops data, follows runs and queries models, on the embedded cloud and on AWS alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dropforge.client.base import TIMEOUT
from dropforge.client.connection import Connection
from dropforge.client.modelcalls import ModelCalls
from dropforge.client.predictcalls import PredictCalls
from dropforge.client.rolloutcalls import RolloutCalls
from dropforge.client.runcalls import RunCalls

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["TIMEOUT", "Dropforge"]


class Dropforge(PredictCalls, RunCalls, ModelCalls, RolloutCalls):
    """A client of one Dropforge stack: in the embedded cloud that runs here, otherwise in your AWS account.

    Args:
        home: the folder of an embedded cloud.
        profile: the AWS profile; selects AWS even if an embedded cloud is running.
        region: the AWS region; selects AWS too.
        stack: the name of the CloudFormation stack; by default `DROPFORGE_STACK`, or else `Dropforge`.

    Raises:
        Fault: no stack is reachable. Every method raises `Fault` too; its message is one readable line.

    Example:
        >>> forge = Dropforge()
        >>> outcome = forge.drop("houses.csv", model="houses", target="price", wait=True)
        >>> forge.predict("houses", [{"rooms": 4, "district": "north"}]).predictions
        [251300.0]
    """

    def __init__(
        self,
        home: str | Path | None = None,
        *,
        profile: str | None = None,
        region: str | None = None,
        stack: str | None = None,
    ) -> None:
        super().__init__(Connection.load(home, stack, profile, region))
