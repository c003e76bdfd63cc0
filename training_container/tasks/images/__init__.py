"""Image classification: a zip of one folder a class becomes one ONNX graph that reads decoded pictures."""
