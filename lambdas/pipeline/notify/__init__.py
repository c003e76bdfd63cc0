"""Notify: a run is closed and its people are told."""
