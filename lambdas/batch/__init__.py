"""Rows of files to predictions: what the steps of a batch share; numpy and onnxruntime alone."""
