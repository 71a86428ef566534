"""Layers that learn what to add to their input."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor

from companion import nn
from companion.errors import bad_value
from companion.functional._arguments import require_whole


class ResidualBlock(nn.Module):
    r"""Two 3 by 3 convolutions whose result is added to what came in.

    .. math:: y = \operatorname{relu}(x + f(x)), \qquad \frac{\partial y}{\partial x} = I + \frac{\partial f}{\partial x}
              \text{ where the rectifier is open}

    The 1 in the derivative is why gradients reach the first layers of very deep networks. Where the number of
    channels or the image's size changes, a 1 by 1 convolution brings x to the new shape.

    Args:
        in_channels: Channels that come in.
        out_channels: Channels that go out.
        stride: Step of the first convolution; 2 halves the image.
        shortcut: Whether x is added at all. False leaves a plain block of the same layers, to compare with.
        generator: Where the initial weights come from.

    Shape:
        Input (N, in_channels, H, W), output (N, out_channels, H / stride, W / stride), rounded up.

    Source:
        He, Zhang, Ren and Sun (2016), Deep residual learning for image recognition.

    >>> ResidualBlock(8, 16, stride=2)(torch.zeros(1, 8, 6, 6)).shape
    torch.Size([1, 16, 3, 3])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int = 1,
        *,
        shortcut: bool = True,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False, generator=generator)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.relu = nn.ReLU()
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False, generator=generator)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.shortcut = shortcut
        self.downsample: nn.Module | None = None
        if shortcut and (stride > 1 or in_channels != out_channels):
            project = nn.Conv2d(in_channels, out_channels, 1, stride, bias=False, generator=generator)
            self.downsample = nn.Sequential(project, nn.BatchNorm2d(out_channels))

    def forward(self, x: Tensor) -> Tensor:
        """Add what the block computes to what it was given."""
        change: Tensor = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        if self.shortcut:
            change = change + (x if self.downsample is None else self.downsample(x))
        y: Tensor = self.relu(change)
        return y


class ResNet(nn.Module):
    """A stem, stages of residual blocks, and a classifier on the mean over all places.

    Every stage but the first halves the image. Layers have the names that PyTorch's vision library gives them.

    Args:
        in_channels: Channels of the images.
        num_classes: How many classes.
        widths: Channels of each stage.
        depth: Blocks in a stage.
        shortcut: False leaves the plain network of the same layers, to compare with.
        generator: Where the initial weights come from.

    Shape:
        Input (N, in_channels, H, W), output (N, num_classes) of logits.

    Raises:
        TypeError: If a number is not whole.
        ValueError: If there is no stage or a number is below 1.

    Source:
        He, Zhang, Ren and Sun (2016), Deep residual learning for image recognition; the form for small images
        is that of their section on CIFAR-10.

    >>> ResNet(1, 10, widths=(8, 16), depth=1)(torch.zeros(2, 1, 8, 8)).shape
    torch.Size([2, 10])
    """

    def __init__(
        self,
        in_channels: int = 1,
        num_classes: int = 10,
        *,
        widths: Sequence[int] = (16, 32, 64),
        depth: int = 1,
        shortcut: bool = True,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        require_whole("ResNet", "depth", depth, least=1)
        if not widths:
            raise bad_value("ResNet", "widths", "the channels of one stage or more", widths, "try (16, 32, 64)")
        self.conv1 = nn.Conv2d(in_channels, widths[0], 3, padding=1, bias=False, generator=generator)
        self.bn1 = nn.BatchNorm2d(widths[0])
        self.relu = nn.ReLU()
        self.stages = len(widths)
        for stage, (before, width) in enumerate(pairwise([widths[0], *widths]), start=1):
            blocks = nn.Sequential()
            for i, inputs in enumerate([before] + [width] * (depth - 1)):
                stride = 2 if stage > 1 and i == 0 else 1
                blocks.append(ResidualBlock(inputs, width, stride, shortcut=shortcut, generator=generator))
            self.add_module(f"layer{stage}", blocks)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.fc = nn.Linear(widths[-1], num_classes, generator=generator)

    def features(self, x: Tensor) -> Tensor:
        """Give the last feature map, which the classifier averages: (N, in_channels, H, W) -> (N, C, H', W')."""
        x = self.relu(self.bn1(self.conv1(x)))
        for stage in range(1, self.stages + 1):
            x = self.get_submodule(f"layer{stage}")(x)
        return x

    def forward(self, x: Tensor) -> Tensor:
        """Give the logits of each image."""
        logits: Tensor = self.fc(self.flatten(self.avgpool(self.features(x))))
        return logits
