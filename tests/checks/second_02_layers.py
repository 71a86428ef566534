"""Chapter 2, exercises 5 to 7: merging layers, dead units, a deep network."""

from __future__ import annotations

from second_wrong import Wrong

RIGHT = {
    "02.5": """
def merge_linear(W1, b1, W2, b2):
    W = (W2[:, :, None] * W1[None]).sum(dim=1)
    b = (W2 * b1).sum(dim=1) + b2
    return W, b
""",
    "02.6": """
def dead_share(activations):
    return 1 - (activations != 0).any(dim=0).to(activations.dtype).mean()
""",
    "02.7": """
def make_network():
    sizes = [64] + [32] * 6
    layers = []
    for n_in, n_out in zip(sizes, sizes[1:]):
        linear = torch.nn.Linear(n_in, n_out)
        torch.nn.init.kaiming_normal_(linear.weight, nonlinearity="relu")
        torch.nn.init.zeros_(linear.bias)
        layers += [linear, torch.nn.ReLU()]
    return torch.nn.Sequential(*layers, torch.nn.Linear(32, 10))
""",
}

WRONG = {
    "02.5": [
        Wrong(
            "overwrites W2 with the product and uses it again for the bias",
            """
def merge_linear(W1, b1, W2, b2):
    W2 = W2 @ W1
    b2 = W2 @ b1 + b2
    return W2, b2
""",
            "for the bias the old W2 is needed; the name stands for the product by then",
        ),
        Wrong(
            "drops the first bias",
            """
def merge_linear(W1, b1, W2, b2):
    W = W2 @ W1
    return W, b2
""",
            "b1 has no effect; it passes through W2",
        ),
        Wrong(
            "computes for row vectors x @ W, one column per output",
            """
def merge_linear(W1, b1, W2, b2):
    W = W1.T @ W2.T
    b = b1 @ W2.T + b2
    return W, b
""",
            "W came as (I, O): transposed, rows should be outputs",
        ),
        Wrong(
            "sums the products with b1 over everything",
            """
def merge_linear(W1, b1, W2, b2):
    W = torch.matmul(W2, W1)
    b = torch.sum(W2 * b1) + b2
    return W, b
""",
            "each output needs its own sum, over the hidden units only: the axis is missing",
        ),
        Wrong(
            "writes = for += in the triple loop, which does not show with one hidden unit",
            """
def merge_linear(W1, b1, W2, b2):
    H, I = W1.shape
    O = W2.shape[0]
    W = torch.zeros(O, I, dtype=W1.dtype)
    b = b2.clone()
    for o in range(O):
        for h in range(H):
            b[o] = b[o] + W2[o, h] * b1[h]
            for i in range(I):
                W[o, i] = W2[o, h] * W1[h, i]
    return W, b
""",
            "only the last hidden unit is left in W: the products have to be added up",
        ),
        Wrong(
            "one column per output, and no first bias",
            """
def merge_linear(W1, b1, W2, b2):
    W = W1.T @ W2.T
    return W, b2
""",
            "W is transposed; b1 has no effect",
        ),
    ],
    "02.6": [
        Wrong(
            "counts zeros instead of units",
            """
def dead_share(activations):
    return (activations == 0).to(activations.dtype).mean()
""",
            "the share of zeros: a unit is dead only if it is 0 in all rows",
        ),
        Wrong(
            "calls a unit dead that is 0 once",
            """
def dead_share(activations):
    dead = (activations == 0).any(dim=0)
    return dead.to(activations.dtype).mean()
""",
            "any instead of all",
        ),
        Wrong(
            "asks for each sample whether all of its units are 0",
            """
def dead_share(activations):
    dead = (activations == 0).all(dim=1)
    return dead.to(activations.dtype).mean()
""",
            "rows are looked at, units are columns: wrong axis",
        ),
        Wrong(
            "divides the number of dead units by the number of samples",
            """
def dead_share(activations):
    dead = 0
    for unit in activations.T:
        if torch.all(unit == 0):
            dead += 1
    return torch.tensor(dead / len(activations))
""",
            "a share of the units: len(activations) is the number of samples",
        ),
        Wrong(
            "takes a unit that hardly fires for a dead one",
            """
def dead_share(activations):
    mean = activations.mean(dim=0)
    return (mean < 0.01).to(activations.dtype).mean()
""",
            "small is not 0: such a unit still has a gradient",
        ),
        Wrong(
            "returns the share of the living, and lets only those live that are never 0",
            """
def dead_share(activations):
    alive = (activations > 0).all(dim=0)
    return alive.to(activations.dtype).mean()
""",
            "the living instead of the dead; one sample is enough to live",
        ),
    ],
    "02.7": [
        Wrong(
            "puts a softmax at the end, since it is a classifier",
            """
from torch import nn

def make_network():
    layers = []
    width = 64
    for _ in range(6):
        linear = nn.Linear(width, 32)
        nn.init.kaiming_normal_(linear.weight)
        nn.init.zeros_(linear.bias)
        layers.append(linear)
        layers.append(nn.ReLU())
        width = 32
    layers.append(nn.Linear(32, 10))
    layers.append(nn.Softmax(dim=1))
    return nn.Sequential(*layers)
""",
            "cross-entropy takes scores and has a softmax of its own: two in a row flatten the loss",
        ),
        Wrong(
            "counts the output layer as the sixth hidden one",
            """
from torch import nn

def make_network():
    def block(n_in):
        linear = nn.Linear(n_in, 32)
        nn.init.kaiming_normal_(linear.weight, nonlinearity="relu")
        nn.init.zeros_(linear.bias)
        return [linear, nn.ReLU()]
    return nn.Sequential(*block(64), *block(32), *block(32), *block(32), *block(32), nn.Linear(32, 10))
""",
            "five hidden layers: the output layer is not hidden",
        ),
        Wrong(
            "adds a dropout of one half behind each layer because dropout is good",
            """
from torch import nn

def make_network():
    layers, n_in = [], 64
    for i in range(6):
        lin = nn.Linear(n_in, 32)
        nn.init.kaiming_normal_(lin.weight, nonlinearity="relu")
        nn.init.zeros_(lin.bias)
        layers += [lin, nn.ReLU(), nn.Dropout(0.5)]
        n_in = 32
    layers += [nn.Linear(32, 10)]
    return nn.Sequential(*layers)
""",
            "half of 32 units is thrown away six times over: too little signal is left to learn from",
        ),
        Wrong(
            "writes an init function and forgets to apply it",
            """
import torch.nn as nn

def init_weights(m):
    if isinstance(m, nn.Linear):
        nn.init.kaiming_normal_(m.weight, nonlinearity="relu")
        nn.init.zeros_(m.bias)

def make_network():
    net = nn.Sequential(
        nn.Linear(64, 32), nn.ReLU(),
        nn.Linear(32, 32), nn.ReLU(),
        nn.Linear(32, 32), nn.ReLU(),
        nn.Linear(32, 32), nn.ReLU(),
        nn.Linear(32, 32), nn.ReLU(),
        nn.Linear(32, 32), nn.ReLU(),
        nn.Linear(32, 10),
    )
    return net
""",
            "ReLUs with the default start: the signal dies on its way; the start is not what was meant",
        ),
        Wrong(
            "builds the network once, outside, and hands out the same one each time",
            """
from torch import nn

layers = []
for n_in in [64, 32, 32, 32, 32, 32]:
    lin = nn.Linear(n_in, 32)
    nn.init.kaiming_normal_(lin.weight, nonlinearity="relu")
    nn.init.zeros_(lin.bias)
    layers += [lin, nn.ReLU()]
network = nn.Sequential(*layers, nn.Linear(32, 10))

def make_network():
    return network
""",
            "each call has to return a new, untrained network; this one has been trained before",
        ),
        Wrong(
            "takes layers of 64, and a softmax at the end",
            """
from torch import nn

def make_network():
    net = nn.Sequential()
    for i in range(6):
        net.append(nn.Linear(64, 64))
        nn.init.xavier_normal_(net[-1].weight)
        net.append(nn.Tanh())
    net.append(nn.Linear(64, 10))
    net.append(nn.Softmax(dim=-1))
    return net
""",
            "64 units in a layer, 32 are allowed; softmax before cross-entropy",
        ),
    ],
}
