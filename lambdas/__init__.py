"""The functions: one folder a step, named as its state; handler, then plain logic, then AWS access."""
