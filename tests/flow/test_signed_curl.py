"""The README's signed curl, run as it stands."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dropforge.client import Dropforge

README = (Path(__file__).parents[2] / "README.md").read_text()


def test_the_api_answers_the_curl_of_the_readme(forge: Dropforge) -> None:
    """No model of this name serves, and only a signed request is told so."""
    (command,) = re.findall(r"^curl --aws-sigv4 .*?[^\\]$", README, re.DOTALL | re.MULTILINE)
    connection = forge.connection
    environment = {
        "API_URL": connection.api_url,
        "AWS_ACCESS_KEY_ID": connection.access_key or "",
        "AWS_SECRET_ACCESS_KEY": connection.secret_key or "",
        "CURL_CA_BUNDLE": connection.ca_bundle or "",
    }
    asked = command.replace("/models/houses/predict", "/models/no-such-model/predict")
    done = subprocess.run(
        ["bash", "-c", asked], capture_output=True, text=True, check=False, timeout=120, env=os.environ | environment
    )
    assert json.loads(done.stdout)["error"]["code"] == "no_such_model", done.stdout + done.stderr
