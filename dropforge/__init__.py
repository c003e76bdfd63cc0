"""Dropforge: drop a data set into S3, get a tested, explained, monitored prediction API."""

__version__ = "0.1.0"
