"""Register: a judged run becomes an immutable version."""
