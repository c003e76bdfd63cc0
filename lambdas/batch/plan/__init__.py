"""Plan: a claimed batch is looked through once, and cut into pieces."""
