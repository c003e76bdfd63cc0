"""What CodeBuild does in an account, done here: the template's own commands, and a registry that reads the manifest."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from moto.server import ThreadedMotoServer

from cdk_app.image_build import build_spec
from lambdas.deploy.image.builds import TAKEN

from .registry import registry

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.container

DOCKERFILE = "FROM scratch\nARG CUDA=\nCOPY file /file\nENV CUDA=${CUDA}\n"
"""Small, because what is pushed depends on the commands and the engine, and not on the files."""


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
    """The URL of an AWS in memory, which gives out a password for its registry."""
    server = ThreadedMotoServer(port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def test_the_builds_commands_push_a_manifest_that_sagemaker_takes(aws: str, tmp_path: Path) -> None:
    spec = build_spec("Dockerfile")
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    (tmp_path / "file").write_text("content")
    with registry() as pushed:
        environment = {
            **os.environ,
            **spec["env"]["variables"],
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "DOCKER_CONFIG": str(tmp_path / "config"),
            "AWS_ENDPOINT_URL": aws,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "IMAGE": f"{pushed.address}/images:gpu-0123",
            "CUDA": "12",
        }
        for command in spec["phases"]["build"]["commands"]:
            done = subprocess.run(
                ["bash", "-o", "pipefail", "-c", command],
                cwd=tmp_path,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    ((name, (media_type, manifest)),) = pushed.manifests.items()
    assert (name, media_type, json.loads(manifest)["mediaType"]) == ("images:gpu-0123", TAKEN, TAKEN)
    parts = [json.loads(manifest)["config"], *json.loads(manifest)["layers"]]
    assert {part["digest"] for part in parts} <= pushed.blobs
