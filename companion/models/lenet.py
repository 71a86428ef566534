"""The first convolutional network that read digits at work."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor

from companion import nn
from companion.errors import bad_value
from companion.functional._arguments import require_whole


class LeNet(nn.Module):
    """Two rounds of convolution and pooling find features, three fully connected layers decide.

    With its defaults this is LeNet-5 of 1998 in the form it is taught in: plain averages as pooling, every new
    channel sees all old ones, logits at the end; 61,706 parameters. For images of 8 by 8 pixels take
    ``image_size=8, kernel_size=3``.

    Args:
        in_channels: Channels of the images.
        num_classes: How many classes.
        image_size: Height and width of the images.
        kernel_size: Height and width of the kernels, odd; the first convolution keeps the image's size.
        activation: What makes the activation after each layer but the last; 1998 it was a tanh.
        pool: What makes the pooling from its size.
        generator: Where the initial weights come from.

    Shape:
        Input (N, in_channels, image_size, image_size), output (N, num_classes) of logits.

    Attributes:
        features: The convolutional part, whose output has 16 channels.
        classifier: The fully connected part.

    Raises:
        TypeError: If a size is no whole number.
        ValueError: If the kernel has an even size or nothing is left of the image.

    Source:
        LeCun, Bottou, Bengio and Haffner (1998), Gradient-based learning applied to document recognition.

    >>> LeNet()(torch.zeros(2, 1, 28, 28)).shape
    torch.Size([2, 10])
    """

    def __init__(
        self,
        in_channels: int = 1,
        num_classes: int = 10,
        *,
        image_size: int = 28,
        kernel_size: int = 5,
        activation: Callable[[], nn.Module] = nn.Tanh,
        pool: Callable[[int], nn.Module] = nn.AvgPool2d,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        require_whole("LeNet", "kernel_size", kernel_size, least=1)
        require_whole("LeNet", "image_size", image_size, least=1)
        if kernel_size % 2 == 0:
            raise bad_value("LeNet", "kernel_size", "an odd number", kernel_size, "an odd kernel has a middle")
        size = (image_size // 2 - kernel_size + 1) // 2  # after both convolutions and both poolings
        if size < 1:
            hint = "a smaller kernel, such as 3, leaves more"
            raise bad_value("LeNet", "image_size", f"{2 * kernel_size + 2} or more", image_size, hint)
        self.features = nn.Sequential(
            nn.Conv2d(in_channels, 6, kernel_size, padding=kernel_size // 2, generator=generator),
            activation(),
            pool(2),
            nn.Conv2d(6, 16, kernel_size, generator=generator),
            activation(),
            pool(2),
        )
        self.classifier = nn.Sequential(nn.Flatten())
        for inputs, outputs in pairwise([16 * size * size, 120, 84]):
            self.classifier.extend([nn.Linear(inputs, outputs, generator=generator), activation()])
        self.classifier.append(nn.Linear(84, num_classes, generator=generator))

    def forward(self, x: Tensor) -> Tensor:
        """Give the logits of each image."""
        logits: Tensor = self.classifier(self.features(x))
        return logits
