"""What a newcomer runs first: the demo, and the real data sets it drops."""
