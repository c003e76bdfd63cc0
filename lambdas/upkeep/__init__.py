"""The functions that run by schedule."""
