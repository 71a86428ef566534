"""Chapter 8, exercises 1 to 4: how a signal grows, the two starts, where slopes vanish, and a residual block."""

from __future__ import annotations

from second_wrong import Wrong

RIGHT = {
    "08.1": """
def variances(first, widths, spreads, activation):
    left = {"linear": 1.0, "relu": 0.5}[activation]
    # every layer multiplies by what its activation leaves; the inputs have not met one yet
    factors = left * spreads.square() * torch.tensor(widths).narrow(0, 0, len(spreads)).to(spreads.dtype)
    return torch.cumprod(factors, dim=0) * (first / left)
""",
    "08.2": """
def start(shape, rule):
    like = torch.empty(shape)
    into, out_of = like[0].numel(), like[:, 0].numel()
    precision = into if rule == "he" else (into + out_of) / 2
    if rule == "he":
        precision /= 2
    std = precision**-0.5
    return std, 3**0.5 * std
""",
    "08.3": """
def gradient_norms(weights, x, y, share):
    # back by hand, without autograd
    entered = [x]
    for W in weights[:-1]:
        entered.append(torch.special.expit(entered[-1] @ W.T))
    delta = torch.softmax(entered[-1] @ weights[-1].T, dim=1)
    delta[torch.arange(len(y)), y] -= 1
    delta = delta / len(y)
    norms, layer = [], 0
    for number in range(len(weights), 0, -1):
        h = entered[number - 1]
        norms.insert(0, torch.linalg.matrix_norm(delta.T @ h))
        if not layer and norms[0] < share * norms[-1]:
            layer = number
        delta = (delta @ weights[number - 1]) * h * (1 - h)
    return torch.stack(norms), layer
""",
    "08.4": """
class ResidualBlock(torch.nn.Module):
    def __init__(self, inputs, hidden, outputs):
        super().__init__()
        self.add_module("first", torch.nn.Linear(inputs, hidden))
        self.add_module("last", torch.nn.Linear(hidden, outputs))
        if inputs != outputs:
            self.add_module("shortcut", torch.nn.Linear(inputs, outputs, bias=False))
        self.last.load_state_dict({name: torch.zeros_like(w) for name, w in self.last.state_dict().items()})

    def forward(self, x):
        way_around = dict(self.named_children()).get("shortcut", torch.clone)
        return self.last(self.first(x).clamp(min=0)) + way_around(x)
""",
}

WRONG = {
    "08.1": [
        Wrong(
            "takes the standard deviation for the variance",
            """
def variances(first, widths, spreads, activation):
    q = torch.zeros_like(spreads)
    m = first
    for l in range(len(spreads)):
        q[l] = widths[l] * spreads[l] * m
        m = q[l] / 2 if activation == "relu" else q[l]
    return q
""",
            "the spread has to be squared: the variance of a weight is sigma squared",
        ),
        Wrong(
            "takes the number of units for the number of inputs",
            """
def variances(first, widths, spreads, activation):
    result = []
    ms = first
    for n, s in zip(widths[1:], spreads):
        q = n * s ** 2 * ms
        result.append(q)
        ms = q / 2 if activation == "relu" else q
    return torch.stack(result)
""",
            "a sum has as many products as the layer has inputs, not as it has units",
        ),
        Wrong(
            "returns what leaves the activation",
            """
def variances(first, widths, spreads, activation):
    half = 0.5 if activation == "relu" else 1.0
    out = []
    q = first
    for n, s in zip(widths, spreads):
        q = n * s ** 2 * q * half
        out.append(q)
    return torch.stack(out)
""",
            "the variance of the sums is asked for, before the ReLU halves it",
        ),
        Wrong(
            "hands on the variance behind the ReLU and not its mean square",
            """
import math

def variances(first, widths, spreads, activation):
    q, result = first, []
    for i, sigma in enumerate(spreads):
        q = widths[i] * sigma ** 2 * q
        result.append(q)
        if activation == "relu":
            q = q * (0.5 - 1 / (2 * math.pi))
    return torch.stack(result)
""",
            "what leaves a ReLU has a mean; the next layer's sums depend on the mean square, q / 2",
        ),
        Wrong(
            "halves whatever the activation is",
            """
def variances(first, widths, spreads, activation):
    q = torch.empty_like(spreads)
    q[0] = widths[0] * spreads[0] ** 2 * first
    for l in range(1, len(spreads)):
        q[l] = widths[l] * spreads[l] ** 2 * q[l - 1] / 2
    return q
""",
            "without an activation nothing is halved; the example has ReLUs",
        ),
        Wrong(
            "returns standard deviations, and squares the input's mean square",
            """
def variances(first, widths, spreads, activation):
    out = []
    square = first ** 2
    for n, s in zip(widths[:-1], spreads):
        var = n * s ** 2 * square
        out.append(var.sqrt())
        square = var / 2 if activation == "relu" else var
    return torch.stack(out)
""",
            "first is a mean square already; and variances are asked for, not their roots",
        ),
    ],
    "08.2": [
        Wrong(
            "exchanges the inputs and the units",
            """
import math

def start(shape, rule):
    kernel = math.prod(shape[2:])
    fan_in, fan_out = shape[0] * kernel, shape[1] * kernel
    var = 2 / fan_in if rule == "he" else 2 / (fan_in + fan_out)
    return math.sqrt(var), math.sqrt(3 * var)
""",
            "PyTorch's weight is (units, inputs): the inputs stand second; Xavier does not see it",
        ),
        Wrong(
            "returns the whole width of the even draw",
            """
import math

def start(shape, rule):
    area = 1
    for s in shape[2:]:
        area *= s
    n_out, n_in = shape[0] * area, shape[1] * area
    variance = 2 / n_in if rule == "he" else 2 / (n_in + n_out)
    return math.sqrt(variance), math.sqrt(12 * variance)
""",
            "width squared over 12 is the variance; the bound is half of the width",
        ),
        Wrong(
            "forgets the root of the standard deviation",
            """
import math

def start(shape, rule):
    area = math.prod(shape[2:])
    n_out, n_in = shape[0] * area, shape[1] * area
    std = 2 / n_in if rule == "he" else 2 / (n_in + n_out)
    bound = math.sqrt(3 * std)
    return std, bound
""",
            "the first number is the variance: its root is asked for",
        ),
        Wrong(
            "knows Xavier's start with 1 over the inputs",
            """
import math

def start(shape, rule):
    fan_in = math.prod(shape[1:])
    variance = 2 / fan_in if rule == "he" else 1 / fan_in
    return variance ** 0.5, (3 * variance) ** 0.5
""",
            "some libraries call this Xavier; here the mean of inputs and outputs is asked for",
        ),
        Wrong(
            "counts the kernel for the inputs only",
            """
import math

def start(shape, rule):
    fan_in = math.prod(shape[1:])
    fan_out = shape[0]
    if rule == "xavier":
        var = 2 / (fan_in + fan_out)
    else:
        var = 2 / fan_in
    return math.sqrt(var), math.sqrt(3 * var)
""",
            "an input goes into output channels times kernel places; a linear layer has no kernel",
        ),
        Wrong(
            "returns the bound first, and does not look at the kernel",
            """
import math

def start(shape, rule):
    n_out, n_in = shape[0], shape[1]
    if rule == "xavier":
        bound = math.sqrt(6 / (n_in + n_out))
    else:
        bound = math.sqrt(6 / n_in)
    return bound, bound / math.sqrt(3)
""",
            "the standard deviation comes first; and both fans are channels times places of the kernel",
        ),
    ],
    "08.3": [
        Wrong(
            "numbers the layers from 0",
            """
import torch.nn.functional as F

def gradient_norms(weights, x, y, share):
    ws = [w.clone().requires_grad_() for w in weights]
    h = x
    for w in ws[:-1]:
        h = torch.sigmoid(h @ w.T)
    loss = F.cross_entropy(h @ ws[-1].T, y)
    grads = torch.autograd.grad(loss, ws)
    norms = torch.stack([g.norm() for g in grads])
    for i in range(len(ws) - 1, -1, -1):
        if norms[i] < share * norms[-1]:
            return norms, i
    return norms, 0
""",
            "the index is one below the layer's number, and 0 means that there is none",
        ),
        Wrong(
            "puts a sigmoid behind the last layer too",
            """
import torch.nn.functional as F

def gradient_norms(weights, x, y, share):
    ws = [w.detach().clone().requires_grad_(True) for w in weights]
    h = x
    for w in ws:
        h = torch.sigmoid(h @ w.T)
    F.cross_entropy(h, y).backward()
    norms = torch.stack([w.grad.norm() for w in ws])
    layer = 0
    for l in range(len(ws), 0, -1):
        if norms[l - 1] < share * norms[-1]:
            layer = l
            break
    return norms, layer
""",
            "the last layer gives scores: no sigmoid behind it",
        ),
        Wrong(
            "tracks the caller's own tables and never empties their slopes",
            """
import torch.nn.functional as F

def gradient_norms(weights, x, y, share):
    for w in weights:
        w.requires_grad_(True)
    h = x
    for w in weights[:-1]:
        h = torch.sigmoid(h @ w.t())
    F.cross_entropy(h @ weights[-1].t(), y).backward()
    norms = torch.stack([w.grad.norm() for w in weights])
    layer = 0
    for l in reversed(range(len(weights))):
        if norms[l] < share * norms[-1]:
            layer = l + 1
            break
    return norms, layer
""",
            "the caller's tensors now require slopes, and a second call adds to their grad: work on copies",
        ),
        Wrong(
            "compares the norms with the share itself",
            """
import torch.nn.functional as F

def gradient_norms(weights, x, y, share):
    W = [w.clone().requires_grad_() for w in weights]
    h = x
    for w in W[:-1]:
        h = torch.sigmoid(h @ w.T)
    loss = F.cross_entropy(h @ W[-1].T, y)
    norms = torch.stack([torch.linalg.norm(g) for g in torch.autograd.grad(loss, W)])
    for number in range(len(W), 0, -1):
        if norms[number - 1] < share:
            return norms, number
    return norms, 0
""",
            "the share is one of the last layer's norm: share * norms[-1]",
        ),
        Wrong(
            "searches from the input",
            """
import torch.nn.functional as F

def gradient_norms(weights, x, y, share):
    W = [w.clone().requires_grad_() for w in weights]
    h = x
    for w in W[:-1]:
        h = torch.sigmoid(h @ w.T)
    loss = F.cross_entropy(h @ W[-1].T, y)
    norms = torch.stack([g.norm() for g in torch.autograd.grad(loss, W)])
    below = norms < share * norms[-1]
    layer = int(below.int().argmax()) + 1 if below.any() else 0
    return norms, layer
""",
            "argmax finds the first from the input; the first on the way back is asked for; with two layers they agree",
        ),
        Wrong(
            "adds the losses up, and names the layer with the shortest slope in any case",
            """
import torch.nn.functional as F

def gradient_norms(weights, x, y, share):
    W = [w.clone().requires_grad_() for w in weights]
    h = x
    for w in W[:-1]:
        h = torch.sigmoid(h @ w.T)
    loss = F.cross_entropy(h @ W[-1].T, y, reduction="sum")
    norms = torch.stack([g.norm() for g in torch.autograd.grad(loss, W)])
    return norms, int(norms.argmin()) + 1
""",
            "the loss is a mean; and the first layer below the share is asked for, 0 where there is none",
        ),
    ],
    "08.4": [
        Wrong(
            "puts a ReLU behind the sum",
            """
class ResidualBlock(torch.nn.Module):
    def __init__(self, inputs, hidden, outputs):
        super().__init__()
        self.first = torch.nn.Linear(inputs, hidden)
        self.last = torch.nn.Linear(hidden, outputs)
        torch.nn.init.zeros_(self.last.weight)
        torch.nn.init.zeros_(self.last.bias)
        if inputs != outputs:
            self.shortcut = torch.nn.Linear(inputs, outputs, bias=False)

    def forward(self, x):
        residual = self.shortcut(x) if hasattr(self, "shortcut") else x
        out = self.last(torch.relu(self.first(x)))
        return torch.relu(out + residual)
""",
            "negative numbers do not pass: nothing stands behind the sum",
        ),
        Wrong(
            "begins the last weight at 0 and forgets its bias",
            """
class ResidualBlock(torch.nn.Module):
    def __init__(self, inputs, hidden, outputs):
        super().__init__()
        self.first = torch.nn.Linear(inputs, hidden)
        self.last = torch.nn.Linear(hidden, outputs)
        torch.nn.init.zeros_(self.last.weight)
        if inputs != outputs:
            self.shortcut = torch.nn.Linear(inputs, outputs, bias=False)

    def forward(self, x):
        around = self.shortcut(x) if hasattr(self, "shortcut") else x
        return around + self.last(torch.relu(self.first(x)))
""",
            "the bias of last is drawn by PyTorch: a new block adds it",
        ),
        Wrong(
            "adds in place to what came in",
            """
class ResidualBlock(torch.nn.Module):
    def __init__(self, inputs, hidden, outputs):
        super().__init__()
        self.first = torch.nn.Linear(inputs, hidden)
        self.last = torch.nn.Linear(hidden, outputs)
        torch.nn.init.zeros_(self.last.weight)
        torch.nn.init.zeros_(self.last.bias)
        self.shortcut = torch.nn.Linear(inputs, outputs, bias=False) if inputs != outputs else None

    def forward(self, x):
        out = self.last(torch.relu(self.first(x)))
        if self.shortcut is not None:
            x = self.shortcut(x)
        x += out
        return x
""",
            "x += out writes into the caller's tensor where there is no shortcut",
        ),
        Wrong(
            "gives every block a shortcut with a table",
            """
class ResidualBlock(torch.nn.Module):
    def __init__(self, inputs, hidden, outputs):
        super().__init__()
        self.first = torch.nn.Linear(inputs, hidden)
        self.last = torch.nn.Linear(hidden, outputs)
        self.shortcut = torch.nn.Linear(inputs, outputs, bias=False)
        torch.nn.init.zeros_(self.last.weight)
        torch.nn.init.zeros_(self.last.bias)

    def forward(self, x):
        return self.shortcut(x) + self.last(torch.relu(self.first(x)))
""",
            "where the numbers agree x itself is added, without a table",
        ),
        Wrong(
            "adds nothing where the widths differ",
            """
class ResidualBlock(torch.nn.Module):
    def __init__(self, inputs, hidden, outputs):
        super().__init__()
        self.first = torch.nn.Linear(inputs, hidden)
        self.last = torch.nn.Linear(hidden, outputs)
        torch.nn.init.zeros_(self.last.weight)
        torch.nn.init.zeros_(self.last.bias)

    def forward(self, x):
        out = self.last(torch.relu(self.first(x)))
        return out + x if out.shape == x.shape else out
""",
            "with other outputs than inputs the way around has a table, the shortcut",
        ),
        Wrong(
            "puts the ReLU in front of both layers, and gives the shortcut a bias",
            """
class ResidualBlock(torch.nn.Module):
    def __init__(self, inputs, hidden, outputs):
        super().__init__()
        self.first = torch.nn.Linear(inputs, hidden)
        self.last = torch.nn.Linear(hidden, outputs)
        torch.nn.init.constant_(self.last.weight, 0)
        torch.nn.init.constant_(self.last.bias, 0)
        if inputs != outputs:
            self.shortcut = torch.nn.Linear(inputs, outputs)
        else:
            self.shortcut = None

    def forward(self, x):
        out = self.first(torch.relu(x))
        out = self.last(torch.relu(out))
        return out + (x if self.shortcut is None else self.shortcut(x))
""",
            "the layers see x as it is, negative numbers too; and the shortcut has no bias",
        ),
    ],
}
