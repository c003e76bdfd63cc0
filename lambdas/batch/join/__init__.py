"""Join: the pieces of a batch become the predictions beside it."""
