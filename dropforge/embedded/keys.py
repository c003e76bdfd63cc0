"""The root key of an embedded cloud: its id is always the same, its secret is random and belongs to one home."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

from dropforge.embedded.settings import ACCESS_KEY, REGION

if TYPE_CHECKING:
    from dropforge.embedded.home import Home


def root_secret(home: Home) -> str:
    """The secret of the root key, created at the first call; only the owner of the home can read its file."""
    if not home.secret.exists():
        _create(home)
    return home.secret.read_text().strip()


def credentials(home: Home) -> dict[str, str]:
    """The environment variables of the embedded account's administrator."""
    return {
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": root_secret(home),
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def _create(home: Home) -> None:
    """Write a new secret; of two writers at once, the first one wins."""
    home.root.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = home.secret.with_suffix(f".{os.getpid()}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(30) + "\n")
    try:
        os.link(part, home.secret)
    except FileExistsError:
        pass
    finally:
        part.unlink()
