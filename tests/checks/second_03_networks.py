"""Chapter 3, exercises 5 to 7: a width for a budget, the cost of a run, a small network for even and odd."""

from __future__ import annotations

from second_wrong import Wrong

RIGHT = {
    "03.5": """
from math import isqrt

def width_for(budget, inputs, outputs, depth):
    # (depth - 1) w^2 + (inputs + outputs + depth) w + outputs <= budget
    a, b, room = depth - 1, inputs + outputs + depth, budget - outputs
    if room < 0:
        return 0
    if a == 0:
        return room // b
    return (isqrt(b * b + 4 * a * room) - b) // (2 * a)
""",
    "03.6": """
def cost(sizes, batch):
    biases = sum(sizes) - sizes[0]
    weights = sum(sizes[i] * sizes[i + 1] for i in range(len(sizes) - 1))
    return weights + biases, 2 * batch * weights, batch * biases
""",
    "03.7": """
class Small(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = torch.nn.Linear(64, 16)
        self.out = torch.nn.Linear(16, 2)

    def forward(self, x):
        return self.out(torch.relu(self.hidden(x / 8 - 0.6)))

def train_small(X, y):
    net = Small()
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01, weight_decay=0.001)
    for epoch in range(30):
        for rows in torch.randperm(len(X)).split(64):
            loss = torch.nn.functional.cross_entropy(net(X[rows]), y[rows].long())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return net
""",
}

WRONG = {
    "03.5": [
        Wrong(
            "counts the weights and no biases",
            """
def width_for(budget, inputs, outputs, depth):
    width = 0
    while inputs * (width + 1) + (depth - 1) * (width + 1) ** 2 + (width + 1) * outputs <= budget:
        width += 1
    return width
""",
            "the biases are missing from the cost, so the width comes out too large",
        ),
        Wrong(
            "joins depth hidden layers by depth tables",
            """
def width_for(budget, inputs, outputs, depth):
    def cost(w):
        return (inputs + 1) * w + depth * (w + 1) * w + (w + 1) * outputs

    width = 0
    while cost(width + 1) <= budget:
        width += 1
    return width
""",
            "between depth hidden layers lie depth - 1 tables",
        ),
        Wrong(
            "solves the quadratic equation, which is none for one hidden layer",
            """
import math

def width_for(budget, inputs, outputs, depth):
    a = depth - 1
    b = inputs + 1 + (depth - 1) + outputs
    c = outputs - budget
    if c > 0:
        return 0
    w = (-b + math.sqrt(b * b - 4 * a * c)) / (2 * a)
    return math.floor(w)
""",
            "with depth 1 nothing is squared: a is 0, and it divides by 0",
        ),
        Wrong(
            "reads 'at most' as 'less than'",
            """
def width_for(budget, inputs, outputs, depth):
    width = 0
    while True:
        sizes = [inputs] + [width + 1] * depth + [outputs]
        total = sum((n + 1) * m for n, m in zip(sizes, sizes[1:]))
        if total >= budget:
            return width
        width += 1
""",
            "a network that costs the budget exactly is allowed",
        ),
        Wrong(
            "tries the widths up to 100, since networks here are small",
            """
def width_for(budget, inputs, outputs, depth):
    best = 0
    for w in range(1, 101):
        sizes = [inputs] + [w] * depth + [outputs]
        if sum((a + 1) * b for a, b in zip(sizes[:-1], sizes[1:])) <= budget:
            best = w
    return best
""",
            "with a large budget the answer is above 100, and 100 comes out",
        ),
        Wrong(
            "returns the first width that is too wide, and gives the outputs no biases",
            """
def width_for(budget, inputs, outputs, depth):
    width = 0
    total = 0
    while total <= budget:
        width += 1
        total = (inputs + 1) * width + (depth - 1) * (width + 1) * width + width * outputs
    return width
""",
            "the width before it was the last that fits; the output layer has biases too",
        ),
    ],
    "03.6": [
        Wrong(
            "asks the list with index() where a size stands",
            """
def cost(sizes, batch):
    weights = 0
    for n in sizes[:-1]:
        weights += n * sizes[sizes.index(n) + 1]
    units = sum(sizes[1:])
    return weights + units, 2 * batch * weights, batch * units
""",
            "index finds the first of equal sizes: the second one is joined to the wrong layer",
        ),
        Wrong(
            "counts two operations for each parameter, the biases too",
            """
def cost(sizes, batch):
    params = 0
    for n_in, n_out in zip(sizes, sizes[1:]):
        params += n_in * n_out + n_out
    flops = 2 * params * batch
    kept = batch * sum(sizes[1:])
    return params, flops, kept
""",
            "the biases are left out of the FLOPs",
        ),
        Wrong(
            "forgets that the whole batch is run",
            """
def cost(sizes, batch):
    weights = 0
    for i in range(1, len(sizes)):
        weights += sizes[i - 1] * sizes[i]
    return weights + sum(sizes[1:]), 2 * weights, batch * sum(sizes[1:])
""",
            "the FLOPs are those of one example: times the batch",
        ),
        Wrong(
            "keeps what the hidden layers say and not the output",
            """
def cost(sizes, batch):
    params = flops = kept = 0
    for n, m in zip(sizes[:-1], sizes[1:]):
        params += (n + 1) * m
        flops += 2 * n * m * batch
    for m in sizes[1:-1]:
        kept += batch * m
    return params, flops, kept
""",
            "the outputs are kept too",
        ),
        Wrong(
            "leaves out the input by its value",
            """
def cost(sizes, batch):
    weights = sum(a * b for a, b in zip(sizes, sizes[1:]))
    parameters = weights + sum(sizes[1:])
    kept = batch * sum(n for n in sizes if n != sizes[0])
    return parameters, 2 * batch * weights, kept
""",
            "a later layer of the same size as the input is left out too: leave out the place, not the number",
        ),
        Wrong(
            "returns the FLOPs first, and keeps the input too",
            """
def cost(sizes, batch):
    weights = sum(a * b for a, b in zip(sizes, sizes[1:]))
    flops = 2 * batch * weights
    parameters = weights + sum(sizes[1:])
    kept = batch * sum(sizes)
    return flops, parameters, kept
""",
            "the order is parameters, FLOPs, kept; the input is not counted",
        ),
    ],
    "03.7": [
        Wrong(
            "asks three networks for their mean, each of them below the bound, and keeps them in a list",
            """
from torch import nn

class Three(nn.Module):
    def __init__(self):
        super().__init__()
        self.nets = [nn.Sequential(nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 2)) for _ in range(3)]

    def forward(self, x):
        return sum(net(x / 16) for net in self.nets) / 3

def train_small(X, y):
    model = Three()
    for net in model.nets:
        optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
        for epoch in range(20):
            for rows in torch.randperm(len(X)).split(64):
                loss = nn.functional.cross_entropy(net(X[rows] / 16), y[rows].long())
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return model
""",
            "3,222 parameters; in a plain list the module does not know them, but they are there",
        ),
        Wrong(
            "standardises the pixels outside and returns the bare network",
            """
from torch import nn

def train_small(X, y):
    mean, std = X.mean(dim=0), X.std(dim=0) + 1e-3
    Z = (X - mean) / std
    net = nn.Sequential(nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 2))
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    for epoch in range(25):
        for rows in torch.randperm(len(Z)).split(64):
            loss = nn.functional.cross_entropy(net(Z[rows]), y[rows].long())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return net
""",
            "the network learned from standardised pixels and is asked raw ones: it has to prepare them itself",
        ),
        Wrong(
            "asks the nearest training picture, which lies outside of the module",
            """
from torch import nn

def train_small(X, y):
    class Nearest(nn.Module):
        def forward(self, x):
            nearest = torch.cdist(x, X).argmin(dim=1)
            return nn.functional.one_hot(y[nearest].long(), 2).to(x.dtype)

    return Nearest()
""",
            "it needs 1,347 pictures, 86,208 numbers, wherever they are kept",
        ),
        Wrong(
            "trains one score for odd and puts it into the column for even",
            """
from torch import nn

class TwoScores(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 1))

    def odd(self, x):
        return self.net(x / 16).squeeze(1)

    def forward(self, x):
        z = self.odd(x)
        return torch.stack([z, -z], dim=1)

def train_small(X, y):
    net = TwoScores()
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    loss_fn = nn.BCEWithLogitsLoss()
    for epoch in range(25):
        for rows in torch.randperm(len(X)).split(64):
            optimizer.zero_grad()
            loss_fn(net.odd(X[rows]), y[rows].to(X.dtype)).backward()
            optimizer.step()
    return net
""",
            "the columns are swapped: nearly every answer is the opposite of the right one",
        ),
        Wrong(
            "divides by the largest pixel that is asked, which is 16 for many pictures and not for each",
            """
from torch import nn

class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(64, 16)
        self.fc2 = nn.Linear(16, 2)

    def forward(self, x):
        x = x / x.max()
        return self.fc2(torch.relu(self.fc1(x)))

def train_small(X, y):
    model = Small()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=0.0001)
    for epoch in range(30):
        for rows in torch.randperm(len(X)).split(64):
            loss = nn.functional.cross_entropy(model(X[rows]), y[rows].long())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model
""",
            "the maximum is that of all pictures asked: a faint picture alone gets other scores",
        ),
        Wrong(
            "takes 24 hidden units, and a handful of tiny steps",
            """
from torch import nn

def train_small(X, y):
    net = nn.Sequential(nn.Linear(64, 24), nn.ReLU(), nn.Linear(24, 2))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.0001)
    for epoch in range(10):
        loss = nn.functional.cross_entropy(net(X), y.long())
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return net
""",
            "1,610 parameters; and ten small steps have hardly begun to train",
        ),
    ],
}
