"""Chapter 9, exercises 5 to 7: batch normalisation, who shares a mean, and blends with soft targets."""

from __future__ import annotations

from second_wrong import Wrong

RIGHT = {
    "09.5": """
class BatchNorm(torch.nn.Module):
    def __init__(self, units, momentum, eps):
        super().__init__()
        for name, start in (("gamma", 1.0), ("beta", 0.0)):
            self.register_parameter(name, torch.nn.Parameter(torch.full((units,), start)))
        for name, start in (("mean", 0.0), ("variance", 1.0)):
            self.register_buffer(name, torch.full((units,), start))
        self.momentum, self.eps = momentum, eps

    def forward(self, z):
        middle, spread = self.mean, self.variance
        if self.training:
            n = z.shape[0]
            middle = z.sum(dim=0) / n
            spread = (z - middle).square().sum(dim=0) / n
            self.mean.lerp_(middle.detach(), self.momentum)
            self.variance.lerp_(spread.detach() * n / (n - 1), self.momentum)
        factor = self.gamma * torch.rsqrt(spread + self.eps)
        return torch.addcmul(self.beta, z - middle, factor)
""",
    "09.6": """
import math

shape, together = (8, 12, 5, 7), (12 // 3, 5, 7)
answer_09_6 = math.prod(shape) // math.prod(together)       # all numbers, over those that share one mean
""",
    "09.7": """
def blend(x, labels, share, partner, smoothing, classes):
    # one matrix says who goes into whom: it blends inputs and targets alike
    N = len(x)
    s = share.to(x.dtype)
    M = torch.diag(s).index_put((torch.arange(N), partner), 1 - s, accumulate=True)
    hot = (labels[:, None] == torch.arange(classes)).to(x.dtype)
    soft = hot.lerp(torch.full_like(hot, 1 / classes), smoothing)
    targets = M @ soft
    floor = torch.special.entr(targets).sum() / N
    return (M @ x.reshape(N, -1)).reshape(x.shape), targets, floor
""",
}

WRONG = {
    "09.5": [
        Wrong(
            "gives momentum to the old value",
            """
class BatchNorm(torch.nn.Module):
    def __init__(self, units, momentum, eps):
        super().__init__()
        self.momentum, self.eps = momentum, eps
        self.gamma = torch.nn.Parameter(torch.ones(units))
        self.beta = torch.nn.Parameter(torch.zeros(units))
        self.register_buffer("mean", torch.zeros(units))
        self.register_buffer("variance", torch.ones(units))

    def forward(self, z):
        if self.training:
            m, v = z.mean(0), z.var(0, unbiased=False)
            with torch.no_grad():
                self.mean = self.momentum * self.mean + (1 - self.momentum) * m
                self.variance = self.momentum * self.variance + (1 - self.momentum) * z.var(0)
        else:
            m, v = self.mean, self.variance
        return self.gamma * (z - m) / torch.sqrt(v + self.eps) + self.beta
""",
            "momentum is the share of the new value here",
        ),
        Wrong(
            "keeps the running statistics as plain attributes",
            """
class BatchNorm(torch.nn.Module):
    def __init__(self, units, momentum, eps):
        super().__init__()
        self.gamma = torch.nn.Parameter(torch.ones(units))
        self.beta = torch.nn.Parameter(torch.zeros(units))
        self.mean = torch.zeros(units)
        self.variance = torch.ones(units)
        self.momentum = momentum
        self.eps = eps

    def forward(self, z):
        if self.training:
            mean = z.mean(dim=0)
            var = z.var(dim=0, unbiased=False)
            k = self.momentum
            self.mean = (1 - k) * self.mean + k * mean.detach()
            self.variance = (1 - k) * self.variance + k * z.var(dim=0).detach()
        else:
            mean, var = self.mean, self.variance
        return (z - mean) / (var + self.eps) ** 0.5 * self.gamma + self.beta
""",
            "a plain tensor is not in the state_dict and is not saved: register_buffer",
        ),
        Wrong(
            "takes one variance for both",
            """
class BatchNorm(torch.nn.Module):
    def __init__(self, units, momentum, eps):
        super().__init__()
        self.gamma = torch.nn.Parameter(torch.ones(units))
        self.beta = torch.nn.Parameter(torch.zeros(units))
        self.register_buffer("mean", torch.zeros(units))
        self.register_buffer("variance", torch.ones(units))
        self.momentum, self.eps = momentum, eps

    def forward(self, z):
        if not self.training:
            return self.gamma * (z - self.mean) / (self.variance + self.eps).sqrt() + self.beta
        mean = z.mean(dim=0)
        variance = ((z - mean) ** 2).mean(dim=0)
        self.mean += self.momentum * (mean.detach() - self.mean)
        self.variance += self.momentum * (variance.detach() - self.variance)
        return self.gamma * (z - mean) / (variance + self.eps).sqrt() + self.beta
""",
            "the running variance takes the one that is divided by N - 1",
        ),
        Wrong(
            "uses the running statistics in training as well",
            """
class BatchNorm(torch.nn.Module):
    def __init__(self, units, momentum, eps):
        super().__init__()
        self.momentum = momentum
        self.eps = eps
        self.gamma = torch.nn.Parameter(torch.ones(units))
        self.beta = torch.nn.Parameter(torch.zeros(units))
        self.register_buffer("mean", torch.zeros(units))
        self.register_buffer("variance", torch.ones(units))

    def forward(self, z):
        if self.training:
            with torch.no_grad():
                self.mean = (1 - self.momentum) * self.mean + self.momentum * z.mean(dim=0)
                self.variance = (1 - self.momentum) * self.variance + self.momentum * z.var(dim=0)
        z_hat = (z - self.mean) / torch.sqrt(self.variance + self.eps)
        return self.gamma * z_hat + self.beta
""",
            "in training the batch is normalised with its own mean and variance",
        ),
        Wrong(
            "takes one mean over all units",
            """
class BatchNorm(torch.nn.Module):
    def __init__(self, units, momentum, eps):
        super().__init__()
        self.momentum, self.eps = momentum, eps
        self.gamma = torch.nn.Parameter(torch.ones(units))
        self.beta = torch.nn.Parameter(torch.zeros(units))
        self.register_buffer("mean", torch.zeros(units))
        self.register_buffer("variance", torch.ones(units))

    def forward(self, z):
        if self.training:
            mean, var = z.mean(), z.var(unbiased=False)
            with torch.no_grad():
                self.mean.mul_(1 - self.momentum).add_(self.momentum * mean)
                self.variance.mul_(1 - self.momentum).add_(self.momentum * z.var())
        else:
            mean, var = self.mean, self.variance
        return self.gamma * (z - mean) / torch.sqrt(var + self.eps) + self.beta
""",
            "each unit has a mean and a variance of its own: dim=0; with one unit both are the same",
        ),
        Wrong(
            "adds eps outside of the root, and keeps the record for the gradients in the running statistics",
            """
class BatchNorm(torch.nn.Module):
    def __init__(self, units, momentum, eps):
        super().__init__()
        self.momentum, self.eps = momentum, eps
        self.gamma = torch.nn.Parameter(torch.ones(units))
        self.beta = torch.nn.Parameter(torch.zeros(units))
        self.register_buffer("mean", torch.zeros(units))
        self.register_buffer("variance", torch.ones(units))

    def forward(self, z):
        if self.training:
            mean = z.mean(dim=0)
            std = z.std(dim=0, unbiased=False)
            self.mean = (1 - self.momentum) * self.mean + self.momentum * mean
            self.variance = (1 - self.momentum) * self.variance + self.momentum * z.var(dim=0)
        else:
            mean, std = self.mean, self.variance.sqrt()
        return self.gamma * (z - mean) / (std + self.eps) + self.beta
""",
            "eps is added to the variance, under the root; and the statistics take detached numbers",
        ),
    ],
    "09.6": [
        Wrong(
            "thinks of batch normalisation: one mean for each channel",
            """
answer_09_6 = 12
""",
            "group normalisation looks at each example by itself, and channels of a group share a mean",
        ),
        Wrong(
            "takes 3 for the channels in a group",
            """
N, C, H, W = 8, 12, 5, 7
answer_09_6 = N * (C // 3)
""",
            "3 is the number of groups; each has four channels",
        ),
        Wrong(
            "counts the numbers that share a mean",
            """
answer_09_6 = 12 // 3 * 5 * 7
""",
            "140 numbers share one mean; asked is how many means there are",
        ),
        Wrong(
            "forgets the examples",
            """
groups = 3
answer_09_6 = groups
""",
            "each of the 8 examples has its own three means",
        ),
        Wrong(
            "takes a mean for each pixel, as the layer of the example does",
            """
N, H, W, groups = 8, 5, 7, 3
answer_09_6 = N * H * W * groups
""",
            "the pixels share a mean: rows and columns are averaged over",
        ),
        Wrong(
            "takes 3 for the channels in a group, and lets the examples share",
            """
C, per_group = 12, 3
answer_09_6 = C // per_group
""",
            "3 groups of four channels; and each example stands by itself",
        ),
    ],
    "09.7": [
        Wrong(
            "exchanges the shares in the targets",
            """
def blend(x, labels, share, partner, smoothing, classes):
    t = torch.nn.functional.one_hot(labels, classes).to(x.dtype)
    t = (1 - smoothing) * t + smoothing / classes
    s = share.to(x.dtype)
    sx = s.view(-1, *[1] * (x.dim() - 1))
    inputs = sx * x + (1 - sx) * x[partner]
    targets = (1 - s)[:, None] * t + s[:, None] * t[partner]
    floor = -torch.xlogy(targets, targets).sum(dim=1).mean()
    return inputs, targets, floor
""",
            "what keeps the share s of its input keeps the share s of its target",
        ),
        Wrong(
            "gives the smoothing to the other classes alone",
            """
def blend(x, labels, share, partner, smoothing, classes):
    N = len(labels)
    soft = torch.full((N, classes), smoothing / (classes - 1), dtype=x.dtype)
    soft[torch.arange(N), labels] = 1 - smoothing
    s = share.to(x.dtype).reshape([N] + [1] * (x.ndim - 1))
    inputs = s * x + (1 - s) * x[partner]
    s = s.reshape(N, 1)
    targets = s * soft + (1 - s) * soft[partner]
    floor = -torch.special.xlogy(targets, targets).sum() / N
    return inputs, targets, floor
""",
            "the right class gets its part of epsilon too: 1 - eps + eps/C",
        ),
        Wrong(
            "takes the mean over the classes as well",
            """
def blend(x, labels, share, partner, smoothing, classes):
    hot = torch.eye(classes, dtype=x.dtype)[labels] * (1 - smoothing) + smoothing / classes
    s = share.to(x.dtype)
    shape = (len(x),) + (1,) * (x.dim() - 1)
    inputs = s.view(shape) * x + (1 - s.view(shape)) * x[partner]
    targets = s[:, None] * hot + (1 - s[:, None]) * hot[partner]
    logs = torch.where(targets > 0, targets.clamp(min=1e-30).log(), torch.zeros_like(targets))
    return inputs, targets, -(targets * logs).mean()
""",
            "sum over the classes, mean over the examples",
        ),
        Wrong(
            "counts the classes that occur",
            """
def blend(x, labels, share, partner, smoothing, classes):
    hot = torch.nn.functional.one_hot(labels).to(x.dtype)
    soft = (1 - smoothing) * hot + smoothing / hot.shape[1]
    s = share.to(x.dtype).view(-1, *[1] * (x.dim() - 1))
    inputs = s * x + (1 - s) * x[partner]
    s = s.view(-1, 1)
    targets = s * soft + (1 - s) * soft[partner]
    floor = torch.special.entr(targets).sum(dim=1).mean()
    return inputs, targets, floor
""",
            "not every class occurs in a batch: hand the number of classes to one_hot",
        ),
        Wrong(
            "makes a column of the shares, for tables only",
            """
def blend(x, labels, share, partner, smoothing, classes):
    s = share.to(x.dtype).unsqueeze(1)
    soft = torch.nn.functional.one_hot(labels, classes).to(x.dtype) * (1 - smoothing) + smoothing / classes
    inputs = s * x + (1 - s) * x[partner]
    targets = s * soft + (1 - s) * soft[partner]
    floor = torch.special.entr(targets).sum() / len(x)
    return inputs, targets, floor
""",
            "images have four axes: the shares need an axis of size 1 for each further one",
        ),
        Wrong(
            "writes the blends into x row by row, and takes the logarithm of 0",
            """
def blend(x, labels, share, partner, smoothing, classes):
    t = torch.full((len(x), classes), smoothing / classes, dtype=x.dtype)
    for i, label in enumerate(labels):
        t[i, label] += 1 - smoothing
    targets = torch.zeros_like(t)
    for i in range(len(x)):
        s, j = share[i], partner[i]
        x[i] = s * x[i] + (1 - s) * x[j]
        targets[i] = s * t[i] + (1 - s) * t[j]
    floor = -(targets * targets.log()).sum() / len(x)
    return x, targets, floor
""",
            "blend with the batch as it came in, in a new tensor; and 0 times the logarithm of 0 is nan",
        ),
    ],
}
