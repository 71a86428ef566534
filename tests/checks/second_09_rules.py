"""Chapter 9, exercises 1 to 4: ridge with a free bias, a step of the lasso, dropout, and when to stop."""

from __future__ import annotations

from second_wrong import Wrong

RIGHT = {
    "09.1": """
def ridge(X, Y, strength):
    # the price as further examples: each asks one weight to be 0, and none of them asks the bias for anything
    N, D = X.shape
    rows = torch.cat([X, torch.ones(N, 1, dtype=X.dtype)], dim=1).double()
    price = torch.cat([torch.eye(D), torch.zeros(D, 1)], dim=1).double() * strength**0.5
    wanted = torch.cat([Y.double(), torch.zeros(D, Y.shape[1]).double()])
    found = torch.linalg.lstsq(torch.cat([rows, price]), wanted).solution.to(X.dtype)
    return found[:D], found[D]
""",
    "09.2": """
def lasso_step(w, b, X, y, lr, strength):
    # the bias is a weight of a column of ones, with a threshold of 0 of its own
    A = torch.cat([X, torch.ones_like(y)[:, None]], dim=1)
    both = torch.cat([w, b.reshape(1)])
    a = both - lr * ((A @ both - y)[:, None] * A).mean(dim=0)
    t = torch.full_like(a, lr * strength)
    t[-1] = 0.0
    new = torch.relu(a - t) - torch.relu(-a - t)
    return new[:-1], new[-1]
""",
    "09.3": """
def drop(h, u, p, training):
    if not training:
        return h.clone()
    stays = u.ge(p)
    return torch.zeros_like(h).masked_scatter(stays, h[stays] / (1 - p))
""",
    "09.4": """
class Stopper:
    def __init__(self, patience, min_delta, mode):
        self.patience, self.min_delta = patience, min_delta
        self.sign = {"min": -1, "max": 1}[mode]
        self.scores = []
        self.best_epoch, self.weights = None, []

    def look(self, value, weights):
        self.scores.append(self.sign * value)
        now = len(self.scores) - 1
        if self.beats(self.scores[now]):
            self.best_epoch = now
            self.weights = [w.detach().clone() for w in weights]
        since = now + 1 if self.best_epoch is None else now - self.best_epoch
        return since >= self.patience

    def beats(self, score):
        if score != score:
            return False
        return self.best_epoch is None or score - self.scores[self.best_epoch] > self.min_delta
""",
}

WRONG = {
    "09.1": [
        Wrong(
            "lets the bias pay: a column of ones, and the whole diagonal",
            """
def ridge(X, Y, strength):
    ones = torch.ones(X.shape[0], 1, dtype=X.dtype)
    A = torch.cat([X, ones], dim=1)
    I = torch.eye(A.shape[1], dtype=X.dtype)
    W = torch.linalg.solve(A.T @ A + strength * I, A.T @ Y)
    return W[:-1], W[-1]
""",
            "the last entry of the diagonal belongs to the bias, and it costs nothing",
        ),
        Wrong(
            "takes the mean of the squared errors and not their sum",
            """
def ridge(X, Y, strength):
    n = len(X)
    mx, my = X.mean(dim=0), Y.mean(dim=0)
    Xc, Yc = X - mx, Y - my
    cov = Xc.T @ Xc / n
    W = torch.linalg.solve(cov + strength * torch.eye(X.shape[1], dtype=X.dtype), Xc.T @ Yc / n)
    return W, my - mx @ W
""",
            "the errors are added up: divided by N the strength counts N times as much",
        ),
        Wrong(
            "takes the mean of the targets for the bias",
            """
def ridge(X, Y, strength):
    x_mean, y_mean = X.mean(dim=0), Y.mean(dim=0)
    Xc, Yc = X - x_mean, Y - y_mean
    D = X.shape[1]
    W = torch.linalg.solve(Xc.T @ Xc + strength * torch.eye(D, dtype=X.dtype), Xc.T @ Yc)
    return W, y_mean
""",
            "the mean of the inputs has to come back too: mean of y minus mean of x times W",
        ),
        Wrong(
            "standardises the inputs before they pay",
            """
def ridge(X, Y, strength):
    mean, std = X.mean(dim=0), X.std(dim=0, unbiased=False)
    Z = (X - mean) / std
    Yc = Y - Y.mean(dim=0)
    W = torch.linalg.solve(Z.T @ Z + strength * torch.eye(Z.shape[1], dtype=X.dtype), Z.T @ Yc)
    W = W / std[:, None]
    return W, Y.mean(dim=0) - mean @ W
""",
            "divided by the spread the inputs have other weights, and these pay: only the mean is taken off",
        ),
        Wrong(
            "adds the strength to every entry of the matrix",
            """
def ridge(X, Y, strength):
    xm, ym = X.mean(0), Y.mean(0)
    A = (X - xm).T @ (X - xm) + strength
    W = torch.linalg.inv(A) @ (X - xm).T @ (Y - ym)
    return W, ym - xm @ W
""",
            "lambda times the identity stands on the diagonal only; with one input there is no other entry",
        ),
        Wrong(
            "fits the weights without a bias first, and lets each square pay in full",
            """
def ridge(X, Y, strength):
    W = torch.linalg.solve(X.T @ X + 2 * strength * torch.eye(X.shape[1], dtype=X.dtype), X.T @ Y)
    bias = (Y - X @ W).mean(dim=0)
    return W, bias
""",
            "take the means off before the weights are found; and half a square has the slope lambda W",
        ),
    ],
    "09.2": [
        Wrong(
            "goes down the slope of the price",
            """
def lasso_step(w, b, X, y, lr, strength):
    e = X @ w + b - y
    grad_w = X.T @ e / len(y) + strength * torch.sign(w)
    grad_b = e.mean()
    return w - lr * grad_w, b - lr * grad_b
""",
            "the slope of the price never arrives at 0: use the soft threshold after the plain step",
        ),
        Wrong(
            "takes the whole strength for the threshold",
            """
def lasso_step(w, b, X, y, lr, strength):
    err = X @ w + b - y
    a = w - lr * (X.T @ err) / X.shape[0]
    w_new = torch.sign(a) * torch.clamp(a.abs() - strength, min=0)
    return w_new, b - lr * err.mean()
""",
            "the threshold is rate times strength",
        ),
        Wrong(
            "lets the bias pay, too",
            """
def soft(a, t):
    return a.sign() * (a.abs() - t).clamp(min=0)

def lasso_step(w, b, X, y, lr, strength):
    err = X @ w + b - y
    a = w - lr * (err @ X) / len(X)
    c = b - lr * err.mean()
    return soft(a, lr * strength), soft(c, lr * strength)
""",
            "the threshold is for the weights alone",
        ),
        Wrong(
            "computes the bias's slope with the new weights",
            """
def lasso_step(w, b, X, y, lr, strength):
    n = len(y)
    a = w - lr * X.T @ (X @ w + b - y) / n
    w = torch.sign(a) * torch.relu(a.abs() - lr * strength)
    b = b - lr * (X @ w + b - y).mean()
    return w, b
""",
            "both slopes come from the same errors, those before the step",
        ),
        Wrong(
            "takes the sign of the weight before the step",
            """
def lasso_step(w, b, X, y, lr, strength):
    err = X @ w + b - y
    a = w - lr * X.T @ err / len(X)
    w_new = torch.sign(w) * torch.clamp(torch.abs(a) - lr * strength, min=0.0)
    b_new = b - lr * torch.mean(err)
    return w_new, b_new
""",
            "the sign is that of a: with that of w a weight of 0 stays 0 for ever",
        ),
        Wrong(
            "forgets to divide by the number of examples, and keeps whole what is above the threshold",
            """
def lasso_step(w, b, X, y, lr, strength):
    err = X @ w + b - y
    a = w - lr * X.T @ err
    w = torch.where(a.abs() > lr * strength, a, torch.zeros_like(a))
    return w, b - lr * err.sum()
""",
            "the loss is a mean; and a soft threshold makes every weight smaller",
        ),
    ],
    "09.3": [
        Wrong(
            "divides by p",
            """
def drop(h, u, p, training):
    if not training or p == 0:
        return h
    mask = (u >= p).to(h.dtype)
    return h * mask / p
""",
            "what stays is the share 1 - p: divide by that",
        ),
        Wrong(
            "drops at the upper end of u",
            """
def drop(h, u, p, training):
    if not training:
        return h
    if p == 1:
        return torch.zeros_like(h)
    keep = u < 1 - p
    return h * keep / (1 - p)
""",
            "as many are dropped, but others: below p is what is dropped",
        ),
        Wrong(
            "makes the numbers smaller in evaluation and leaves them in training",
            """
def drop(h, u, p, training):
    if training:
        return h * (u >= p)
    return h * (1 - p)
""",
            "that is the older form: here the training enlarges and the evaluation does nothing",
        ),
        Wrong(
            "draws its own chance",
            """
def drop(h, u, p, training):
    if not training:
        return h
    if p >= 1:
        return h * 0
    mask = torch.bernoulli(torch.full_like(h, 1 - p))
    return h * mask / (1 - p)
""",
            "the chance is handed in as u",
        ),
        Wrong(
            "goes through rows and columns",
            """
def drop(h, u, p, training):
    if not training:
        return h
    out = torch.zeros_like(h)
    for i in range(h.shape[0]):
        for j in range(h.shape[1]):
            if u[i, j] >= p:
                out[i, j] = h[i, j] / (1 - p)
    return out
""",
            "any shape is allowed: one axis, or four",
        ),
        Wrong(
            "writes into h, and drops what is equal to p as well",
            """
def drop(h, u, p, training):
    if training:
        h[u <= p] = 0
        if p < 1:
            h = h / (1 - p)
    return h
""",
            "leave h as it came; and dropped is what lies below p, without p itself",
        ),
    ],
    "09.4": [
        Wrong(
            "keeps the tensors and not copies",
            """
class Stopper:
    def __init__(self, patience, min_delta, mode):
        self.patience = patience
        self.min_delta = min_delta
        self.mode = mode
        self.best = None
        self.best_epoch = None
        self.weights = None
        self.epoch = -1
        self.bad = 0

    def look(self, value, weights):
        self.epoch += 1
        if self.best is None:
            better = value == value
        elif self.mode == "min":
            better = value < self.best - self.min_delta
        else:
            better = value > self.best + self.min_delta
        if better:
            self.best, self.best_epoch = value, self.epoch
            self.weights = list(weights)
            self.bad = 0
        else:
            self.bad += 1
        return self.bad >= self.patience
""",
            "list() makes a new list of the same tensors, and the training writes into them: clone each",
        ),
        Wrong(
            "counts what was no best in the whole training, not in a row",
            """
import math

class Stopper:
    def __init__(self, patience, min_delta, mode):
        self.patience, self.min_delta, self.mode = patience, min_delta, mode
        self.best, self.best_epoch, self.weights = None, None, None
        self.epoch, self.bad = 0, 0

    def look(self, value, weights):
        if self.is_better(value):
            self.best = value
            self.best_epoch = self.epoch
            self.weights = [w.clone() for w in weights]
        else:
            self.bad += 1
        self.epoch += 1
        return self.bad >= self.patience

    def is_better(self, value):
        if math.isnan(value):
            return False
        if self.best is None:
            return True
        if self.mode == "min":
            return value < self.best - self.min_delta
        return value > self.best + self.min_delta
""",
            "a new best sets the count back to 0",
        ),
        Wrong(
            "compares with the epoch before",
            """
import math

class Stopper:
    def __init__(self, patience, min_delta, mode):
        self.patience, self.min_delta, self.mode = patience, min_delta, mode
        self.last, self.best_epoch, self.weights = None, None, None
        self.epoch, self.wait = -1, 0

    def look(self, value, weights):
        self.epoch += 1
        if math.isnan(value):
            improved = False
        elif self.last is None:
            improved = True
        elif self.mode == "min":
            improved = value < self.last - self.min_delta
        else:
            improved = value > self.last + self.min_delta
        if not math.isnan(value):
            self.last = value
        if improved:
            self.best_epoch = self.epoch
            self.weights = [w.clone() for w in weights]
            self.wait = 0
        else:
            self.wait += 1
        return self.wait >= self.patience
""",
            "the best so far has to be beaten, not the value before",
        ),
        Wrong(
            "stops one epoch too late",
            """
class Stopper:
    def __init__(self, patience, min_delta, mode):
        self.patience, self.min_delta, self.mode = patience, min_delta, mode
        self.best = None
        self.best_epoch = None
        self.weights = None
        self.epoch = 0
        self.wait = 0

    def look(self, value, weights):
        value = float(value) if self.mode == "min" else -float(value)
        if (self.best is None and value == value) or (self.best is not None and value < self.best - self.min_delta):
            self.best = value
            self.best_epoch = self.epoch
            self.weights = [w.detach().clone() for w in weights]
            self.wait = 0
        else:
            self.wait += 1
        self.epoch += 1
        return self.wait > self.patience
""",
            "with patience values in a row it is over: at least, not more than",
        ),
        Wrong(
            "takes every lower value for the best, and asks for min_delta only when it counts",
            """
import math

class Stopper:
    def __init__(self, patience, min_delta, mode):
        self.patience, self.min_delta = patience, min_delta
        self.sign = 1 if mode == "min" else -1
        self.best, self.best_epoch, self.weights = None, None, None
        self.epoch, self.wait = -1, 0

    def look(self, value, weights):
        self.epoch += 1
        value = self.sign * value
        if math.isnan(value):
            self.wait += 1
            return self.wait >= self.patience
        if self.best is None or value < self.best - self.min_delta:
            self.wait = 0
        else:
            self.wait += 1
        if self.best is None or value < self.best:
            self.best, self.best_epoch = value, self.epoch
            self.weights = [w.clone() for w in weights]
        return self.wait >= self.patience
""",
            "a small gain is no new best: the mark to be beaten stays where it is",
        ),
        Wrong(
            "takes nan for a best, and an equal value as well",
            """
class Stopper:
    def __init__(self, patience, min_delta, mode):
        self.patience, self.min_delta, self.mode = patience, min_delta, mode
        self.best = float("inf") if mode == "min" else -float("inf")
        self.best_epoch, self.weights = None, []
        self.epoch, self.wait = 0, 0

    def look(self, value, weights):
        if self.mode == "min":
            worse = value > self.best - self.min_delta
        else:
            worse = value < self.best + self.min_delta
        if worse:
            self.wait += 1
        else:
            self.best, self.best_epoch, self.wait = value, self.epoch, 0
            self.weights = [w.clone() for w in weights]
        self.epoch += 1
        return self.wait >= self.patience
""",
            "every comparison with nan is False, so it is not worse; and by more than min_delta means not equal",
        ),
    ],
}
