"""Chapter 6, exercises 1 to 4: a step, the rates of a bowl, the batches of an epoch, and the noise of a batch."""

from __future__ import annotations

from second_wrong import Wrong

RIGHT = {
    "06.1": """
def step(weights, slopes, lr):
    pairs = zip(weights, slopes, strict=True)
    return [torch.sub(w, g, alpha=lr) for w, g in pairs]
""",
    "06.2": """
def rates(hessian):
    curvatures = torch.linalg.svdvals(hessian)      # of a symmetric table with positive eigenvalues: these
    steep, flat = curvatures.max(), curvatures.min()
    best = 2 / (steep + flat)
    return 2 / steep, best, 1 - best * flat
""",
    "06.3": """
def batches(n, size, generator):
    order = torch.rand(n, dtype=torch.float64, generator=generator).argsort()
    return [order[start:start + size] for start in range(0, n, size)]
""",
    "06.4": """
def batch_noise(gradients, size):
    by_entry = gradients.var(dim=0, correction=1)
    return torch.sqrt(by_entry.sum() * (1 / size - 1 / len(gradients)))
""",
}

WRONG = {
    "06.1": [
        Wrong(
            "believes that a copy of the list has copied the tensors in it",
            """
def step(weights, slopes, lr):
    new = list(weights)
    for w, g in zip(new, slopes):
        w -= lr * g
    return new
""",
            "a new list holds the same tensors: -= writes into the weights that came in",
        ),
        Wrong(
            "multiplies the slopes by the rate where they stand",
            """
def step(weights, slopes, lr):
    new = [w.clone() for w in weights]
    for w, g in zip(new, slopes):
        g *= lr
        w -= g
    return new
""",
            "the weights were copied, the slopes were not: g *= lr writes into what came in",
        ),
        Wrong(
            "takes the rate for the length of the step",
            """
def step(weights, slopes, lr):
    new = []
    for w, g in zip(weights, slopes):
        direction = g / (g.norm() + 1e-12)
        new.append(w - lr * direction)
    return new
""",
            "the step is rate times slope, long where it is steep: the slope is not to be made as long as 1",
        ),
        Wrong(
            "multiplies the weight by 1 - lr times slope, as in a bowl it is multiplied by 1 - lr times curvature",
            """
def step(weights, slopes, lr):
    return [w * (1 - lr * g) for w, g in zip(weights, slopes)]
""",
            "lr times slope is taken off the weight; it is no share of the weight",
        ),
        Wrong(
            "goes through the list in pairs of a table and its biases",
            """
def step(weights, slopes, lr):
    new = []
    for k in range(len(weights) // 2):
        W, b = weights[2 * k], weights[2 * k + 1]
        by_W, by_b = slopes[2 * k], slopes[2 * k + 1]
        new += [W - lr * by_W, b - lr * by_b]
    return new
""",
            "a list with an odd number of tensors loses its last one",
        ),
        Wrong(
            "goes up, and writes the result into the list that came in",
            """
def step(weights, slopes, lr):
    for i in range(len(weights)):
        weights[i] = weights[i] + lr * slopes[i]
    return weights
""",
            "downhill is minus the slope; and the list of the caller holds other tensors afterwards",
        ),
    ],
    "06.2": [
        Wrong(
            "reads the curvatures off the diagonal",
            """
def rates(hessian):
    curvatures = torch.diag(hessian)
    low, high = curvatures.min(), curvatures.max()
    kappa = high / low
    return 2 / high, 2 / (low + high), (kappa - 1) / (kappa + 1)
""",
            "off the diagonal there are numbers too: the main directions are not the axes, take the eigenvalues",
        ),
        Wrong(
            "takes for the best rate the one that reaches the bottom of the steepest direction at once",
            """
def rates(hessian):
    eig = torch.linalg.eigvalsh(hessian)
    limit = 2 / eig[-1]
    best = 1 / eig[-1]
    factor = 1 - best * eig[0]
    return limit, best, factor
""",
            "at 1 / steepest the flattest direction is slower than it need be: 2 / (flattest + steepest)",
        ),
        Wrong(
            "has the condition number upside down",
            """
def rates(hessian):
    eig = torch.linalg.eigvalsh(hessian)
    small, large = eig[0], eig[-1]
    kappa = small / large
    return 2 / large, 2 / (small + large), (kappa - 1) / (kappa + 1)
""",
            "the factor comes out below 0: kappa is the steepest by the flattest",
        ),
        Wrong(
            "believes that eigenvalues come sorted",
            """
def rates(hessian):
    values = torch.linalg.eigvals(hessian).real
    high, low = values[0], values[-1]        # the largest first: 6, 1
    kappa = high / low
    return 2 / high, 2 / (high + low), (kappa - 1) / (kappa + 1)
""",
            "eigvals gives them in any order: take min and max, or eigvalsh",
        ),
        Wrong(
            "knows that the eigenvalues add up to the trace",
            """
def rates(hessian):
    values, _ = torch.linalg.eigh(hessian)
    limit = 2 / values.max()
    best = 2 / torch.trace(hessian)
    kappa = values.max() / values.min()
    return limit, best, (kappa - 1) / (kappa + 1)
""",
            "all eigenvalues add up to the trace; of two these are the flattest and the steepest, of three they are not",
        ),
        Wrong(
            "returns the best rate first, and the factor of the loss",
            """
def rates(hessian):
    lam = torch.linalg.eigvalsh(hessian)
    best = 2 / (lam[0] + lam[-1])
    limit = 2 / lam[-1]
    kappa = lam[-1] / lam[0]
    factor = ((kappa - 1) / (kappa + 1)) ** 2
    return best, limit, factor
""",
            "the limit comes first; and the distance shrinks by the factor, the loss by its square",
        ),
    ],
    "06.3": [
        Wrong(
            "leaves the generator lying",
            """
def batches(n, size, generator):
    order = torch.randperm(n)
    return list(order.split(size))
""",
            "without generator= the draw comes from torch's own generator: the seed of the caller does nothing",
        ),
        Wrong(
            "draws each batch for itself",
            """
import math

def batches(n, size, generator):
    out = []
    for k in range(math.ceil(n / size)):
        length = min(size, n - k * size)
        out.append(torch.randint(0, n, (length,), generator=generator))
    return out
""",
            "a row may be drawn twice and another never: draw one order of all rows and cut it",
        ),
        Wrong(
            "asks torch for a number of batches instead of a size",
            """
import math

def batches(n, size, generator):
    order = torch.randperm(n, generator=generator)
    return list(torch.chunk(order, math.ceil(n / size)))
""",
            "chunk makes the batches as even as it can: 9 rows and a size of 4 become 3, 3, 3 and not 4, 4, 1",
        ),
        Wrong(
            "sets a seed so that the result can be repeated",
            """
def batches(n, size, generator):
    generator.manual_seed(0)
    rows = torch.randperm(n, generator=generator)
    result = []
    while len(rows) > 0:
        result.append(rows[:size])
        rows = rows[size:]
    return result
""",
            "the caller has set the seed: set again, every epoch is the same one",
        ),
        Wrong(
            "adds one batch for the rest even if there is no rest",
            """
def batches(n, size, generator):
    order = torch.randperm(n, generator=generator)
    full = n // size
    return [order[k * size:(k + 1) * size] for k in range(full + 1)]
""",
            "where the size divides n the last batch is empty",
        ),
        Wrong(
            "shuffles whole batches, with Python's own chance",
            """
import random

def batches(n, size, generator):
    blocks = [torch.arange(start, min(start + size, n)) for start in range(0, n, size)]
    random.shuffle(blocks)
    return blocks
""",
            "neighbours stay together, the short one may come first, and nothing is drawn from the generator",
        ),
    ],
    "06.4": [
        Wrong(
            "takes the rule for draws with putting back",
            """
def batch_noise(gradients, size):
    away = gradients - gradients.mean(dim=0)
    spread = away.square().sum(dim=1).mean()
    return (spread / size).sqrt()
""",
            "the rows of a batch are different ones: (N - B) / (N - 1) is missing, with B = N nothing is left to chance",
        ),
        Wrong(
            "takes torch's variance for the mean square",
            """
def batch_noise(gradients, size):
    N = gradients.shape[0]
    spread = gradients.var(dim=0).sum()
    return torch.sqrt(spread / size * (N - size) / (N - 1))
""",
            "var divides by N - 1 already: correction=0",
        ),
        Wrong(
            "takes the mean over the entries as well",
            """
def batch_noise(gradients, size):
    N, P = gradients.shape
    center = gradients.mean(dim=0, keepdim=True)
    mean_square = torch.nn.functional.mse_loss(gradients, center.expand(N, P))
    return torch.sqrt(mean_square * (N - size) / (size * (N - 1)))
""",
            "the squared distance adds up over the P entries; the mean is over the examples only",
        ),
        Wrong(
            "takes the mean of the distances before it squares",
            """
def batch_noise(gradients, size):
    N = len(gradients)
    mean = gradients.mean(0)
    distance = torch.stack([torch.dist(g, mean) for g in gradients]).mean()
    return distance * ((N - size) / (size * (N - 1))) ** 0.5
""",
            "root of the mean square: square first, then the mean, then the root",
        ),
        Wrong(
            "divides the spread by the batch",
            """
def batch_noise(gradients, size):
    away = gradients - gradients.mean(dim=0)
    rms = torch.sqrt((away ** 2).sum(dim=1).mean())
    return rms / size       # twice as many examples, half of the noise
""",
            "the noise falls with the root of B; in the example (N - B) / (N - 1) happens to be 1 / B",
        ),
        Wrong(
            "takes the mean of each example over its entries, and no root",
            """
def batch_noise(gradients, size):
    N = gradients.shape[0]
    away = gradients - gradients.mean(dim=1, keepdim=True)
    total = (away ** 2).sum() / N
    return total / size * (N - size) / (N - 1)
""",
            "the full gradient is the mean over the rows, axis 0; and the distance is the root",
        ),
    ],
}
