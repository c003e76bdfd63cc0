"""Shared sources that a function may ship besides its own folder, as paths from the project's root.

Each function names those that it imports; `lambdas/common` and `dropforge/contract` come with all of them.
"""

from __future__ import annotations

from cdk_app.packaging import files_in

DATASETS = ("dropforge/datasets",)
INFERENCE = files_in("dropforge/inference")
"""The modules right in that folder: the protocols and the capture below it are for Predict alone."""
CAPTURE = "dropforge/inference/capture"
PROTOCOLS = "dropforge/inference/protocols"
HTTP = ("dropforge/inference/__init__.py", "dropforge/inference/http.py")
PICTURES = "dropforge/pictures.py"
METRICS = "dropforge/metrics"
ROLLOUTS = tuple(
    f"{METRICS}/{name}.py"
    for name in ("__init__", "decision", "evidence", "evidence_page", "linechart", "phases", "sequential", "sketches")
)
"""The tests of a rollout, in the standard library alone."""
BATCH_ROWS = ("lambdas/batch/common", *INFERENCE)
"""What reads the rows of a batch and predicts them."""
