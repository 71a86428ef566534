"""Chapter 3, exercises 1 and 2: a layer, the whole way forward."""

from __future__ import annotations

from second_wrong import Wrong

RIGHT = {
    "03.1": """
def layer(x, weight, bias):
    z = (x.unsqueeze(-2) * weight).sum(dim=-1)
    return z if bias is None else z + bias
""",
    "03.2": """
def forward(x, weights, biases):
    left = []
    for number, (weight, bias) in enumerate(zip(weights, biases), 1):
        x = x @ weight.T + bias
        if number < len(weights):
            x = torch.where(x > 0, x, torch.zeros_like(x))
        left.append(x)
    return left
""",
}

WRONG = {
    "03.1": [
        Wrong(
            "writes W x as in algebra and turns everything over with .T, twice",
            """
def layer(x, weight, bias):
    z = (weight @ x.T).T
    if bias is None:
        return z
    return z + bias
""",
            "fine for a table; with more axes in front .T turns all of them over",
        ),
        Wrong(
            "asks 'if bias' for 'is there a bias'",
            """
def layer(x, weight, bias):
    z = x @ weight.T
    if bias:
        z = z + bias
    return z
""",
            "a tensor of several numbers is neither true nor false: compare with None",
        ),
        Wrong(
            "makes a batch of one out of one example and leaves it so",
            """
def layer(x, weight, bias):
    if x.dim() == 1:
        x = x.unsqueeze(0)
    z = x @ weight.T
    return z if bias is None else z + bias
""",
            "for one example (n,) the result has one axis too many: (1, m) in place of (m,)",
        ),
        Wrong(
            "puts the weights into torch's layer and calls it",
            """
from torch import nn

def layer(x, weight, bias):
    m, n = weight.shape
    linear = nn.Linear(n, m, bias=bias is not None, dtype=x.dtype)
    with torch.no_grad():
        linear.weight.copy_(weight)
        if bias is not None:
            linear.bias.copy_(bias)
    return linear(x)
""",
            "a ready-made layer does the work",
        ),
        Wrong(
            "writes a line for each number of axes that came to mind",
            """
def layer(x, weight, bias):
    if x.dim() == 1:
        z = torch.einsum("i,oi->o", x, weight)
    elif x.dim() == 2:
        z = torch.einsum("bi,oi->bo", x, weight)
    else:
        z = torch.einsum("bti,oi->bto", x, weight)
    return z if bias is None else z + bias
""",
            "x may have any number of axes in front: with four axes the last line stops",
        ),
        Wrong(
            "multiplies by the weights as they stand, and bends the sums",
            """
def layer(x, weight, bias):
    if bias is None:
        bias = torch.zeros(weight.shape[0], dtype=x.dtype)
    return torch.relu(x @ weight + bias)
""",
            "the transposition is missing, and the layer has no bend",
        ),
    ],
    "03.2": [
        Wrong(
            "keeps the sums and passes the bent ones on",
            """
def forward(x, weights, biases):
    outputs = []
    h = x
    for W, b in zip(weights, biases):
        z = h @ W.T + b
        outputs.append(z)
        h = torch.relu(z)
    return outputs
""",
            "what leaves a hidden layer is bent: the list holds the sums before the ReLU",
        ),
        Wrong(
            "bends in place what is in the list already, the logits too",
            """
def forward(x, weights, biases):
    outputs = []
    h = x
    for W, b in zip(weights, biases):
        h = h @ W.T + b
        outputs.append(h)
        h.relu_()
    return outputs
""",
            "the last layer is bent as well: its negative logits are 0",
        ),
        Wrong(
            "feeds the input to every layer",
            """
def forward(x, weights, biases):
    outputs = []
    for i in range(len(weights)):
        z = x @ weights[i].T + biases[i]
        if i < len(weights) - 1:
            z = torch.relu(z)
        outputs.append(z)
    return outputs
""",
            "each layer reads what left the one before it; x never changes here",
        ),
        Wrong(
            "turns the logits into probabilities, as a classifier does",
            """
def forward(x, weights, biases):
    outputs = []
    h = x
    for W, b in zip(weights[:-1], biases[:-1]):
        h = torch.relu(h @ W.T + b)
        outputs.append(h)
    y = h @ weights[-1].T + biases[-1]
    outputs.append(torch.softmax(y, dim=1))
    return outputs
""",
            "the last entry is the logits: no softmax",
        ),
        Wrong(
            "does the first and the last layer on their own, so that a single layer is gone through twice",
            """
def forward(x, weights, biases):
    h = torch.relu(x @ weights[0].T + biases[0])
    outputs = [h]
    for W, b in zip(weights[1:-1], biases[1:-1]):
        h = torch.relu(h @ W.T + b)
        outputs.append(h)
    outputs.append(h @ weights[-1].T + biases[-1])
    return outputs
""",
            "with one layer the first is the last: it is used once, without a bend",
        ),
        Wrong(
            "begins the list with the input, and bends every layer",
            """
def forward(x, weights, biases):
    h = [x]
    for W, b in zip(weights, biases):
        h.append(torch.relu(h[-1] @ W.T + b))
    return h
""",
            "the input is not in the list; the logits are not bent",
        ),
    ],
}
