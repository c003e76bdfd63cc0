"""The commands: what a person types, over the SDK alone."""
