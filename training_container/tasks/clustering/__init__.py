"""Clustering: groups of rows that are alike, without a target; fitted by scikit-learn, answered by ONNX."""
