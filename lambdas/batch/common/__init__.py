"""What the functions of a batch share."""
