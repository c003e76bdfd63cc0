"""Catalog: what is registered, over HTTP."""
