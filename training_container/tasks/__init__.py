"""The kinds of task that the trainer knows, a package each; `driver.py` runs them all the same way."""
