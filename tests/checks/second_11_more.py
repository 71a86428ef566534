"""Chapter 11, exercises 5 to 8: calibration, a report, an interval for a difference, and a threshold for a clinic."""

from __future__ import annotations

from second_wrong import Wrong

RIGHT = {
    "11.5": """
def calibration_error(p, y, bins):
    # in each bin: |number right - sum of confidences|; divided by N once, at the end
    confidence = p.amax(dim=1).double()
    right = p.argmax(dim=1) == y
    which = (confidence * bins).ceil().long() - 1
    surplus = torch.zeros(bins, dtype=torch.float64)
    surplus.index_add_(0, which, right.double() - confidence)
    return surplus.abs().sum() / len(y)


def fit_temperature(logits, y):
    # golden section over log T
    z = logits.double()

    def loss(t):
        return torch.nn.functional.cross_entropy(z / 10.0 ** t, y).item()

    g = (5 ** 0.5 - 1) / 2
    low, high = -1.0, 1.0
    while high - low > 1e-6:
        a, b = high - g * (high - low), low + g * (high - low)
        if loss(a) < loss(b):
            high = b
        else:
            low = a
    return torch.tensor(10.0 ** ((low + high) / 2))
""",
    "11.6": """
ill, healthy = 100, 9_900
found, alarms = 60, 170
missed = ill - found
nobody = healthy / (ill + healthy)
assert missed == 40 and nobody == 0.99
answer_11_6 = "d"
""",
    "11.7": """
def difference_interval(metric, y, a, b, draws, generator):
    def gap(rows):
        return float(metric(y[rows], b[rows])) - float(metric(y[rows], a[rows]))

    n = len(y)
    gaps = sorted(gap(rows) for rows in torch.randint(n, (draws, n), generator=generator))

    def quantile(share):
        place = share * (draws - 1)
        k = min(int(place), draws - 2) if draws > 1 else 0
        above = gaps[min(k + 1, draws - 1)]
        return gaps[k] + (place - k) * (above - gaps[k])

    return gap(torch.arange(n)), quantile(0.025), quantile(0.975)
""",
    "11.8": """
def newton(Z, y, decay):
    # logistic regression with a weight decay in the sum over the patients; the bias pays nothing
    A = torch.cat([Z, torch.ones(len(Z), 1, dtype=Z.dtype)], dim=1)
    pay = torch.full((A.shape[1],), decay, dtype=Z.dtype)
    pay[-1] = 1e-6
    w = torch.zeros(A.shape[1], dtype=Z.dtype)
    for _ in range(25):
        p = torch.sigmoid(A @ w)
        slope = A.T @ (p - y) + pay * w
        bend = (A * (p * (1 - p))[:, None]).T @ A + torch.diag(pay)
        w = w - torch.linalg.solve(bend, slope)
    return w


def judge(Z, w):
    return Z @ w[:-1] + w[-1]


def decide(X, y, X_new):
    logs = lambda M: torch.log(M.double().clamp(min=0) + 1e-3)
    mean, std = logs(X).mean(0), logs(X).std(0)
    Z, Z_new = (logs(X) - mean) / std, (logs(X_new) - mean) / std
    t = y.double()
    fold = torch.empty(len(y), dtype=torch.long)
    for c in (0, 1):
        rows = (y == c).nonzero().flatten()
        fold[rows] = torch.arange(len(rows)) % 10
    held = torch.empty(len(y), dtype=torch.float64)
    for k in range(10):
        held[fold == k] = judge(Z[fold == k], newton(Z[fold != k], t[fold != k], 2.0))
    # how steep the held-out scores really are: a temperature and a shift from the folds
    two = newton(held[:, None], t, 0.01)
    p = torch.sigmoid(judge(judge(Z_new, newton(Z, t, 2.0))[:, None], two))
    return (p >= 1 / 11).long()
""",
}

NET = """
import torch.nn as nn

def standard(X, X_new):
    mean, std = X.mean(0), X.std(0)
    return (X - mean) / std, (X_new - mean) / std
"""

WRONG = {
    "11.5": [
        Wrong(
            "believes that the confidence is the share of the true class",
            """
def calibration_error(p, y, bins):
    conf = p.gather(1, y.view(-1, 1)).squeeze(1)
    right = (p.argmax(1) == y).float()
    edges = torch.linspace(0, 1, bins + 1)
    ece = torch.zeros(())
    for lo, hi in zip(edges[:-1], edges[1:]):
        inside = (conf > lo) & (conf <= hi)
        if inside.any():
            ece += inside.float().mean() * (right[inside].mean() - conf[inside].mean()).abs()
    return ece


def fit_temperature(logits, y):
    t = torch.logspace(-1, 1, 2001)
    losses = torch.stack([torch.nn.functional.cross_entropy(logits / k, y) for k in t])
    return t[losses.argmin()]
""",
            "the confidence is the largest share in the row, right or not",
        ),
        Wrong(
            "believes that every bin counts the same",
            """
def calibration_error(p, y, bins):
    conf, pred = p.max(dim=1)
    right = (pred == y).float()
    index = torch.ceil(conf * bins).long() - 1
    gaps = []
    for b in range(bins):
        inside = index == b
        if inside.sum() > 0:
            gaps.append((right[inside].mean() - conf[inside].mean()).abs())
    return torch.stack(gaps).mean()


def fit_temperature(logits, y):
    lo, hi = 0.1, 10.0
    loss = lambda T: torch.nn.functional.cross_entropy(logits.double() / T, y)
    for _ in range(200):
        a, b = lo + (hi - lo) / 3, hi - (hi - lo) / 3
        if loss(a) < loss(b):
            hi = b
        else:
            lo = a
    return torch.tensor((lo + hi) / 2)
""",
            "each bin weighs as many answers as it holds, n_b / N",
        ),
        Wrong(
            "takes the lower edge into the bin, as Python counts",
            """
def calibration_error(p, y, bins):
    conf, pred = p.max(dim=1)
    right = (pred == y).to(p.dtype)
    which = (conf * bins).long().clamp(max=bins - 1)
    total = 0.0
    for b in which.unique():
        m = which == b
        total += m.sum() / len(y) * (right[m].mean() - conf[m].mean()).abs()
    return total


def fit_temperature(logits, y):
    log_t = torch.zeros((), dtype=torch.float64, requires_grad=True)
    opt = torch.optim.LBFGS([log_t], max_iter=200, line_search_fn="strong_wolfe", tolerance_grad=1e-12)
    def closure():
        opt.zero_grad()
        loss = torch.nn.functional.cross_entropy(logits.double() / log_t.exp(), y)
        loss.backward()
        return loss
    opt.step(closure)
    return log_t.detach().exp()
""",
            "a confidence on an edge belongs to the lower bin",
        ),
        Wrong(
            "looks for the temperature with the smallest calibration error",
            """
def calibration_error(p, y, bins):
    conf, pred = p.max(1)
    ok = (pred == y).double()
    conf = conf.double()
    ece = 0.0
    for b in range(bins):
        inside = (conf > b / bins) & (conf <= (b + 1) / bins)
        if inside.any():
            ece = ece + inside.sum() / len(y) * abs(ok[inside].mean() - conf[inside].mean())
    return torch.as_tensor(ece)


def fit_temperature(logits, y):
    ts = torch.logspace(-1, 1, 400)
    errors = torch.stack([calibration_error((logits / t).softmax(1), y, 15) for t in ts])
    return ts[errors.argmin()]
""",
            "asked for is the lowest mean cross-entropy, not the lowest calibration error",
        ),
        Wrong(
            "believes that models are always too sure of themselves, and looks above 1 only",
            """
def calibration_error(p, y, bins):
    conf, pred = p.max(dim=1)
    right = pred.eq(y).double()
    which = torch.ceil(conf.double() * bins).long().clamp(1, bins) - 1
    gap = torch.zeros(bins, dtype=torch.double)
    gap.index_add_(0, which, right - conf.double())
    return gap.abs().sum() / len(y)


def fit_temperature(logits, y):
    ts = torch.logspace(0, 1, 1201, dtype=torch.float64)
    losses = [torch.nn.functional.cross_entropy(logits.double() / t, y).item() for t in ts]
    return ts[losses.index(min(losses))]
""",
            "a model that is not sure enough has a T below 1: right on the example, wrong there",
        ),
        Wrong(
            "multiplies by the temperature, and leaves the absolute value until the end",
            """
def calibration_error(p, y, bins):
    conf, pred = p.max(dim=1)
    right = (pred == y).float()
    edges = torch.linspace(0, 1, bins + 1)
    total = torch.tensor(0.0)
    for i in range(bins):
        inside = (conf > edges[i]) & (conf <= edges[i + 1])
        if inside.any():
            total += inside.float().mean() * (right[inside].mean() - conf[inside].mean())
    return total.abs()


def fit_temperature(logits, y):
    ts = torch.logspace(-1, 1, 2001)
    losses = torch.stack([torch.nn.functional.cross_entropy(logits * t, y) for t in ts])
    return ts[losses.argmin()]
""",
            "softmax(logits / T); and gaps of different signs must not cancel: the absolute value of each bin",
        ),
    ],
    "11.6": [
        Wrong(
            "believes that accuracy is what is right among the ill",
            'answer_11_6 = "a"\n',
            "accuracy is over all, and almost all are healthy",
        ),
        Wrong(
            "believes that a less accurate test has no worth",
            'answer_11_6 = "b"\n',
            "it finds 60 ill people, nobody-is-ill finds none",
        ),
        Wrong(
            "takes the specificity for the precision",
            'answer_11_6 = "c"\n',
            "110 of 170 alarms are false: 0.989 is of the healthy",
        ),
        Wrong(
            "believes that two high numbers confirm each other",
            'answer_11_6 = "e"\n',
            "both are ruled by the 9,900 healthy",
        ),
        Wrong(
            "believes that two of the five hold", 'answer_11_6 = "cd"\n', "one letter is wanted, and c does not hold"
        ),
        Wrong(
            "gives the recall in place of a letter",
            "answer_11_6 = 60 / 100\n",
            "one letter is wanted",
        ),
    ],
    "11.7": [
        Wrong(
            "draws for each model by itself, as two samples",
            """
def difference_interval(metric, y, a, b, draws, generator):
    n = len(y)
    diffs = []
    for _ in range(draws):
        i = torch.randint(0, n, (n,), generator=generator)
        j = torch.randint(0, n, (n,), generator=generator)
        diffs.append(float(metric(y[j], b[j])) - float(metric(y[i], a[i])))
    d = torch.tensor(diffs)
    diff = float(metric(y, b)) - float(metric(y, a))
    return diff, torch.quantile(d, 0.025).item(), torch.quantile(d, 0.975).item()
""",
            "both models are asked about the same draw",
        ),
        Wrong(
            "takes twice the standard deviation to both sides",
            """
def difference_interval(metric, y, a, b, draws, generator):
    n = len(y)
    diff = float(metric(y, b) - metric(y, a))
    ds = torch.empty(draws)
    for k in range(draws):
        rows = torch.randint(n, (n,), generator=generator)
        ds[k] = metric(y[rows], b[rows]) - metric(y[rows], a[rows])
    half = 1.96 * ds.std().item()
    return diff, diff - half, diff + half
""",
            "the ends are quantiles of the differences themselves",
        ),
        Wrong(
            "takes a permutation for a draw",
            """
def difference_interval(metric, y, a, b, draws, generator):
    n = len(y)
    diffs = []
    for _ in range(draws):
        rows = torch.randperm(n, generator=generator)[: max(1, int(0.8 * n))]
        diffs.append(float(metric(y[rows], b[rows])) - float(metric(y[rows], a[rows])))
    q = torch.quantile(torch.tensor(diffs), torch.tensor([0.025, 0.975]))
    return float(metric(y, b)) - float(metric(y, a)), q[0].item(), q[1].item()
""",
            "a draw holds N rows, with replacement",
        ),
        Wrong(
            "takes a confidence of 95 percent for five percent on each side",
            """
def difference_interval(metric, y, a, b, draws, generator):
    n = len(y)
    alpha = 0.05
    rows = torch.randint(0, n, (draws, n), generator=generator)
    d = torch.tensor([float(metric(y[r], b[r])) - float(metric(y[r], a[r])) for r in rows], dtype=torch.float64)
    point = float(metric(y, b)) - float(metric(y, a))
    return point, d.quantile(alpha).item(), d.quantile(1 - alpha).item()
""",
            "of 95 percent 2.5 are left out on each side",
        ),
        Wrong(
            "believes that each metric is a mean, and asks it for each patient once",
            """
def difference_interval(metric, y, a, b, draws, generator):
    n = len(y)
    each = torch.tensor([float(metric(y[i:i + 1], b[i:i + 1])) - float(metric(y[i:i + 1], a[i:i + 1])) for i in range(n)],
                        dtype=torch.float64)
    rows = torch.randint(0, n, (draws, n), generator=generator)
    means = each[rows].mean(dim=1)
    return each.mean().item(), means.quantile(0.025).item(), means.quantile(0.975).item()
""",
            "a metric is not always a mean: it is called on each draw; right on the example",
        ),
        Wrong(
            "takes a less b, and the mean of the draws for the difference",
            """
def difference_interval(metric, y, a, b, draws, generator):
    n = len(y)
    diffs = []
    for _ in range(draws):
        rows = torch.randint(n, size=(n,), generator=generator)
        diffs.append(float(metric(y[rows], a[rows])) - float(metric(y[rows], b[rows])))
    diffs = torch.tensor(diffs)
    low, high = diffs.quantile(0.025), diffs.quantile(0.975)
    return diffs.mean().item(), low.item(), high.item()
""",
            "b less a; and the difference is the one on all patients as they are",
        ),
    ],
    "11.8": [
        Wrong(
            "takes the line at one half, because the network says a chance",
            NET
            + """
def decide(X, y, X_new):
    torch.manual_seed(0)
    Z, Z_new = standard(X, X_new)
    net = nn.Linear(30, 1)
    opt = torch.optim.Adam(net.parameters(), lr=0.05, weight_decay=0.003)
    for _ in range(200):
        opt.zero_grad()
        nn.functional.binary_cross_entropy_with_logits(net(Z).squeeze(1), y.float()).backward()
        opt.step()
    with torch.no_grad():
        return (torch.sigmoid(net(Z_new)).squeeze(1) >= 0.5).long()
""",
            "a miss costs ten times as much: the line belongs far below one half",
        ),
        Wrong(
            "believes that new patients are standardised with their own numbers",
            NET
            + """
def decide(X, y, X_new):
    torch.manual_seed(0)
    Z = (X - X.mean(0)) / X.std(0)
    Z_new = (X_new - X_new.mean(0)) / X_new.std(0)
    net = nn.Linear(30, 1)
    opt = torch.optim.Adam(net.parameters(), lr=0.05, weight_decay=0.003)
    for _ in range(200):
        opt.zero_grad()
        nn.functional.binary_cross_entropy_with_logits(net(Z).squeeze(1), y.float()).backward()
        opt.step()
    with torch.no_grad():
        return (torch.sigmoid(net(Z_new)).squeeze(1) >= 0.1).long()
""",
            "what is said of a patient may not depend on the other rows: mean and spread of X",
        ),
        Wrong(
            "trusts a network that knows its patients by heart, with the line from the costs",
            NET
            + """
def decide(X, y, X_new):
    torch.manual_seed(1)
    Z, Z_new = standard(X, X_new)
    net = nn.Sequential(nn.Linear(30, 64), nn.ReLU(), nn.Linear(64, 1))
    opt = torch.optim.Adam(net.parameters(), lr=0.02)
    for _ in range(300):
        opt.zero_grad()
        nn.functional.binary_cross_entropy_with_logits(net(Z).squeeze(1), y.float()).backward()
        opt.step()
    with torch.no_grad():
        return (torch.sigmoid(net(Z_new)).squeeze(1) >= 1 / 11).long()
""",
            "an overfitted network is far too sure: its 0.001 is no chance of 0.001",
        ),
        Wrong(
            "feeds the measurements as they are",
            """
import torch.nn as nn

def decide(X, y, X_new):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(30, 16), nn.ReLU(), nn.Linear(16, 1))
    weight = torch.tensor(10.0)
    opt = torch.optim.SGD(net.parameters(), lr=0.01)
    for _ in range(200):
        opt.zero_grad()
        nn.functional.binary_cross_entropy_with_logits(net(X).squeeze(1), y.float(), pos_weight=weight).backward()
        opt.step()
    with torch.no_grad():
        return (net(X_new).squeeze(1) >= 0).long()
""",
            "columns of a thousand beside columns of a hundredth: standardise",
        ),
        Wrong(
            "chooses the line on the patients that the model learned from",
            NET
            + """
def decide(X, y, X_new):
    torch.manual_seed(0)
    Z, Z_new = standard(X, X_new)
    net = nn.Sequential(nn.Linear(30, 32), nn.ReLU(), nn.Linear(32, 1))
    opt = torch.optim.Adam(net.parameters(), lr=0.01)
    for _ in range(200):
        opt.zero_grad()
        nn.functional.binary_cross_entropy_with_logits(net(Z).squeeze(1), y.float()).backward()
        opt.step()
    with torch.no_grad():
        known = net(Z).squeeze(1)
        lines = known.unique().flip(0)
        cost = torch.stack([((known >= t) & (y == 0)).sum() + 10 * ((known < t) & (y == 1)).sum() for t in lines])
        return (net(Z_new).squeeze(1) >= lines[cost.argmin()]).long()
""",
            "on its own patients the model has no mistakes, so that the line says nothing: hold some back",
        ),
        Wrong(
            "weighs the miss twice, in the loss and in the line, and returns chances",
            NET
            + """
def decide(X, y, X_new):
    torch.manual_seed(0)
    Z, Z_new = standard(X, X_new)
    net = nn.Linear(30, 1)
    opt = torch.optim.Adam(net.parameters(), lr=0.05, weight_decay=0.003)
    weight = torch.tensor(10.0)
    for _ in range(200):
        opt.zero_grad()
        nn.functional.binary_cross_entropy_with_logits(net(Z).squeeze(1), y.float(), pos_weight=weight).backward()
        opt.step()
    with torch.no_grad():
        p = torch.sigmoid(net(Z_new)).squeeze(1)
        return torch.where(p >= 1 / 11, p, torch.zeros_like(p))
""",
            "whole numbers 0 and 1 are wanted; and one weight for a miss is enough",
        ),
    ],
}
