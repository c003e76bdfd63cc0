"""An HTTP server for model files, without AWS: the handler of Predict on models from disk."""
