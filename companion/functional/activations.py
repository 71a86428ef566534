"""Activation functions: each takes a tensor, treats every entry alike and returns a tensor of the same
shape."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from companion.errors import bad_type, bad_value
from companion.functional._arguments import require_float, require_number
from companion.functional._pointwise import pointwise


def step(z: Tensor) -> Tensor:
    r"""Fire or stay silent: 1 where the weighted sum reaches 0, else 0.

    .. math:: \operatorname{step}(z) = \begin{cases} 1 & z \ge 0 \\ 0 & z < 0 \end{cases}

    The derivative is 0 wherever it exists, and 0 is what flows back: nothing can be learned through a step by
    gradients. The only entries that keep their own value are nan, so that a mistake upstream stays visible.

    Args:
        z: Float tensor, any values.

    Shape:
        Any; the result has the same.

    Returns:
        0.0 or 1.0 in the type of z (nan where z is nan).

    Raises:
        TypeError: If z is no tensor.
        ValueError: If z does not hold floats.

    Source:
        McCulloch and Pitts (1943), A logical calculus of the ideas immanent in nervous activity.

    >>> step(torch.tensor([-0.5, 0.0, 2.0]))
    tensor([0., 1., 1.])
    """
    require_float("step", "z", z)
    return torch.where(torch.isnan(z), z, (z >= 0).to(z.dtype))


def sigmoid(z: Tensor) -> Tensor:
    r"""Squash any number into the range from 0 to 1.

    .. math:: \sigma(z) = \frac{1}{1 + e^{-z}}, \qquad \sigma'(z) = \sigma(z) \, (1 - \sigma(z))

    The formula is stable as it stands: where :math:`e^{-z}` overflows, 1 / inf = 0 is the right answer. Its
    automatic derivative would be inf * 0 = nan there, so the derivative is written out.

    Args:
        z: Float tensor, any values.

    Shape:
        Any; the result has the same.

    Returns:
        Values in [0, 1]; 0.5 at 0; exactly 0 and 1 at -inf and inf.

    Raises:
        TypeError: If z is no tensor.
        ValueError: If z does not hold floats.

    Source:
        Rumelhart, Hinton and Williams (1986), Learning representations by back-propagating errors.

    >>> sigmoid(torch.tensor([-1000.0, 0.0, 1000.0]))
    tensor([0.0000, 0.5000, 1.0000])
    """
    require_float("sigmoid", "z", z)
    return pointwise(z, lambda z: torch.reciprocal(1 + torch.exp(-z)), lambda y: y * (1 - y), by_output=True)


def tanh(z: Tensor) -> Tensor:
    r"""Squash any number into the range from -1 to 1, symmetric about 0.

    .. math:: \tanh(z) = \frac{e^{z} - e^{-z}}{e^{z} + e^{-z}} = \operatorname{sign}(z) \, \frac{-t}{t + 2},
              \quad t = e^{-2|z|} - 1, \qquad \tanh'(z) = 1 - \tanh^2(z)

    The second form is the one computed. Its exponent is never positive, so nothing overflows, and ``expm1``
    gives t without cancelling digits when z is tiny.

    Args:
        z: Float tensor, any values.

    Shape:
        Any; the result has the same.

    Returns:
        Values in [-1, 1]; 0 at 0; exactly -1 and 1 at -inf and inf.

    Raises:
        TypeError: If z is no tensor.
        ValueError: If z does not hold floats.

    Source:
        LeCun, Bottou, Orr and Müller (1998), Efficient BackProp.

    >>> tanh(torch.tensor([-1000.0, 0.0, 0.5]))
    tensor([-1.0000,  0.0000,  0.4621])
    """
    require_float("tanh", "z", z)

    def value(z: Tensor) -> Tensor:
        t = torch.expm1(-2 * torch.abs(z))
        return torch.copysign(t / (t + 2), z)

    return pointwise(z, value, lambda y: 1 - y * y, by_output=True)


def relu(z: Tensor) -> Tensor:
    r"""Pass positive numbers, replace negative ones by 0.

    .. math:: \operatorname{relu}(z) = \max(0, z), \qquad
              \operatorname{relu}'(z) = \begin{cases} 1 & z > 0 \\ 0 & z \le 0 \end{cases}

    At 0 the derivative does not exist; 0 is the convention of PyTorch and of this course. ``torch.clamp``
    alone would say 1 and ``torch.maximum`` one half. The result is never negative, so its sign is the
    derivative.

    Args:
        z: Float tensor, any values.

    Shape:
        Any; the result has the same.

    Returns:
        Values in [0, inf).

    Raises:
        TypeError: If z is no tensor.
        ValueError: If z does not hold floats.

    Source:
        Nair and Hinton (2010), Rectified linear units improve restricted Boltzmann machines.

    >>> relu(torch.tensor([-2.0, 0.0, 3.0]))
    tensor([0., 0., 3.])
    """
    require_float("relu", "z", z)
    return pointwise(z, lambda z: torch.clamp(z, min=0), lambda y: torch.sign(y), by_output=True)


def leaky_relu(z: Tensor, negative_slope: float = 0.01) -> Tensor:
    r"""Pass positive numbers, shrink negative ones instead of erasing them.

    .. math:: \operatorname{leaky}(z) = \max(0, z) + a \min(0, z), \qquad
              \operatorname{leaky}'(z) = \begin{cases} 1 & z > 0 \\ a & z \le 0 \end{cases}

    Args:
        z: Float tensor, any values.
        negative_slope: The slope a on the left side, usually from 0.01 to 0.3.

    Shape:
        Any; the result has the same.

    Returns:
        Any number, of the sign of z when a > 0.

    Raises:
        TypeError: If z is no tensor or the slope no number.
        ValueError: If z does not hold floats or the slope is not finite.

    Source:
        Maas, Hannun and Ng (2013), Rectifier nonlinearities improve neural network acoustic models.

    >>> leaky_relu(torch.tensor([-2.0, 0.0, 3.0]), negative_slope=0.1)
    tensor([-0.2000,  0.0000,  3.0000])
    """
    require_float("leaky_relu", "z", z)
    require_number("leaky_relu", "negative_slope", negative_slope)
    a = float(negative_slope)
    return pointwise(
        z,
        lambda z: torch.clamp(z, min=0) + a * torch.clamp(z, max=0),
        lambda z, y: a + (1 - a) * torch.sign(torch.clamp(z, min=0)),
    )


def elu(z: Tensor, alpha: float = 1.0) -> Tensor:
    r"""Pass positive numbers, bend negative ones smoothly towards -alpha.

    .. math:: \operatorname{elu}(z) = \max(0, z) + \alpha \, (e^{\min(0, z)} - 1), \qquad
              \operatorname{elu}'(z) = \begin{cases} 1 & z > 0 \\ \alpha e^{z} & z \le 0 \end{cases}

    The minimum inside the exponential keeps the half that is not used from overflowing.

    Args:
        z: Float tensor, any values.
        alpha: Depth of the left side, usually 1, the one value with no kink at 0.

    Shape:
        Any; the result has the same.

    Returns:
        Values above -alpha (for alpha > 0).

    Raises:
        TypeError: If z is no tensor or alpha no number.
        ValueError: If z does not hold floats or alpha is not finite.

    Source:
        Clevert, Unterthiner and Hochreiter (2016), Fast and accurate deep network learning by ELUs.

    >>> elu(torch.tensor([-1000.0, 0.0, 3.0]))
    tensor([-1.,  0.,  3.])
    """
    require_float("elu", "z", z)
    require_number("elu", "alpha", alpha)
    alpha = float(alpha)
    return pointwise(
        z,
        lambda z: torch.clamp(z, min=0) + alpha * torch.expm1(torch.clamp(z, max=0)),
        lambda z, y: torch.where(z > 0, 1.0, y + alpha),
    )


def gelu(z: Tensor, approximate: str = "none") -> Tensor:
    r"""Weigh each number by the chance that a standard normal draw lies below it.

    .. math:: \operatorname{gelu}(z) = z \, \Phi(z), \qquad
              \Phi(z) = \tfrac{1}{2} \left( 1 + \operatorname{erf} \tfrac{z}{\sqrt 2} \right) \approx
              \tfrac{1}{2} \left( 1 + \tanh \left( \sqrt{2 / \pi} \, (z + 0.044715 z^3) \right) \right)

    Beyond -40 and 40 the weight is exactly 0 or 1 in every float type. Clamping there keeps the cube from
    overflowing and -inf from meeting its weight 0, which would be nan.

    Args:
        z: Float tensor, any values.
        approximate: ``"none"`` for the error function, ``"tanh"`` for the approximation of GPT-2 and BERT.

    Shape:
        Any; the result has the same.

    Returns:
        Values from about -0.17 (at z = -0.75) upwards.

    Raises:
        TypeError: If z is no tensor or ``approximate`` no string.
        ValueError: If z does not hold floats or ``approximate`` is unknown.

    Source:
        Hendrycks and Gimpel (2016), Gaussian error linear units.

    >>> gelu(torch.tensor([-1000.0, 0.0, 1.0]))
    tensor([-0.0000, 0.0000, 0.8413])
    """
    require_float("gelu", "z", z)
    if not isinstance(approximate, str):
        raise bad_type("gelu", "approximate", "'none' or 'tanh'", approximate)
    if approximate not in ("none", "tanh"):
        raise bad_value("gelu", "approximate", "'none' or 'tanh'", repr(approximate))
    c = torch.clamp(z, -40, 40)
    if approximate == "tanh":
        weight = tanh(math.sqrt(2 / math.pi) * (c + 0.044715 * c * c * c))
    else:
        weight = torch.erf(c * math.sqrt(0.5))
    return torch.clamp(z, min=-40) * (0.5 + 0.5 * weight)


def silu(z: Tensor) -> Tensor:
    r"""Weigh each number by its own sigmoid (also called swish).

    .. math:: \operatorname{silu}(z) = z \, \sigma(z), \qquad
              \operatorname{silu}'(z) = \sigma(z) + \operatorname{silu}(z) \, (1 - \sigma(z))

    Beyond -1000 and 1000 the sigmoid is exactly 0 or 1 in every float type. Clamping there keeps an
    infinite z from meeting that 0, which would be nan.

    Args:
        z: Float tensor, any values.

    Shape:
        Any; the result has the same.

    Returns:
        Values from about -0.28 (at z = -1.28) upwards.

    Raises:
        TypeError: If z is no tensor.
        ValueError: If z does not hold floats.

    Source:
        Elfwing, Uchibe and Doya (2018), Sigmoid-weighted linear units for neural network function
        approximation.

    >>> silu(torch.tensor([-1000.0, 0.0, 1.0]))
    tensor([-0.0000, 0.0000, 0.7311])
    """
    require_float("silu", "z", z)

    def slope(z: Tensor, y: Tensor) -> Tensor:
        s = sigmoid(z)
        return s + torch.clamp(y, max=1000) * (1 - s)

    return pointwise(z, lambda z: torch.clamp(z, min=-1000) / (1 + torch.exp(-z)), slope)


def softplus(z: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    r"""Round off the corner of the rectifier.

    .. math:: \operatorname{softplus}(z) = \tfrac{1}{\beta} \log(1 + e^{\beta z})
              = \max(0, z) + \tfrac{1}{\beta} \log(1 + e^{-|\beta z|}), \qquad
              \operatorname{softplus}'(z) = \sigma(\beta z)

    The second form is the one computed: its exponent is never positive. Above the threshold PyTorch returns z
    itself, and so does this function; ``threshold=math.inf`` keeps the formula everywhere, at no risk.

    Args:
        z: Float tensor, any values.
        beta: Sharpness of the corner, above 0; the larger, the closer to :func:`relu`.
        threshold: Where beta * z exceeds it, the result is z.

    Shape:
        Any; the result has the same.

    Returns:
        Values in [0, inf); log(2) / beta at 0.

    Raises:
        TypeError: If z is no tensor, or beta or the threshold no number.
        ValueError: If z does not hold floats, beta is not above 0, or the threshold is nan.

    Source:
        Dugas, Bengio, Bélisle, Nadeau and Garcia (2001), Incorporating second-order functional knowledge.

    >>> softplus(torch.tensor([-1000.0, 0.0, 1000.0]))
    tensor([0.0000e+00, 6.9315e-01, 1.0000e+03])
    """
    require_float("softplus", "z", z)
    require_number("softplus", "beta", beta, positive=True)
    if threshold != math.inf:
        require_number("softplus", "threshold", threshold)
    b, top = float(beta), float(threshold)

    def value(z: Tensor) -> Tensor:
        smooth = torch.clamp(z, min=0) + torch.log1p(torch.exp(-torch.abs(b * z))) / b
        return torch.where(b * z > top, z, smooth)

    return pointwise(z, value, lambda z, y: torch.where(b * z > top, 1.0, sigmoid(b * z)))
