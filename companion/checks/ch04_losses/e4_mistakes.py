"""What goes wrong with smoothed labels (exercise 04.4), and what to say about it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from companion.checks.bank import Mistake
from companion.checks.ch04_losses.cut_off import cut_off
from companion.checks.ch04_losses.logarithms import Logs, log_of_softmax, log_shares, overflow

Answer = Callable[[Tensor, Tensor, float], Tensor]
Targets = Callable[[Tensor, float, int], Tensor]
"""From one-hot rows, the smoothing and the number of classes to what the loss is given as targets."""
Reduce = Callable[[Tensor], Tensor]


def _as_asked(hot: Tensor, e: float, classes: int) -> Tensor:
    return (1 - e) * hot + e / classes


def _among_the_others(hot: Tensor, e: float, classes: int) -> Tensor:
    return (1 - e) * hot + e / (classes - 1) * (1 - hot)


def _mean(table: Tensor) -> Tensor:
    return table.sum(dim=1).mean()


def _loss(targets: Targets = _as_asked, logs: Logs = log_shares, reduce: Reduce = _mean, sign: int = -1) -> Answer:
    """Return the loss with another step in one of its places."""

    def answer(logits: Tensor, labels: Tensor, smoothing: float) -> Tensor:
        hot = torch.zeros_like(logits)
        hot[torch.arange(len(labels)), labels] = 1
        return sign * reduce(targets(hot, smoothing, logits.shape[1]) * logs(logits))

    return answer


right = _loss()


def _smooths_shares(logits: Tensor, labels: Tensor, smoothing: float) -> Tensor:
    shares = (1 - smoothing) * torch.softmax(logits, dim=1) + smoothing / logits.shape[1]
    return -shares[torch.arange(len(labels)), labels].log().mean()


def _all_pairs(logits: Tensor, labels: Tensor, smoothing: float) -> Tensor:
    logs = log_shares(logits)
    return -((1 - smoothing) * logs[:, labels].mean() + smoothing * logs.mean())


def _marked_for_all(logits: Tensor, labels: Tensor, smoothing: float) -> Tensor:
    hot = torch.zeros_like(logits)
    hot[:, labels] = 1
    return -_mean(_as_asked(hot, smoothing, logits.shape[1]) * log_shares(logits))


def _narrow_rows(logits: Tensor, labels: Tensor, smoothing: float) -> Tensor:
    hot = torch.nn.functional.one_hot(labels)
    return -_mean(_as_asked(hot, smoothing, logits.shape[1]) * log_shares(logits))


def _divergence(logits: Tensor, labels: Tensor, smoothing: float) -> Tensor:
    hot = torch.zeros_like(logits)
    hot[torch.arange(len(labels)), labels] = 1
    targets = _as_asked(hot, smoothing, logits.shape[1])
    return (torch.special.xlogy(targets, targets) - targets * log_shares(logits)).sum(dim=1).mean()


def _smooths_logits(logits: Tensor, labels: Tensor, smoothing: float) -> Tensor:
    return right((1 - smoothing) * logits + smoothing / logits.shape[1], labels, 0.0)


def _counted_from_one(logits: Tensor, labels: Tensor, smoothing: float) -> Tensor:
    return right(logits, labels - 1, smoothing)


def _for_each(logits: Tensor, labels: Tensor, smoothing: float) -> Tensor:
    return torch.stack([right(z[None], t[None], smoothing) for z, t in zip(logits, labels)])


_TARGETS = (
    Mistake(
        "shares the rest among the other classes",
        _loss(_among_the_others),
        "The right class is asked for 1 - ε in your targets, and each other class for ε / (C - 1).",
        "That is another way to smooth, and other libraries have it. In the task's formula ε is spread over all C "
        "classes, so the right class gets its part of it too.",
        "Write your targets for the example beside the 0.8, 0.1 and 0.1 of the task. By what is ε divided, and who gets "
        "a part of it?",
    ),
    Mistake(
        "forgets the right class when it spreads",
        _loss(lambda hot, e, c: (1 - e) * hot + e / c * (1 - hot)),
        "Your targets do not add up to 1: the right class is asked for 1 - ε, each other one for ε / C.",
        "ε is cut into C parts and only C - 1 of them are handed out. So the targets are no distribution any more.",
        "Add up one row of your targets. How much is missing, and which class should have it?",
    ),
    Mistake(
        "takes nothing from the right class",
        _loss(lambda hot, e, c: hot + e / c),
        "Your targets add up to more than 1: the right class is still asked for all it had, and ε comes on top.",
        "Smoothing moves a part of the target. What all classes are given has to be taken from the right one first.",
        "Add up one row of your targets for a smoothing of 0.3. Where does what is too much come from?",
    ),
    Mistake(
        "gives every class the whole smoothing",
        _loss(lambda hot, e, c: (1 - e) * hot + e),
        "Your targets add up to more than 1: each class has got the whole ε, and not a part of it.",
        "ε is the sum of what is spread. Handed out once for each class it counts C times.",
        "Add up a row of your targets for 3 classes and one for 10. What should the sum be, however many there are?",
    ),
    Mistake(
        "makes the loss smaller and spreads nothing",
        _loss(lambda hot, e, c: (1 - e) * hot),
        "Your result is the plain cross-entropy times 1 - ε: the other classes have no say in it.",
        "What is taken from the right class goes nowhere. A loss that is scaled has its lowest value where the plain one "
        "has it: at infinite logits.",
        "With a smoothing of 1 your loss is 0, whatever the logits are. What does the task's formula ask for there?",
    ),
    Mistake(
        "does not smooth",
        _loss(lambda hot, e, c: hot),
        "Your result does not change with `smoothing`: it is the plain cross-entropy.",
        "The targets are still one-hot. The other classes have the target 0, so their logarithms are not counted.",
        "Where does your code read `smoothing`? Write down the three targets of the example, and find them in your code.",
    ),
    Mistake(
        "exchanges what is kept and what is spread",
        _loss(lambda hot, e, c: e * hot + (1 - e) / c),
        "With a smoothing of 0 your result does not depend on the labels, and with 1 it is the plain cross-entropy.",
        "Your right class keeps ε, and 1 - ε is spread over all. A little smoothing is then nearly all of it.",
        "Put ε = 0 into the formula of the targets. What should be left, and what is left in your code?",
    ),
)

_PLACES = (
    Mistake(
        "smooths the shares of the model",
        _smooths_shares,
        "Your loss is smaller than the task's where the model is sure and wrong: it can never rise above -log(ε / C).",
        "You mix ε / C into the softmax and take the logarithm afterwards. Smoothing changes what is asked for, and not "
        "what the model has said.",
        "Which table of the formula holds ε, the one of the targets or the one of the shares? Which one does your code "
        "change?",
    ),
    Mistake(
        "smooths the logits",
        _smooths_logits,
        "With a smoothing of 1 your loss is log C, whatever the logits are: the larger ε is, the less do they count.",
        "You mix ε into the logits. A number that is added to all of them changes no share, and the factor 1 - ε makes "
        "the model less sure than it is.",
        "The model has said what it has said. Which of the two tables of the formula holds ε?",
    ),
    Mistake(
        "returns the divergence",
        _divergence,
        "Your gradient is right, and your value is too small: at its best it would reach 0.",
        "You have subtracted the entropy of the smoothed targets, as `kl_div` does. That is the divergence between "
        "targets and shares. The cross-entropy keeps this part.",
        "The chapter writes cross-entropy as a sum of two parts. Which of them is in your result, and which is missing?",
    ),
    Mistake(
        "counts the labels from one",
        _counted_from_one,
        "The class before the right one is asked for; for the label 0 it is the last class of the row.",
        "You take 1 off the labels. They already run from 0 to C - 1, as places do in Python, and -1 is the last place.",
        "Print labels and the places where your targets are large, for the example. Which class is the label 0?",
    ),
    Mistake(
        "takes all labels for every row",
        _all_pairs,
        "Each row is compared with the labels of all rows; with a single row your result is right.",
        "`logs[:, labels]` takes all rows, and from each of them the columns of all labels: a table of N rows and N "
        "columns. Its mean mixes every example with every label.",
        "Print the shape of what you pick, for two rows. How many numbers should it hold, one for each of what?",
    ),
    Mistake(
        "marks the labels of all rows in every row",
        _marked_for_all,
        "With two rows and two labels each row of your targets has two large numbers; with a single row it is right.",
        "`targets[:, labels] = ...` fills the columns of all labels from top to bottom. Each row should have one large "
        "number, at its own label.",
        "Print your targets for two rows. Which index has to stand beside `labels`, so that each row meets its own label?",
    ),
    Mistake(
        "makes one-hot rows as wide as the largest label",
        _narrow_rows,
        "Your one-hot rows have as many columns as the largest label of the batch says, and not as many as classes.",
        "`one_hot(labels)` does not know how many classes there are. If the last class is missing in the batch, the rows are "
        "too short: they stop the product, or broadcast without a word.",
        "Print the shape of your one-hot rows for the example. What else does `one_hot` have to be told?",
    ),
    Mistake(
        "makes the loss smaller and spreads nothing, and averages over the classes too",
        _loss(lambda hot, e, c: (1 - e) * hot, reduce=Tensor.mean),
        "With a smoothing of 1 your loss is 0; and with less it is too small by the number of classes besides.",
        "The other classes are given no part of the target. And a mean over the whole table divides by N · C.",
        "Two repairs: add up a row of your targets, which should give 1. Then count how many examples the loss is the mean "
        "of.",
    ),
)

_LOGARITHMS = (
    Mistake(
        "takes the softmax and then its logarithm",
        _loss(logs=log_of_softmax),
        "Small logits come out right. With logits of 1000 and -1000 your loss is inf or nan, or its gradient is.",
        "A share far below the others is rounded to exactly 0, and the logarithm of 0 is -inf. Every class has a target "
        "above 0 now, so every such share is met.",
        "Print the shares of the row [1000, -1000, 0] before the logarithm. On paper the logarithm cancels the "
        "exponential: what is left of log(softmax)?",
    ),
    overflow(lambda logs: _loss(logs=logs)),
    Mistake(
        "keeps the logarithm from 0 by a small number",
        _loss(logs=lambda z: (torch.softmax(z, dim=1) + 1e-7).log()),
        "Small logits come out right. With large ones your loss stays much too small, and its gradient is 0.",
        "A number is added to the shares, or shares or logits are cut off, so that the logarithm stays finite. Behind that "
        "point it makes no difference any more how wrong the model is.",
        "The chapter has a belief to break about a tiny number inside the logarithm. Which form needs no such help?",
        matches=cut_off(right),
    ),
    Mistake(
        "shares along the batch",
        _loss(logs=lambda z: torch.log_softmax(z, dim=0)),
        "With a single row your loss is 0; with more rows the columns of your shares add up to 1.",
        "The softmax runs down the batch: the examples compete with each other for one class, where the classes of one "
        "example should.",
        "Write the shape of the logits with a name for each axis. Along which of them do the shares add up to 1?",
    ),
    Mistake(
        "multiplies the targets with the logits",
        _loss(logs=lambda z: z),
        "Your result can be negative: larger logits make it smaller without any limit.",
        "The targets meet the logits as they are. The formula has the logarithms of shares there, and shares of one row "
        "add up to 1.",
        "Add 5 to all logits of the example. No share changes by that. Does your loss?",
    ),
    Mistake(
        "leaves out the logarithm",
        _loss(logs=lambda z: torch.softmax(z, dim=1)),
        "Your result lies between -1 and 0: the shares themselves are weighted by the targets.",
        "Without the logarithm a share of 0.01 is hardly worse than one of 0.1. And no sum of shares can be large where the "
        "model is sure and wrong.",
        "Take the example and write the shares and their logarithms side by side. Which of the two stands in the formula?",
    ),
    Mistake(
        "takes the softmax twice",
        _loss(logs=lambda z: log_shares(torch.softmax(z, dim=1))),
        "However large the logits are, your loss stays between about 0.5 and 2: it cannot tell sure from very sure.",
        "`log_softmax` is given shares, where it expects logits. Shares lie between 0 and 1, so the second softmax finds "
        "them all nearly alike.",
        "Read the pitfall on softmax twice in the chapter. How many softmax steps are there between your logits and the "
        "logarithm?",
    ),
)

_REDUCTIONS = (
    Mistake(
        "adds up the examples",
        _loss(reduce=Tensor.sum),
        "With one row your loss is right; with more rows it is the number of rows times too large.",
        "The losses of the examples are added. Then a larger batch has a larger loss and larger gradients.",
        "Read the formula from the left: what is done to the sum over i, and where is that in your code?",
    ),
    Mistake(
        "averages over the classes too",
        _loss(reduce=Tensor.mean),
        "Your loss is too small, by the number of classes.",
        "A mean of the whole table divides by N · C. Over the classes the formula adds up, because the targets of a row "
        "are weights already.",
        "The table has two axes. Which of them is added up in the formula, and over which is the mean taken?",
    ),
    Mistake(
        "adds up the examples and averages over the classes",
        _loss(reduce=lambda table: table.sum(dim=0).mean()),
        "Your result is N / C times the loss: with as many rows as classes nobody would see it.",
        "The sum runs down the batch and the mean over the classes. In the formula each of the two has the other's place.",
        "Write (N, C) beside the table that you add up. Which axis is left after your sum, and which one should be?",
    ),
    Mistake(
        "returns a loss for each example",
        _for_each,
        "Each entry of your result is the loss of one example. One number is asked for.",
        "The last step is missing: a training needs a single number to make small.",
        "Print the shape of your result. Which step of the formula makes one number of N?",
    ),
    Mistake(
        "forgets the minus",
        _loss(sign=1),
        "Your result is the loss with the wrong sign: it is never above 0.",
        "Logarithms of shares are negative or 0. The minus in front of the formula turns them into costs; without it, "
        "making the result small makes the model worse.",
        "Which sign has the logarithm of a share? Which sign should a cost have that is best when it is 0?",
    ),
    Mistake(
        "takes the softmax and then its logarithm, and shares the rest among the other classes",
        _loss(_among_the_others, log_of_softmax),
        "With large logits your loss is inf or nan; and with small ones the targets are not those of the task.",
        "Shares far below the others are rounded to 0, whose logarithm is -inf. And ε is divided among C - 1 classes, "
        "where the formula has C.",
        "Begin with the example: compare your targets with 0.8, 0.1 and 0.1. Then look for a form of the logarithm "
        "without a softmax before it.",
    ),
    Mistake(
        "takes the softmax and then its logarithm, and averages over the classes too",
        _loss(logs=log_of_softmax, reduce=Tensor.mean),
        "With large logits your loss is inf or nan; and with small ones it is too small by the number of classes.",
        "Shares far below the others are rounded to 0, whose logarithm is -inf. And a mean over the whole table divides "
        "by the number of classes too.",
        "Begin with the example: how many numbers are averaged in it? Then look for a form of the logarithm that needs no "
        "softmax before it.",
    ),
)

MISTAKES = (*_TARGETS, *_PLACES, *_LOGARITHMS, *_REDUCTIONS)
