"""The network: a compact residual net with one dial, its width. It reads pictures as they were decoded.

    pixels uint8 [N, H, W, C] → normalise → stem → three stages of two residual blocks, each half as high and twice as
    wide → mean over the picture → logits [N, classes]

The stem and the first stage shrink the picture at once, which is what makes training on a CPU quick; pictures of less
than `SMALL` pixels a side keep their size through the stem. Left out on purpose: attention, squeeze blocks, pre-trained
weights (the trainer has no network to fetch them from).
"""

from __future__ import annotations

import copy
from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

if TYPE_CHECKING:
    from torch import Tensor

SMALL = 40
"""Pixels: smaller pictures are not shrunk by the stem."""
TINY = 14
"""Pixels: smaller pictures are not shrunk by the first stage either."""


class Block(nn.Module):
    """Two 3×3 convolutions and a way past them."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.first_norm = nn.BatchNorm2d(outputs)
        self.second = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.second_norm = nn.BatchNorm2d(outputs)
        nn.init.zeros_(self.second_norm.weight)  # a block starts as the way past it
        self.past: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            pool = nn.AvgPool2d(stride, ceil_mode=True, count_include_pad=False) if stride != 1 else nn.Identity()
            self.past = nn.Sequential(pool, nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, maps: Tensor) -> Tensor:
        """[N, inputs, h, w] to [N, outputs, ⌈h/stride⌉, ⌈w/stride⌉]."""
        inner = functional.relu(self.first_norm(self.first(maps)))
        return functional.relu(self.second_norm(self.second(inner)) + self.past(maps))


class Network(nn.Module):
    """Pictures to logits."""

    mean: Tensor
    scale: Tensor

    def __init__(self, *, side: int, channels: int, classes: int, width: int, blocks: int = 1) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("scale", torch.ones(channels))
        stem = 2 if side >= SMALL else 1
        self.stem = nn.Sequential(nn.Conv2d(channels, width, 3, stem, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU())
        widths, strides = (width, 2 * width, 4 * width), (1 if side < TINY else 2, 2, 2)
        stages, inputs = [], width
        for outputs, stride in zip(widths, strides, strict=True):
            stages += [
                Block(inputs if number == 0 else outputs, outputs, stride if number == 0 else 1)
                for number in range(blocks)
            ]
            inputs = outputs
        self.stages = nn.Sequential(*stages)
        self.head = nn.Linear(inputs, classes)

    def normalise(self, pixels: Tensor) -> None:
        """Learns mean and spread of each channel from uint8 [N, H, W, C]."""
        sample = pixels[:20_000].double()
        self.mean.copy_(sample.mean(dim=(0, 1, 2)))
        self.scale.copy_(1 / sample.std(dim=(0, 1, 2)).clamp_min(1.0))

    def forward(self, pixels: Tensor) -> Tensor:
        """uint8 [N, H, W, C] to logits [N, classes], in the precision of the weights."""
        maps = ((pixels.to(self.mean.dtype) - self.mean) * self.scale).permute(0, 3, 1, 2)
        maps = self.stages(self.stem(maps))
        logits: Tensor = self.head(maps.mean(dim=(2, 3)))
        return logits


def folded(network: Network) -> Network:
    """A copy whose convolutions do what the norms behind them did.

    The exporter would fold them too, and the graph would have other weights than the network that it is compared with:
    the rounding of so many moves probabilities by more than 1e-5 of themselves.
    """
    copied = copy.deepcopy(network).eval().double()
    for part in list(copied.modules()):
        names = [name for name, _ in part.named_children()]
        for before, norm in pairwise(names):
            if isinstance(part.get_submodule(norm), nn.BatchNorm2d):
                fused = fuse_conv_bn_eval(part.get_submodule(before), part.get_submodule(norm))  # type: ignore[type-var,arg-type]
                setattr(part, before, fused)
                setattr(part, norm, nn.Identity())
    return copied.float()


class Answering(nn.Module):
    """The network as it is exported: probabilities, at the temperature that fits the validation part."""

    def __init__(self, network: Network, temperature: float) -> None:
        super().__init__()
        self.network = folded(network)
        self.temperature = temperature

    def forward(self, pixels: Tensor) -> Tensor:
        """uint8 [N, H, W, C] to [N, classes], in the precision of the weights."""
        return torch.softmax(self.network(pixels) / self.temperature, dim=1)
