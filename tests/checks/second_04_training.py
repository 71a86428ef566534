"""Chapter 4, exercise 7: a model trained on targets of which some are wrong."""

from __future__ import annotations

from second_wrong import Wrong

RIGHT = {
    "04.7": """
def train_through_errors(X, y):
    possible = (y >= 25) & (y <= 346)
    X, y = X[possible], y[possible]
    middle, spread = X.mean(dim=0), X.std(dim=0)

    def columns(X):
        return torch.cat([(X - middle) / spread, torch.ones(len(X), 1)], dim=1)

    A = columns(X)
    w = torch.zeros(11)
    w[-1] = y.median()
    for step in range(30):
        off = (y - A @ w).abs()
        s = 1 / off.clamp(min=20).sqrt()
        w = torch.linalg.lstsq(A * s[:, None], (y * s)[:, None]).solution[:, 0]
    return lambda X: columns(X) @ w
""",
}

WRONG = {
    "04.7": [
        Wrong(
            "trains on the absolute error of targets in their own units, and has no patience",
            """
from torch import nn

def train_through_errors(X, y):
    mean, std = X.mean(dim=0), X.std(dim=0)
    net = nn.Linear(10, 1)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    Z = (X - mean) / std
    for step in range(500):
        loss = (net(Z)[:, 0] - y).abs().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return lambda X: net((X - mean) / std)[:, 0].detach()
""",
            "500 steps of 0.01 bring the bias to about 5, and the targets lie around 150",
        ),
        Wrong(
            "standardises the measurements outside and returns the bare network",
            """
from torch import nn

def train_through_errors(X, y):
    good = (y >= 25) & (y <= 346)
    X, y = X[good], y[good]
    Z = (X - X.mean(dim=0)) / X.std(dim=0)
    net = nn.Sequential(nn.Linear(10, 1), nn.Flatten(0))
    with torch.no_grad():
        net[0].bias.fill_(150.0)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.5)
    for step in range(500):
        loss = nn.functional.huber_loss(net(Z), y, delta=20.0)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return net
""",
            "it learned from standardised measurements and is asked in their own units",
        ),
        Wrong(
            "predicts in the units it was trained in",
            """
from torch import nn

def train_through_errors(X, y):
    good = (y > 20) & (y < 350)
    X, y = X[good], y[good]
    mean, std = X.mean(dim=0), X.std(dim=0)
    t = (y - y.mean()) / y.std()
    net = nn.Linear(10, 1)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.02)
    for step in range(400):
        loss = nn.functional.huber_loss(net((X - mean) / std).squeeze(1), t)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    def predict(X):
        with torch.no_grad():
            return net((X - mean) / std).squeeze(1)

    return predict
""",
            "the targets were standardised: multiply by their spread and add their mean again",
        ),
        Wrong(
            "standardises whoever is asked with their own mean",
            """
def train_through_errors(X, y):
    good = (y >= 25) & (y <= 346)

    def prepare(X):
        Z = (X - X.mean(dim=0)) / X.std(dim=0)
        return torch.cat([Z, torch.ones(len(X), 1)], dim=1)

    A, t = prepare(X[good]), y[good]
    w = torch.linalg.lstsq(A, t[:, None]).solution
    for step in range(20):
        s = 1 / (t[:, None] - A @ w).abs().clamp(min=20).sqrt()
        w = torch.linalg.lstsq(A * s, t[:, None] * s).solution
    return lambda X: (prepare(X) @ w)[:, 0]
""",
            "the answer for a patient depends on who is asked beside them, and a patient alone has no spread",
        ),
        Wrong(
            "gives everybody who is impossible the mean, which they have pulled up themselves",
            """
def train_through_errors(X, y):
    strange = (y - y.mean()).abs() > 3 * y.std()
    t = torch.where(strange, y.mean(), y)
    mean, std = X.mean(dim=0), X.std(dim=0)

    def prepare(X):
        return torch.cat([(X - mean) / std, torch.ones(len(X), 1)], dim=1)

    w = torch.linalg.lstsq(prepare(X), t[:, None]).solution
    return lambda X: (prepare(X) @ w).squeeze(1)
""",
            "wrong targets make the spread so large that most of them lie within three of it",
        ),
        Wrong(
            "trusts least squares, and returns a column",
            """
def train_through_errors(X, y):
    A = torch.cat([X, torch.ones(len(X), 1)], dim=1)
    w = torch.linalg.lstsq(A, y[:, None]).solution

    def predict(X):
        return torch.cat([X, torch.ones(len(X), 1)], dim=1) @ w

    return predict
""",
            "one number for each patient, shape (N,); and squared error follows the wrong targets",
        ),
    ],
}
