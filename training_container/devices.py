"""The device that torch trains on."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import torch

from dropforge.contract.hops import GPU_NOT_SEEN
from dropforge.contract.instances import has_gpu
from training_container.faults import JobFault
from training_container.threads import cores

if TYPE_CHECKING:
    from training_container.job import Job

MOST_TORCH_THREADS = 4
"""Threads of torch: small batches gain nothing from more."""


def training_device() -> torch.device:
    """The GPU where there is one, or else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def device_name() -> str:
    """The name of the GPU, or `cpu`."""
    return torch.cuda.get_device_name() if training_device().type == "cuda" else "cpu"


def gpus() -> int:
    """The number of GPUs that torch can use."""
    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def check_gpu(job: Job) -> bool:
    """Whether the machine has a GPU, by the name of its type, that torch cannot use; says so in the log.

    Raises:
        JobFault: so it is, and the job is to end rather than to train on the CPU of that machine.
    """
    if not has_gpu(job.instance_type) or gpus():
        return False
    cuda = torch.version.cuda or "none"
    why = f"{job.instance_type}: expected a GPU, and torch {torch.__version__} (CUDA: {cuda}) sees none"
    if job.without_gpu == "fail-over":
        raise JobFault(f"{GPU_NOT_SEEN}: {why}; check the image's CUDA and the machine's driver")
    print(f"warning: {why}; training on the CPU", file=sys.stderr, flush=True)
    return True


def use_cores() -> None:
    """Lets torch use the cores of this process, at most `MOST_TORCH_THREADS`."""
    torch.set_num_threads(min(MOST_TORCH_THREADS, cores()))
