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
            "begins with one unit and so never returns 0",
            """
def width_for(budget, inputs, outputs, depth):
    def params(w):
        sizes = [inputs] + [w] * depth + [outputs]
        return sum((a + 1) * b for a, b in zip(sizes[:-1], sizes[1:]))

    w = 1
    while params(w + 1) <= budget:
        w += 1
    return w
""",
            "if one unit does not fit, the result is 0",
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
            "counts one operation for each weight",
            """
def cost(sizes, batch):
    weights = sum(a * b for a, b in zip(sizes, sizes[1:]))
    biases = sum(sizes[1:])
    return weights + biases, weights * batch, batch * sum(sizes[1:])
""",
            "a weight costs a multiplication and an addition: twice",
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
            "keeps the first hidden layer and the output, whatever lies between",
            """
def cost(sizes, batch):
    pairs = list(zip(sizes, sizes[1:]))
    parameters = sum((a + 1) * b for a, b in pairs)
    flops = 2 * batch * sum(a * b for a, b in pairs)
    kept = batch * (sizes[1] + sizes[-1])
    return parameters, flops, kept
""",
            "fine with one hidden layer; with more, all of them are kept, with none, the output counts once",
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
            "takes 1,200 for a bound on the weights of a layer and spends more in all",
            """
from torch import nn

def train_small(X, y):
    net = nn.Sequential(nn.BatchNorm1d(64, affine=False), nn.Linear(64, 18), nn.ReLU(), nn.Linear(18, 2))
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    for epoch in range(25):
        for rows in torch.randperm(len(X)).split(64):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(net(X[rows]), y[rows].long())
            loss.backward()
            optimizer.step()
    return net.eval()
""",
            "64 * 18 = 1,152 weights, but 1,208 parameters with the biases and the output",
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
            "asks the nearest training picture, and takes its store for free since it is no parameter",
            """
from torch import nn

class Nearest(nn.Module):
    def __init__(self, X, y):
        super().__init__()
        self.X = X
        self.y = y

    def forward(self, x):
        nearest = torch.cdist(x, self.X).argmin(dim=1)
        return nn.functional.one_hot(self.y[nearest].long(), 2).to(x.dtype)

def train_small(X, y):
    return Nearest(X, y)
""",
            "it holds 1,347 pictures, 86,208 numbers, beside its parameters",
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
            "standardises by the pictures that are asked, which is right for many and not for one",
            """
from torch import nn

class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(64, 16)
        self.fc2 = nn.Linear(16, 2)

    def forward(self, x):
        x = (x - x.mean(dim=0)) / (x.std(dim=0, correction=0) + 1e-5)
        return self.fc2(torch.relu(self.fc1(x)))

def train_small(X, y):
    model = Small()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=0.001)
    for step in range(200):
        loss = nn.functional.cross_entropy(model(X), y.long())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model
""",
            "means and spreads come from the pictures beside it: keep those of the training set",
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
