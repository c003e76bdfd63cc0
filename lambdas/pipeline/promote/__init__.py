"""Promote: the live pointer moves to an approved version."""
