"""`make bench-rollout`: what the tests of a rollout refuse, and what they let pass."""
