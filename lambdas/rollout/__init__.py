"""A rollout under way: what both versions did is weighed, and the live pointer moves by it."""
