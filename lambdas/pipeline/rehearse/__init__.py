"""Rehearse: the deployed prediction function answers with a new version before any caller does."""
