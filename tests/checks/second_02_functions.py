"""Chapter 2, exercises 1 to 4: leaky ReLU, sigmoid, softmax, derivatives by hand."""

from __future__ import annotations

from second_wrong import Wrong

RIGHT = {
    "02.1": """
def leaky_relu(z, negative_slope=0.01):
    return z * torch.where(z > 0, 1.0, negative_slope).to(z.dtype)
""",
    "02.2": """
def sigmoid(z):
    return torch.exp(-torch.logaddexp(torch.zeros_like(z), -z))
""",
    "02.3": """
def softmax(z, dim):
    return torch.exp(z - torch.logsumexp(z, dim=dim, keepdim=True))
""",
    "02.4": """
def sigmoid_grad(z):
    return torch.sigmoid(z) * torch.sigmoid(-z)

def tanh_grad(z):
    return 1 - torch.tanh(z) ** 2

def relu_grad(z):
    return (z > 0).to(z.dtype)
""",
}

_SIGMOID = """
def sigmoid_grad(z):
    s = torch.sigmoid(z)
    return s * (1 - s)
"""
_TANH = """
def tanh_grad(z):
    return 1 - torch.tanh(z) ** 2
"""
_RELU = """
def relu_grad(z):
    return (z > 0).to(z.dtype)
"""

WRONG = {
    "02.1": [
        Wrong(
            "takes the slope for a floor under negative numbers",
            """
def leaky_relu(z, negative_slope=0.01):
    return torch.clamp(z, min=-negative_slope)
""",
            "every negative number gives the same value: the slope is a factor, not a bound",
        ),
        Wrong(
            "reads negative slope as a slope with a minus",
            """
def leaky_relu(z, negative_slope=0.01):
    return torch.where(z > 0, z, -negative_slope * z)
""",
            "negative inputs come out positive: one sign too many",
        ),
        Wrong(
            "uses the layer that torch has",
            """
def leaky_relu(z, negative_slope=0.01):
    layer = torch.nn.LeakyReLU(negative_slope)
    return layer(z)
""",
            "a ready-made leaky ReLU does the work",
        ),
        Wrong(
            "adds the leak to positive numbers too",
            """
def leaky_relu(z, negative_slope=0.01):
    return torch.relu(z) + negative_slope * z
""",
            "positive numbers come out too large by the slope; the leak is for the others only",
        ),
        Wrong(
            "writes 0.01 into the formula and never uses the argument",
            """
def leaky_relu(z, negative_slope=0.01):
    return torch.maximum(z, 0.01 * z)
""",
            "another slope changes nothing: the argument is not used",
        ),
        Wrong(
            "puts the slope itself where z is negative, and writes it into z",
            """
def leaky_relu(z, negative_slope=0.01):
    z[z <= 0] = negative_slope
    return z
""",
            "z is changed for the caller; the slope is not multiplied by z",
        ),
    ],
    "02.2": [
        Wrong(
            "mends the nan of the result afterwards",
            """
def sigmoid(z):
    e = torch.exp(z)
    s = e / (1 + e)
    return torch.nan_to_num(s, nan=1.0)
""",
            "the value is mended and the gradient is still nan (inf / inf); avoid the overflow before it happens",
        ),
        Wrong(
            "remembers the tanh form without halving z",
            """
def sigmoid(z):
    return (1 + torch.tanh(z)) / 2
""",
            "twice as steep: the gradient at 0 is 0.5; z has to be halved inside tanh",
        ),
        Wrong(
            "takes math.exp number by number",
            """
import math

def sigmoid(z):
    out = []
    for v in z.flatten().tolist():
        if v >= 0:
            out.append(1 / (1 + math.exp(-v)))
        else:
            out.append(math.exp(v) / (1 + math.exp(v)))
    return torch.tensor(out, dtype=z.dtype).reshape(z.shape)
""",
            "no gradient: tolist and torch.tensor cut the graph",
        ),
        Wrong(
            "chooses between the two forms with where, and computes both everywhere",
            """
def sigmoid(z):
    return torch.where(z >= 0, 1 / (1 + torch.exp(-z)), torch.exp(z) / (1 + torch.exp(z)))
""",
            "values right, gradient nan: the branch not taken overflows and 0 times inf is nan",
        ),
        Wrong(
            "clips at 500, a number from float64 code",
            """
def sigmoid(z):
    z = torch.clip(z, -500, 500)
    return 1 / (1 + torch.exp(-z))
""",
            "between -500 and -89 exp still overflows in float32 and the gradient is nan",
        ),
        Wrong(
            "loses the minus, and does not think of overflow",
            """
def sigmoid(z):
    return 1 / (1 + torch.exp(z))
""",
            "it falls where it should rise (sigma(-z)); exp overflows, the gradient is nan",
        ),
    ],
    "02.3": [
        Wrong(
            "types the formula as it stands",
            """
def softmax(z, dim):
    e = torch.exp(z)
    return e / e.sum(dim=dim, keepdim=True)
""",
            "large logits overflow to inf and inf / inf is nan; shift by the maximum",
        ),
        Wrong(
            "forgets keepdim in the sum",
            """
def softmax(z, dim):
    z = z - z.max(dim=dim, keepdim=True).values
    e = torch.exp(z)
    return e / e.sum(dim=dim)
""",
            "the sum has lost its axis and does not line up: keepdim",
        ),
        Wrong(
            "divides by the maximum instead of subtracting it",
            """
def softmax(z, dim):
    m = z.abs().amax(dim=dim, keepdim=True)
    e = torch.exp(z / m)
    return e / e.sum(dim=dim, keepdim=True)
""",
            "a division changes the shares (it is a temperature), a shift does not",
        ),
        Wrong(
            "subtracts the maximum in place",
            """
def softmax(z, dim):
    z -= z.amax(dim=dim, keepdim=True)
    e = z.exp()
    return e / e.sum(dim=dim, keepdim=True)
""",
            "the caller's z is changed by -=",
        ),
        Wrong(
            "subtracts one maximum, that of the whole tensor",
            """
def softmax(z, dim):
    e = torch.exp(z - z.max())
    return e / e.sum(dim=dim, keepdim=True)
""",
            "a row far below the largest number becomes 0 / 0: each row needs its own maximum",
        ),
        Wrong(
            "always sums over axis 1, and does not shift",
            """
def softmax(z, dim):
    exps = torch.exp(z)
    return exps / torch.sum(exps, dim=1, keepdim=True)
""",
            "dim has no effect; large logits overflow",
        ),
    ],
    "02.4": [
        Wrong(
            "uses s(1 - s) on z itself",
            """
def sigmoid_grad(z):
    return z * (1 - z)
"""
            + _TANH
            + _RELU,
            "the formula is for the sigmoid's output, and z is its input",
        ),
        Wrong(
            "forgets the square of tanh",
            _SIGMOID
            + """
def tanh_grad(z):
    return 1 - torch.tanh(z)
"""
            + _RELU,
            "not symmetric about 0, 2 far on the left: the square is missing",
        ),
        Wrong(
            "divides ReLU by its input",
            _SIGMOID
            + _TANH
            + """
def relu_grad(z):
    return torch.relu(z) / z
""",
            "nan at 0: 0 / 0",
        ),
        Wrong(
            "lets autograd do the work",
            """
def derivative(f, z):
    z = z.detach().clone().requires_grad_()
    f(z).sum().backward()
    return z.grad

def sigmoid_grad(z):
    return derivative(torch.sigmoid, z)

def tanh_grad(z):
    return derivative(torch.tanh, z)

def relu_grad(z):
    return derivative(torch.relu, z)
""",
            "autograd is to be left out; derive by hand",
        ),
        Wrong(
            "differentiates 1 / (1 + exp(-z)) by the quotient rule and leaves it at that",
            """
def sigmoid_grad(z):
    e = torch.exp(-z)
    return e / (1 + e) ** 2
"""
            + _TANH
            + _RELU,
            "at -100 exp(100) is inf in float32, inf / inf is nan",
        ),
        Wrong(
            "pastes the sigmoid's rule for tanh, and takes >= for the ReLU",
            _SIGMOID
            + """
def tanh_grad(z):
    t = torch.tanh(z)
    return t * (1 - t)

def relu_grad(z):
    return torch.where(z >= 0, torch.ones_like(z), torch.zeros_like(z))
""",
            "t(1 - t) is the sigmoid's rule; at z = 0 the ReLU's is 0",
        ),
    ],
}
