"""Chapter 7, exercises 5 to 8: decay, the schedule, clipping, and a training of ten epochs."""

from __future__ import annotations

from second_wrong import Wrong

ADAM = """
class Adam:
    def __init__(self, lr, betas, eps):
        self.lr, self.betas, self.eps = lr, betas, eps
        self.k, self.m, self.s = 0, None, None

    def step(self, weights, slopes):
        b1, b2 = self.betas
        if self.m is None:
            self.m = [torch.zeros_like(g) for g in slopes]
            self.s = [torch.zeros_like(g) for g in slopes]
        self.k += 1
        self.m = [b1 * m + (1 - b1) * g for m, g in zip(self.m, slopes)]
        self.s = [b2 * s + (1 - b2) * g**2 for s, g in zip(self.s, slopes)]
        new = []
        for w, m, s in zip(weights, self.m, self.s):
            m_hat, s_hat = m / (1 - b1**self.k), s / (1 - b2**self.k)
            new.append(w - self.lr * m_hat / (s_hat.sqrt() + self.eps))
        return new
"""
"""The class of exercise 07.4, with which a learner may begin."""

RIGHT = {
    "07.5": """
class AdamW:
    def __init__(self, lr, betas, eps, decay, decays):
        self.lr, self.betas, self.eps = lr, betas, eps
        self.shares = [lr * decay * yes for yes in decays]
        self.past = []

    def step(self, weights, slopes):
        # both means are computed anew from all slopes there have been: shares that add up to 1 need no hats
        self.past.append([g.clone() for g in slopes])
        new = []
        for i, (w, share) in enumerate(zip(weights, self.shares)):
            G = torch.stack([then[i] for then in self.past])
            age = torch.arange(len(G) - 1, -1, -1).to(G.dtype)
            m, s = (torch.tensordot(b**age / (b**age).sum(), G**n, dims=1) for n, b in enumerate(self.betas, start=1))
            new.append(torch.lerp(w, torch.zeros_like(w), share) - self.lr * m / (s.sqrt() + self.eps))
        return new
""",
    "07.6": """
from math import cos, pi

def rate(step, lr, warm, total):
    if not step < total:
        return 0.0
    rest = total - warm
    up = (step + 1) / warm if warm else 1.0
    down = cos(pi / 2 * max(step - warm, 0) / rest) ** 2 if rest else 1.0
    return lr * min(up, 1.0) * down
""",
    "07.7": """
def clip(slopes, max_norm):
    norm = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(g) for g in slopes]))
    factor = max_norm / norm.clamp(min=max_norm)
    return [g * factor for g in slopes], norm
""",
    "07.8": """
def train(w, slopes, steps):
    p = torch.nn.Parameter(w.clone())
    inner = torch.optim.NAdam([p], lr=0.004, betas=(0.9, 0.99), weight_decay=0.05, decoupled_weight_decay=True)
    cycle = torch.optim.lr_scheduler.OneCycleLR(inner, max_lr=0.006, total_steps=steps, cycle_momentum=False)
    for _ in range(steps):
        p.grad = slopes(p.detach())
        inner.step()
        cycle.step()
    return p.detach()
""",
}

WRONG = {
    "07.5": [
        Wrong(
            "puts the decay into the slopes",
            ADAM
            + """
class AdamW(Adam):
    def __init__(self, lr, betas, eps, decay, decays):
        super().__init__(lr, betas, eps)
        self.decay, self.decays = decay, decays

    def step(self, weights, slopes):
        pulled = [g + self.decay * w if d else g for w, g, d in zip(weights, slopes, self.decays)]
        return super().step(weights, pulled)
""",
            "in the slopes the decay goes into the means and is divided by the root: take it off the weights",
        ),
        Wrong(
            "takes the whole decay off, without the rate",
            ADAM
            + """
class AdamW(Adam):
    def __init__(self, lr, betas, eps, decay, decays):
        super().__init__(lr, betas, eps)
        self.decay, self.decays = decay, decays

    def step(self, weights, slopes):
        smaller = [(1 - self.decay) * w if d else w for w, d in zip(weights, self.decays)]
        return super().step(smaller, slopes)
""",
            "the share that is taken off is rate times decay",
        ),
        Wrong(
            "takes Adam's step first and lets its result decay",
            ADAM
            + """
class AdamW(Adam):
    def __init__(self, lr, betas, eps, decay, decays):
        Adam.__init__(self, lr, betas, eps)
        self.keep = [1 - lr * decay if d else 1 for d in decays]

    def step(self, weights, slopes):
        new = Adam.step(self, weights, slopes)
        return [k * w for k, w in zip(self.keep, new)]
""",
            "the decay comes first: afterwards it takes a share of the step off as well",
        ),
        Wrong(
            "lets every tensor decay",
            ADAM
            + """
class AdamW:
    def __init__(self, lr, betas, eps, decay, decays):
        self.adam = Adam(lr, betas, eps)
        self.lr, self.decay, self.decays = lr, decay, decays

    def step(self, weights, slopes):
        weights = [w - self.lr * self.decay * w for w in weights]
        return self.adam.step(weights, slopes)
""",
            "decays says which tensors decay: the others are spared",
        ),
        Wrong(
            "believes that tables and biases take turns, and does not look at decays",
            ADAM
            + """
class AdamW:
    def __init__(self, lr, betas, eps, decay, decays):
        self.adam = Adam(lr, betas, eps)
        self.share = lr * decay

    def step(self, weights, slopes):
        start = []
        for i, w in enumerate(weights):
            start.append(w * (1 - self.share) if i % 2 == 0 else w)
        return self.adam.step(start, slopes)
""",
            "which tensors decay stands in decays; that the second is spared holds in the example only",
        ),
        Wrong(
            "reads decays as the list of what is spared, and makes the weights smaller where they stand",
            ADAM
            + """
class AdamW:
    def __init__(self, lr, betas, eps, decay, decays):
        self.adam = Adam(lr, betas, eps)
        self.lr, self.decay, self.decays = lr, decay, decays

    def step(self, weights, slopes):
        for w, spared in zip(weights, self.decays):
            if not spared:
                w.mul_(1 - self.lr * self.decay)
        return self.adam.step(weights, slopes)
""",
            "True says that a tensor decays; and mul_ writes into the weights that came in",
        ),
    ],
    "07.6": [
        Wrong(
            "begins the warm-up at a rate of 0",
            """
import math

def rate(step, lr, warm, total):
    if step >= total:
        return 0.0
    if step < warm:
        return lr * step / warm
    return lr / 2 * (1 + math.cos(math.pi * (step - warm) / (total - warm)))
""",
            "the first step has lr / warm: k + 1, not k",
        ),
        Wrong(
            "counts the way down from the first step of the training",
            """
import math

def rate(step, lr, warm, total):
    if step >= total:
        return 0.0
    if step < warm:
        return lr * (step + 1) / warm
    return lr / 2 * (1 + math.cos(math.pi * step / total))
""",
            "the cosine begins where the warm-up ends: (k - warm) / (total - warm)",
        ),
        Wrong(
            "reaches 0 in the last step, not after it",
            """
import math

def rate(step, lr, warm, total):
    if step >= total:
        return 0.0
    if step < warm:
        return lr * (step + 1) / warm
    way = max(total - 1 - warm, 1)
    return 0.5 * lr * (1 + math.cos(math.pi * (step - warm) / way))
""",
            "the way down has total - warm steps, and a last step at the rate 0 would be lost",
        ),
        Wrong(
            "takes a whole period of the cosine",
            """
import math

def rate(step, lr, warm, total):
    if step < warm:
        return lr * (step + 1) / warm
    if step < total:
        part = (step - warm) / (total - warm)
        return lr / 2 * (1 + math.cos(2 * math.pi * part))
    return 0.0
""",
            "with 2 pi the rate is down in the middle and up again at the end: half a period is pi",
        ),
        Wrong(
            "does not look whether the training is over",
            """
import math

def rate(step, lr, warm, total):
    if step < warm:
        return lr * (step + 1) / warm
    down = max(total - warm, 1)
    return lr / 2 * (1 + math.cos(math.pi * (step - warm) / down))
""",
            "at total the cosine is at 0, and behind it it goes up again: from total on the rate is 0",
        ),
        Wrong(
            "goes down in a straight line, from the highest rate in the step before",
            """
def rate(step, lr, warm, total):
    if step >= total:
        return 0.0
    if step < warm:
        return lr * (step + 1) / warm
    return lr * (1 - (step - warm + 1) / (total - warm))
""",
            "the way down is half a cosine, and step warm still has the whole rate",
        ),
    ],
    "07.7": [
        Wrong(
            "clips each tensor by its own norm",
            """
def clip(slopes, max_norm):
    norm = torch.cat([g.flatten() for g in slopes]).norm()
    new = []
    for g in slopes:
        length = g.norm()
        new.append(g * (max_norm / length) if length > max_norm else g.clone())
    return new, norm
""",
            "all tensors are one long vector: one norm, one factor, or the direction changes",
        ),
        Wrong(
            "cuts each entry off at the limit",
            """
def clip(slopes, max_norm):
    norm = sum((g ** 2).sum() for g in slopes) ** 0.5
    return [g.clamp(-max_norm, max_norm) for g in slopes], norm
""",
            "that is clipping by value: it changes the direction; multiply all by one factor",
        ),
        Wrong(
            "hands the slopes back as they came in where there is nothing to clip",
            """
def clip(slopes, max_norm):
    norm = torch.sqrt(sum(torch.sum(g * g) for g in slopes))
    if norm <= max_norm:
        return slopes, norm
    return [g * max_norm / norm for g in slopes], norm
""",
            "a new list of new tensors is asked for: who writes into the result writes into the slopes",
        ),
        Wrong(
            "clips in place, as torch does",
            """
def clip(slopes, max_norm):
    params = [torch.nn.Parameter(torch.zeros_like(g)) for g in slopes]
    for p, g in zip(params, slopes):
        p.grad = g
    norm = torch.nn.utils.clip_grad_norm_(params, max_norm)
    return [p.grad for p in params], norm
""",
            "clip_grad_norm_ writes into the slopes: give it copies",
        ),
        Wrong(
            "makes short slopes longer",
            """
def clip(slopes, max_norm):
    norm = torch.sqrt(torch.stack([g.square().sum() for g in slopes]).sum())
    factor = max_norm / (norm + 1e-12)
    return [factor * g for g in slopes], norm
""",
            "only above the limit is there anything to do: the factor is at most 1",
        ),
        Wrong(
            "adds up the norms of the tensors, and returns the norm after the clipping",
            """
def clip(slopes, max_norm):
    norm = sum(torch.linalg.norm(g) for g in slopes)
    factor = min(1.0, float(max_norm / (norm + 1e-6)))
    new = [g * factor for g in slopes]
    return new, sum(torch.linalg.norm(g) for g in new)
""",
            "norms do not add up, their squares do; and the norm from before is asked for",
        ),
    ],
    "07.8": [
        Wrong(
            "asks for two slopes in each step, here and ahead",
            """
def train(w, slopes, steps):
    for k in range(steps):
        lr = 0.1 * (1 - k / steps)
        half = w - 0.5 * lr * slopes(w)
        w = w - lr * slopes(half)
    return w
""",
            "each call counts: two in a step are 2,000",
        ),
        Wrong(
            "returns the weights that came in, as the optimizer writes into its own",
            """
def train(w, slopes, steps):
    p = w.clone().requires_grad_()
    opt = torch.optim.Adam([p], lr=0.005)
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=steps)
    for _ in range(steps):
        opt.zero_grad()
        p.grad = slopes(p.detach())
        opt.step()
        sched.step()
    return w
""",
            "p was trained, w is as it came in: return p",
        ),
        Wrong(
            "makes a new optimizer in every step",
            """
def train(w, slopes, steps):
    for k in range(steps):
        p = w.clone().requires_grad_()
        opt = torch.optim.Adam([p], lr=0.02 * (1 - k / steps))
        p.grad = slopes(w)
        opt.step()
        w = p.detach()
    return w
""",
            "the means begin at 0 in every step: only the sign of the slope is left",
        ),
        Wrong(
            "adds the slopes up, as nothing sets them back to 0",
            """
def train(w, slopes, steps):
    p = w.clone().requires_grad_()
    p.grad = torch.zeros_like(w)
    opt = torch.optim.SGD([p], lr=0.1)
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=steps)
    for _ in range(steps):
        p.grad += slopes(p.detach())
        opt.step()
        sched.step()
    return p.detach()
""",
            "p.grad holds the sum of all slopes so far: zero_grad in each step",
        ),
        Wrong(
            "steps the schedule once an epoch though it is made for steps, so that the rate stays high",
            """
def train(w, slopes, steps):
    p = w.clone().requires_grad_()
    opt = torch.optim.Adam([p], lr=0.05)
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=steps)
    for k in range(steps):
        p.grad = slopes(p.detach())
        opt.step()
        if (k + 1) % 100 == 0:
            sched.step()
    return p.detach()
""",
            "ten steps of a schedule that is made for 1,000: the rate hardly falls",
        ),
        Wrong(
            "stops after one epoch, and lets the rate fall below use long before",
            """
def train(w, slopes, steps):
    v = torch.zeros_like(w)
    for k in range(steps // 10):
        v = 0.9 * v + slopes(w)
        w = w - 0.1 * 0.9 ** k * v
    return w
""",
            "900 slopes are not asked for; and after thirty steps the rate is a twentieth",
        ),
    ],
}
