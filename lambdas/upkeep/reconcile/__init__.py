"""Reconcile: what was missed is started, and what has ended is closed."""
