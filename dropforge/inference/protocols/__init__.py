"""The protocols that a model is asked in: a request in, an answer of the same protocol out."""
