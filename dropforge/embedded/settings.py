"""The configuration of the server: its address, its mode, and the environment that MiniStack reads."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dropforge.embedded.home import Home

ADDRESS = "127.0.0.1"
DEFAULT_PORT = 4566
REGION = "us-east-1"
ACCOUNT = "000000000000"
ACCESS_KEY = "test"
"""The id of the root key in MiniStack. Its secret is in `keys.py`."""

KEPT = ("PATH", "HOME", "LANG", "LANGUAGE", "TZ", "VIRTUAL_ENV", "PYTHONPATH", "LD_LIBRARY_PATH")
KEPT_PREFIXES = ("LC_", "CUDA_", "NVIDIA_", "DROPFORGE_", "COV_")
"""Variables that a child process inherits; all others stay out, above all the user's own AWS credentials."""

ENGINE = "DROPFORGE_DOCKER_HOST"
"""Variables that locate the Docker engine for training images. MiniStack gets none, so it starts no containers."""


@dataclass(frozen=True)
class Address:
    """The address of a server, and its mode."""

    port: int
    strict: bool

    @property
    def url(self) -> str:
        """The endpoint for every AWS SDK."""
        return f"{'https' if self.strict else 'http'}://{ADDRESS}:{self.port}"


def clean_environment(source: Mapping[str, str] | None = None) -> dict[str, str]:
    """The part of an environment that a child may inherit: no credentials, no profiles, no proxies."""
    environ = os.environ if source is None else source
    return {name: value for name, value in environ.items() if name in KEPT or name.startswith(KEPT_PREFIXES)}


def server_environment(
    home: Home, address: Address, credentials: dict[str, str], source: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The environment of the server; functions inherit it, with the credentials of their own role in place of these."""
    environ = os.environ if source is None else source
    chosen = {
        **clean_environment(environ),
        **credentials,
        "AWS_ENDPOINT_URL": address.url,
        "GATEWAY_PORT": str(address.port),
        "BIND_HOST": ADDRESS,
        "MINISTACK_HOST": "localhost",
        "MINISTACK_REGION": REGION,
        "PERSIST_STATE": "1",
        "STATE_DIR": str(home.state),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(home.objects),
        "TMPDIR": str(home.temporary),
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "LAMBDA_WARM_TTL_SECONDS": "60",  # then a process ends that is not the last one of its function
        "DOCKER_HOST": f"unix://{home.root}/no-engine",
        ENGINE: environ.get(ENGINE, environ.get("DOCKER_HOST", "")),
        "LOG_LEVEL": "WARNING",
        "ORT_DISABLE_TELEMETRY": "1",
        "PYTHONUNBUFFERED": "1",
    }
    return {**chosen, **(_strict_environment(home) if address.strict else {})}


def _strict_environment(home: Home) -> dict[str, str]:
    certificate = str(home.tls / "server.crt")
    return {
        "AUTH": "true",
        "USE_SSL": "1",
        "MINISTACK_SSL_CERT": certificate,
        "MINISTACK_SSL_KEY": str(home.tls / "server.key"),
        "AWS_CA_BUNDLE": certificate,
        "SSL_CERT_FILE": certificate,
    }
