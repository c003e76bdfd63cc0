"""What to say where a recommender's scores rest on few users."""

from __future__ import annotations

FEW_USERS = 100
"""Hold-out users below which every score is said to be rough."""


def few_users(users: int) -> tuple[str, ...]:
    """A note that the hold-out has few users, if it does."""
    if users >= FEW_USERS:
        return ()
    return (
        f"Only {users:,} users have ratings in the hold-out: every score is rough, read its interval instead. "
        f"Drop the ratings of {FEW_USERS:,} users or more.",
    )
