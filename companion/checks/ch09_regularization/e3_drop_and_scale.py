"""Exercise 09.3: drop and scale."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from companion.checks.bank import Property, exercise, rng
from companion.checks.cases import draw
from companion.checks.ch09_regularization.e3_mistakes import MISTAKES
from companion.checks.numbers import F64, rows
from companion.checks.trace import Case


def drop(h: torch.Tensor, u: torch.Tensor, p: float, training: bool) -> torch.Tensor:
    """Return h with each number dropped where u says so and the others enlarged, in training; else h as it is."""
    if not training:
        return h
    if p == 1:
        return 0 * h  # nobody stays, so there is nobody to enlarge
    return torch.where(u >= p, h / (1 - p), 0.0)


def _by_a_mask(h: Tensor, u: Tensor, p: float, training: bool) -> Tensor:
    stays = (u >= p).to(h.dtype)
    return h * stays / max(1 - p, 1e-6) if training else h * 1


def _by_writing(h: Tensor, u: Tensor, p: float, training: bool) -> Tensor:
    out = h.clone()
    if training:
        gone = u < p
        out[gone] = 0
        out[~gone] = out[~gone] / (1 - p) if p < 1 else 0
    return out


def _by_the_places_that_stay(h: Tensor, u: Tensor, p: float, training: bool) -> Tensor:
    if p == 1 and training:
        return torch.zeros(h.shape, dtype=h.dtype)  # they hang on nothing, and their slope is 0
    stays = (u >= p).nonzero(as_tuple=True)
    return torch.zeros_like(h).index_put(stays, h[stays] / (1 - p)) if training else h.clone()


def _by_factors(h: Tensor, u: Tensor, p: float, training: bool) -> Tensor:
    """Fill a table of factors first, with 1 where nothing is to happen."""
    factors = torch.ones_like(h)
    if training:
        factors.fill_(0 if p >= 1 else 1 / (1 - p))
        factors.masked_fill_(u < p, 0)
    return torch.mul(factors, h)


def _cases(seed: int) -> list[Case]:
    def case(
        name: str, h: Tensor, u: Tensor, p: float, training: bool = True, *, example: bool = False, aside: bool = False
    ) -> Case:
        given = {"h": h, "u": u, "p": p, "training": training}
        return Case(name, given, grad=("h",), example=example, aside=aside)

    def drawn(name: str, axes: str, p: float, training: bool, dtype: torch.dtype = F64, **options: Any) -> Case:
        made = draw(name, {"h": axes}, seed, dtype=dtype, **options)
        h = made.args["h"]
        u = torch.rand(h.shape, generator=rng(5 * seed + h.numel()), dtype=torch.float32).to(dtype)
        return case(name, h, u, p, training)

    worked_out = rows([3, -1, 6], [2, 5, 0.5])
    chance = rows([0.9, 0.1, 0.3], [0.2, 0.7, 0.5])
    return [
        case("the two examples worked out", worked_out, chance, 0.25, example=True),
        case("the same two in evaluation", worked_out, chance, 0.25, False),
        case("three of four dropped", rows([1, 2, -4], [8, 3, -2]), rows([0.8, 0.3, 0.95], [0.6, 0.9, 0.1]), 0.75),
        case("a number in u that is exactly p", rows([4, 1, 2], [-3, 6, 5]), rows([0.5, 0.2, 0.75], [0.25, 0.5, 0.8]), 0.5),
        case("nothing to be dropped", rows([2, -1, 4]), rows([0.4, 0.0, 0.9]), 0.0, aside=True),
        case("everything to be dropped", rows([2, -3, 1], [5, 1, -2]), rows([0.4, 0.1, 0.9], [0.7, 0.3, 0.6]), 1.0, aside=True),
        case("everything to be dropped, in evaluation", rows([2, -3], [5, 1]), rows([0.4, 0.1], [0.7, 0.3]), 1.0, False),
        drawn("more units, in float64", "N D", 0.4, True),
        drawn("images", "N C H W", 0.1, True),
        drawn("images in evaluation", "N C H W", 0.6, False),
        drawn("float32, with gaps in memory", "N D", 0.7, True, torch.float32, strided=True),
    ]  # fmt: skip


_PROPERTIES = (
    Property(
        "evaluation changes nothing",
        lambda case, o: case.args["training"] or bool(torch.isclose(o["out"], case.args["h"]).all()),
        "With `training` False your result is not h: something is done in evaluation.",
        "The others were enlarged in training already, so that the sums have the size that the next layer knows. In evaluation nothing is left to do.",
        "Follow your code with `training=False`. Which lines are passed on the way to the `return`?",
    ),
    Property(
        "the right ones are dropped",
        lambda case, o: not case.args["training"]
        or bool(((o["out"] == 0) | (case.args["h"] == 0)).eq((case.args["u"] < case.args["p"]) | (case.args["h"] == 0)).all()),
        "Not those numbers are 0 in your result whose place in `u` holds less than p.",
        "Each number of h has a number of u at the same place, evenly drawn between 0 and 1. It lies below p with the probability p.",
        "Write u < p of the example on paper, six times yes or no, and compare with the zeros of your result.",
    ),
    Property(
        "those that stay are enlarged",
        lambda case, o: False,
        "You drop the right numbers. Those that stay do not have the right size.",
        "On average a unit has to come out as it went in. It stays in a share 1 - p of all cases, and must make up for the others.",
        "By hand, with p = 0.25: what must a 3 become in three cases of four, so that the mean of all four cases is 3?",
    ),
)  # fmt: skip


@exercise("09.3", title="Drop and scale", points=1)
class DropAndScale:
    """Inverted dropout, with the chance handed in."""

    reference = drop
    read = "Dropout"
    properties = _PROPERTIES
    forbidden: ClassVar = dict.fromkeys(
        ("nn.functional.dropout", "dropout", "nn.functional.feature_dropout", "native_dropout"),
        "It draws by itself, and its numbers are not those of `u`. What it does with them you write here.",
    )
    statement = r"""
        In each step of a training, dropout sets some numbers of a layer to 0 and enlarges the others, so that their mean stays as it is. In evaluation it
        does nothing at all:

        $$\tilde h_i = \begin{cases} 0 & u_i < p \\ h_i / (1 - p) & \text{otherwise} \end{cases} \ \text{ in training}, \qquad \tilde h_i = h_i \ \text{ in evaluation}$$

        Here $p$ is the probability **to be dropped**. The chance is handed in: `u` holds a number for each number of `h`, evenly drawn from 0 up to
        (and without) 1. So $u_i < p$ happens with the probability $p$.

        Write `drop(h, u, p, training)`. `h` and `u` have the same shape, which may be any. `p` is a number from 0 to 1, and 1 is allowed: then
        everything is dropped, and the result is 0 everywhere. `training` is True or False. Return a tensor of the shape and dtype of `h`, through
        which gradients flow, and leave `h` as it came. The ready-made dropout of PyTorch is not to be used.

        Example: `h = [[3, -1, 6], [2, 5, 0.5]]`, `u = [[0.9, 0.1, 0.3], [0.2, 0.7, 0.5]]` and `p = 0.25`, in training. Below 0.25 are the 0.1 and the 0.2:
        -1 and 2 are dropped. The others are divided by $1 - 0.25 = 0.75$. The result is `[[4, 0, 8], [0, 6.6667, 0.6667]]`. In
        evaluation it is h itself.
    """
    cases = _cases
    mistakes = MISTAKES
    alternatives: ClassVar = {
        "by a mask": _by_a_mask,
        "by writing into a copy": _by_writing,
        "by the places that stay": _by_the_places_that_stay,
        "by factors": _by_factors,
    }
    hints = (
        "Three questions, one after the other: is it training at all? Which places are dropped? What happens to those that stay?",
        "`u >= p` is a table of True and False in the shape of h. Multiplied with h it drops the right ones. What is missing then is the size.",
        "`torch.where(u >= p, h / (1 - p), 0.0)` does both in training. Before it, take care of two cases: `training` is False, and p is 1, where 1 - p "
        "is 0.",
    )
