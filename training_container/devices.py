"""The device that torch trains on."""

from __future__ import annotations

import torch

from training_container.threads import cores

MOST_TORCH_THREADS = 4
"""Threads of torch: small batches gain nothing from more."""


def training_device() -> torch.device:
    """The GPU where there is one, or else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def device_name() -> str:
    """The name of the GPU, or `cpu`."""
    return torch.cuda.get_device_name() if training_device().type == "cuda" else "cpu"


def use_cores() -> None:
    """Lets torch use the cores of this process, at most `MOST_TORCH_THREADS`."""
    torch.set_num_threads(min(MOST_TORCH_THREADS, cores()))
