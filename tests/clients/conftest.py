"""The server of `tests/serve`, for clients that nobody here wrote."""

from tests.serve.conftest import server

__all__ = ["server"]
