"""Compact: the captures of an hour as Parquet, and how many were received, lost and late."""
