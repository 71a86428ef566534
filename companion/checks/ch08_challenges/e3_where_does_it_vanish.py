"""Exercise 08.3: where does it vanish?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from companion.checks.bank import Out, exercise, rng
from companion.checks.ch08_challenges.e3_mistakes import MISTAKES
from companion.checks.numbers import F64, rows
from companion.checks.trace import Case


def gradient_norms(
    weights: list[torch.Tensor], x: torch.Tensor, y: torch.Tensor, share: float
) -> tuple[torch.Tensor, int]:
    """Return the norm of the slope by each layer's weights, and the first layer from the output below a share."""
    leaves = [w.clone().requires_grad_() for w in weights]
    h = x
    for w in leaves[:-1]:
        h = torch.sigmoid(h @ w.T)
    loss = torch.nn.functional.cross_entropy(h @ leaves[-1].T, y)
    norms = torch.stack([g.norm() for g in torch.autograd.grad(loss, leaves)])
    layer = 0
    for number, norm in enumerate(norms, 1):
        if norm < share * norms[-1]:
            layer = number  # the last that is found stands nearest to the output
    return norms, layer


def _by_hand(weights: Sequence[Tensor], x: Tensor, y: Tensor, share: float) -> tuple[Tensor, Tensor]:
    kept = [x]
    for w in weights[:-1]:
        kept.append(1 / (1 + torch.exp(-kept[-1] @ w.T)))
    slope = torch.softmax(kept[-1] @ weights[-1].T, dim=1)
    slope[torch.arange(len(y)), y] -= 1
    slope = slope / len(y)
    norms: list[Tensor] = []
    for w, h in zip(weights[::-1], kept[::-1]):
        norms.insert(0, (slope.T @ h).square().sum().sqrt())
        slope = slope @ w * h * (1 - h)  # the last of these would be the slope by x, which nobody needs
    found = torch.stack(norms)
    below = (found < share * found[-1]).nonzero()
    return found, below.max() + 1 if len(below) else torch.tensor(0)


def _by_layers(weights: Sequence[Tensor], x: Tensor, y: Tensor, share: float) -> tuple[Tensor, int]:
    layers = [nn.Linear(w.shape[1], w.shape[0], bias=False, dtype=w.dtype) for w in weights]
    for layer, w in zip(layers, weights):
        layer.weight.data.copy_(w)
        x = layer(x if layer is layers[0] else torch.sigmoid(x))
    loss = -torch.log_softmax(x, dim=1)[range(len(y)), y].mean()
    loss.backward()
    slopes = [layer.weight.grad for layer in layers]
    norms = torch.tensor([float(g.norm()) for g in slopes if g is not None], dtype=x.dtype)
    below = [n for n in range(len(norms), 0, -1) if norms[n - 1] / norms[-1] < share]
    return norms, below[0] if below else 0


def _cases(seed: int) -> list[Case]:
    g = rng(seed + 83)

    def network(widths: Sequence[int], gains: Sequence[float], dtype: torch.dtype = F64) -> list[Tensor]:
        """Return weights of these widths; with a gain of 4 a slope keeps its size behind a sigmoid that is not yet flat."""
        pairs = zip(widths, widths[1:], gains)
        return [(torch.randn(b, a, generator=g, dtype=F64) * gain / a**0.5).to(dtype) for a, b, gain in pairs]

    def case(
        name: str,
        widths: Sequence[int],
        gains: Sequence[float],
        n: int,
        share: float,
        shows: Callable[[list[float]], bool] = lambda parts: True,
        *,
        size: float = 1.0,
        dtype: torch.dtype = F64,
    ) -> Case:
        """Return a case drawn until its norms, as parts of the last one, show what it is there for."""
        while True:
            weights = network(widths, gains, dtype)
            x = (size * (torch.randn(n, widths[0], generator=g, dtype=F64) + 0.3)).to(dtype)
            if dtype is torch.float32:
                x = torch.zeros(n, widths[0], 2)[..., 0].copy_(x)  # with gaps in memory
            y = torch.randint(widths[-1], (n,), generator=g)
            norms = gradient_norms(weights, x, y, share)[0]
            parts = (norms / norms[-1]).tolist()
            if all(abs(p / share - 1) > 0.05 for p in parts[:-1]) and shows(parts):
                return Case(name, {"weights": weights, "x": x, "y": y, "share": share})

    two = {"weights": [rows([0.0]), rows([2], [-2])], "x": rows([0.05]), "y": torch.tensor([0]), "share": 0.1}
    return [
        Case("the two layers worked out", two, example=True),
        case("a single layer", [3, 4], [1.0], 5, 0.5),
        case("four layers of which none lies below", [6, 9, 5, 7, 3], [3.0, 5.0, 6.0, 2.0], 8, 0.001),
        case(
            "seven layers, a tenth",
            [4, 9, 6, 8, 5, 7, 6, 3],
            [3.0, *[3.5] * 5, 1.5],
            11,
            0.1,
            lambda p: p[2] < 0.1 < p[4],
        ),
        case(
            "large weights in the last layer",
            [5, 8, 6, 9, 7, 4],
            [2.0, 4.0, 4.0, 4.0, 12.0],
            9,
            0.3,
            lambda p: p[0] < 0.3 < p[2] < 0.3 * max(p) and p[3] > 1,
        ),
        case("a share of 1", [7, 12, 5, 8, 4], [6.0, 7.0, 4.0, 3.0], 6, 1.0),
        case(
            "small weights in the middle, in float32 and with gaps in memory",
            [8, 20, 12, 15, 10, 6],
            [2.0, 16.0, 0.6, 4.0, 3.0],
            16,
            0.3,
            lambda p: p[1] < 0.3 < p[2],
            dtype=torch.float32,
        ),
        case(
            "large inputs, and small weights for them",
            [3, 7, 6, 5, 4],
            [0.06, 4.0, 4.0, 3.0],
            7,
            0.2,
            lambda p: p[1] < 0.2 < min(p[0], p[2]),
            size=50.0,
        ),
    ]


@exercise("08.3", title="Where does it vanish?", points=2)
class WhereDoesItVanish:
    """The norm of the gradient layer by layer, and the place at which it is lost."""

    reference = gradient_norms
    read = "Products of many factors"
    returns = (Out("norms"), Out("layer", "integer"))
    random = True  # whoever builds layers of torch draws weights, and puts these in their place
    statement = r"""
        A deep network does not learn, and nobody says why. You look at how much of the slope arrives in each layer. That is a
        measurement of a few lines, and it finds the layer at which the slope is lost on its way back.

        Write `gradient_norms(weights, x, y, share)`.

        * `weights` is a list of L tables, in the order in which they are used. The one of layer $l$ has the shape (units,
          inputs). There are no biases. Behind every layer but the last stands a sigmoid:
          $h^{(l)} = \sigma(h^{(l-1)} W^{(l)\top})$ with $h^{(0)} = x$. The last layer gives the scores.
        * `x` has the shape (N, D), and `y` holds the N right classes, whole numbers. The loss is the mean cross-entropy of
          the scores.
        * `share` is a number above 0 and at most 1.

        Return two things, `(norms, layer)`.

        * `norms` has the shape (L,): for each layer, in the order of the list, the norm of the loss's slope by its weights.
          The norm is the root of the sum of all squared slopes of the table.
        * `layer` is a whole number. Layers are numbered from 1, next to the input, to L. Go back from the output: which is
          the **first layer on this way** whose norm lies below `share` times the norm of layer L? If there is none, it is 0.

        The numbers in `weights`, `x` and `y` stay as they are, and a second call with the same ones returns the same.

        Example: `weights = [[[0]], [[2], [-2]]]`, `x = [[0.05]]`, `y = [0]`, `share = 0.1`. Forwards: $h = \sigma(0) = 0.5$,
        and the scores are 1 and -1, with the probabilities 0.8808 and 0.1192. Back: the slopes by the scores are -0.1192 and
        0.1192. Times $h$ they are the slopes by the second table, with the norm 0.0843. The slope by $h$ is $-0.4768$, and
        by the sum before the sigmoid a quarter of it, $-0.1192$. Times $x$ that is the slope by the first table, with the
        norm 0.0060. It lies below a tenth of 0.0843, so the result is `(tensor([0.0060, 0.0843]), 1)`.
    """
    cases = _cases
    mistakes = MISTAKES
    alternatives: ClassVar = {"by hand": _by_hand, "with layers of torch": _by_layers}
    hints = (
        "Three parts: forwards to the loss, back to the slopes, then the comparison. Autograd does the second "
        "one for you, if the "
        "tables record what is done with them.",
        "Make copies that record: `[w.clone().requires_grad_() for w in weights]`. "
        "`torch.autograd.grad(loss, copies)` gives one "
        "slope for each table, and `.norm()` its norm.",
        "`norms < share * norms[-1]` says which layers lie below. Going back from the output, the first of them "
        "is the one with "
        "the largest number. Mind the case in which there is none.",
    )
