"""A self-signed certificate for strict mode, created once per home and valid for this machine only."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from dropforge.embedded.fault import CloudFault

if TYPE_CHECKING:
    from pathlib import Path

NAMES = "subjectAltName=DNS:localhost,DNS:*.localhost,IP:127.0.0.1"


def certificate(folder: Path) -> Path:
    """`server.crt` in `folder`, with `server.key` next to it; created if it does not exist.

    Raises:
        CloudFault: openssl is missing or refused.
    """
    cert, key = folder / "server.crt", folder / "server.key"
    if cert.exists() and key.exists():
        return cert
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    made = folder / "new.crt"
    command = ["openssl", "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    command += ["-keyout", str(key), "-out", str(made), "-days", "825", "-subj", "/CN=dropforge"]
    command += ["-addext", "basicConstraints=critical,CA:FALSE", "-addext", NAMES]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except FileNotFoundError as fault:
        raise CloudFault("strict mode needs openssl to create its certificate, none found: install openssl") from fault
    except subprocess.CalledProcessError as fault:
        raise CloudFault(f"openssl created no certificate: {fault.stderr.strip().splitlines()[-1]}") from fault
    key.chmod(0o600)
    made.replace(cert)
    return cert
