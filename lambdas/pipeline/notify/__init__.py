"""Notify: closes a run and publishes how it ended."""
