"""Judge: whether a candidate may serve."""
