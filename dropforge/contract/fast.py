"""The second form of a large model, which loads fast: its files, and which runtime may load them."""

from __future__ import annotations

from dropforge.contract.documents import Record


class FastForm(Record):
    """A graph as onnxruntime optimized it, and its weights in a file that is mapped instead of parsed."""

    graph: str
    """SHA-256 of `fast/graph.onnx` in the run's folder."""
    weights: str
    """SHA-256 of `fast/weights.bin`."""
    runtime: str
    """The version of onnxruntime that wrote it; another version loads `model.onnx`."""
