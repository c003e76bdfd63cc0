"""Recommendation: what a user would rate an item, and what to show a user next; in torch, exported as one graph."""
