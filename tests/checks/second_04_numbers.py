"""Chapter 4, exercises 1 to 3: a cross-entropy from logits, the loss of counts, Huber and its slope."""

from __future__ import annotations

from second_wrong import Wrong

RIGHT = {
    "04.1": """
def bce_from_logits(logits, targets):
    against = torch.where(targets > 0, -logits, logits)
    return torch.logaddexp(against, torch.zeros_like(against)).mean()
""",
    "04.2": """
def mean_nll(f, t):
    log_likelihood = t * f - f.exp() - torch.lgamma(t + 1)
    return log_likelihood.sum() / -len(t)
""",
    "04.3": """
def huber(error, delta):
    cut = error.clamp(-delta, delta)
    return cut * (error - cut / 2)

def huber_slope(error, delta):
    return torch.sign(error) * error.abs().clamp(max=delta)
""",
}

_SLOPE = """
def huber_slope(error, delta):
    return error.clamp(-delta, delta)
"""

WRONG = {
    "04.1": [
        Wrong(
            "keeps the probability away from 0 and 1",
            """
def bce_from_logits(logits, targets):
    p = torch.sigmoid(logits).clamp(1e-7, 1 - 1e-7)
    return -(targets * p.log() + (1 - targets) * (1 - p).log()).mean()
""",
            "a loss of 1000 is cut off at 16, and the gradient of what was cut off is 0",
        ),
        Wrong(
            "makes the logarithm stable and leaves the rest of the formula as the statement writes it",
            """
def bce_from_logits(logits, targets):
    z = logits
    loss = (1 - targets) * z + torch.logaddexp(torch.zeros_like(z), -z)
    return loss.mean()
""",
            "at a logit of -20 with the target 0 it takes 20 from 20: the small loss is gone",
        ),
        Wrong(
            "chooses between two formulas with where, and one of them overflows",
            """
def bce_from_logits(logits, targets):
    z = torch.where(targets == 1, logits, -logits)
    loss = torch.where(z > 0, torch.log1p(torch.exp(-z)), -z + torch.log1p(torch.exp(z)))
    return loss.mean()
""",
            "the value is right; the gradient of the formula that was not chosen is infinite times 0, so nan",
        ),
        Wrong(
            "takes two logits, 0 and z, and torch's logsumexp over them",
            """
def bce_from_logits(logits, targets):
    both = torch.stack([torch.zeros_like(logits), logits], dim=1)
    chosen = both[torch.arange(len(logits)), targets.long()]
    return (torch.logsumexp(both, dim=1) - chosen).mean()
""",
            "logsumexp gives 20 at a logit of 20, and 20 - 20 is 0: the small loss is gone",
        ),
        Wrong(
            "asks sign() for a -1 where the target is 0",
            """
def bce_from_logits(logits, targets):
    sign = torch.sign(targets)
    return torch.logaddexp(torch.zeros_like(logits), -sign * logits).mean()
""",
            "the sign of 0 is 0, so every target of 0 costs log 2 whatever the logit is; the example has none",
        ),
        Wrong(
            "adds a 1 to the small exponential, and sums",
            """
def bce_from_logits(logits, targets):
    loss = torch.maximum(logits, torch.zeros_like(logits)) - logits * targets
    loss = loss + torch.log(1 + torch.exp(-torch.abs(logits)))
    return loss.sum()
""",
            "1 + e swallows a small e, which log1p keeps; the result is the sum and not the mean",
        ),
    ],
    "04.2": [
        Wrong(
            "writes the density down as it stands and takes its logarithm",
            """
def mean_nll(f, t):
    rate = torch.exp(f)
    p = rate ** t * torch.exp(-rate) / torch.exp(torch.lgamma(t + 1))
    return -torch.log(p).mean()
""",
            "far away the density is 0 and its logarithm infinite: take the logarithm on paper first",
        ),
        Wrong(
            "takes f for the rate",
            """
def mean_nll(f, t):
    return (f - t * torch.log(f) + torch.lgamma(t + 1)).mean()
""",
            "f is the logarithm of the rate: the rate is exp(f), and f may be 0 or below",
        ),
        Wrong(
            "believes that lgamma(t) is log t!",
            """
def mean_nll(f, t):
    return (torch.exp(f) - t * f + torch.lgamma(t)).mean()
""",
            "lgamma(t) is log (t - 1)!, and infinite at 0",
        ),
        Wrong(
            "takes the mean of the probabilities and then the logarithm",
            """
def mean_nll(f, t):
    log_p = t * f - torch.exp(f) - torch.lgamma(t + 1)
    p = torch.exp(log_p)
    return -torch.log(p.mean())
""",
            "the mean of the logarithms is asked, not the logarithm of the mean",
        ),
        Wrong(
            "makes t! out of its logarithm, and the logarithm out of t!",
            """
def mean_nll(f, t):
    rate = torch.exp(f)
    factorial = torch.exp(torch.lgamma(t + 1))
    nll = rate - t * torch.log(rate) + torch.log(factorial)
    return nll.mean()
""",
            "35! is more than float32 holds: large counts cost inf; lgamma was the logarithm already",
        ),
        Wrong(
            "forgets the minus before the whole, and leaves out what does not depend on f",
            """
def mean_nll(f, t):
    log_likelihood = t * f - torch.exp(f)
    return log_likelihood.mean()
""",
            "the sign is turned, and log t! is missing",
        ),
    ],
    "04.3": [
        Wrong(
            "takes half of delta off instead of half of its square",
            """
def huber(error, delta):
    a = error.abs()
    return torch.where(a <= delta, 0.5 * error ** 2, delta * a - 0.5 * delta)
"""
            + _SLOPE,
            "delta squared: only for delta = 1 do the pieces meet",
        ),
        Wrong(
            "compares the error and not its size with delta",
            """
def huber(error, delta):
    return torch.where(error <= delta, 0.5 * error ** 2, delta * error.abs() - 0.5 * delta ** 2)

def huber_slope(error, delta):
    return torch.where(error <= delta, error, torch.full_like(error, delta))
""",
            "large negative errors stay on the parabola",
        ),
        Wrong(
            "writes the size of the error as a root of its square",
            """
def huber(error, delta):
    size = torch.sqrt(error ** 2)
    return torch.where(size <= delta, error ** 2 / 2, delta * (size - delta / 2))
"""
            + _SLOPE,
            "at 0 the root has an infinite slope: the gradient there is nan, also in the branch not chosen",
        ),
        Wrong(
            "writes down torch's smooth_l1_loss",
            """
def huber(error, beta):
    size = error.abs()
    return torch.where(size < beta, 0.5 * error ** 2 / beta, size - 0.5 * beta)

def huber_slope(error, beta):
    return torch.clamp(error / beta, -1, 1)
""",
            "that is Huber divided by delta: equal for delta = 1 only",
        ),
        Wrong(
            "goes through the errors one by one and makes a new tensor of the numbers",
            """
def huber(error, delta):
    losses = []
    for e in error.tolist():
        if abs(e) <= delta:
            losses.append(0.5 * e * e)
        else:
            losses.append(delta * abs(e) - 0.5 * delta * delta)
    return torch.tensor(losses, dtype=error.dtype)

def huber_slope(error, delta):
    return torch.tensor([max(-delta, min(delta, e)) for e in error.tolist()], dtype=error.dtype)
""",
            "numbers out of a tensor have no gradient, and with two axes each row is a list",
        ),
        Wrong(
            "takes the mean, and gives far errors the slope delta on both sides",
            """
def huber(error, delta):
    size = error.abs()
    loss = torch.where(size <= delta, 0.5 * error.square(), delta * size - 0.5 * delta ** 2)
    return loss.mean()

def huber_slope(error, delta):
    return torch.where(error.abs() <= delta, error, torch.full_like(error, delta))
""",
            "no mean is asked; far below 0 the slope is -delta",
        ),
    ],
}
