"""What goes wrong with a step of the lasso (exercise 09.2), and what to say about it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from companion.checks.bank import Mistake

Step = Callable[[Tensor, Tensor, Tensor, Tensor, float, float], tuple[Tensor, Tensor]]
Threshold = Callable[[Tensor, float, Tensor], Tensor]
"""The new weights, from those after the plain step, the fee, and the old ones."""


def soft(a: Tensor, fee: float, w: Tensor | None = None) -> Tensor:
    """Return numbers that have come nearer to 0 by a fee, and stop there."""
    return a.sign() * (a.abs() - fee).clamp(min=0)


def by(
    threshold: Threshold = soft,
    *,
    fee: Callable[[float, float, int], float] = lambda lr, strength, n: lr * strength,
    slope: Callable[[Tensor, Tensor], Tensor] = lambda error, X: X.T @ error / len(X),
    slope_b: Callable[[Tensor], Tensor] = lambda error: error.mean(),
    sign: float = -1.0,
    bias: Callable[[Tensor, float], Tensor] = lambda b, fee: b,
    late_bias: bool = False,
    free: Callable[[Tensor, float], Tensor] = lambda g, strength: g,
) -> Step:
    """Return a proximal step by other rules.

    Args:
        threshold: what becomes of the weights after the plain step.
        fee: from rate, strength and the number of examples.
        slope: of the loss by the weights, from errors and inputs.
        slope_b: of the loss by the bias, from the errors.
        sign: of the plain step.
        bias: what becomes of the bias after its plain step.
        late_bias: whether the bias's slope is taken with the new weights.
        free: what becomes of the slope by the weights before it is used, with the strength.
    """

    def lasso_step(w: Tensor, b: Tensor, X: Tensor, y: Tensor, lr: float, strength: float) -> tuple[Tensor, Tensor]:
        error = X @ w + b - y
        a = w + sign * lr * free(slope(error, X), strength)
        due = fee(lr, strength, len(X))
        new = threshold(a, due, w)
        if late_bias:
            error = X @ new + b - y
        return new, bias(b + sign * lr * slope_b(error), due)

    return lasso_step


def _price_in_the_slope(
    w: Tensor, b: Tensor, X: Tensor, y: Tensor, lr: float, strength: float
) -> tuple[Tensor, Tensor]:
    """Follow the slope of loss plus price."""
    a, b = by(lambda a, fee, w: a)(w, b, X, y, lr, strength)
    return a - lr * strength * w.sign(), b


def _threshold_first(w: Tensor, b: Tensor, X: Tensor, y: Tensor, lr: float, strength: float) -> tuple[Tensor, Tensor]:
    error = X @ w + b - y
    return soft(w, lr * strength) - lr * X.T @ error / len(X), b - lr * error.mean()


def _slope_at_the_threshold(
    w: Tensor, b: Tensor, X: Tensor, y: Tensor, lr: float, strength: float
) -> tuple[Tensor, Tensor]:
    """Apply the threshold, then take a whole step from there."""
    return by(lambda a, fee, w: a)(soft(w, lr * strength), b, X, y, lr, strength)


def _writes(w: Tensor, b: Tensor, X: Tensor, y: Tensor, lr: float, strength: float) -> tuple[Tensor, Tensor]:
    new, bias = by()(w, b, X, y, lr, strength)
    w.copy_(new)
    b.copy_(bias)
    return w, b


_THRESHOLD = (
    Mistake(
        "sets negative weights to 0",
        by(lambda a, fee, w: (a - fee).clamp(min=0)),
        "Weights that are above 0 after the plain step come out right. All that are below it become 0.",
        "`max(a - fee, 0)` knows one side only. A weight of -3 is as far from 0 as one of 3, and pays the same fee.",
        "Try a = -3 and a fee of 1. Which number should come out, and what does your line make of it?",
    ),
    Mistake(
        "loses the sign",
        by(lambda a, fee, w: (a.abs() - fee).clamp(min=0)),
        "The sizes of your weights are right. All of them are positive.",
        "The size was taken to compare it with the fee. The sign has to come back afterwards.",
        "Which factor of the formula stands before the max, and does it stand in your code?",
    ),
    Mistake(
        "takes the strength for the threshold",
        by(fee=lambda lr, strength, n: strength),
        "Your weights pay λ in each step, whatever the rate is: many more become 0 than should.",
        "A short step down the loss goes with a small share of the price. With the whole λ each step, the walk ends at another place.",
        "Halve the rate. What should happen to the fee of one step?",
    ),
    Mistake(
        "takes the rate for the threshold",
        by(fee=lambda lr, strength, n: lr),
        "Your result does not change with the strength: the fee is the rate alone.",
        "The rate says how long the step is, and the strength what a unit of weight costs. The fee of a step is their product.",
        "What should come out with a strength of 0? Does your threshold do nothing then?",
    ),
    Mistake(
        "pays half the fee",
        by(fee=lambda lr, strength, n: lr * strength / 2),
        "Each of your weights pays half of what it should.",
        "The one half of the task stands before the squared errors. Before λ there is none: the slope of |w| is 1, and that of w² is 2w.",
        "In the example the fee is 0.4. What is it with you, and where does the half come from?",
    ),
    Mistake(
        "divides the fee by the number of examples",
        by(fee=lambda lr, strength, n: lr * strength / n),
        "Your fee is smaller the more examples there are.",
        "The mean belongs to the loss. The price stands beside it and knows nothing of examples.",
        "Repeat all rows of X and y once. Should the result of a step change? Does yours?",
    ),
    Mistake(
        "cuts off, with no fee for the rest",
        by(lambda a, fee, w: torch.where(a.abs() > fee, a, torch.zeros_like(a))),
        "The right weights are 0. The others have not paid: they are as they were after the plain step.",
        "That is a hard threshold. In the soft one everybody pays the fee, and only those become 0 who cannot.",
        "A weight of 3 with a fee of 1: does it come out as 3 or as 2?",
    ),
    Mistake(
        "goes past 0",
        by(lambda a, fee, w: a - fee * a.sign()),
        "None of your weights becomes 0: small ones jump to the other side.",
        "The fee is taken off whole even where less is there. At 0 the price pulls no more, so that a weight has to stop there.",
        "A weight of 0.2 with a fee of 0.4: where should it end, and where does yours?",
    ),
    Mistake(
        "moves weights away from 0",
        by(lambda a, fee, w: a + fee * a.sign()),
        "Your weights are longer after the threshold than before it.",
        "The fee is added to the size, where it should be taken off. A price makes weights shorter.",
        "Which sign stands between size and fee in the formula?",
    ),
    Mistake(
        "shrinks by a share",
        by(lambda a, fee, w: (1 - fee) * a),
        "No weight of yours becomes 0: all are multiplied by 1 minus the fee.",
        "That is the step of a price on squares, weight decay. There the pull fades as the weight gets small, and here it does not.",
        "Do a weight of 2 and one of 0.2 lose the same amount, or the same share, with this chapter's L1?",
    ),
    Mistake(
        "takes the slope of the price",
        _price_in_the_slope,
        "Your weights follow the slope of loss and price together. Those near 0 jump across it and never stay.",
        "The slope of |w| is the sign, as large just beside 0 as far away. So a step along it overshoots, where the threshold stops.",
        "The chapter showed 5,000 such steps. How many weights were exactly 0 then? Which line comes in place of the sign?",
    ),
    Mistake(
        "keeps every weight on its side",
        by(lambda a, fee, w: torch.where(a * w > 0, soft(a, fee), torch.zeros_like(a))),
        "A weight whose plain step leads across 0 becomes 0 with you, and one that is 0 stays there for ever.",
        "You ask the old weight for the sign. The threshold acts on what the plain step has made, and whoever earns the fee may come back.",
        "Begin with all weights at 0. Which of them may be different from 0 after a step?",
        best="weights of 0",
    ),
    Mistake(
        "takes the sign of the weight before the step",
        by(lambda a, fee, w: w.sign() * (a.abs() - fee).clamp(min=0)),
        "The sizes of your weights are right. Their signs are those from before the step, so that a weight of 0 stays 0.",
        "The threshold acts on what the plain step has made, with its sign. A weight may come back from 0, or cross over to the other side.",
        "Which letter stands in the bracket of the sign in the formula, and which one in your code?",
        best="weights of 0",
    ),
)

_ORDER = (
    Mistake(
        "applies the threshold first",
        _threshold_first,
        "Your threshold acts on the old weights, and the plain step comes after it: hardly a weight is exactly 0.",
        "The plain step moves every weight again. To leave zeros behind, the threshold has to come last.",
        "Which of your two lines ran last? Can a 0 survive it?",
    ),
    Mistake(
        "takes the slope after the threshold",
        _slope_at_the_threshold,
        "You apply the threshold to the old weights and take a whole plain step from there, bias too.",
        "Errors and slopes are then those of other weights. The task's step begins with the errors of the weights that come in.",
        "Of which weights are the errors in your first line?",
    ),
    Mistake(
        "applies the threshold to the slope",
        by(lambda a, fee, w: a, free=soft),
        "No weight is set to 0: the threshold has met the slopes, and not the weights.",
        "Small slopes are then left out, so that weights stay where they are. What costs a price are the weights.",
        "Which letter of the formula stands in the bracket of the sign?",
    ),
    Mistake(
        "never takes the plain step",
        by(lambda a, fee, w: soft(w, fee)),
        "Your weights only pay their fee: the slope of the loss does not move them.",
        "What goes into the threshold is the old w, where it should be what the plain step has made of it.",
        "What comes out with a strength of 0? It should be a step of gradient descent.",
    ),
    Mistake(
        "goes uphill",
        by(sign=1.0),
        "Your plain step goes the way in which the loss grows, for weights and bias.",
        "The error is taken the other way round, or the slope is added. Prediction minus target, and then minus the slope, leads down.",
        "In the example the first slope is -2.5. Must the first weight become larger or smaller?",
    ),
    Mistake(
        "adds up the slopes of all examples",
        by(slope=lambda error, X: X.T @ error, slope_b=lambda error: error.sum()),
        "Your plain step is N times too long: slopes are added up over the examples.",
        "The loss of the task is a mean, 1/(2N). With a sum the step gets longer with every example, and the price weighs less beside it.",
        "Repeat all rows once. Should the step change? Does yours?",
    ),
    Mistake(
        "adds up the slopes of all examples, and cuts off, with no fee for the rest",
        by(
            lambda a, fee, w: torch.where(a.abs() > fee, a, torch.zeros_like(a)),
            slope=lambda error, X: X.T @ error,
            slope_b=lambda error: error.sum(),
        ),
        "Your slopes are added up over the examples, and weights beyond the threshold keep their whole size.",
        "Two things at once: the loss is a mean, 1/(2N), and in a soft threshold everybody pays the fee, not only those that become 0.",
        "Mend the slopes first, with a strength of 0: repeat all rows once, and the step should stay. Then do the fee by hand.",
    ),
    Mistake(
        "adds up the slopes of the weights",
        by(slope=lambda error, X: X.T @ error),
        "The bias is right. The slopes of the weights are added up over the examples, without the division by N.",
        "`X.T @ error` is a sum over all examples. The loss is a mean.",
        "In the example, is the first slope -5 or -2.5? Which number stands below the line?",
    ),
    Mistake(
        "doubles the slopes",
        by(slope=lambda error, X: 2 * X.T @ error / len(X), slope_b=lambda error: 2 * error.mean()),
        "Your plain step is twice as long as it should be.",
        "The slope of a square has a 2. The half in front of the squared errors takes it away again, and it is missing with you.",
        "Write down the loss that your slope belongs to. Does a one half stand before it?",
    ),
    Mistake(
        "divides by the number of features",
        by(slope=lambda error, X: X.T @ error / X.shape[1]),
        "The slopes of your weights are divided by the number of features, where it should be that of the examples.",
        "`len(X)` or `X.shape[0]` counts rows. `len(w)` and `X.shape[1]` count columns.",
        "Print the number that you divide by. In the example there are two examples and three features.",
    ),
)

_BIAS = (
    Mistake(
        "puts a price on the bias",
        by(bias=lambda b, fee: soft(b, fee)),
        "Your weights are right. The bias has paid the fee too.",
        "The bias says where the middle of the targets lies. Held near 0 it makes the model wrong everywhere, and not simpler.",
        "Over which letters does the sum of the price run in the task?",
    ),
    Mistake(
        "leaves the bias where it is",
        by(slope_b=lambda error: 0 * error.mean()),
        "Your weights are right. The bias comes back as it was.",
        "It is learned as well. Its slope is the mean error, since it has an input of 1 in every example.",
        "Which of the three formulas of the task is about b?",
    ),
    Mistake(
        "takes the bias's slope with the new weights",
        by(late_bias=True),
        "Your weights are right. The bias moves by the errors that the new weights make.",
        "Both belong to one step: all slopes are taken at the same place, before anything moves.",
        "In which line is the error of your bias computed, before or after w is new?",
    ),
    Mistake(
        "writes into what came in",
        _writes,
        "The numbers are right, and the caller's own weights and bias have changed.",
        "`w -= ...`, `w *= ...` and names that end in _ write into the caller's tensors. New ones are asked for.",
        "Write `w = w - ...` in place of `w -= ...`, and look at the bias, too.",
    ),
    Mistake(
        "takes the strength for the threshold, and puts a price on the bias",
        by(fee=lambda lr, strength, n: strength, bias=lambda b, fee: soft(b, fee)),
        "Your fee is the whole λ, and the bias pays it like the weights.",
        "Two things at once: the rate is missing in the threshold, and the threshold meets the bias.",
        "Take the bias out first. Then compare the fee with the 0.4 of the example.",
    ),
)

MISTAKES = (*_THRESHOLD, *_ORDER, *_BIAS)
