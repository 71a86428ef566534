"""Normalisation as layers: learned scale and shift, and running numbers where they are needed."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import Module, Parameter

from companion import functional as F
from companion.errors import bad_value
from companion.functional._arguments import require_number, require_whole, whole_numbers


class _BatchNorm(Module):
    """What batch normalisation shares whatever the number of axes."""

    axes: tuple[int, ...]
    shapes: str
    weight: Parameter | None
    bias: Parameter | None
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        where = type(self).__name__
        require_whole(where, "num_features", num_features, least=1)
        require_number(where, "eps", eps, positive=True)
        if momentum is not None:
            require_number(where, "momentum", momentum)
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        _add_affine(self, (num_features,), affine, affine and bias, device, dtype)
        tracked = track_running_stats
        self.register_buffer("running_mean", torch.zeros(num_features, device=device, dtype=dtype) if tracked else None)
        self.register_buffer("running_var", torch.ones(num_features, device=device, dtype=dtype) if tracked else None)
        count = torch.zeros((), device=device, dtype=torch.int64) if tracked else None
        self.register_buffer("num_batches_tracked", count)

    def reset_running_stats(self) -> None:
        """Forget the batches seen: mean 0, variance 1."""
        if self.running_mean is not None and self.running_var is not None and self.num_batches_tracked is not None:
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        """Forget the batches seen; scale 1 and shift 0 again."""
        self.reset_running_stats()
        _reset_affine(self)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise by the batch in training mode, else by the running numbers, if there are any."""
        if x.ndim not in self.axes or x.shape[1] != self.num_features:
            expected = self.shapes.replace("C", str(self.num_features))
            raise bad_value(type(self).__name__, "x", expected, tuple(x.shape), "the second axis holds the channels")
        momentum = self.momentum or 0.0
        if self.training and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            if self.momentum is None:  # the plain average over all batches
                momentum = 1 / self.num_batches_tracked.item()
        by_batch = self.training or self.running_mean is None
        running = (self.running_mean, self.running_var)
        return F.batch_norm(x, *running, self.weight, self.bias, by_batch, momentum, self.eps)

    def extra_repr(self) -> str:
        """Name the options when the layer is printed."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"track_running_stats={self.track_running_stats}"
        )


class BatchNorm1d(_BatchNorm):
    r"""Normalise each feature or channel over the batch: :func:`companion.functional.batch_norm`.

    Args:
        num_features: Number of channels C, 1 or more.
        eps: Added to the variance, above 0.
        momentum: Weight of a new batch in the running numbers; None averages all batches alike.
        affine: Whether scale and shift are learned.
        track_running_stats: Whether running numbers are kept; without them eval mode uses the batch too.
        device: Where parameters and buffers live.
        dtype: Their float type.
        bias: Whether there is a shift beside the scale.

    Shape:
        Input (N, C) or (N, C, L), output the same.

    Attributes:
        weight: Parameter of shape (C,), 1 at the start, or None.
        bias: Parameter of shape (C,), 0 at the start, or None.
        running_mean: Buffer of shape (C,), 0 at the start, or None.
        running_var: Buffer of shape (C,), 1 at the start, or None.
        num_batches_tracked: Buffer that counts the batches seen in training mode, or None.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If a number is out of range, or an input has other axes.

    Source:
        Ioffe and Szegedy (2015), Batch normalization: accelerating deep network training.

    >>> BatchNorm1d(3)(torch.randn(5, 3)).shape
    torch.Size([5, 3])
    """

    axes = (2, 3)
    shapes = "shape (N, C) or (N, C, L)"


class BatchNorm2d(_BatchNorm):
    """Normalise each channel over the batch and all pixels: :func:`companion.functional.batch_norm`.

    Arguments, attributes, errors and source are those of :class:`BatchNorm1d`.

    Shape:
        Input (N, C, H, W), output the same.

    >>> BatchNorm2d(3)(torch.randn(5, 3, 4, 4)).shape
    torch.Size([5, 3, 4, 4])
    """

    axes = (4,)
    shapes = "shape (N, C, H, W)"


class LayerNorm(Module):
    r"""Normalise each example by its own features: :func:`companion.functional.layer_norm`.

    Args:
        normalized_shape: Sizes of the last axes, those that are normalised together; one number for the last.
        eps: Added to the variance, above 0.
        elementwise_affine: Whether scale and shift are learned.
        bias: Whether there is a shift beside the scale.
        device: Where the parameters live.
        dtype: Their float type.

    Shape:
        Input (..., \*normalized_shape), output the same.

    Attributes:
        weight: Parameter of that shape, 1 at the start, or None.
        bias: Parameter of that shape, 0 at the start, or None.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If a number is out of range.

    Source:
        Ba, Kiros and Hinton (2016), Layer normalization.

    >>> LayerNorm(3)(torch.randn(5, 3)).shape
    torch.Size([5, 3])
    """

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        axes = len(normalized_shape) if isinstance(normalized_shape, Sequence) else 1
        self.normalized_shape = whole_numbers("LayerNorm", "normalized_shape", normalized_shape, axes, least=1)
        require_number("LayerNorm", "eps", eps, positive=True)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        _add_affine(self, self.normalized_shape, elementwise_affine, elementwise_affine and bias, device, dtype)

    def reset_parameters(self) -> None:
        """Set the scale to 1 and the shift to 0 again."""
        _reset_affine(self)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise the last axes."""
        return F.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """Name the options when the layer is printed."""
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class GroupNorm(Module):
    """Normalise each example by groups of its channels: :func:`companion.functional.group_norm`.

    Args:
        num_groups: How many groups, a divisor of the number of channels.
        num_channels: Number of channels C, 1 or more.
        eps: Added to the variance, above 0.
        affine: Whether scale and shift are learned.
        device: Where the parameters live.
        dtype: Their float type.
        bias: Whether there is a shift beside the scale.

    Shape:
        Input (N, C, ...), output the same.

    Attributes:
        weight: Parameter of shape (C,), 1 at the start, or None.
        bias: Parameter of shape (C,), 0 at the start, or None.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If a number is out of range or the groups do not divide the channels.

    Source:
        Wu and He (2018), Group normalization.

    >>> GroupNorm(2, 6)(torch.randn(5, 6, 4, 4)).shape
    torch.Size([5, 6, 4, 4])
    """

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        require_whole("GroupNorm", "num_groups", num_groups, least=1)
        require_whole("GroupNorm", "num_channels", num_channels, least=1)
        require_number("GroupNorm", "eps", eps, positive=True)
        if num_channels % num_groups:
            raise bad_value("GroupNorm", "num_groups", f"a divisor of the {num_channels} channels", num_groups)
        self.num_groups, self.num_channels, self.eps, self.affine = num_groups, num_channels, eps, affine
        _add_affine(self, (num_channels,), affine, affine and bias, device, dtype)

    def reset_parameters(self) -> None:
        """Set the scale to 1 and the shift to 0 again."""
        _reset_affine(self)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise each group of channels."""
        return F.group_norm(x, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """Name the options when the layer is printed."""
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}"


def _add_affine(
    layer: Module,
    shape: tuple[int, ...],
    weight: bool,
    bias: bool,
    device: torch.device | str | None,
    dtype: torch.dtype | None,
) -> None:
    """Register scale 1 and shift 0 as parameters, or None for what is not learned."""
    scale = Parameter(torch.ones(shape, device=device, dtype=dtype)) if weight else None
    layer.register_parameter("weight", scale)
    layer.register_parameter("bias", Parameter(torch.zeros(shape, device=device, dtype=dtype)) if bias else None)


def _reset_affine(layer: Module) -> None:
    with torch.no_grad():
        for parameter, start in ((layer.weight, 1.0), (layer.bias, 0.0)):
            if isinstance(parameter, Parameter):
                parameter.fill_(start)
