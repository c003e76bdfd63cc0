"""Answer: predicts one piece of a batch."""
