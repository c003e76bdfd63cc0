"""`report.html`: one file without any outside reference that tells a person what was learned, how well, and from what."""
