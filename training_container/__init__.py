"""The trainer: /opt/ml in, /opt/ml out; no AWS calls, no network."""
