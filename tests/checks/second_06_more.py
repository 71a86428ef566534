"""Chapter 6, exercises 5 to 7: a number of steps, the sharpness, and a training on a budget."""

from __future__ import annotations

from second_wrong import Wrong

RIGHT = {
    "06.5": """
w, answer_06_5 = 5.0, 0
while abs(w) >= 5 / 1000:
    w -= 0.23 * 8 * w
    answer_06_5 += 1
""",
    "06.6": """
def sharpness(times, n, steps, generator):
    def along(shift):
        v = torch.randn(n, generator=generator)
        for _ in range(steps):
            v = times(v) + shift * v
            v = v / v.norm()
        return torch.dot(v, times(v))

    largest_in_size = along(0.0)
    if largest_in_size >= 0:
        return largest_in_size
    return along(-largest_in_size)
""",
    "06.7": """
def train(w, slopes, n, budget):
    g = torch.Generator().manual_seed(3)
    size = 8
    steps = budget // size
    order = torch.cat([torch.randperm(n, generator=g) for _ in range(budget // n + 1)])
    for k in range(steps):
        rate = 0.15 * (1 - k / steps)
        w = w - rate * slopes(w, order[k * size:(k + 1) * size])
    return w
""",
}

WRONG = {
    "06.5": [
        Wrong(
            "rounds down",
            """
import math

answer_06_5 = math.floor(math.log(0.001) / math.log(0.84))
""",
            "after 39 steps it is still above a thousandth: the first whole number above 39.6",
        ),
        Wrong(
            "waits until w itself is below 0.001",
            """
w = 5.0
steps = 0
while abs(w) >= 0.001:
    w = w - 0.23 * 8 * w
    steps += 1
answer_06_5 = steps
""",
            "a thousandth of where it started is 0.005",
        ),
        Wrong(
            "forgets the curvature in the factor",
            """
import math

factor = 1 - 0.23
answer_06_5 = math.ceil(math.log(0.001) / math.log(factor))
""",
            "each step multiplies by 1 - rate times curvature",
        ),
        Wrong(
            "takes the 4 in front of w^2 for the slope",
            """
import math

slope = 0.5 * 8              # L = 4 w^2
factor = 1 - 0.23 * slope
answer_06_5 = math.ceil(math.log(0.001) / math.log(factor))
""",
            "the slope of 4 w^2 is 8 w: the factor is 1 - 0.23 * 8",
        ),
        Wrong(
            "takes the loop that is right where w creeps",
            """
w, goal, answer_06_5 = 5.0, 5.0 / 1000, 0
while w > goal:
    w = w - 0.23 * 8 * w
    answer_06_5 += 1
""",
            "after one step w is below 0, and so below any goal: the size counts",
        ),
        Wrong(
            "waits until w itself is below 0.001, and rounds down",
            """
import math

answer_06_5 = int(math.log(0.001 / 5) / math.log(abs(1 - 0.23 * 8)))
""",
            "a thousandth of the start is 0.005; and a part of a step is one more step",
        ),
    ],
    "06.6": [
        Wrong(
            "believes that power iteration finds the largest eigenvalue, and leaves out the second round",
            """
def sharpness(times, n, steps, generator):
    v = torch.randn(n, generator=generator)
    for _ in range(steps):
        v = times(v)
        v = v / v.norm()
    return v @ times(v)
""",
            "it finds the one that is largest in size: where that is below 0 a second round is needed",
        ),
        Wrong(
            "forgets to take the shift off again",
            """
def power(product, n, steps, generator):
    v = torch.randn(n, generator=generator)
    v /= torch.linalg.norm(v)
    for k in range(steps):
        v = product(v)
        v /= torch.linalg.norm(v)
    return v @ product(v)

def sharpness(times, n, steps, generator):
    first = power(times, n, steps, generator)
    if first > 0:
        return first
    s = abs(first)
    return power(lambda v: times(v) + s * v, n, steps, generator)
""",
            "the eigenvalue of H + s I is larger by s: take s off",
        ),
        Wrong(
            "makes the vector as long as 1 once, at the end",
            """
def sharpness(times, n, steps, generator):
    def settle(s):
        v = torch.randn(n, generator=generator)
        for _ in range(steps):
            v = times(v) + s * v
        v = v / v.norm()
        return (v * times(v)).sum()

    top = settle(0.0)
    return top if top > 0 else settle(-top)
""",
            "without it the numbers grow beyond the largest one or shrink to 0, and the result is nan",
        ),
        Wrong(
            "starts with ones, as nothing is said against it",
            """
def sharpness(times, n, steps, generator):
    def rest(shift):
        v = torch.ones(n) / n ** 0.5
        for _ in range(steps):
            v = times(v) + shift * v
            v = v / torch.sqrt(torch.sum(v * v))
        return torch.sum(v * times(v))

    first = rest(0.0)
    return first if first >= 0 else rest(first.abs())
""",
            "a start that has no share in the wanted direction never turns to it: draw it by chance",
        ),
        Wrong(
            "builds the whole table, column by column",
            """
def sharpness(times, n, steps, generator):
    columns = [times(e) for e in torch.eye(n)]
    H = torch.stack(columns, dim=1)
    return torch.linalg.eigvalsh(H)[-1]
""",
            "that takes n products, more than are allowed, and a table that cannot be stored",
        ),
        Wrong(
            "divides by the largest entry and asks for a second product in each step",
            """
def sharpness(times, n, steps, generator):
    def iterate(s):
        v = torch.randn(n, generator=generator)
        for _ in range(steps):
            v = times(v) + s * v
            v = v / v.abs().max()
            value = v @ times(v)
        return value

    first = iterate(0)
    return first if first > 0 else iterate(-first)
""",
            "v . H v is the eigenvalue only if v has the length 1; and each step may ask for one product",
        ),
    ],
    "06.7": [
        Wrong(
            "goes through the rows in their order",
            """
def train(w, slopes, n, budget):
    size = 16
    for epoch in range(budget // n):
        for start in range(0, n, size):
            rows = torch.arange(start, min(start + size, n))
            w = w - 0.1 * slopes(w, rows)
    return w
""",
            "the rows are sorted: a batch of zeros, then a batch of ones; draw the order by chance",
        ),
        Wrong(
            "takes the budget for a number of steps",
            """
def train(w, slopes, n, budget):
    generator = torch.Generator().manual_seed(0)
    for k in range(budget):
        rows = torch.randint(0, n, (16,), generator=generator)
        w = w - 0.05 * slopes(w, rows)
    return w
""",
            "each of the 16 slopes in a batch costs: it asks for 16 times as many as it may",
        ),
        Wrong(
            "divides the mean slope by the batch once more",
            """
def train(w, slopes, n, budget):
    generator = torch.Generator().manual_seed(0)
    for epoch in range(4):
        for rows in torch.randperm(n, generator=generator).split(32):
            g = slopes(w, rows) / len(rows)
            w = w - 0.2 * g
    return w
""",
            "slopes gives the mean already: divided by 32 again the steps are far too short",
        ),
        Wrong(
            "lets the rate fall as 1 / k from the first step on",
            """
def train(w, slopes, n, budget):
    torch.manual_seed(0)
    rows = torch.cat([torch.randperm(n) for _ in range(4)])
    for k, batch in enumerate(rows.split(8), start=1):
        w -= 0.1 / k * slopes(w, batch)
    return w
""",
            "after a hundred steps the rate is a hundredth: nearly nothing is learned with the rest of the budget",
        ),
        Wrong(
            "trains in a function of its own that gives nothing back",
            """
def one_epoch(w, slopes, n, generator):
    for rows in torch.randperm(n, generator=generator).split(8):
        w = w - 0.1 * slopes(w, rows)

def train(w, slopes, n, budget):
    generator = torch.Generator().manual_seed(1)
    for epoch in range(budget // n):
        one_epoch(w, slopes, n, generator)
    return w
""",
            "w = w - ... binds a name inside the function: the weights that come back are those of the start",
        ),
        Wrong(
            "spends a quarter of the budget, and averages over all weights from the start on",
            """
def train(w, slopes, n, budget):
    generator = torch.Generator().manual_seed(0)
    total, count = w.clone(), 1
    for rows in torch.randperm(n, generator=generator).split(32):
        w = w - 0.1 * slopes(w, rows)
        total += w
        count += 1
    return total / count
""",
            "three quarters of the slopes are never asked for; and an average over the way holds the start in it",
        ),
    ],
}
