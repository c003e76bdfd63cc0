"""Models off AWS: the handler of Predict behind an HTTP server, over files of a disk."""
