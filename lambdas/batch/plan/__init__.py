"""Plan: reads a claimed batch once, and cuts it into pieces."""
