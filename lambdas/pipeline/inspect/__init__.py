"""Inspect: decides whether a data set can be learned from, what to learn, where to train, and the cost limit."""
