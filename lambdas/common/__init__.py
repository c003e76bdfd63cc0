"""What several functions need: clients, the registry, a run's files, log lines."""
