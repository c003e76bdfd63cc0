"""The demo, and the real data sets that it drops."""
