"""What goes wrong with gradient norms layer by layer (exercise 08.3), and what to say about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from companion.checks.bank import Mistake

Norms = Callable[[Sequence[Tensor], Tensor, Tensor, float], tuple[Tensor, int]]
Loss = Callable[[Tensor, Tensor], Tensor]
Choose = Callable[[Tensor, float], int]
cross_entropy = torch.nn.functional.cross_entropy


def _mean_loss(scores: Tensor, y: Tensor) -> Tensor:
    return cross_entropy(scores, y)


def slopes_of(
    weights: Sequence[Tensor],
    x: Tensor,
    y: Tensor,
    loss: Loss = _mean_loss,
    last: bool = False,
    bend: Callable[[Tensor], Tensor] = torch.sigmoid,
) -> list[Tensor]:
    """Return the slopes by each table, with another loss, a sigmoid behind the last layer too, or another activation."""
    leaves = [w.clone().requires_grad_() for w in weights]
    h = x
    for w in leaves[:-1]:
        h = bend(h @ w.T)
    scores = h @ leaves[-1].T
    return list(torch.autograd.grad(loss(torch.sigmoid(scores) if last else scores, y), leaves))


def _adding_up(weights: Sequence[Tensor], x: Tensor, y: Tensor, share: float) -> tuple[Tensor, int]:
    """Track the caller's own tables, and leave what `backward` adds to their slopes."""
    h = x
    for w in weights[:-1]:
        h = torch.sigmoid(h @ w.requires_grad_().T)
    cross_entropy(h @ weights[-1].requires_grad_().T, y).backward()  # type: ignore[no-untyped-call]
    norms = torch.stack([w.grad.norm() for w in weights if w.grad is not None])
    return norms, _choose(norms, share)


def _nearest_to_output(below: Tensor) -> int:
    return int(below.nonzero().max()) + 1 if bool(below.any()) else 0


def _choose(norms: Tensor, share: float) -> int:
    return _nearest_to_output(norms < share * norms[-1])


def _of(
    norm: Callable[[Tensor], Tensor],
    loss: Loss = _mean_loss,
    last: bool = False,
    bend: Callable[[Tensor], Tensor] = torch.sigmoid,
) -> Norms:
    """Return the measurement with another norm of a table's slopes, another loss, another end, or another activation."""

    def gradient_norms(weights: Sequence[Tensor], x: Tensor, y: Tensor, share: float) -> tuple[Tensor, int]:
        norms = torch.stack([norm(g) for g in slopes_of(weights, x, y, loss, last, bend)])
        return norms, _choose(norms, share)

    return gradient_norms


def _names(choose: Choose) -> Norms:
    """Return the right norms, and another layer."""

    def gradient_norms(weights: Sequence[Tensor], x: Tensor, y: Tensor, share: float) -> tuple[Tensor, int]:
        norms = torch.stack([g.norm() for g in slopes_of(weights, x, y)])
        return norms, choose(norms, share)

    return gradient_norms


def _of_the_weights(weights: Sequence[Tensor], x: Tensor, y: Tensor, share: float) -> tuple[Tensor, int]:
    norms = torch.stack([w.norm() for w in weights])
    return norms, _choose(norms, share)


def _of_the_activations(weights: Sequence[Tensor], x: Tensor, y: Tensor, share: float) -> tuple[Tensor, int]:
    kept, h = [], x
    for w in weights[:-1]:
        h = torch.sigmoid(h @ w.T)
        kept.append(h.norm())
    norms = torch.stack([*kept, (h @ weights[-1].T).norm()])
    return norms, _choose(norms, share)


def _example_by_example(weights: Sequence[Tensor], x: Tensor, y: Tensor, share: float) -> tuple[Tensor, int]:
    each = [[g.norm() for g in slopes_of(weights, x[n : n + 1], y[n : n + 1])] for n in range(len(x))]
    norms = torch.tensor(each, dtype=x.dtype).mean(dim=0)
    return norms, _choose(norms, share)


def _without_sigmoids(weights: Sequence[Tensor], x: Tensor, y: Tensor, share: float) -> tuple[Tensor, int]:
    leaves = [w.clone().requires_grad_() for w in weights]
    h = x
    for w in leaves:
        h = h @ w.T
    norms = torch.stack([g.norm() for g in torch.autograd.grad(cross_entropy(h, y), leaves)])
    return norms, _choose(norms, share)


def _by_the_sums(weights: Sequence[Tensor], x: Tensor, y: Tensor, share: float) -> tuple[Tensor, int]:
    sums, h = [], x
    for k, w in enumerate(weights, 1):
        z = (h @ w.T).requires_grad_()
        sums.append(z)
        h = torch.sigmoid(z) if k < len(weights) else z
    norms = torch.stack([g.norm() for g in torch.autograd.grad(cross_entropy(sums[-1], y), sums)])
    return norms, _choose(norms, share)


def _from_the_output(weights: Sequence[Tensor], x: Tensor, y: Tensor, share: float) -> tuple[Tensor, int]:
    norms, layer = _names(_choose)(weights, x, y, share)
    return norms.flip(0), layer


def _from_the_input(norms: Tensor, share: float) -> int:
    below = (norms < share * norms[-1]).nonzero()
    return int(below.min()) + 1 if len(below) else 0


def _never_the_first(norms: Tensor, share: float) -> int:
    return _nearest_to_output(torch.cat([torch.tensor([False]), norms[1:] < share * norms[-1]]))


def _against_the_neighbour(norms: Tensor, share: float) -> int:
    return _nearest_to_output(torch.cat([norms[:-1] < share * norms[1:], torch.tensor([False])]))


_MEASURED = (
    Mistake(
        "measures the weights",
        _of_the_weights,
        "Your norms do not change with `y`: they are those of the weights themselves.",
        "How large a weight is says nothing about how much it is told to change. Asked for is the slope of the loss by it.",
        "Where is the loss in your code, and where do you go back from it? Print `w.grad` beside `w`.",
    ),
    Mistake(
        "measures the activations",
        _of_the_activations,
        "Your norms do not change with `y`: they are those of what the layers hand on.",
        "On the way forwards the signal may be in good health while the slope is lost on the way back. Here the "
        "way back is measured.",
        "Which line of yours computes the loss, and by what is it differentiated?",
    ),
    Mistake(
        "takes the slope by the sums",
        _by_the_sums,
        "Your norms are those of the slopes by the sums z, one row for each example.",
        "From there it is one more step: the slope by a table is that by its sums, multiplied by what entered the layer.",
        "What shape has the slope that you measure: that of the table, or (N, units)?",
    ),
    Mistake(
        "forgets the root of the norm",
        _of(lambda g: g.square().sum()),
        "Your norms are the squares of what is asked for.",
        "The sum of squares still needs a root. Without it the layer is found too near to the output, as squares "
        "fall twice as fast.",
        "What is the norm of the slopes (3, 4): 25, or 5?",
    ),
    Mistake(
        "takes the mean of the squares",
        _of(lambda g: g.square().mean().sqrt()),
        "Your norms are too small, and large tables are off by more than small ones.",
        "Under the root stands a mean where a sum should be. That is the size of a typical slope and not the "
        "norm of all of them.",
        "Which of the two grows when a table has more columns? Read the task's sentence about the norm again.",
    ),
    Mistake(
        "adds up the sizes of the slopes",
        _of(lambda g: g.abs().sum()),
        "Your norms are too large, and large tables are off by more than small ones.",
        "A sum of sizes is another norm, the one with index 1. The task squares, adds up and takes the root.",
        "What comes out for the slopes (3, 4) by your way, and what is the length of that vector?",
    ),
    Mistake(
        "takes the mean size of the slopes",
        _of(lambda g: g.abs().mean()),
        "Your norms are far too small: each is the mean size of a slope in its table.",
        "A mean divides by how many slopes there are. Then a layer looks poor because it is large.",
        "What comes out for the slopes (3, 4) by your way? The norm is the length of that vector.",
    ),
    Mistake(
        "takes the largest slope",
        _of(lambda g: g.abs().max()),
        "Your norms are too small: each is the largest slope of its table.",
        "All slopes of a table count. Many small ones may move a layer more than a single large one.",
        "Which entries of the table does your number depend on? Compare with the task's sentence about the norm.",
    ),
    Mistake(
        "takes the largest stretch of the table",
        _of(lambda g: torch.linalg.matrix_norm(g, 2)),
        "Your norms are too small wherever a table has several rows and columns. It is the spectral norm that you take.",
        "`matrix_norm` with 2 says how much the table stretches a vector at most. Asked for is the root of the "
        "sum of all squares.",
        "Compare `torch.linalg.matrix_norm(g, 2)` with `g.flatten().norm()` for a table of ones.",
    ),
)

_LOSS = (
    Mistake(
        "adds up the loss of the batch",
        _of(lambda g: g.norm(), lambda scores, y: cross_entropy(scores, y, reduction="sum")),
        "For a single example you are right. With more all your norms are too large, by their number.",
        "The loss is the mean over the batch, and you add up. The layer is found all the same, as all norms grow alike.",
        "Print the loss for the batch, and for the batch twice in a row. Should it double?",
    ),
    Mistake(
        "takes the mean of the examples' norms",
        _example_by_example,
        "For a single example you are right. With more all your norms are too large, by more in one layer than in another.",
        "Each example's slope has a norm of its own, and you average these. Slopes that point against one another cancel in the batch.",
        "Two examples have the slopes (3, 4) and (-3, -4). What is the norm of their mean, and what is the mean of their norms?",
    ),
    Mistake(
        "adds to the slopes of an earlier call",
        _adding_up,
        "A first call is right. A second one with the same tables gives norms that are twice as large.",
        "`backward` adds to what stands in `.grad`. You track the caller's own tables, where the slopes of the first call still stand.",
        "Call your function twice with one list and print `weights[0].grad` after each. Which tensors could be tracked instead?",
    ),
    Mistake(
        "forgets the sigmoids",
        _without_sigmoids,
        "Your network is a straight line: nothing stands between its layers.",
        "Each sigmoid on the way multiplies the slope by 0.25 or less, and this is what makes it vanish. Yours keeps it.",
        "Compare h of the example, sigma(0) = 0.5, with what your first layer hands on.",
    ),
    Mistake(
        "puts ReLUs in the place of the sigmoids",
        _of(lambda g: g.norm(), bend=torch.relu),
        "Your norms are those of another network: a ReLU stands between its layers.",
        "What leaves a layer is 0 there wherever the sum is negative, and where it is positive the slope passes whole. A sigmoid does neither.",
        "What does a sigmoid make of the sum 0, and what does a ReLU make of it? Print h of the example.",
    ),
    Mistake(
        "puts tanh in the place of the sigmoids",
        _of(lambda g: g.norm(), bend=torch.tanh),
        "Your norms are those of another network: a tanh stands between its layers.",
        "Both are curves in the shape of an S. The tanh lies between -1 and 1, and at 0 it is four times as steep.",
        "What is sigma(0) in the example, and what is tanh(0)? Print what your first layer hands on.",
    ),
    Mistake(
        "puts a sigmoid behind the last layer",
        _of(lambda g: g.norm(), last=True),
        "All your norms are too small, the last one too.",
        "Your scores have passed through a sigmoid before the loss. It squeezes them into 0 to 1 and costs a "
        "factor of 0.25 or less.",
        "How many sigmoids has a network of two layers? Compare the scores 1 and -1 of the example with yours.",
    ),
    Mistake(
        "takes the softmax twice",
        _of(lambda g: g.norm(), lambda scores, y: cross_entropy(torch.softmax(scores, dim=1), y)),
        "Already the norm of the last layer is wrong, and most often too small.",
        "`cross_entropy` takes scores and applies the softmax itself. Yours gets probabilities, as if they were scores.",
        "What does `cross_entropy` expect as its first argument? Compute the loss of the example by hand: -log(0.8808).",
    ),
)

_NAMED = (
    Mistake(
        "counts from the input",
        _names(_from_the_input),
        "Where the norms do not fall evenly your layer is too near to the input: it is the first below, counted from there.",
        "The slope comes from the output. The place where it is lost is the first one on that way, and layers "
        "before it only inherit.",
        "On which side does your search begin? The slope passes layer L first.",
    ),
    Mistake(
        "numbers the layers from 0",
        _names(lambda norms, share: _choose(norms, share) - 1),
        "Your norms are right, and your layer is too small by one.",
        "A place in a list is counted from 0. In the task layers are counted from 1, and 0 says that there is none.",
        "Which number has the layer next to the input in the task, and which place has its norm in the list?",
    ),
    Mistake(
        "returns the place in the list",
        _names(lambda norms, share: max(_choose(norms, share) - 1, 0)),
        "Your norms are right. Wherever a layer is to be named yours is too small by one, and layer 1 looks as if there were none.",
        "You return an index, which begins with 0. In the task layers are numbered from 1, so that 0 can say that there is none.",
        "What does your function return for layer 1, and what if no layer lies below? Can one tell the two apart?",
    ),
    Mistake(
        "numbers the layers from the output",
        _names(lambda norms, share: len(norms) - n + 1 if (n := _choose(norms, share)) else 0),
        "Your norms are right. Your layer is counted from the wrong end.",
        "The search goes back from the output, and the numbers do not: layer 1 lies next to the input, whichever "
        "way you walk.",
        "Which number has the last layer of five: 1, or 5?",
    ),
    Mistake(
        "never looks at layer 1",
        _names(_never_the_first),
        "Your norms are right. Where layer 1 alone lies below the share, you answer that there is none.",
        "Your search ends one layer too early. A `range` that counts down stops before its second number, which is never reached.",
        "Print every number that your loop takes, for two layers and for five. Which layer is missing?",
    ),
    Mistake(
        "compares with the largest norm",
        _names(lambda norms, share: _nearest_to_output(norms < share * norms.max())),
        "Where some layer has a larger norm than the last one, your layer is not the right one.",
        "You measure against the largest of all norms. The task measures against layer L, where the slope begins its way.",
        "Which norm stands at the end of the list? Take that one, even if another is larger.",
    ),
    Mistake(
        "compares with the first layer",
        _names(lambda norms, share: _nearest_to_output(norms < share * norms[0])),
        "Your norms are right. Your layer is found by comparing with the norm of layer 1.",
        "On the way back layer 1 comes last. Whatever was lost is lost there already, so it is no measure for the others.",
        "Is the norm of the output layer at `norms[0]` or at `norms[-1]`?",
    ),
    Mistake(
        "compares with the next layer",
        _names(_against_the_neighbour),
        "Your norms are right. You look for a layer that loses much against the one behind it.",
        "A slope may be lost in many small steps, of which none is conspicuous: half in each of ten layers "
        "leaves a thousandth.",
        "With which norm is each layer compared in the task? It is the same one for all of them.",
    ),
    Mistake(
        "forgets the share",
        _names(lambda norms, share: _nearest_to_output(norms < norms[-1])),
        "Your norms are right. The layer that you name is the same for every `share`.",
        "You ask which layer has a smaller norm than the last one. Small enough to be named is one that lies "
        "below a share of it.",
        "What should your function answer with a share of 0.001, and what does it answer?",
    ),
    Mistake(
        "compares with the share itself",
        _names(lambda norms, share: _nearest_to_output(norms < share)),
        "Your norms are right. Your layer depends on how large all of them are.",
        "A share is a part of something. Compared with the share alone a norm is called small when all of them are.",
        "Multiply all norms by 100. Should another layer be named then? Does your code name another one?",
    ),
    Mistake(
        "names the smallest norm",
        _names(lambda norms, share: int(norms.argmin()) + 1 if bool(norms.min() < share * norms[-1]) else 0),
        "Your norms are right. You name the layer with the smallest of them.",
        "The smallest norm lies where most has been lost. Asked for is where it begins: the first layer below the share.",
        "Go back layer by layer with your finger. At which one would you stop, and does your code look any farther?",
    ),
    Mistake(
        "names the smallest norm in any case",
        _names(lambda norms, share: int(norms.argmin()) + 1),
        "Your norms are right. The layer that you name is the same for every `share`: the one with the smallest norm.",
        "There is always a smallest norm. Asked for is the first layer on the way back that lies below a share, and perhaps none does.",
        "What should your function answer if all norms are equal? Where is `share` used in your code?",
    ),
    Mistake(
        "adds up the loss of the batch, and names the smallest norm in any case",
        lambda weights, x, y, share: (
            n := torch.stack(
                [g.norm() for g in slopes_of(weights, x, y, lambda z, t: cross_entropy(z, t, reduction="sum"))]
            ),
            int(n.argmin()) + 1,
        ),
        "With several examples your norms are too large, by their number, and the layer that you name is the same for every `share`.",
        "Two things at once: the losses are added up where their mean is asked for, and the smallest norm is named, below a share or not.",
        "Set the norms right first: print the loss for the batch, and for the batch twice in a row. Then look where `share` is used.",
    ),
    Mistake(
        "counts the layers that lie below",
        _names(lambda norms, share: int((norms < share * norms[-1]).sum())),
        "Your norms are right. Your second number says how many layers lie below the share.",
        "If all layers from there to the input lie below, both numbers agree. Where a norm rises again they do not.",
        "Write the answers yes and no for each layer in a row. Which place in the row is asked for?",
    ),
    Mistake(
        "names the last layer where none lies below",
        _names(lambda norms, share: _choose(norms, share) or len(norms)),
        "Where no layer lies below the share you name the last one, and 0 is asked for.",
        "A search that finds nothing has to say so. The last layer never lies below a share of itself.",
        "What does your code return when no comparison is true? Try it with a single layer.",
    ),
    Mistake(
        "lists the norms from the output on",
        _from_the_output,
        "Your norms are right, and in reversed order.",
        "You collected them on the way back, where the last layer comes first. The list of the task begins next "
        "to the input.",
        "Which norm belongs to `weights[0]`? Print the two side by side.",
    ),
    Mistake(
        "takes layers that are as small as the share too",
        _names(lambda norms, share: _nearest_to_output(norms <= share * norms[-1])),
        "With a share of 1 you name the last layer, which does not lie below itself.",
        "You ask whether a norm is at most the share. Below means smaller, and the last layer is as large as itself.",
        "Put share = 1 into your comparison: is the last norm smaller than the last norm?",
    ),
    Mistake(
        "forgets the root of the norm, and counts from the input",
        lambda weights, x, y, share: (
            n := torch.stack([g.square().sum() for g in slopes_of(weights, x, y)]),
            _from_the_input(n, share),
        ),
        "Your norms are squares, and the layer that you name is searched from the input.",
        "Two things at once: a root is missing, and the search begins at the wrong end of the network.",
        "Set the norm right first: for (3, 4) it is 5. Then go through the layers as the slope does, from the last one.",
    ),
)

MISTAKES = (*_MEASURED, *_LOSS, *_NAMED)
