"""Exercise 04.6: two divergences."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from companion.checks.bank import Out, exercise, rng
from companion.checks.ch04_losses.e6_mistakes import MISTAKES
from companion.checks.numbers import F64, rows
from companion.checks.trace import Case

Two = tuple[Tensor, Tensor]


def two_divergences(p: torch.Tensor, q: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return KL(p, q) and KL(q, p) for each row: (N, C) and (N, C) -> (N,) and (N,)."""

    def divergence(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        terms = a * (a.log() - b.log())  # infinite where only b is 0
        return torch.where(a > 0, terms, 0.0).sum(dim=1)

    return divergence(p, q), divergence(q, p)


def _by_xlogy(p: Tensor, q: Tensor) -> Two:
    def entropy(a: Tensor, b: Tensor) -> Tensor:
        return -torch.xlogy(a, b).sum(dim=-1)

    return entropy(p, q) - entropy(p, p), entropy(q, p) - entropy(q, q)


def _by_loop(p: Tensor, q: Tensor) -> Two:
    forward, reverse = torch.zeros_like(p[:, 0]), torch.zeros_like(p[:, 0])
    for a, b in zip(p.T, q.T):  # class by class
        forward = forward + torch.where(a == 0, torch.zeros_like(a), a * torch.log(a / b))
        reverse = reverse + torch.where(b == 0, torch.zeros_like(b), b * torch.log(b / a))
    return forward, reverse


def _by_filling(p: Tensor, q: Tensor) -> Two:
    a, b = p.masked_fill(p == 0, 1), q.masked_fill(q == 0, 1)  # the logarithm of 1 is 0
    forward, reverse = (p * (a / b).log()).sum(dim=1), (q * (b / a).log()).sum(dim=1)
    infinite = torch.full_like(forward, torch.inf)
    one, other = ((p > 0) & (q == 0)).any(dim=1), ((q > 0) & (p == 0)).any(dim=1)
    return torch.where(one, infinite, forward), torch.where(other, infinite, reverse)


def _by_selection(p: Tensor, q: Tensor) -> Two:
    found = [[(a[a > 0] * (a[a > 0] / b[a > 0]).log()).sum() for a, b in ((x, y), (y, x))] for x, y in zip(p, q)]
    forward, reverse = torch.stack([torch.stack(row) for row in found]).unbind(dim=1)
    return forward, reverse


def _cases(seed: int) -> list[Case]:
    def case(name: str, p: Tensor, q: Tensor, **options: Any) -> Case:
        return Case(name, {"p": p, "q": q}, **options)

    def drawn(n: int, classes: int, zeros: float, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        g = rng(seed + n)
        found = []
        for _ in range(2):
            shares = torch.softmax(1.5 * torch.randn(n, classes, generator=g, dtype=F64), dim=1)
            holes = torch.rand(n, classes, generator=g) < zeros
            holes[:, 1] = False  # so that something is left of each row
            shares = shares.masked_fill(holes, 0.0)
            found.append((shares / shares.sum(dim=1, keepdim=True)).to(dtype))
        return found[0], found[1]

    a, b = drawn(3, 5, 0.0, F64)
    c, d = drawn(6, 4, 0.3, torch.float32)
    gaps = [torch.stack([x, torch.full_like(x, 0.7)], dim=-1)[..., 0] for x in drawn(4, 3, 0.0, torch.float32)]
    return [
        case(
            "the two rows of the example",
            rows([0.5, 0.5, 0.0], [0.5, 0.5, 0.0]),
            rows([0.9, 0.1, 0.0], [1.0, 0.0, 0.0]),
            example=True,
        ),
        case("a single row without zeros", rows([0.6, 0.3, 0.1]), rows([0.2, 0.3, 0.5]), grad=("p", "q")),
        case("a distribution and itself", rows([0.2, 0.0, 0.8], [0.7, 0.1, 0.2]), rows([0.2, 0.0, 0.8], [0.7, 0.1, 0.2])),
        case("two that share no class", rows([0.0, 1.0, 0.0, 0.0]), rows([0.4, 0.0, 0.0, 0.6])),
        case("a zero in p alone", rows([0.0, 0.3, 0.7]), rows([0.2, 0.2, 0.6])),
        case("a share of 1e-30", rows([0.5, 0.5]), rows([1.0, 1e-30])),
        case("a weight of 1e-30 where the other is 0", rows([1.0, 1e-30], [1.0, 0.0]), rows([1.0, 0.0], [1.0, 1e-30])),
        case("rows without zeros, in float64", a, b, grad=("p", "q")),
        case("rows with zeros here and there", c, d),
        case("numbers with gaps in memory", *gaps, grad=("p", "q")),
    ]  # fmt: skip


@exercise("04.6", title="Two divergences", points=2)
class TwoDivergences:
    """The Kullback-Leibler divergence in both directions, for distributions that may hold zeros."""

    reference = two_divergences
    read = "How far apart are two distributions?"
    returns = (Out("forward"), Out("reverse"))
    statement = r"""
        $$\operatorname{KL}(p \,\|\, q) = \sum_{k=1}^{C} p_k \log \frac{p_k}{q_k}$$

        Write `two_divergences(p, q)`. `p` and `q` have the shape (N, C), and each row is a distribution: no number below 0,
        and the sum is 1. Return two tensors of the shape (N,), `forward` and `reverse`: for each row
        $\operatorname{KL}(p \,\|\, q)$ first, then $\operatorname{KL}(q \,\|\, p)$. The logarithm is the natural one.

        Rows may hold zeros. Two rules say what they mean. They follow from what happens on the way to 0:

        * Where the weight in front is 0, the term counts 0, whatever stands in the logarithm.
        * Where the weight in front is above 0, be it ever so small, and the other distribution is 0, the divergence is
          infinite: `torch.inf`, neither `nan` nor some large number. Who believes that something cannot happen is
          infinitely wrong when it does.

        Let gradients through where no number is 0. Do not call a ready-made divergence, and leave `torch.distributions` out.

        Example: `p = [[0.5, 0.5, 0], [0.5, 0.5, 0]]` and `q = [[0.9, 0.1, 0], [1, 0, 0]]`. In the first row
        $0.5 \log \frac{0.5}{0.9} + 0.5 \log \frac{0.5}{0.1} = -0.294 + 0.805 = 0.511$ and
        $0.9 \log \frac{0.9}{0.5} + 0.1 \log \frac{0.1}{0.5} = 0.529 - 0.161 = 0.368$. In the second row q is 0 where p is
        not, so the first is infinite; the other way round it is $1 \cdot \log \frac{1}{0.5} = 0.693$. `forward` is
        `[0.511, inf]` and `reverse` is `[0.368, 0.693]`.
    """
    cases = _cases
    forbidden = dict.fromkeys(
        ("nn.functional.kl_div", "kl_div", "Tensor.kl_div", "distributions"),
        "Write the sum yourself: the point is what becomes of the zeros.",
    )
    mistakes = MISTAKES
    alternatives: ClassVar = {
        "two entropies by xlogy": _by_xlogy,
        "class by class": _by_loop,
        "zeros filled with ones": _by_filling,
        "only classes that occur": _by_selection,
    }
    hints = (
        "Write the terms of the second row of the example on paper, for both directions. Which of them is 0, which is "
        "infinite, and what does `torch.tensor(0.0) * torch.log(torch.tensor(0.0))` say?",
        "Both directions are the same function with the arguments exchanged. Write it for `a` and `b` first, as a table "
        "of terms (N, C) that is added up along one axis.",
        "Compute all the terms `a * (a.log() - b.log())` and then choose, with `torch.where`, where they count. `nan` "
        "comes up only where `a` is 0.",
    )
