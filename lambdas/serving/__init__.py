"""The serving runtime: a model file from bytes, rows from requests, answers; onnxruntime and numpy alone."""
