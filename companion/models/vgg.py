"""Small kernels, many of them in a row."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor

from companion import nn
from companion.errors import bad_value
from companion.functional._arguments import require_whole


class VGG(nn.Module):
    """Stages of 3 by 3 convolutions, each stage ending in a pooling that halves the image.

    Two such kernels in a row see 5 by 5 pixels, three see 7 by 7, with fewer weights than one large kernel and
    an activation between. The last feature map is averaged whole before the classifier (the original had three
    large fully connected layers there, which held most of its weights), so images of any size fit.

    Args:
        in_channels: Channels of the images.
        num_classes: How many classes.
        widths: Channels of each stage.
        depth: Convolutions in a stage.
        batch_norm: Whether batch normalisation follows each convolution; the original of 2014 had none.
        generator: Where the initial weights come from.

    Shape:
        Input (N, in_channels, H, W) with H and W of 2^stages or more, output (N, num_classes) of logits.

    Attributes:
        features: The convolutional part.
        classifier: The mean over all places and one fully connected layer.

    Raises:
        TypeError: If a number is not whole.
        ValueError: If there is no stage or a number is below 1.

    Source:
        Simonyan and Zisserman (2015), Very deep convolutional networks for large-scale image recognition.

    >>> VGG(1, 10, widths=(8, 16))(torch.zeros(2, 1, 8, 8)).shape
    torch.Size([2, 10])
    """

    def __init__(
        self,
        in_channels: int = 1,
        num_classes: int = 10,
        *,
        widths: Sequence[int] = (32, 64),
        depth: int = 2,
        batch_norm: bool = True,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        require_whole("VGG", "depth", depth, least=1)
        if not widths:
            raise bad_value("VGG", "widths", "the channels of one stage or more", widths, "try (32, 64)")
        self.features = nn.Sequential()
        for before, width in pairwise([in_channels, *widths]):
            for inputs in [before] + [width] * (depth - 1):
                # batch normalisation subtracts whatever a bias adds
                self.features.append(nn.Conv2d(inputs, width, 3, padding=1, bias=not batch_norm, generator=generator))
                if batch_norm:
                    self.features.append(nn.BatchNorm2d(width))
                self.features.append(nn.ReLU())
            self.features.append(nn.MaxPool2d(2))
        self.classifier = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(widths[-1], num_classes, generator=generator)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Give the logits of each image."""
        logits: Tensor = self.classifier(self.features(x))
        return logits
