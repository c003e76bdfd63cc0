"""Who is answered by the candidate of a canary: always the same units at a share, and more of them at a larger one."""

from __future__ import annotations

import hashlib

BYTES = 8


def place(unit: str, salt: str) -> float:
    """Where the unit stands between 0 and 1, evenly among all units; it stays there as long as the salt does."""
    digest = hashlib.blake2b((unit + salt).encode("utf-8", "surrogatepass"), digest_size=BYTES).digest()
    return int.from_bytes(digest, "big") / (1 << 8 * BYTES)


def is_candidates(unit: str, salt: str, share: float) -> bool:
    """Whether the candidate answers the unit at this share, from 0 (nobody) to 1 (everybody).

    Whoever is below a share is below every larger one, so nobody switches back while the share grows.
    """
    return place(unit, salt) < share
