"""Chapter 5, exercises 5 to 7: an operation backwards, a gradient checked, a network trained without autograd."""

from __future__ import annotations

from second_wrong import Wrong

RIGHT = {
    "05.5": """
def way_back(x, g):
    length = x.square().sum(dim=1).sqrt()
    y = x / length[:, None]
    table = torch.eye(x.shape[1], dtype=x.dtype) - y[:, :, None] * y[:, None, :]
    return torch.einsum("bi,bij->bj", g, table) / length[:, None]
""",
    "05.6": """
def largest_gap(f, x, claimed):
    eps = 1e-5
    quotients = []
    for j in range(x.numel()):
        nudge = torch.zeros(x.numel(), dtype=x.dtype)
        nudge[j] = eps
        nudge = nudge.reshape(x.shape)
        quotients.append((f(x + nudge) - f(x - nudge)) / (2 * eps))
    q = torch.stack(quotients)
    gap = (q - claimed.to(q.dtype).reshape(-1)).abs().max()
    return gap / q.abs().max().clamp(min=1)
""",
    "05.7": """
import numpy as np

def train_by_hand(X, y):
    rng = np.random.default_rng(7)
    P = (X.numpy().astype(float) - 8) / 8
    wanted = np.eye(10)[y.numpy()]
    P, wanted = np.concatenate([P, -P]), np.concatenate([wanted, wanted])   # each picture also exchanged
    theta = [rng.normal(size=(32, 64)) * np.sqrt(2 / 64), np.zeros(32), rng.normal(size=(10, 32)) / 6, np.zeros(10)]
    speed = [np.zeros_like(p) for p in theta]
    for epoch in range(30):
        for rows in np.array_split(rng.permutation(len(P)), len(P) // 64):
            W, b, V, c = theta
            s = P[rows] @ W.T + b
            h = np.maximum(s, 0)
            z = h @ V.T + c
            p = np.exp(z - z.max(axis=1, keepdims=True))
            dz = (p / p.sum(axis=1, keepdims=True) - wanted[rows]) / len(rows)
            ds = (dz @ V) * (s > 0)
            slopes = [ds.T @ P[rows], ds.sum(axis=0), dz.T @ h, dz.sum(axis=0)]
            for k in range(4):
                speed[k] = 0.9 * speed[k] + slopes[k]
                theta[k] = theta[k] - 0.05 * speed[k]
    W, b, V, c = theta
    return tuple(torch.tensor(p, dtype=torch.float32) for p in (W / 8, b - W.sum(axis=1), V, c))
""",
}

WRONG = {
    "05.5": [
        Wrong(
            "takes the length for a constant",
            """
def way_back(x, g):
    n = x.norm(dim=1, keepdim=True)
    # y = x / n, so every slope is 1 / n
    return g / n
""",
            "the length changes with every entry of the row: a second way is left out",
        ),
        Wrong(
            "takes the length of the whole table",
            """
def way_back(x, g):
    length = torch.sqrt((x ** 2).sum())
    y = x / length
    inner = (g * y).sum(dim=1, keepdim=True)
    return (g - inner * y) / length
""",
            "each row has a length of its own",
        ),
        Wrong(
            "forgets the root when it derives the length",
            """
def way_back(x, g):
    n = torch.linalg.norm(x, dim=1, keepdim=True)
    by_n = -(g * x).sum(dim=1, keepdim=True) / n ** 2
    n_by_x = 2 * x
    return g / n + by_n * n_by_x
""",
            "the slope of the length by an entry is x / length; 2 x is that of the square",
        ),
        Wrong(
            "lets each entry count for its own result only",
            """
def way_back(x, g):
    out = torch.zeros_like(x)
    for i in range(x.shape[0]):
        n = x[i].norm()
        for j in range(x.shape[1]):
            own = 1 / n - x[i, j] ** 2 / n ** 3
            out[i, j] = g[i, j] * own
    return out
""",
            "x_j enters every y_i over the length: the sum over the results is missing",
        ),
        Wrong(
            "adds over the whole batch where it should add within the row",
            """
import numpy as np

def way_back(x, g):
    a, up = x.numpy(), g.numpy()
    n = np.sqrt((a * a).sum(axis=1, keepdims=True))
    y = a / n
    return torch.from_numpy((up - y * np.sum(up * y)) / n)
""",
            "the rows have nothing to do with each other; with one row, as in the example, it is the same",
        ),
        Wrong(
            "adds what should be taken off, and does not divide by the length",
            """
def way_back(x, g):
    y = x / x.norm(dim=-1, keepdim=True)
    along = (g * y).sum(dim=-1, keepdim=True)
    return g + along * y
""",
            "a longer x makes y smaller, so the second way has a minus; and both ways are divided by the length",
        ),
    ],
    "05.6": [
        Wrong(
            "takes the one-sided quotient",
            """
def largest_gap(f, x, claimed):
    eps = 1e-5
    q = torch.zeros_like(x)
    here = f(x)
    for j in range(x.numel()):
        moved = x.clone()
        moved.view(-1)[j] += eps
        q.view(-1)[j] = (f(moved) - here) / eps
    return (q - claimed).abs().max() / max(1.0, q.abs().max().item())
""",
            "the one-sided quotient misses by half of the bend times the step: take both sides",
        ),
        Wrong(
            "believes that the smallest step is the best",
            """
def largest_gap(f, x, claimed):
    eps = 1e-12
    q = []
    for j in range(x.numel()):
        e = torch.zeros(x.numel(), dtype=torch.float64)
        e[j] = eps
        e = e.reshape(x.shape)
        q.append(((f(x + e) - f(x - e)) / (2 * eps)).item())
    q = torch.tensor(q, dtype=torch.float64).reshape(x.shape)
    return ((q - claimed).abs().max() / q.abs().max().clamp(min=1.0)).item()
""",
            "the rounding of f is divided by the step: at 1e-12 few digits are left",
        ),
        Wrong(
            "compares entry by entry and takes the largest share",
            """
def largest_gap(f, x, claimed):
    eps = 1e-5
    worst = 0.0
    for j in range(x.numel()):
        e = torch.zeros_like(x).flatten()
        e[j] = eps
        e = e.reshape(x.shape)
        q = ((f(x + e) - f(x - e)) / (2 * eps)).item()
        gap = abs(q - claimed.flatten()[j].item())
        worst = max(worst, gap / max(1.0, abs(q)))
    return worst
""",
            "the largest gap is divided by the largest quotient of all, not each by its own",
        ),
        Wrong(
            "nudges x itself and nudges it back",
            """
def largest_gap(f, x, claimed):
    eps = 1e-5
    flat = x.view(-1)
    q = torch.zeros_like(flat)
    for j in range(len(flat)):
        flat[j] += eps
        up = f(x).item()
        flat[j] -= 2 * eps
        down = f(x).item()
        flat[j] += eps
        q[j] = (up - down) / (2 * eps)
    gaps = (q - claimed.reshape(-1)).abs()
    return gaps.max() / torch.clamp(q.abs().max(), min=1)
""",
            "plus and minus a step do not cancel to the last digit: work on a copy, or put the old number back",
        ),
        Wrong(
            "goes over len(x), as if x had one axis",
            """
def largest_gap(f, x, claimed):
    eps = 1e-5
    gaps, sizes = [], [1.0]
    for j in range(len(x)):
        up, down = x.clone(), x.clone()
        up[j] += eps
        down[j] -= eps
        q = (f(up) - f(down)) / (2 * eps)
        gaps.append((q - claimed[j]).abs().max().item())
        sizes.append(abs(q.item()))
    return max(gaps) / max(sizes)
""",
            "with two axes x[j] is a row, whose entries are all nudged at once; with none it has no length",
        ),
        Wrong(
            "brings x to the claim's precision, and divides by the largest quotient even if it is small",
            """
def largest_gap(f, x, claimed):
    x = x.to(claimed.dtype)
    eps = 1e-5
    q = torch.zeros_like(x).reshape(-1)
    for j in range(x.numel()):
        e = torch.zeros_like(q)
        e[j] = eps
        e = e.reshape(x.shape)
        q[j] = (f(x + e) - f(x - e)) / (2 * eps)
    return (q - claimed.reshape(-1)).abs().max() / q.abs().max()
""",
            "in float32 a step of 1e-5 is lost in the rounding; below the line stands at least 1",
        ),
    ],
    "05.7": [
        Wrong(
            "returns weights for the pixels that it trained with",
            """
def train_by_hand(X, y):
    g = torch.Generator().manual_seed(0)
    X = (X - X.mean(dim=0)) / (X.std(dim=0) + 0.1)
    T = torch.nn.functional.one_hot(y, 10).float()
    W1, b1 = torch.randn(32, 64, generator=g) / 6, torch.zeros(32)
    W2, b2 = torch.randn(10, 32, generator=g) / 6, torch.zeros(10)
    for epoch in range(60):
        for rows in torch.randperm(len(X), generator=g).split(32):
            x = X[rows]
            s = x @ W1.T + b1
            h = s.relu()
            dz = (torch.softmax(h @ W2.T + b2, dim=1) - T[rows]) / len(rows)
            ds = (dz @ W2) * (s > 0)
            W2 -= 0.1 * dz.T @ h
            b2 -= 0.1 * dz.sum(0)
            W1 -= 0.1 * ds.T @ x
            b1 -= 0.1 * ds.sum(0)
    return W1, b1, W2, b2
""",
            "the check puts raw pixels in: mean and spread have to go into W1 and b1",
        ),
        Wrong(
            "believes that ReLU has the slope 1 everywhere",
            """
def train_by_hand(X, y):
    torch.manual_seed(1)
    target = torch.eye(10)[y]
    W1, b1, W2, b2 = torch.randn(32, 64) * 0.15, torch.zeros(32), torch.randn(10, 32) * 0.15, torch.zeros(10)
    A = X / 8 - 1
    for step in range(3000):
        pick = torch.randint(len(A), (64,))
        x, t = A[pick], target[pick]
        h = (x @ W1.T + b1).clamp(min=0)
        dz = (torch.softmax(h @ W2.T + b2, 1) - t) / 64
        dh = dz @ W2
        W1, b1 = W1 - 0.1 * dh.T @ x, b1 - 0.1 * dh.sum(0)
        W2, b2 = W2 - 0.1 * dz.T @ h, b2 - 0.1 * dz.sum(0)
    return W1 / 8, b1 - W1.sum(1), W2, b2
""",
            "what comes back to a unit that was off has to stop there: times (s > 0)",
        ),
        Wrong(
            "starts all weights at 0",
            """
class Net:
    def __init__(self):
        self.W1, self.b1 = torch.zeros(32, 64), torch.zeros(32)
        self.W2, self.b2 = torch.zeros(10, 32), torch.zeros(10)

    def step(self, x, t, lr):
        s = x @ self.W1.T + self.b1
        h = torch.relu(s)
        z = h @ self.W2.T + self.b2
        dz = (z.softmax(dim=1) - t) / len(x)
        ds = (dz @ self.W2) * (s > 0)
        self.W2 = self.W2 - lr * dz.T @ h
        self.b2 = self.b2 - lr * dz.sum(dim=0)
        self.W1 = self.W1 - lr * ds.T @ x
        self.b1 = self.b1 - lr * ds.sum(dim=0)

def train_by_hand(X, y):
    net, t = Net(), torch.nn.functional.one_hot(y, 10).float()
    for epoch in range(30):
        for k in range(0, len(X), 64):
            net.step(X[k:k + 64] / 16, t[k:k + 64], lr=0.2)
    return net.W1 / 16, net.b1, net.W2, net.b2
""",
            "hidden units at 0 send nothing and get no slope: only the last bias learns; draw W1 and W2 by chance",
        ),
        Wrong(
            "adds the slopes over the batch and keeps the rate of a mean",
            """
import numpy as np

def train_by_hand(X, y):
    rng = np.random.default_rng(0)
    A, t = X.numpy() / 16.0 - 0.5, np.eye(10)[y.numpy()]
    W1, b1 = rng.normal(0, 0.18, (32, 64)), np.zeros(32)
    W2, b2 = rng.normal(0, 0.18, (10, 32)), np.zeros(10)
    for epoch in range(40):
        order = rng.permutation(len(A))
        for k in range(0, len(A), 100):
            x, want = A[order[k:k + 100]], t[order[k:k + 100]]
            s = x @ W1.T + b1
            h = s * (s > 0)
            z = h @ W2.T + b2
            e = np.exp(z - z.max(1, keepdims=True))
            dz = e / e.sum(1, keepdims=True) - want
            ds = dz @ W2 * (s > 0)
            W1, b1 = W1 - 0.5 * ds.T @ x, b1 - 0.5 * ds.sum(0)
            W2, b2 = W2 - 0.5 * dz.T @ h, b2 - 0.5 * dz.sum(0)
    b1 = b1 - 0.5 * W1.sum(1)
    return tuple(torch.tensor(a, dtype=torch.float32) for a in (W1 / 16, b1, W2, b2))
""",
            "not divided by the batch the steps are a hundred times as long: the weights run away to nan",
        ),
        Wrong(
            "turns the exchanged pictures back before it trains",
            """
def train_by_hand(X, y):
    torch.manual_seed(0)
    exchanged = X.mean(dim=1) > 8
    X = torch.where(exchanged[:, None], 16 - X, X) / 16
    t = torch.nn.functional.one_hot(y, 10)
    W1, b1 = torch.randn(32, 64) / 5, torch.zeros(32)
    W2, b2 = torch.randn(10, 32) / 5, torch.zeros(10)
    for epoch in range(40):
        for rows in torch.randperm(len(X)).split(64):
            s = X[rows] @ W1.T + b1
            h = s.relu()
            dz = ((h @ W2.T + b2).softmax(1) - t[rows]) / len(rows)
            dh = dz @ W2
            dh[s <= 0] = 0
            W2 -= 0.3 * dz.T @ h
            b2 -= 0.3 * dz.sum(0)
            W1 -= 0.3 * dh.T @ X[rows]
            b1 -= 0.3 * dh.sum(0)
    return W1 / 16, b1, W2, b2
""",
            "right on the pictures it made for itself; half of those of the check are exchanged, and it never saw one",
        ),
        Wrong(
            "takes 100 steps in all, and shifts by the mean without dividing it by the spread",
            """
def train_by_hand(X, y):
    torch.manual_seed(3)
    m, s = X.mean(), X.std()
    Z, t = (X - m) / s, torch.eye(10)[y]
    W1, b1 = torch.randn(32, 64) * 0.18, torch.zeros(32)
    W2, b2 = torch.randn(10, 32) * 0.18, torch.zeros(10)
    for step in range(100):
        a = Z @ W1.T + b1
        h = torch.relu(a)
        dz = (torch.softmax(h @ W2.T + b2, dim=1) - t) / len(Z)
        da = (dz @ W2) * (a > 0).float()
        W1, b1, W2, b2 = (
            p - 0.1 * d for p, d in zip((W1, b1, W2, b2), (da.T @ Z, da.sum(0), dz.T @ h, dz.sum(0)))
        )
    return W1 / s, b1 - (W1 * m).sum(1), W2, b2
""",
            "W1 (x - m) / s takes W1 m / s off the bias; and 100 steps at 0.1 are far too few",
        ),
    ],
}
