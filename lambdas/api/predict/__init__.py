"""Predict: the live model's answers over HTTP."""
