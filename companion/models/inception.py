"""Kernels of several sizes side by side."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from companion import nn
from companion.errors import bad_value


class InceptionBlock(nn.Module):
    """Look at the same place through kernels of 1, 3 and 5 pixels and through pooling; put the answers side by side.

    Before the larger kernels a 1 by 1 convolution reduces the channels, which is what makes them affordable.
    Each of the four branches gives a quarter of the channels.

    Args:
        in_channels: Channels that come in.
        out_channels: Channels that go out, a multiple of 4.
        generator: Where the initial weights come from.

    Shape:
        Input (N, in_channels, H, W), output (N, out_channels, H, W).

    Raises:
        ValueError: If the channels that go out are no multiple of 4.

    Source:
        Szegedy et al. (2015), Going deeper with convolutions; batch normalisation: Ioffe and Szegedy (2015).

    >>> InceptionBlock(8, 16)(torch.zeros(1, 8, 6, 6)).shape
    torch.Size([1, 16, 6, 6])
    """

    def __init__(self, in_channels: int, out_channels: int, *, generator: torch.Generator | None = None) -> None:
        super().__init__()
        if out_channels < 4 or out_channels % 4:
            hint = "each of the four branches gives a quarter"
            raise bad_value("InceptionBlock", "out_channels", "a multiple of 4", out_channels, hint)
        share = out_channels // 4
        reduced = max(share // 2, 1)

        def convolve(inputs: int, outputs: int, size: int) -> nn.Sequential:
            return _convolve(inputs, outputs, size, generator)

        self.branch1 = convolve(in_channels, share, 1)
        self.branch2 = nn.Sequential(convolve(in_channels, reduced, 1), convolve(reduced, share, 3))
        self.branch3 = nn.Sequential(convolve(in_channels, reduced, 1), convolve(reduced, share, 5))
        self.branch4 = nn.Sequential(nn.MaxPool2d(3, stride=1, padding=1), convolve(in_channels, share, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Put the four answers side by side."""
        branches = (self.branch1, self.branch2, self.branch3, self.branch4)
        return torch.cat([branch(x) for branch in branches], dim=1)  # four times (N, C / 4, H, W) -> (N, C, H, W)


class Inception(nn.Module):
    """A stem, blocks of parallel branches with poolings between, and a classifier on the mean over all places.

    Args:
        in_channels: Channels of the images.
        num_classes: How many classes.
        widths: Channels of the stem, then of each block (multiples of 4); a pooling halves the image before
            every block but the first.
        generator: Where the initial weights come from.

    Shape:
        Input (N, in_channels, H, W), output (N, num_classes) of logits.

    Attributes:
        features: The convolutional part.
        classifier: The mean over all places and one fully connected layer.

    Raises:
        ValueError: If there are fewer than two widths or a block's is no multiple of 4.

    Source:
        Szegedy et al. (2015), Going deeper with convolutions.

    >>> Inception(1, 10, widths=(8, 16, 32))(torch.zeros(2, 1, 8, 8)).shape
    torch.Size([2, 10])
    """

    def __init__(
        self,
        in_channels: int = 1,
        num_classes: int = 10,
        *,
        widths: Sequence[int] = (16, 32, 64),
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        if len(widths) < 2:
            raise bad_value("Inception", "widths", "two or more, of the stem and of each block", widths)
        self.features = nn.Sequential(_convolve(in_channels, widths[0], 3, generator))
        for i in range(1, len(widths)):
            if i > 1:
                self.features.append(nn.MaxPool2d(2))
            self.features.append(InceptionBlock(widths[i - 1], widths[i], generator=generator))
        self.classifier = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(widths[-1], num_classes, generator=generator)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Give the logits of each image."""
        logits: Tensor = self.classifier(self.features(x))
        return logits


def _convolve(inputs: int, outputs: int, size: int, generator: torch.Generator | None) -> nn.Sequential:
    """Return a convolution that keeps the image's size, batch normalisation and the rectifier."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, padding=size // 2, bias=False, generator=generator),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    )
