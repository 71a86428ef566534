"""Chapter 8, exercises 5 to 8: an illness, bias and variance, four leaks, and thirty layers."""

from __future__ import annotations

from second_wrong import Wrong

RIGHT = {
    "08.5": """
history = {5: (2.24, 2.28), 10: (2.14, 2.25), 20: (1.68, 1.98), 50: (0.44, 1.33), 100: (0.04, 1.94), 200: (0.01, 2.46)}
best = min(history, key=lambda epoch: history[epoch][1])
learned_all = history[200][0] < 0.1
turned = best < 200
validation_flatters = 0.64 - 0.61 > 0.1
if validation_flatters:
    answer_08_5 = "e"
elif not learned_all:
    answer_08_5 = "a" if history[200][0] == history[100][0] else "d"
else:
    answer_08_5 = "b" if turned else "f"
""",
    "08.6": """
def bias_variance(predictions, truth, noise):
    M = len(predictions)
    misses = predictions - truth
    bias2 = misses.mean(dim=0).square().mean()
    # half of the mean squared difference of two models, each pair twice and each model with itself
    pairs = (misses.unsqueeze(0) - misses.unsqueeze(1)).square()
    variance = pairs.sum(dim=(0, 1)).mean() / (2 * M * M)
    return bias2, variance, misses.square().mean() + noise * noise
""",
    "08.7": """
def accuracy(X, y, patients, train, k):
    known = set(patients[train].tolist())
    asked = [row for row, patient in enumerate(patients.tolist()) if patient not in known]
    learned, classes = X[train], y[train]
    spread, centre = torch.std_mean(learned, dim=0)
    learned = (learned - centre) / spread
    apart = abs(learned[classes == 1].mean(dim=0) - learned[classes == 0].mean(dim=0))
    columns = sorted(range(X.shape[1]), key=lambda c: -float(apart[c]))[:k]
    hits = 0
    for row in asked:
        new = (X[row] - centre) / spread
        distances = (learned[:, columns] - new[columns]).square().sum(dim=1)
        hits += int(classes[distances.argmin()] == y[row])
    return torch.tensor(hits / len(asked), dtype=torch.float64)
""",
    "08.8": """
class Lion:
    # steps of one length, with the sign of a running mean, and ever shorter ones
    def __init__(self, parameters, lr):
        self.parameters, self.lr, self.k = list(parameters), lr, 0
        self.means = [torch.zeros_like(p) for p in self.parameters]

    def zero_grad(self):
        for p in self.parameters:
            p.grad = None

    @torch.no_grad()
    def step(self):
        lr = self.lr * max(1 - self.k / 200, 0.02)
        self.k += 1
        for p, m in zip(self.parameters, self.means):
            p -= lr * torch.sign(0.9 * m + 0.1 * p.grad)
            m.lerp_(p.grad, 0.02)

class Deep(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.into = torch.nn.Linear(64, 32)
        self.notes = torch.nn.ModuleList(torch.nn.Linear(32, 32) for _ in range(30))
        self.scores = torch.nn.Linear(32, 10)

    def forward(self, x):
        x = self.into(x)
        for note in self.notes:
            x = x + torch.nn.functional.gelu(note(x)) / 30**0.5
        return self.scores(torch.nn.functional.layer_norm(x, (32,)))

def make_training():
    network = Deep()
    return network, Lion(network.parameters(), lr=0.001)
""",
}

WRONG = {
    "08.5": [
        Wrong(
            "sees that the training loss still falls at the end",
            """
answer_08_5 = "d"
""",
            "the training loss is at 0.01, and the validation loss rises since epoch 50: more epochs make it worse",
        ),
        Wrong(
            "takes a rising loss for a sign of steps that are too long",
            """
answer_08_5 = "c"
""",
            "with too large a rate the training loss would jump as well; it falls to 0.01",
        ),
        Wrong(
            "believes that a gap between validation and test comes from a leak",
            """
answer_08_5 = "e"
""",
            "0.61 of 400 is near 0.64; with a leak the validation would look like the training",
        ),
        Wrong(
            "looks at the training alone, where all is right",
            """
train_accuracy = 1.00
answer_08_5 = "f" if train_accuracy > 0.95 else "a"
""",
            "on digits it has not seen a third is wrong",
        ),
        Wrong(
            "types the letter of the example, and finds that the network is bad at new digits",
            """
answer_08_5 = "a"
""",
            "too simple would be bad on the training digits too: there it has 1.00",
        ),
        Wrong(
            "writes words and not a letter, and takes the opposite illness",
            """
answer_08_5 = "underfitting"
""",
            "one of the letters a to f is asked for; and underfitting would be bad on the training digits",
        ),
    ],
    "08.6": [
        Wrong(
            "divides by M - 1, as var does by itself",
            """
def bias_variance(predictions, truth, noise):
    mean = predictions.mean(dim=0)
    bias2 = ((mean - truth) ** 2).mean()
    variance = predictions.var(dim=0).mean()
    return bias2, variance, bias2 + variance + noise ** 2
""",
            "var divides by M - 1: with M the three parts add up",
        ),
        Wrong(
            "adds the noise as it comes",
            """
def bias_variance(predictions, truth, noise):
    mean = predictions.mean(dim=0)
    bias2 = ((mean - truth) ** 2).mean()
    variance = ((predictions - mean) ** 2).mean(dim=0).mean()
    error = bias2 + variance + noise
    return bias2, variance, error
""",
            "noise is a standard deviation: its square is added",
        ),
        Wrong(
            "takes the mean over the points before it squares",
            """
def bias_variance(predictions, truth, noise):
    bias = (predictions.mean(dim=0) - truth).mean()
    variance = predictions.var(dim=0, unbiased=False).mean()
    return bias ** 2, variance, bias ** 2 + variance + noise ** 2
""",
            "misses to both sides cancel: square at each point, then take the mean",
        ),
        Wrong(
            "takes the scatter around the truth",
            """
def bias_variance(predictions, truth, noise):
    f_bar = torch.mean(predictions, dim=0)
    bias2 = torch.mean((f_bar - truth) ** 2)
    variance = torch.mean((predictions - truth) ** 2)
    error = bias2 + variance + noise ** 2
    return bias2, variance, error
""",
            "around the truth is the whole error, bias included; variance is around the models' mean",
        ),
        Wrong(
            "puts the half of the squared loss in front of sums over the points",
            """
def bias_variance(predictions, truth, noise):
    f_bar = predictions.mean(dim=0)
    bias2 = 0.5 * ((f_bar - truth) ** 2).sum()
    variance = 0.5 * ((predictions - f_bar) ** 2).mean(dim=0).sum()
    return bias2, variance, bias2 + variance + noise ** 2
""",
            "means over the points: half of the sum is the mean only for two points",
        ),
        Wrong(
            "returns the variance first, and leaves the noise out",
            """
def bias_variance(predictions, truth, noise):
    centre = predictions.mean(dim=0, keepdim=True)
    variance = (predictions - centre).pow(2).mean()
    bias2 = (centre - truth).pow(2).mean()
    return variance, bias2, variance + bias2
""",
            "the squared bias comes first; new targets have noise",
        ),
    ],
    "08.7": [
        Wrong(
            "mends all but the choice of columns",
            """
def accuracy(X, y, patients, train, k):
    X = (X - X[train].mean(dim=0)) / X[train].std(dim=0)
    apart = X[y == 1].mean(dim=0) - X[y == 0].mean(dim=0)
    kept = apart.abs().topk(k).indices
    held = ~torch.isin(patients, patients[train])
    nearest = torch.cdist(X[held][:, kept], X[train][:, kept]).argmin(dim=1)
    return (y[train][nearest] == y[held]).double().mean()
""",
            "the held-out classes have a say in which columns are kept",
        ),
        Wrong(
            "standardises with all rows",
            """
def accuracy(X, y, patients, train, k):
    X = (X - X.mean(dim=0)) / X.std(dim=0)
    Xt, yt = X[train], y[train]
    apart = Xt[yt == 1].mean(dim=0) - Xt[yt == 0].mean(dim=0)
    kept = apart.abs().topk(k).indices
    held = ~torch.isin(patients, patients[train])
    nearest = torch.cdist(X[held][:, kept], Xt[:, kept]).argmin(dim=1)
    return (yt[nearest] == y[held]).double().mean()
""",
            "means and spreads come from the training rows alone",
        ),
        Wrong(
            "counts every row that is not trained on",
            """
def accuracy(X, y, patients, train, k):
    mean, std = X[train].mean(dim=0), X[train].std(dim=0)
    X = (X - mean) / std
    Xt, yt = X[train], y[train]
    Xv, yv = X[~train], y[~train]
    apart = Xt[yt == 1].mean(dim=0) - Xt[yt == 0].mean(dim=0)
    kept = apart.abs().topk(k).indices
    nearest = torch.cdist(Xv[:, kept], Xt[:, kept]).argmin(dim=1)
    return (yt[nearest] == yv).double().mean()
""",
            "a row of a patient who is trained on is not held out",
        ),
        Wrong(
            "standardises the held-out rows with their own means",
            """
def standardise(X):
    return (X - X.mean(dim=0)) / X.std(dim=0)

def accuracy(X, y, patients, train, k):
    known = patients[train].unique()
    held = ~torch.isin(patients, known)
    Xt, Xv = standardise(X[train]), standardise(X[held])
    yt, yv = y[train], y[held]
    apart = Xt[yt == 1].mean(dim=0) - Xt[yt == 0].mean(dim=0)
    kept = apart.abs().topk(k).indices
    nearest = torch.cdist(Xv[:, kept], Xt[:, kept]).argmin(dim=1)
    return (yt[nearest] == yv).double().mean()
""",
            "what was learned from the training rows is used as it is for new ones",
        ),
        Wrong(
            "chooses the columns before it standardises",
            """
def accuracy(X, y, patients, train, k):
    Xt, yt = X[train], y[train]
    apart = Xt[yt == 1].mean(dim=0) - Xt[yt == 0].mean(dim=0)
    kept = apart.abs().topk(k).indices
    held = torch.tensor([p not in patients[train] for p in patients])
    mean, std = Xt.mean(dim=0), Xt.std(dim=0)
    A = ((Xt - mean) / std)[:, kept]
    B = ((X[held] - mean) / std)[:, kept]
    nearest = torch.cdist(B, A).argmin(dim=1)
    return (yt[nearest] == y[held]).double().mean()
""",
            "the method compares standardised columns: in raw ones the widest column wins",
        ),
        Wrong(
            "mends the choice of columns only: scales with all rows, and counts visits of known patients",
            """
def accuracy(X, y, patients, train, k):
    X = (X - X.mean(dim=0)) / X.std(dim=0)
    test = ~train
    apart = X[train & (y == 1)].mean(dim=0) - X[train & (y == 0)].mean(dim=0)
    kept = apart.abs().topk(k).indices
    nearest = torch.cdist(X[test][:, kept], X[train][:, kept]).argmin(dim=1)
    return (y[train][nearest] == y[test]).double().mean()
""",
            "two leaks are left: the scaling over all rows, and patients who are trained on",
        ),
    ],
    "08.8": [
        Wrong(
            "keeps the layers in a plain list",
            """
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.inp = torch.nn.Linear(64, 32)
        self.hidden = [torch.nn.Linear(32, 32) for _ in range(30)]
        self.out = torch.nn.Linear(32, 10)
        for layer in self.hidden:
            torch.nn.init.kaiming_normal_(layer.weight)

    def forward(self, x):
        x = torch.relu(self.inp(x))
        for layer in self.hidden:
            x = x + 0.2 * torch.relu(layer(x))
        return self.out(x)

def make_training():
    net = Net()
    return net, torch.optim.Adam(net.parameters(), lr=0.003)
""",
            "a plain list hides the layers from parameters(): a ModuleList is needed",
        ),
        Wrong(
            "puts one and the same layer into the network thirty times",
            """
import torch.nn as nn

class Residual(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.linear = nn.Linear(width, width)

    def forward(self, x):
        return x + 0.2 * torch.relu(self.linear(x))

def make_training():
    blocks = [Residual(32)] * 30
    net = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), *blocks, nn.Linear(32, 10))
    return net, torch.optim.Adam(net.parameters(), lr=0.002)
""",
            "[block] * 30 is thirty times the same object: one table of weights",
        ),
        Wrong(
            "takes He's variance for the standard deviation",
            """
import torch.nn as nn

def make_training():
    layers = []
    n = 64
    for _ in range(31):
        linear = nn.Linear(n, 32)
        nn.init.normal_(linear.weight, std=2 / n)
        nn.init.zeros_(linear.bias)
        layers += [linear, nn.ReLU()]
        n = 32
    net = nn.Sequential(*layers, nn.Linear(32, 10))
    return net, torch.optim.Adam(net.parameters(), lr=0.003)
""",
            "2 / n is the variance: the root is forgotten, and the signal dies",
        ),
        Wrong(
            "builds the network once, above the function",
            """
import torch.nn as nn

class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(32, 32)

    def forward(self, x):
        return x + 0.2 * torch.tanh(self.linear(x))

model = nn.Sequential(nn.Linear(64, 32), *[Block() for _ in range(30)], nn.Linear(32, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=0.002)

def make_training():
    return model, optimizer
""",
            "each call hands out the same network: the second training goes on with a trained one",
        ),
        Wrong(
            "reaches the target with layers that have no say",
            """
import torch.nn as nn

class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(32, 32)
        self.scale = 1e-6

    def forward(self, x):
        return x + self.scale * torch.relu(self.linear(x))

def make_training():
    net = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), *[Block() for _ in range(30)], nn.Linear(32, 10))
    return net, torch.optim.Adam(net.parameters(), lr=0.01)
""",
            "with a factor of a millionth thirty layers add nothing that could be seen",
        ),
        Wrong(
            "puts a softmax at the end, and takes steps that are too long",
            """
import torch.nn as nn

def make_training():
    layers, n = [], 64
    for _ in range(30):
        linear = nn.Linear(n, 32)
        nn.init.xavier_normal_(linear.weight)
        nn.init.zeros_(linear.bias)
        layers += [linear, nn.Tanh()]
        n = 32
    net = nn.Sequential(*layers, nn.Linear(32, 10), nn.Softmax(dim=1))
    return net, torch.optim.SGD(net.parameters(), lr=1.0)
""",
            "cross-entropy wants scores; and at a rate of 1 a network of thirty layers jumps about",
        ),
    ],
}
