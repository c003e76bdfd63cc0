"""Weigh: reads what was captured since the last look, and moves the rollout by what it says."""
