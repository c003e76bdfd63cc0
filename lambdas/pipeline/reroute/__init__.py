"""Reroute: where a run goes on whose training job failed."""
