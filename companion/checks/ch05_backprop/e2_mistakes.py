"""What goes wrong on the way back through a layer (exercise 05.2), and what to say about it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from companion.checks.bank import Mistake, Observed
from companion.checks.levels import close
from companion.checks.trace import Case

Slopes = tuple[Tensor, Tensor, Tensor]


def _last_example(X: Tensor, W: Tensor, G: Tensor) -> Slopes:
    by_W = torch.zeros_like(W)
    for x, g in zip(X, G):
        by_W = torch.outer(g, x)
    return G @ W, by_W, G.sum(dim=0)


def _ones(X: Tensor, W: Tensor, G: Tensor) -> Slopes:
    one = torch.ones_like(G)
    return one @ W, one.T @ X, one.sum(dim=0)


def _forward_again(X: Tensor, W: Tensor, G: Tensor) -> Slopes:
    Z = X @ W.T
    return Z @ W, Z.T @ X, Z.sum(dim=0)


def _bent(X: Tensor, W: Tensor, G: Tensor) -> Slopes:
    kept = G * (G > 0)
    return kept @ W, kept.T @ X, kept.sum(dim=0)


_TURNED = (
    Mistake(
        "turns the weights on the way back",
        lambda X, W, G: (G @ W.T, G.T @ X, G.sum(dim=0)),
        "With as many neurons as inputs the slope by X has wrong numbers. With any other layer the product stops.",
        "On the way forward W was turned so that inputs meet inputs. On the way back the neurons of G have to meet the "
        "neurons of W.",
        "Write the shapes of G and W behind each other, for 3 inputs and 5 neurons. Which axes stand next to each other?",
    ),
    Mistake(
        "returns the weights' slope on its side",
        lambda X, W, G: (G @ W, X.T @ G, G.sum(dim=0)),
        "The slope by W has the right numbers with rows and columns exchanged: a row for each input.",
        "That is the formula for a layer Z = X W, whose weights are (D, K). Here a neuron's weights stand in a row of W.",
        "A slope has the shape of the thing it belongs to. Compare `by_W.shape` with `W.shape` for 3 inputs and 5 neurons.",
    ),
    Mistake(
        "cuts the weights' slope anew",
        lambda X, W, G: (G @ W, (X.T @ G).reshape(W.shape), G.sum(dim=0)),
        "All shapes are right, and the numbers of the slope by W stand in the wrong places.",
        "A reshape keeps the order in memory and cuts it anew. It gives the shape of a transpose and not its contents.",
        "Put [[1, 2], [3, 4], [5, 6]] through `reshape(2, 3)` and through `.T`. In which of the two is (1, 3, 5) a row?",
    ),
    Mistake(
        "does not turn G for the weights",
        lambda X, W, G: (G @ W, G @ X, G.sum(dim=0)),
        "With as many examples as neurons the slope by W has wrong numbers. With any other batch the product stops.",
        "In G @ X the neurons of G meet the examples of X. It is the examples that both have in common.",
        "Write the shapes of G and X for 5 examples, 3 inputs and 2 neurons. Which axis do they share, and where does it stand?",
    ),
    Mistake(
        "multiplies entry by entry",
        lambda X, W, G: ((G * W.T).sum(dim=1, keepdim=True), (G * X).sum(dim=0).unsqueeze(1), G.sum(dim=0)),
        "With a single input, as in the example, your slopes are right. With two inputs there is one number where two belong.",
        "`*` puts entries beside each other that stand in the same place. With several inputs each entry of G meets a whole row "
        "of W, and all of these products are needed.",
        "Count for 4 examples, 3 inputs and 2 neurons: how many products does one entry of `by_X` need, and how many does `*` make?",
    ),
)


def _in_order(first: str, second: str, third: str) -> Mistake:
    """Return the mistake of handing the three slopes back in another order."""

    def answer(X: Tensor, W: Tensor, G: Tensor) -> Slopes:
        right = {"X": G @ W, "W": G.T @ X, "b": G.sum(dim=0)}
        return right[first], right[second], right[third]

    place, came, due = ("first", first, "X") if first != "X" else ("second", second, "W")
    return Mistake(
        f"answers in the order {first}, {second}, {third}",
        answer,
        f"Your {place} result is the slope by {came}. The three are right, in the order {first}, {second}, {third}.",
        f"The check reads them by their place, and takes `{first}, {second}, {third}` for `X, W, b`: it finds the slope by {came} "
        f"where that by {due} should be.",
        f"Read the line of the task that begins with `return`. What stands in its {place} place, and what in yours ({first}, "
        f"{second}, {third})?",
    )


_ORDERS = (
    _in_order("W", "X", "b"),
    _in_order("W", "b", "X"),
    _in_order("X", "b", "W"),
    _in_order("b", "W", "X"),
    _in_order("b", "X", "W"),
)

_BATCH = (
    Mistake(
        "averages over the batch",
        lambda X, W, G: (G @ W, G.T @ X / len(X), G.mean(dim=0)),
        "The slope by X is right. Those by W and by b are too small, by the number of examples.",
        "If the loss is a mean, its 1/B is in G already. Dividing again counts it twice.",
        "Let one example come twice in a batch, with the same row of G. What should happen to the slope by a weight?",
    ),
    Mistake(
        "averages the bias's slope",
        lambda X, W, G: (G @ W, G.T @ X, G.mean(dim=0)),
        "The slopes by X and by W are right. The one by b is too small, by the number of examples.",
        "The bias is used once in every row, and each use is a way to the loss. You take the mean of these ways.",
        "Where ways meet, what is done with them? Compare with what the product does for the weights.",
    ),
    Mistake(
        "averages the weights' slope",
        lambda X, W, G: (G @ W, G.T @ X / len(X), G.sum(dim=0)),
        "The slopes by X and by b are right. The one by W is too small, by the number of examples.",
        "Each weight is used once for every example, and each use is a way to the loss. The product has added these ways, and "
        "you divide by their number.",
        "If the loss is a mean over the batch, where is its 1/B: in G, or still to come?",
    ),
    Mistake(
        "divides everything by the batch",
        lambda X, W, G: (G @ W / len(X), G.T @ X / len(X), G.sum(dim=0) / len(X)),
        "All three slopes are too small, by the number of examples.",
        "You take G for the slope of a sum and make a mean of it. G is the slope of L as it is, with all that L does.",
        "Does the task say what L does with the batch? Put a G of ones through your code, with one example and with five.",
    ),
    Mistake(
        "leaves the batch in the bias's slope",
        lambda X, W, G: (G @ W, G.T @ X, G.clone()),
        "The slopes by X and by W are right. The one by b has a row for each example, where b has one number per neuron.",
        "One and the same bias was repeated for every row of the batch. All its copies lead to the loss.",
        "Which shape has b? After a step with your slope, which shape would it have?",
    ),
    Mistake(
        "keeps an axis in the bias's slope",
        lambda X, W, G: (G @ W, G.T @ X, G.sum(dim=0, keepdim=True)),
        "The numbers of the slope by b are right, with one pair of brackets too many around them.",
        "A sum with `keepdim=True` leaves an axis of size 1 where the examples were. The bias has no such axis.",
        "Print `by_b.shape` for 5 examples and 2 neurons, and compare it with the shape of b in the task.",
    ),
    Mistake(
        "keeps an axis in the bias's slope, and averages the weights' slope",
        lambda X, W, G: (G @ W, G.T @ X / len(X), G.sum(dim=0, keepdim=True)),
        "The slope by b has a pair of brackets too many around it, and the slope by W is too small, by the number of examples.",
        "`keepdim=True` leaves an axis where the examples were. And the product has added up the ways of a weight, which you "
        "divide by their number.",
        "Set the shape of `by_b` right first. Then let one example come twice: what should that do to the slope by a weight?",
    ),
    Mistake(
        "adds up the bias's slope over the neurons",
        lambda X, W, G: (G @ W, G.T @ X, G.sum(dim=1)),
        "Your slope by b holds one number for each example, and not for each neuron.",
        "The sum runs along the rows of G, over different neurons. Each of these has a bias of its own.",
        "For 5 examples and 2 neurons: how many biases are there, and how many numbers do you return for them?",
    ),
    Mistake(
        "returns one number for all biases",
        lambda X, W, G: (G @ W, G.T @ X, G.sum()),
        "Your slope by b is a single number, however many neurons the layer has.",
        "Without an axis a sum runs over everything, so that the slopes by different biases end up in one.",
        "Which axis of G should disappear, and which should stay?",
    ),
    Mistake(
        "keeps the last example only",
        _last_example,
        "The slope by W depends on the last row of the batch alone. The rows before it leave no trace.",
        "In the loop over the examples each round writes over what the one before had found.",
        "Call it with a batch of two, then exchange the two examples. Should the slope by W change?",
    ),
)

_FROM_ABOVE = (
    Mistake(
        "leaves out what came from above",
        _ones,
        "Your slopes do not depend on G at all: change it, and they stay as they are.",
        "These are slopes of the sum of all entries of Z. Along a way slopes are multiplied, and G is the part of the way "
        "that lies behind Z.",
        "Call your function with G and with 2 * G. What should happen to the slopes?",
    ),
    Mistake(
        "takes Z for its slope",
        _forward_again,
        "Your slopes do not depend on G. They are made from X W again, as if Z were the slope by Z.",
        "The layer's output says what it answered, and G says what the loss wants of that answer. The way back carries G.",
        "Does Z, the result of the forward pass, occur in the formulas for the three slopes at all?",
    ),
    Mistake(
        "puts a bend on the way back",
        _bent,
        "Where G is above 0 all is as it should be. Its negative entries have no effect.",
        "G was multiplied by the slope of a ReLU. This layer has no bend, and a bend asks for the sign of its input and not "
        "of the slope.",
        "Set G to -1 everywhere. What does your function return, and what would it return for 1?",
    ),
    Mistake(
        "points downhill",
        lambda X, W, G: (-(G @ W), -(G.T @ X), -G.sum(dim=0)),
        "All three slopes have the right size and the wrong sign.",
        "A minus belongs to the step that is taken later, against the slope. The slope itself points uphill.",
        "Let one neuron and one example have X = 1 and G = 1. If the weight grows, does the loss rise or fall?",
    ),
    Mistake(
        "averages over the batch, and returns the weights' slope on its side",
        lambda X, W, G: (G @ W, X.T @ G / len(X), G.mean(dim=0)),
        "The slope by W has a row for each input, and it is too small by the number of examples, as is the one by b.",
        "Two things at once: the weights of this layer lie as (K, D). And a 1/B of the loss is in G already.",
        "Set the shape right first, beside that of W. Then let one example come twice: what should that do to the slopes?",
    ),
)


# -- how many digits ------------------------------------------------------------------------------------

CANCELLING = "eight examples of large numbers that nearly cancel, in float64"
"""A case that needs the digits of float64: in float32 what is left of the sums is an error of rounding."""


def _rounded(X: Tensor, W: Tensor, G: Tensor) -> Slopes:
    x, w, g = X.float(), W.float(), G.float()
    return (g @ w).to(X.dtype), (g.T @ x).to(X.dtype), g.sum(dim=0).to(X.dtype)


def _in_float32(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
    """Recognise results that are right everywhere, but for the last digits where large numbers cancel."""
    lost = False
    for case, seen in zip(cases, observed):
        X, W, G = (case.args[name] for name in ("X", "W", "G"))
        for name, due in {"by_X": G @ W, "by_W": G.T @ X, "by_b": G.sum(dim=0)}.items():
            if name not in seen or (seen[name].shape, seen[name].dtype) != (due.shape, due.dtype):
                return False
            if close(seen[name], due, case.tolerance or 1e-5):
                continue
            if case.name != CANCELLING or (seen[name] - due).abs().max() > 0.05 * due.abs().max() + 1e-3:
                return False
            lost = True
    return lost


_DIGITS = (
    Mistake(
        "rounds to float32 on the way",
        _rounded,
        "Your result is stored in float64, and only its first seven digits or so are right.",
        "Somewhere the numbers passed through float32, and what was lost there does not come back with a later `.to`. Where large "
        "numbers nearly cancel, it shows.",
        "Print the dtype of each intermediate result. Which line makes float32 of numbers that came in float64?",
        matches=_in_float32,
    ),
)

MISTAKES = (*_TURNED, *_ORDERS, *_BATCH, *_FROM_ABOVE, *_DIGITS)
