"""Programs that train a peer on a CSV and leave its answers; each runs as a process of its own."""
