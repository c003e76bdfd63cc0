"""Live: what serves under a name is taken back or moved by hand."""
