"""Claim: one execution owns one data set."""
