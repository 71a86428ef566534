"""Initial weights: random numbers whose spread keeps signals from fading or exploding on their way through layers.

Names and arguments are those of ``torch.nn.init``; each function fills its tensor in place, records no gradient and
returns the tensor. LeCun's two are not in PyTorch.
"""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor

from companion import random
from companion.errors import bad_value
from companion.functional._arguments import require_float, require_number

__all__ = [
    "calculate_gain",
    "kaiming_normal_",
    "kaiming_uniform_",
    "lecun_normal_",
    "lecun_uniform_",
    "normal_",
    "orthogonal_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
]

_GAINS = {
    **dict.fromkeys(["linear", "conv1d", "conv2d", "conv3d", "sigmoid"], 1.0),
    **dict.fromkeys(["conv_transpose1d", "conv_transpose2d", "conv_transpose3d"], 1.0),
    "tanh": 5 / 3,
    "relu": math.sqrt(2),
    "selu": 3 / 4,
}


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    r"""Give the factor by which weights are enlarged to make up for what an activation takes away.

    .. math:: g_{\text{relu}} = \sqrt 2, \qquad g_{\text{leaky}} = \sqrt{\frac{2}{1 + a^2}}

    The rectifier sets half of its inputs to 0 and so halves their mean square; those of the others are rules of
    thumb.

    Args:
        nonlinearity: ``"linear"``, ``"conv1d"`` and its kin, ``"sigmoid"``, ``"tanh"``, ``"relu"``,
            ``"leaky_relu"`` or ``"selu"``.
        param: The slope a of ``"leaky_relu"``; None is 0.01.

    Returns:
        The gain, above 0.

    Raises:
        TypeError: If the slope is no number.
        ValueError: If the activation is unknown.

    Source:
        He, Zhang, Ren and Sun (2015), Delving deep into rectifiers.

    >>> round(calculate_gain("relu"), 4)
    1.4142
    """
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        require_number("calculate_gain", "param", slope)
        return math.sqrt(2 / (1 + slope**2))
    if nonlinearity not in _GAINS:
        expected = ", ".join(sorted([*_GAINS, "leaky_relu"]))
        raise bad_value("calculate_gain", "nonlinearity", f"one of {expected}", repr(nonlinearity))
    return _GAINS[nonlinearity]


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> Tensor:
    r"""Fill with numbers that are equally likely anywhere from a to below b.

    .. math:: w \sim U(a, b), \qquad w = \frac{a + b}{2} + \frac{b - a}{2} (2 u - 1), \quad u \sim U(0, 1)

    Args:
        tensor: What is filled.
        a: Lower end.
        b: Upper end, a or more.
        generator: Where the numbers come from; None takes PyTorch's global generator. They are drawn on the
            generator's device.

    Returns:
        The tensor.

    Raises:
        TypeError: If ``tensor`` is no tensor or an end no number.
        ValueError: If the tensor does not hold floats or b is below a.

    >>> w = uniform_(torch.empty(1000), -1, 1)
    >>> bool((-1 <= w.min()) & (w.max() <= 1))
    True
    """
    require_float("uniform_", "tensor", tensor)
    require_number("uniform_", "a", a)
    require_number("uniform_", "b", b)
    if b < a:
        raise bad_value("uniform_", "b", f"{a} or more, the lower end", b)
    u = random.uniform(tensor.shape, generator=generator, device=tensor.device, dtype=tensor.dtype)
    return _fill(tensor, (a + b) / 2 + (b - a) / 2 * (2 * u - 1))


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None) -> Tensor:
    r"""Fill with numbers from the bell curve.

    .. math:: w \sim N(\mu, \sigma^2)

    Args:
        tensor: What is filled.
        mean: The mean.
        std: The standard deviation, 0 or more.
        generator: Where the numbers come from; None takes PyTorch's global generator.

    Returns:
        The tensor.

    Raises:
        TypeError: If ``tensor`` is no tensor or a number is none.
        ValueError: If the tensor does not hold floats or ``std`` is below 0.

    >>> normal_(torch.empty(2, 3)).shape
    torch.Size([2, 3])
    """
    require_float("normal_", "tensor", tensor)
    require_number("normal_", "mean", mean)
    require_number("normal_", "std", std, least=0)
    z = random.normal(tensor.shape, generator=generator, device=tensor.device, dtype=tensor.dtype)
    return _fill(tensor, mean + std * z)


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    r"""Fill with uniform numbers whose spread is a compromise between the ways forward and back.

    .. math:: w \sim U(-\sqrt 3 \, \sigma, \sqrt 3 \, \sigma), \qquad
              \sigma = g \sqrt{\frac{2}{\text{fan}_{in} + \text{fan}_{out}}}

    Args:
        tensor: Weights (out, in, ...), two axes or more.
        gain: The factor g, above 0: see :func:`calculate_gain`.
        generator: Where the numbers come from; None takes PyTorch's global generator.

    Returns:
        The tensor.

    Raises:
        TypeError: If ``tensor`` is no tensor or the gain no number.
        ValueError: If the tensor does not hold floats or has fewer than two axes.

    Source:
        Glorot and Bengio (2010), Understanding the difficulty of training deep feedforward neural networks.

    >>> bool(xavier_uniform_(torch.empty(30, 24)).abs().max() <= (6 / 54) ** 0.5)
    True
    """
    return _spread(tensor, _xavier("xavier_uniform_", tensor, gain), generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    r"""Fill with normal numbers of the same spread as :func:`xavier_uniform_`, with the same arguments.

    .. math:: w \sim N(0, \sigma^2), \qquad \sigma = g \sqrt{\frac{2}{\text{fan}_{in} + \text{fan}_{out}}}

    >>> xavier_normal_(torch.empty(2, 3)).shape
    torch.Size([2, 3])
    """
    return normal_(tensor, 0.0, _xavier("xavier_normal_", tensor, gain), generator)


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    r"""Fill with uniform numbers whose spread suits the rectifier and its kin (He initialisation).

    .. math:: w \sim U(-\sqrt 3 \, \sigma, \sqrt 3 \, \sigma), \qquad \sigma = \frac{g}{\sqrt{\text{fan}}}

    Args:
        tensor: Weights (out, in, ...), two axes or more.
        a: The slope of ``"leaky_relu"`` on the left; 0 is the plain rectifier.
        mode: ``"fan_in"`` keeps the signals' size on the way forward, ``"fan_out"`` that of the gradients on
            the way back.
        nonlinearity: Which gain g to take: see :func:`calculate_gain`.
        generator: Where the numbers come from; None takes PyTorch's global generator.

    Returns:
        The tensor.

    Raises:
        TypeError: If ``tensor`` is no tensor or the slope no number.
        ValueError: If the tensor does not hold floats, has fewer than two axes, or a name is unknown.

    Source:
        He, Zhang, Ren and Sun (2015), Delving deep into rectifiers.

    >>> bool(kaiming_uniform_(torch.empty(30, 24)).abs().max() <= 0.5)
    True
    """
    return _spread(tensor, _kaiming("kaiming_uniform_", tensor, a, mode, nonlinearity), generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    r"""Fill with normal numbers of the same spread as :func:`kaiming_uniform_`, with the same arguments.

    .. math:: w \sim N(0, \sigma^2), \qquad \sigma = \frac{g}{\sqrt{\text{fan}}}

    >>> kaiming_normal_(torch.empty(2, 3)).shape
    torch.Size([2, 3])
    """
    return normal_(tensor, 0.0, _kaiming("kaiming_normal_", tensor, a, mode, nonlinearity), generator)


def lecun_uniform_(tensor: Tensor, generator: Generator | None = None) -> Tensor:
    r"""Fill with uniform numbers that keep the variance of signals on the way forward.

    .. math:: w \sim U(-\sqrt 3 \, \sigma, \sqrt 3 \, \sigma), \qquad \sigma = \frac{1}{\sqrt{\text{fan}_{in}}}

    Args:
        tensor: Weights (out, in, ...), two axes or more.
        generator: Where the numbers come from; None takes PyTorch's global generator.

    Returns:
        The tensor.

    Raises:
        TypeError: If ``tensor`` is no tensor.
        ValueError: If the tensor does not hold floats or has fewer than two axes.

    Source:
        LeCun, Bottou, Orr and Müller (1998), Efficient BackProp.

    >>> bool(lecun_uniform_(torch.empty(30, 12)).abs().max() <= 0.5)
    True
    """
    return _spread(tensor, _kaiming("lecun_uniform_", tensor, 0, "fan_in", "linear"), generator)


def lecun_normal_(tensor: Tensor, generator: Generator | None = None) -> Tensor:
    r"""Fill with normal numbers of the same spread as :func:`lecun_uniform_`, with the same arguments.

    .. math:: w \sim N(0, \sigma^2), \qquad \sigma = \frac{1}{\sqrt{\text{fan}_{in}}}

    >>> lecun_normal_(torch.empty(2, 3)).shape
    torch.Size([2, 3])
    """
    return normal_(tensor, 0.0, _kaiming("lecun_normal_", tensor, 0, "fan_in", "linear"), generator)


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Generator | None = None) -> Tensor:
    r"""Fill with a random matrix that turns signals and neither stretches nor shrinks them.

    .. math:: W^\top W = g^2 I \quad \text{or} \quad W W^\top = g^2 I

    whichever is the smaller matrix. A normal matrix is split into an orthogonal and a triangular one; with the
    signs of the triangle's diagonal moved over, every orthogonal matrix is equally likely.

    Args:
        tensor: Weights (out, in, ...), two axes or more; the axes after the first are taken as one.
        gain: The factor g.
        generator: Where the numbers come from; None takes PyTorch's global generator.

    Returns:
        The tensor.

    Raises:
        TypeError: If ``tensor`` is no tensor or the gain no number.
        ValueError: If the tensor does not hold floats or has fewer than two axes.

    Source:
        Saxe, McClelland and Ganguli (2014), Exact solutions to the nonlinear dynamics of learning; the signs:
        Mezzadri (2007), How to generate random matrices from the classical compact groups.

    >>> w = orthogonal_(torch.empty(2, 2))
    >>> torch.allclose(w @ w.T, torch.eye(2), atol=1e-6)
    True
    """
    _require_weights("orthogonal_", tensor)
    require_number("orthogonal_", "gain", gain)
    if not tensor.numel():
        return tensor
    dtype = torch.float64 if tensor.dtype == torch.float64 else torch.float32
    rows, columns = tensor.shape[0], tensor.numel() // tensor.shape[0]
    start = random.normal((rows, columns), generator=generator, device=tensor.device, dtype=dtype)
    q, r = torch.linalg.qr(start.T if rows < columns else start)
    q = q * torch.sign(torch.diagonal(r))
    return _fill(tensor, gain * (q.T if rows < columns else q).reshape(tensor.shape))


def _spread(tensor: Tensor, std: float, generator: Generator | None) -> Tensor:
    """Fill with uniform numbers of a standard deviation."""
    bound = math.sqrt(3) * std
    return uniform_(tensor, -bound, bound, generator)


def _xavier(where: str, tensor: Tensor, gain: float) -> float:
    require_number(where, "gain", gain)
    return gain * math.sqrt(2 / max(sum(_fans(where, tensor)), 1))


def _kaiming(where: str, tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise bad_value(where, "mode", "'fan_in' or 'fan_out'", repr(mode))
    fan = _fans(where, tensor)[mode == "fan_out"]
    return calculate_gain(nonlinearity, a) / math.sqrt(max(fan, 1))


def _fans(where: str, tensor: Tensor) -> tuple[int, int]:
    """Count the numbers that flow into an output and out of an input."""
    _require_weights(where, tensor)
    field = math.prod(tensor.shape[2:])
    return tensor.shape[1] * field, tensor.shape[0] * field


def _require_weights(where: str, tensor: Tensor) -> None:
    require_float(where, "tensor", tensor)
    if tensor.ndim < 2:
        raise bad_value(where, "tensor", "two axes or more, (out, in, ...)", tuple(tensor.shape))


def _fill(tensor: Tensor, values: Tensor) -> Tensor:
    with torch.no_grad():
        return tensor.zero_().add_(values)  # copy_ asks for a real GPU even where one is only pretended
