"""Answer: the predictions of one piece of a batch."""
