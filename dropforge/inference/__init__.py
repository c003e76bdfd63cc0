"""The serving runtime: a model file from bytes, rows from requests, answers; onnxruntime, numpy and orjson alone."""
