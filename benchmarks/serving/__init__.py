"""How fast a model answers, against the bare runtime and other servers."""
