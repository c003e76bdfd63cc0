"""The infrastructure: stacks are tables of contents, constructs own their functions, permissions and alarms."""
