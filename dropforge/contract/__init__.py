"""What all parts share: names, ids, documents and outcomes, in the standard library alone.

The functions, the trainer, the infrastructure, the CLI and the embedded cloud meet here and nowhere else, so
nothing in this package may import a third-party module; an import linter holds that.
"""
