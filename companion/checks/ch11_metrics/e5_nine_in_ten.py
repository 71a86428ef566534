"""Exercise 11.5: nine in ten."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from companion.checks.bank import Out, exercise, rng
from companion.checks.ch11_metrics.e5_mistakes import MISTAKES
from companion.checks.numbers import F64
from companion.checks.trace import Case


def calibration_error(p: torch.Tensor, y: torch.Tensor, bins: int) -> torch.Tensor:
    """Return the expected calibration error of shares p (N, C) for classes y (N,), over bins of equal width."""
    confidence, answer = p.max(dim=1)
    right = (answer == y).to(p.dtype)
    edges = torch.linspace(0, 1, bins + 1)
    error = torch.tensor(0.0, dtype=p.dtype)
    for b in range(bins):
        inside = (confidence > edges[b]) & (confidence <= edges[b + 1])
        if inside.any():
            gap = right[inside].mean() - confidence[inside].mean()
            error = error + inside.sum() / len(y) * gap.abs()
    return error


def fit_temperature(logits: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Return the temperature T > 0 at which softmax(logits / T) has the lowest cross-entropy for classes y (N,)."""
    low, high = torch.tensor(0.01), torch.tensor(100.0)
    for _ in range(40):
        T = (low * high).sqrt()
        p = torch.softmax(logits / T, dim=1)
        expects = (p * logits).sum(dim=1).mean()  # the slope of the loss by 1 / T is what it expects less what comes
        comes = logits[torch.arange(len(y)), y].mean()
        low, high = (T, high) if expects > comes else (low, T)
    return T


def _by_sums(p: Tensor, y: Tensor, bins: int) -> float:
    """Share and mean of a bin cancel: what is left is the sum of its gaps."""
    confidence = p.amax(dim=1)
    place = (confidence.double() * bins).ceil().long().clamp(1, bins) - 1
    gaps = (p.argmax(dim=1) == y).double() - confidence.double()
    return torch.zeros(bins, dtype=F64).index_add(0, place, gaps).abs().sum().item() / len(y)


def _by_lbfgs(logits: Tensor, y: Tensor) -> Tensor:
    log_T = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.LBFGS([log_T], max_iter=100, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(logits / log_T.exp(), y)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    return log_T.exp().detach()[0]


def _with_numpy(p: Tensor, y: Tensor, bins: int) -> np.floating:
    shares, truth = p.numpy(), y.numpy()
    confidence = shares.max(1)
    place = np.digitize(confidence, np.linspace(0, 1, bins + 1)[1:-1], right=True)
    total = np.float64(0)
    for k in np.unique(place):
        inside = place == k
        total += inside.mean() * abs((shares.argmax(1) == truth)[inside].mean() - confidence[inside].mean())
    return total


def _by_trying(logits: Tensor, y: Tensor) -> float:
    """Try 400 temperatures, each 1.2 per cent above the one before, and then finer ones around the best."""
    around, width = 1.0, 10.0
    for _ in range(4):
        tried = around * torch.logspace(-1, 1, 101, base=width, dtype=F64)
        losses = [float(torch.nn.functional.cross_entropy(logits.double() / T, y)) for T in tried]
        around, width = float(tried[losses.index(min(losses))]), width**0.1
    return around


_SHORT = "Compute the loss at your T, and at one that is a per cent higher and lower. Where one of these is less, the search stops too early, or its steps are too wide."


def _cases(seed: int) -> list[Case]:
    g = rng(seed + 115)

    def shares(name: str, n: int, classes: int, bins: int, sharp: float, luck: float, dtype: torch.dtype = F64) -> Case:
        """Draw shares that are surer than they should be, or less sure."""
        z = torch.randn(n, classes, generator=g, dtype=F64) * sharp
        y = torch.multinomial(torch.softmax(z * luck, dim=1), 1, generator=g).flatten()
        args = {"p": torch.softmax(z, dim=1).to(dtype), "y": y, "bins": bins}
        return Case(name, args, "calibration_error", tolerance=1e-4 if dtype == torch.float32 else 1e-5)

    def scores(name: str, n: int, classes: int, sharp: float, T: float, dtype: torch.dtype = F64) -> Case:
        z = torch.randn(n, classes, generator=g, dtype=F64) * sharp
        y = torch.multinomial(torch.softmax(z, dim=1), 1, generator=g).flatten()
        return Case(name, {"logits": (z * T + 3).to(dtype), "y": y}, "fit_temperature", says=_SHORT)

    five = torch.tensor(
        [[0.5, 0.25, 0.25], [0.125, 0.625, 0.25], [0.0, 0.25, 0.75], [1.0, 0.0, 0.0], [0.0625, 0.0625, 0.875]],
        dtype=F64,
    )
    edges = torch.tensor([[0.25, 0.75], [0.5, 0.5], [1.0, 0.0], [0.0, 1.0], [0.125, 0.875], [0.625, 0.375]], dtype=F64)
    edges[1] = torch.tensor([0.4375, 0.5625], dtype=F64)
    worked = {"logits": torch.tensor([[2.0, 0.0], [2.0, 0.0], [2.0, 0.0], [2.0, 0.0]]), "y": torch.tensor([0, 1, 0, 0])}
    return [
        Case("the five answers worked out", {"p": five, "y": torch.tensor([0, 1, 1, 0, 0]), "bins": 4}, "calibration_error", example=True, tolerance=1e-5),
        Case("confidences on the edges of bins", {"p": edges, "y": torch.tensor([0, 1, 0, 0, 1, 0]), "bins": 8}, "calibration_error", tolerance=1e-5),
        shares("one answer", 1, 3, 5, 1.0, 1.0),
        shares("a model that is too sure, ten bins", 90, 4, 10, 3.0, 0.3),
        shares("a model that is not sure enough, seven bins", 60, 3, 7, 0.7, 3.0),
        shares("a model that is too sure of some and not of others, in float32", 200, 6, 15, 1.5, 1.0, torch.float32),
        shares("one bin", 40, 5, 1, 2.0, 0.4),
        Case("the four answers of the second example", worked, "fit_temperature", example=True, says=_SHORT),
        scores("logits that are too large", 80, 4, 1.5, 3.0),
        scores("logits that are far too large", 60, 3, 1.0, 7.0),
        scores("logits that are too small", 90, 5, 2.0, 0.35),
        scores("logits as they should be", 120, 3, 1.2, 1.0),
        scores("logits in float32", 70, 6, 1.5, 2.0, torch.float32),
    ]  # fmt: skip


@exercise("11.5", title="Nine in ten", points=2)
class NineInTen:
    """How far confidence and accuracy are apart, and one number that brings them together."""

    reference = calibration_error, fit_temperature
    returns = (Out("out", "number"),)
    tolerance = 2e-3
    timeout = 30.0
    read = "One number to mend it"
    statement = r"""
        Of a hundred answers that a model gives with 0.9, about ninety should be right. Two functions: one measures whether it is so, and the other
        mends a model that is too sure of itself, or not sure enough.

        `calibration_error(p, y, bins)` returns the **expected calibration error**. `p` has the shape (N, C), one row of shares that add up to 1 for
        each answer, and `y` the shape (N,), with the true classes. The **confidence** of an answer is the largest share in its row, and it is right
        if that share stands at the true class. (No row has two largest shares.) Cut the confidences from 0 to 1 into `bins` bins of equal width. With $n_b$ answers in bin b,

        $$\text{ECE} = \sum_b \frac{n_b}{N}\, \bigl|\, \text{share that is right in } b \;-\; \text{mean confidence in } b \,\bigr|$$

        A confidence **on an edge** belongs to the lower bin, so that 1 belongs to the last. **Empty** bins count nothing.

        `fit_temperature(logits, y)` returns the temperature T > 0 for which $\text{softmax}(\text{logits} / T)$ has the lowest mean cross-entropy,
        $-\frac1N \sum_n \log p_{n, y_n}$. `logits` has the shape (N, C). In every case there is one such T, between 0.1 and 10. It has to be right to
        0.2 per cent. Search it as you like, by trying, by halving an interval, or with an optimizer of torch. Nothing may be drawn by chance.

        Example: `bins = 4`, `y = [0, 1, 1, 0, 0]` and
        `p = [[0.5, 0.25, 0.25], [0.125, 0.625, 0.25], [0, 0.25, 0.75], [1, 0, 0], [0.0625, 0.0625, 0.875]]`. The confidences are 0.5, 0.625, 0.75, 1 and
        0.875, and the first, second and fourth answer are right. The bin up to 0.25 is empty. The bin up to 0.5 holds one answer, with a gap of 0.5;
        the one up to 0.75 holds two, with $|0.5 - 0.6875| = 0.1875$; and the last one holds two, with $|0.5 - 0.9375| = 0.4375$. So the error is
        $\frac15 \cdot 0.5 + \frac25 \cdot 0.1875 + \frac25 \cdot 0.4375 = 0.35$.

        Example: four answers with `logits = [[2, 0], [2, 0], [2, 0], [2, 0]]` and `y = [0, 1, 0, 0]`. The model says $\text{softmax} = 0.881$, and three of four are
        right. The best T makes 0.75 of it: $2 / T = \log 3$, so T = 1.820.
    """
    cases = _cases
    mistakes = MISTAKES
    alternatives: ClassVar = {
        "by sums, and by L-BFGS": (_by_sums, _by_lbfgs),
        "with numpy, and by trying": (_with_numpy, _by_trying),
    }
    hints = (
        "`p.max(dim=1)` gives confidences and answers at once. Write down both for the example, and beside them whether the answer is right.",
        "A mask for one bin is `(confidence > low) & (confidence <= high)`. Both means are taken under this mask; ask first whether anybody is in it.",
        "For the temperature, write a function that returns the loss at a T: `torch.nn.functional.cross_entropy(logits / T, y)`. It has one lowest place. Try 200 values of T, and then finer ones around the best.",
    )
