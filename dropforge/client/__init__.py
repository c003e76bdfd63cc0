"""The Python SDK: everything that the commands do.

from dropforge.client import Dropforge

forge = Dropforge()
run = forge.drop("houses.csv", target="price", wait=True)
forge.predict(run.model, [{"rooms": 4, "district": "north"}]).predictions
"""

from dropforge.client.connection import Connection
from dropforge.client.drops import Dropped
from dropforge.client.faults import ApiFault, Fault
from dropforge.client.outcome import Outcome
from dropforge.client.sdk import Dropforge
from dropforge.contract.api import ModelLine, ModelPage, Predictions

__all__ = [
    "ApiFault", "Connection", "Dropforge", "Dropped", "Fault", "ModelLine", "ModelPage", "Outcome", "Predictions",
]  # fmt: skip
