"""`report.html`: one file without outside references that tells a person what was learned, how well, from what."""
