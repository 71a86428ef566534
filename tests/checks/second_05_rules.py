"""Chapter 5, exercises 1 to 4: a chain, a layer and a repetition backwards, and one sweep through a graph."""

from __future__ import annotations

from second_wrong import Wrong

RIGHT = {
    "05.1": """
import math

def chain_slopes(w, b, x, t):
    h = math.tanh(w * x + b)
    by_u = 2 * (h - t) * (1 + h) * (1 - h)
    return by_u * x, by_u, by_u * w
""",
    "05.2": """
def layer_back(X, W, G):
    by_X = torch.einsum("ik,kd->id", G, W)
    by_W = torch.einsum("ik,id->kd", G, X)
    by_b = torch.einsum("ik->k", G)
    return by_X, by_W, by_b
""",
    "05.3": """
def fitted(slope, shape):
    lined_up = (1,) * (slope.ndim - len(shape)) + tuple(shape)
    for axis, size in enumerate(lined_up):
        if size == 1 and slope.shape[axis] != 1:
            slope = slope.sum(dim=axis, keepdim=True)
    return slope.reshape(shape)
""",
    "05.4": """
def sweep(parts, last):
    uses = {name: [] for name in parts}
    for name, made_from in parts.items():
        for part, slope in made_from:
            uses[part].append((name, slope))
    known = {last: 1.0}

    def find(name):
        if name not in known:
            total = 0.0
            for user, slope in uses[name]:
                total += slope * find(user)
            known[name] = total
        return known[name]

    return {name: find(name) for name in parts}
""",
}

WRONG = {
    "05.1": [
        Wrong(
            "gives to each what it is itself: w to the weight, x to the input",
            """
import math

def chain_slopes(w, b, x, t):
    u = w * x + b
    h = math.tanh(u)
    by_u = 2 * (h - t) * (1 - h ** 2)
    by_w = by_u * w
    by_b = by_u
    by_x = by_u * x
    return by_w, by_b, by_x
""",
            "in w x the slope by w is x, and the slope by x is w: the two are exchanged",
        ),
        Wrong(
            "puts what goes into the bend in its slope",
            """
import math

def chain_slopes(w, b, x, t):
    u = w * x + b
    L_by_h = 2 * (math.tanh(u) - t)
    h_by_u = 1 - u ** 2
    return tuple(L_by_h * h_by_u * last for last in (x, 1, w))
""",
            "the slope of tanh is 1 - h^2, with what comes out of it and not with u",
        ),
        Wrong(
            "believes that the bias, a constant, falls away with the derivative",
            """
import math

def chain_slopes(w, b, x, t):
    h = math.tanh(w * x)          # b is a constant, its derivative is 0
    slopes = [2 * (h - t), 1 - h * h]
    by_b = math.prod(slopes)
    return by_b * x, by_b, by_b * w
""",
            "the bias decides where on the bend we are: h has to be computed with it",
        ),
        Wrong(
            "writes the error as target minus output and forgets the inner minus",
            """
import math

def chain_slopes(w, b, x, t):
    h = math.tanh(w * x + b)
    error = t - h
    dL = 2 * error
    du = dL * (1 - h ** 2)
    return du * x, du, du * w
""",
            "the slope of (t - h)^2 by h is -2 (t - h): all three have the wrong sign",
        ),
        Wrong(
            "believes that the slope of a loss is always negative",
            """
import math

def chain_slopes(w, b, x, t):
    h = math.tanh(w * x + b)
    down = -2 * abs(h - t)          # the loss should go down
    down = down * (1 - h ** 2)
    return down * x, down, down * w
""",
            "where the output is above the target the slope by h is positive; the example has it below",
        ),
        Wrong(
            "uses the sigmoid's slope, and multiplies the bias's slope by the bias",
            """
import math

def chain_slopes(w, b, x, t):
    h = math.tanh(w * x + b)
    g = 2 * (h - t) * h * (1 - h)
    by_w = g * x
    by_b = g * b
    by_x = g * w
    return by_w, by_b, by_x
""",
            "tanh has the slope 1 - h^2, h (1 - h) is the sigmoid's; and u has the slope 1 by b",
        ),
    ],
    "05.2": [
        Wrong(
            "takes the mean over the batch",
            """
def layer_back(X, W, G):
    batch = X.shape[0]
    by_X = G @ W
    by_W = G.T @ X / batch
    by_b = G.mean(dim=0)
    return by_X, by_W, by_b
""",
            "where ways meet slopes are added; a mean of the loss is in G already",
        ),
        Wrong(
            "takes the rule of the chapter's engine, in which a weight matrix is (D, K)",
            """
def layer_back(X, W, G):
    by_X = torch.matmul(G, W)
    by_W = torch.matmul(X.T, G)
    return by_X, by_W, G.sum(0)
""",
            "by_W is (D, K), the transpose of what belongs to W of shape (K, D)",
        ),
        Wrong(
            "adds the slopes of the bias over the neurons",
            """
def layer_back(X, W, G):
    by_X = G @ W
    by_W = G.t() @ X
    by_b = G.sum(dim=1)
    return by_X, by_W, by_b
""",
            "the bias has one entry for each neuron and meets itself in the batch: add over axis 0",
        ),
        Wrong(
            "loops over everything and lets the last example win",
            """
def layer_back(X, W, G):
    B, D = X.shape
    K = W.shape[0]
    by_X, by_W, by_b = torch.zeros_like(X), torch.zeros_like(W), torch.zeros(K, dtype=G.dtype)
    for i in range(B):
        for k in range(K):
            by_b[k] += G[i, k]
            for d in range(D):
                by_X[i, d] += G[i, k] * W[k, d]
                by_W[k, d] = G[i, k] * X[i, d]
    return by_X, by_W, by_b
""",
            "= where += belongs: each weight keeps the share of the last example only",
        ),
        Wrong(
            "multiplies entry by entry, as the numbers of the example do",
            """
def layer_back(X, W, G):
    by_X = (G * W.T).sum(dim=1, keepdim=True)
    by_W = (G * X).sum(dim=0).unsqueeze(1)
    return by_X, by_W, G.sum(dim=0)
""",
            "it fits one input only; with D inputs matrix products are needed",
        ),
        Wrong(
            "leaves the batch's axis on the bias, and divides the weights' slope by the batch",
            """
def layer_back(X, W, G):
    by_X = torch.einsum("bk,kd->bd", G, W)
    by_W = torch.einsum("bk,bd->kd", G, X) / len(X)
    by_b = G.sum(dim=0, keepdim=True)
    return by_X, by_W, by_b
""",
            "by_b is (1, K) and belongs to a b of shape (K,); by_W is a mean where a sum is asked",
        ),
    ],
    "05.3": [
        Wrong(
            "lines shapes up flush left, and adds over the axes at the end",
            """
def fitted(slope, shape):
    while slope.ndim > len(shape):
        slope = slope.sum(dim=-1)
    for axis in range(len(shape)):
        if shape[axis] == 1:
            slope = slope.sum(dim=axis, keepdim=True)
    return slope
""",
            "new axes are put in front: it is axis 0 that has to go",
        ),
        Wrong(
            "drops the axes that were stretched",
            """
def fitted(slope, shape):
    extra = slope.ndim - len(shape)
    axes = list(range(extra))
    for i, size in enumerate(shape):
        if size == 1:
            axes.append(i + extra)
    for axis in sorted(axes, reverse=True):
        slope = slope.sum(dim=axis)
    return slope
""",
            "an axis of size 1 stays in the result: keepdim=True for those of the shape",
        ),
        Wrong(
            "takes the mean of the copies",
            """
def fitted(slope, shape):
    while len(slope.shape) > len(shape):
        slope = slope.mean(0)
    for axis, size in enumerate(shape):
        if size == 1:
            slope = slope.mean(axis, keepdim=True)
    return slope
""",
            "one number used many times has the sum of the slopes, not their mean",
        ),
        Wrong(
            "treats the two things as either, or",
            """
def fitted(slope, shape):
    if slope.ndim > len(shape):
        front = tuple(range(slope.ndim - len(shape)))
        return slope.sum(dim=front)
    else:
        stretched = [k for k in range(len(shape)) if slope.shape[k] != shape[k]]
        for k in stretched:
            slope = slope.sum(dim=k, keepdim=True)
        return slope
""",
            "both may happen together, as from (2, 1) to (4, 2, 3): the stretched axis is left stretched",
        ),
        Wrong(
            "hands sum a list of axes, which may be empty",
            """
def fitted(slope, shape):
    missing = slope.ndim - len(shape)
    padded = (1,) * missing + tuple(shape)
    axes = [k for k in range(slope.ndim) if padded[k] == 1 and slope.shape[k] != 1]
    return slope.sum(dim=axes, keepdim=True).reshape(shape)
""",
            "for torch no axes means all axes: where nothing was repeated everything is added up",
        ),
        Wrong(
            "takes one axis off in front however many there are, and drops the stretched ones",
            """
def fitted(slope, shape):
    if len(slope.shape) != len(shape):
        slope = slope.sum(0)
    for i, n in enumerate(shape):
        if n == 1:
            slope = slope.sum(i)
    return slope
""",
            "several axes may stand in front; and an axis of size 1 stays in the result",
        ),
    ],
    "05.4": [
        Wrong(
            "goes from the last value outwards, nearest first, and lets each pass on when it is reached",
            """
from collections import deque

def sweep(parts, last):
    slopes = {name: 0.0 for name in parts}
    slopes[last] = 1.0
    queue, seen = deque([last]), {last}
    while queue:
        name = queue.popleft()
        for part, slope in parts[name]:
            slopes[part] += slope * slopes[name]
            if part not in seen:
                seen.add(part)
                queue.append(part)
    return slopes
""",
            "a value that is near over one way and far over another passes on before its slope is complete",
        ),
        Wrong(
            "takes the chain rule as it stands in step 2 of the chapter",
            """
def sweep(parts, last):
    def slope(result, wanted):
        if result == wanted:
            return 1.0
        return float(sum(s * slope(part, wanted) for part, s in parts[result]))

    return {name: slope(last, name) for name in parts}
""",
            "it is right and walks every way: with 2 to the 60 of them it never ends",
        ),
        Wrong(
            "takes the order in which the names stand for the order in which they were made",
            """
def sweep(parts, last):
    slopes = dict.fromkeys(parts, 0.0)
    slopes[last] = 1.0
    for name in reversed(list(parts)):
        for part, slope in parts[name]:
            slopes[part] += slopes[name] * slope
    return slopes
""",
            "the names stand in any order: put them in order first",
        ),
        Wrong(
            "makes a dict of the pairs, to look slopes up",
            """
def sweep(parts, last):
    table = {name: dict(pairs) for name, pairs in parts.items()}
    order = []

    def visit(name):
        if name not in order:
            for part in table[name]:
                visit(part)
            order.append(name)

    visit(last)
    bar = {name: 0.0 for name in parts}
    bar[last] = 1.0
    for name in order[::-1]:
        for part in table[name]:
            bar[part] += bar[name] * table[name][part]
    return bar
""",
            "a dict holds each name once: of a part that stands in the list twice one use is lost",
        ),
        Wrong(
            "waits for every use of a value, also for those that do not lead to the last one",
            """
def sweep(parts, last):
    waiting = {name: 0 for name in parts}
    for pairs in parts.values():
        for part, _ in pairs:
            waiting[part] += 1
    slopes = {name: 0.0 for name in parts}
    slopes[last] = 1.0
    ready = [last]
    while ready:
        name = ready.pop()
        for part, slope in parts[name]:
            slopes[part] += slope * slopes[name]
            waiting[part] -= 1
            if waiting[part] == 0:
                ready.append(part)
    return slopes
""",
            "who is used by something that does not lead to last is never ready, and passes nothing on",
        ),
        Wrong(
            "puts a value in front of its parts as it meets them, and leaves out who was not met",
            """
def sweep(parts, last):
    order = []

    def visit(name):
        if name in order:
            return
        order.append(name)
        for part, slope in parts[name]:
            visit(part)

    visit(last)
    slopes = {last: 1.0}
    for name in order:
        for part, slope in parts[name]:
            slopes[part] = slopes.get(part, 0.0) + slope * slopes[name]
    return slopes
""",
            "in this order a slope is passed on before it is complete; and every name of parts is asked for",
        ),
    ],
}
