"""Chapter 4, exercises 4 to 6: smoothed labels, weights for a rare class, two divergences."""

from __future__ import annotations

from second_wrong import Wrong

RIGHT = {
    "04.4": """
def smoothed_cross_entropy(logits, labels, smoothing):
    surprise = torch.logsumexp(logits, dim=1, keepdim=True) - logits
    y = torch.eye(logits.shape[1], dtype=logits.dtype)[labels.long()]
    y = y + smoothing * (1 / logits.shape[1] - y)
    return torch.einsum("nc,nc->n", y, surprise).mean()
""",
    "04.5": """
def class_weights(labels, classes):
    counts = [int((labels == c).sum()) for c in range(classes)]
    return torch.tensor([len(labels) / (classes * n) if n > 0 else 0.0 for n in counts])

def weighted_cross_entropy(logits, labels, weights):
    w = weights[labels]
    cost = torch.logsumexp(logits, dim=1) - logits.gather(1, labels[:, None])[:, 0]
    return (w / w.sum() * cost).sum()
""",
    "04.6": """
def two_divergences(p, q):
    forward = (p * torch.log(p / q)).nansum(dim=1)
    reverse = (q * torch.log(q / p)).nansum(dim=1)
    return forward, reverse
""",
}

_WEIGHTS = """
def class_weights(labels, classes):
    n = torch.bincount(labels, minlength=classes)
    return torch.where(n > 0, len(labels) / (classes * n.clamp(min=1)), 0.0).float()
"""
_LOSS = """
def weighted_cross_entropy(logits, labels, weights):
    log_p = torch.log_softmax(logits, dim=1)[torch.arange(len(labels)), labels]
    w = weights[labels]
    return -(w * log_p).sum() / w.sum()
"""

WRONG = {
    "04.4": [
        Wrong(
            "shares the smoothing among the other classes only",
            """
def smoothed_cross_entropy(logits, labels, smoothing):
    N, C = logits.shape
    y = torch.full((N, C), smoothing / (C - 1), dtype=logits.dtype)
    y[torch.arange(N), labels] = 1 - smoothing
    return -(y * torch.log_softmax(logits, dim=1)).sum(dim=1).mean()
""",
            "here every class gets smoothing / C, the right one too",
        ),
        Wrong(
            "smooths what the model says and not the target",
            """
def smoothed_cross_entropy(logits, labels, smoothing):
    p = torch.softmax(logits, dim=1)
    p = (1 - smoothing) * p + smoothing / logits.shape[1]
    return -p[torch.arange(len(labels)), labels].log().mean()
""",
            "the targets are smoothed, the shares stay as the model gives them",
        ),
        Wrong(
            "takes the mean over the whole table",
            """
def smoothed_cross_entropy(logits, labels, smoothing):
    C = logits.shape[1]
    one_hot = torch.nn.functional.one_hot(labels, C).to(logits.dtype)
    y = one_hot * (1 - smoothing) + smoothing / C
    return -(y * torch.log_softmax(logits, dim=1)).mean()
""",
            "the sum over the classes, the mean over the examples: C times too small",
        ),
        Wrong(
            "adds a little inside the logarithm of the shares",
            """
def smoothed_cross_entropy(logits, labels, smoothing):
    N, C = logits.shape
    y = torch.full_like(logits, smoothing / C)
    y[torch.arange(N), labels] += 1 - smoothing
    log_p = torch.log(torch.softmax(logits, dim=1) + 1e-8)
    return -(y * log_p).sum(dim=1).mean()
""",
            "the logarithm of a tiny share is cut off at -18 and has no gradient there",
        ),
        Wrong(
            "marks the columns of all labels in every row",
            """
def smoothed_cross_entropy(logits, labels, smoothing):
    C = logits.shape[1]
    y = torch.full_like(logits, smoothing / C)
    y[:, labels] = 1 - smoothing + smoothing / C
    return -(y * torch.log_softmax(logits, dim=1)).sum(dim=1).mean()
""",
            "a row has one label: y[:, labels] is right for one row only",
        ),
        Wrong(
            "gives the right class 1 - smoothing without its share, and sums over the examples",
            """
def smoothed_cross_entropy(logits, labels, smoothing):
    N, C = logits.shape
    y = torch.full((N, C), smoothing / C, dtype=logits.dtype)
    for i in range(N):
        y[i, labels[i]] = 1 - smoothing
    log_p = torch.log_softmax(logits, dim=-1)
    return -torch.sum(y * log_p)
""",
            "the targets of a row do not add up to 1; divide by the number of examples",
        ),
    ],
    "04.5": [
        Wrong(
            "divides by the number of examples",
            _WEIGHTS
            + """
def weighted_cross_entropy(logits, labels, weights):
    log_p = torch.log_softmax(logits, dim=1)
    picked = log_p[torch.arange(len(labels)), labels]
    return -(weights[labels] * picked).mean()
""",
            "a weighted mean divides by the sum of the weights that were counted",
        ),
        Wrong(
            "counts a class that is not there as if it were there once",
            """
def class_weights(labels, classes):
    n = torch.bincount(labels, minlength=classes).clamp(min=1).float()
    return len(labels) / (classes * n)
"""
            + _LOSS,
            "no division by 0, but the class that is not there has the largest weight in place of 0",
        ),
        Wrong(
            "puts the weights on the logits before the softmax",
            _WEIGHTS
            + """
def weighted_cross_entropy(logits, labels, weights):
    log_p = torch.log_softmax(logits * weights, dim=1)
    picked = log_p.gather(1, labels.unsqueeze(1)).squeeze(1)
    return -picked.sum() / weights[labels].sum()
""",
            "the weight belongs to the loss of an example, not to a logit",
        ),
        Wrong(
            "counts the classes it meets, as scikit-learn does",
            """
def class_weights(labels, classes):
    found, n = torch.unique(labels, return_counts=True)
    return len(labels) / (len(found) * n.float())
"""
            + _LOSS,
            "a class that is not there has no entry: the shape is not (C,), and C is too small",
        ),
        Wrong(
            "adds the weights of the classes that are there, each once",
            _WEIGHTS
            + """
def weighted_cross_entropy(logits, labels, weights):
    log_p = torch.log_softmax(logits, dim=1)
    total = 0.0
    for i, label in enumerate(labels):
        total = total - weights[label] * log_p[i, label]
    return total / weights[torch.unique(labels)].sum()
""",
            "each example counts with its weight: a class that is there twice is added twice",
        ),
        Wrong(
            "leaves the number of classes out of the weights, and takes the logarithm of the shares",
            """
def class_weights(labels, classes):
    n = torch.bincount(labels, minlength=classes).float()
    w = len(labels) / n
    w[n == 0] = 0
    return w

def weighted_cross_entropy(logits, labels, weights):
    e = torch.exp(logits)
    p = e / e.sum(dim=1, keepdim=True)
    picked = p[torch.arange(len(labels)), labels]
    w = weights[labels]
    return -(w * torch.log(picked)).sum() / w.sum()
""",
            "weights C times too large; exp(1000) overflows",
        ),
    ],
    "04.6": [
        Wrong(
            "adds a tiny number to both",
            """
def two_divergences(p, q):
    eps = 1e-12
    p, q = p + eps, q + eps
    forward = (p * torch.log(p / q)).sum(dim=1)
    reverse = (q * torch.log(q / p)).sum(dim=1)
    return forward, reverse
""",
            "a finite number where the divergence is infinite",
        ),
        Wrong(
            "lets nan_to_num clear up",
            """
def two_divergences(p, q):
    forward = torch.nan_to_num(p * torch.log(p / q)).sum(dim=1)
    reverse = torch.nan_to_num(q * torch.log(q / p)).sum(dim=1)
    return forward, reverse
""",
            "it turns inf into the largest float as well: 3.4e38 and not inf",
        ),
        Wrong(
            "takes over the order of torch's kl_div, where the second argument is the weight",
            """
def two_divergences(p, q):
    def kl(input, target):
        return (torch.xlogy(target, target) - torch.xlogy(target, input)).sum(dim=1)
    return kl(p, q), kl(q, p)
""",
            "the two are swapped: KL(p, q) is weighted by p",
        ),
        Wrong(
            "adds up only the places where both have something",
            """
def two_divergences(p, q):
    both = (p > 0) & (q > 0)
    ratio = torch.where(both, p / q, torch.ones_like(p)).log()
    return (p * ratio).sum(dim=1), -(q * ratio).sum(dim=1)
""",
            "where only the weight is above 0 the divergence is infinite, not 0",
        ),
        Wrong(
            "never compares a float with 0, and calls everything below a millionth 0",
            """
def two_divergences(p, q):
    def kl(a, b):
        total = torch.zeros(len(a), dtype=a.dtype)
        for k in range(a.shape[1]):
            term = a[:, k] * (a[:, k].log() - b[:, k].log())
            total += torch.where(a[:, k] < 1e-6, torch.zeros_like(term), term)
        return total
    return kl(p, q), kl(q, p)
""",
            "a weight of 1e-7 is above 0: where the other distribution is 0 the divergence is infinite",
        ),
        Wrong(
            "counts in bits, and knows nothing of zeros",
            """
def two_divergences(p, q):
    forward = torch.sum(p * torch.log2(p / q), dim=-1)
    reverse = torch.sum(q * torch.log2(q / p), dim=-1)
    return forward, reverse
""",
            "the natural logarithm is asked; 0 times the logarithm of 0 is nan",
        ),
    ],
}
