"""Activations as layers. Each only keeps its options; formula, range and source stand with its function."""

from __future__ import annotations

from torch import Tensor
from torch.nn import Module

from companion import functional as F
from companion.errors import bad_value


class Step(Module):
    """Fire (1) where the input reaches 0, else stay silent: :func:`companion.functional.step`.

    No gradient passes through it.

    Shape:
        Any; the output has the same.
    """

    def forward(self, z: Tensor) -> Tensor:
        """Apply the step to every entry."""
        return F.step(z)


class Sigmoid(Module):
    """Squash every entry into the range from 0 to 1: :func:`companion.functional.sigmoid`.

    Shape:
        Any; the output has the same.
    """

    def forward(self, z: Tensor) -> Tensor:
        """Apply the sigmoid to every entry."""
        return F.sigmoid(z)


class Tanh(Module):
    """Squash every entry into the range from -1 to 1: :func:`companion.functional.tanh`.

    Shape:
        Any; the output has the same.
    """

    def forward(self, z: Tensor) -> Tensor:
        """Apply the hyperbolic tangent to every entry."""
        return F.tanh(z)


class ReLU(Module):
    """Pass positive entries, replace the others by 0: :func:`companion.functional.relu`.

    Args:
        inplace: Only False; the argument exists because PyTorch's layer has it.

    Shape:
        Any; the output has the same.

    Raises:
        ValueError: If ``inplace`` is true.
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        refuse_inplace("ReLU", inplace)

    def forward(self, z: Tensor) -> Tensor:
        """Apply the rectifier to every entry."""
        return F.relu(z)


class LeakyReLU(Module):
    """Pass positive entries, shrink the others: :func:`companion.functional.leaky_relu`.

    Args:
        negative_slope: The slope on the left side.
        inplace: Only False; the argument exists because PyTorch's layer has it.

    Shape:
        Any; the output has the same.

    Raises:
        ValueError: If ``inplace`` is true.
    """

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__()
        refuse_inplace("LeakyReLU", inplace)
        self.negative_slope = negative_slope

    def forward(self, z: Tensor) -> Tensor:
        """Apply the leaky rectifier to every entry."""
        return F.leaky_relu(z, self.negative_slope)

    def extra_repr(self) -> str:
        """Name the slope when the layer is printed."""
        return f"negative_slope={self.negative_slope}"


class ELU(Module):
    """Pass positive entries, bend the others towards -alpha: :func:`companion.functional.elu`.

    Args:
        alpha: Depth of the left side.
        inplace: Only False; the argument exists because PyTorch's layer has it.

    Shape:
        Any; the output has the same.

    Raises:
        ValueError: If ``inplace`` is true.
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        refuse_inplace("ELU", inplace)
        self.alpha = alpha

    def forward(self, z: Tensor) -> Tensor:
        """Apply the exponential linear unit to every entry."""
        return F.elu(z, self.alpha)

    def extra_repr(self) -> str:
        """Name alpha when the layer is printed."""
        return f"alpha={self.alpha}"


class GELU(Module):
    """Weigh every entry by a normal distribution's share below it: :func:`companion.functional.gelu`.

    Args:
        approximate: ``"none"`` or ``"tanh"``.

    Shape:
        Any; the output has the same.
    """

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, z: Tensor) -> Tensor:
        """Apply the Gaussian error linear unit to every entry."""
        return F.gelu(z, self.approximate)

    def extra_repr(self) -> str:
        """Name the form when the layer is printed."""
        return f"approximate={self.approximate!r}"


class SiLU(Module):
    """Weigh every entry by its own sigmoid: :func:`companion.functional.silu`.

    Args:
        inplace: Only False; the argument exists because PyTorch's layer has it.

    Shape:
        Any; the output has the same.

    Raises:
        ValueError: If ``inplace`` is true.
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        refuse_inplace("SiLU", inplace)

    def forward(self, z: Tensor) -> Tensor:
        """Apply the sigmoid linear unit to every entry."""
        return F.silu(z)


class Softplus(Module):
    """Rectify with a round corner: :func:`companion.functional.softplus`.

    Args:
        beta: Sharpness of the corner, above 0.
        threshold: Where beta times the input exceeds it, the output is the input.

    Shape:
        Any; the output has the same.
    """

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = beta
        self.threshold = threshold

    def forward(self, z: Tensor) -> Tensor:
        """Apply softplus to every entry."""
        return F.softplus(z, self.beta, self.threshold)

    def extra_repr(self) -> str:
        """Name the options when the layer is printed."""
        return f"beta={self.beta}, threshold={self.threshold}"


class Softmax(Module):
    """Share one unit of probability along an axis: :func:`companion.functional.softmax`.

    Args:
        dim: The axis to share along.
        temperature: Above 0; smaller is sharper.

    Shape:
        Any with at least one axis; the output has the same.
    """

    def __init__(self, dim: int = -1, *, temperature: float = 1.0) -> None:
        super().__init__()
        self.dim = dim
        self.temperature = temperature

    def forward(self, z: Tensor) -> Tensor:
        """Turn logits into probabilities."""
        return F.softmax(z, self.dim, self.temperature)

    def extra_repr(self) -> str:
        """Name the axis, and the temperature where it matters, when the layer is printed."""
        return _share_options(self.dim, self.temperature)


class LogSoftmax(Module):
    """Give the logarithm of softmax: :func:`companion.functional.log_softmax`.

    Args:
        dim: The axis to share along.
        temperature: Above 0; smaller is sharper.

    Shape:
        Any with at least one axis; the output has the same.
    """

    def __init__(self, dim: int = -1, *, temperature: float = 1.0) -> None:
        super().__init__()
        self.dim = dim
        self.temperature = temperature

    def forward(self, z: Tensor) -> Tensor:
        """Turn logits into logarithms of probabilities."""
        return F.log_softmax(z, self.dim, self.temperature)

    def extra_repr(self) -> str:
        """Name the axis, and the temperature where it matters, when the layer is printed."""
        return _share_options(self.dim, self.temperature)


def _share_options(dim: int, temperature: float) -> str:
    return f"dim={dim}" + ("" if temperature == 1 else f", temperature={temperature}")


def refuse_inplace(where: str, inplace: bool) -> None:
    """Refuse to overwrite the input."""
    if inplace:
        raise bad_value(where, "inplace", "False", inplace, "the companion never writes into what it was given")
