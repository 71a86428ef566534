"""What goes wrong with the mean over an epoch (exercise 10.3), and what to say about it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from companion.checks.bank import Mistake

Numbers = Sequence[float]
Mean = Callable[[Numbers, Numbers], float]
"""From one number for each batch, a mean loss or how many are right, and the sizes of the batches."""
Score = Callable[[Tensor, Tensor], float]
Batches = Iterable[tuple[Tensor, Tensor]]
Evaluate = Callable[[nn.Module, Batches], Any]


def _weighted(losses: Numbers, sizes: Numbers) -> float:
    return sum(loss * n for loss, n in zip(losses, sizes)) / sum(sizes)


def _share(rights: Numbers, sizes: Numbers) -> float:
    return sum(rights) / sum(sizes)


def _of_batches(numbers: Numbers, sizes: Numbers) -> float:
    return sum(numbers) / len(numbers)


def _of_shares(rights: Numbers, sizes: Numbers) -> float:
    return sum(r / n for r, n in zip(rights, sizes)) / len(sizes)


def _cross_entropy(z: Tensor, y: Tensor) -> float:
    return float(nn.functional.cross_entropy(z, y).detach())


def by(
    loss: Mean = _weighted,
    accuracy: Mean = _share,
    *,
    score: Score = _cross_entropy,
    right: Score = lambda z, y: int((z.argmax(dim=1) == y).sum()),
    taken: Callable[[list[tuple[Tensor, Tensor]]], list[tuple[Tensor, Tensor]]] = lambda batches: batches,
    before: Callable[[nn.Module], object] = lambda net: net.eval(),
    after: Callable[[nn.Module, bool], object] = lambda net, was: net.train(was),
    between: Callable[[nn.Module], object] = lambda net: None,
    recorded: bool = False,
    finally_: Callable[[float, float], Any] = lambda loss, accuracy: (loss, accuracy),
) -> Evaluate:
    """Return an evaluation by other rules.

    Args:
        loss: from the mean losses of the batches and their sizes to the loss.
        accuracy: from the numbers of right answers and the sizes to the accuracy.
        score: the loss of a batch.
        right: how many of a batch are right.
        taken: which batches are asked about.
        before: what is done to the network first.
        after: what is done to it in the end, with the mode in which it came.
        between: what is done to it after each batch.
        recorded: whether autograd records.
        finally_: what is returned.
    """

    def evaluate(net: nn.Module, batches: Batches) -> Any:
        was = net.training
        before(net)
        losses: list[float] = []
        rights: list[float] = []
        sizes: list[float] = []
        with contextlib.nullcontext() if recorded else torch.no_grad():
            for x, y in taken(list(batches)):
                z = net(x)
                losses.append(score(z, y))
                rights.append(right(z, y))
                sizes.append(len(y))
                between(net)
        after(net, was)
        return finally_(loss(losses, sizes), accuracy(rights, sizes))

    return evaluate


def _goes_back(z: Tensor, y: Tensor) -> float:
    value = nn.functional.cross_entropy(z, y)
    value.backward()  # type: ignore[no-untyped-call]
    return float(value.detach())


def _all_but_short(batches: list[tuple[Tensor, Tensor]]) -> list[tuple[Tensor, Tensor]]:
    """Return the batches that are as large as the largest."""
    most = max(len(y) for _, y in batches)
    return [(x, y) for x, y in batches if len(y) == most]


_LOSS = (
    Mistake(
        "averages the losses of batches",
        by(_of_batches),
        "Your accuracy is right. Your loss is the mean of the batches' means: it changes when the same examples are cut otherwise.",
        "A mean of means weighs each batch the same. Three examples in a short last batch then count as much as eight in a full one.",
        "Put ten easy examples into one batch and one hard example into another. What should the loss be near to?",
    ),
    Mistake(
        "averages losses and accuracies of batches",
        by(_of_batches, _of_shares),
        "Both of your numbers are means over batches, and not over examples.",
        "Each batch weighs the same, however many examples it has. With a short last batch its few examples count several times.",
        "Do the example of the task. Do you get 0.9 and 0.5, or 1.3 and 0.33?",
    ),
    Mistake(
        "adds up and never divides",
        by(lambda losses, sizes: sum(a * n for a, n in zip(losses, sizes))),
        "Your loss is the sum over all examples: the division is missing.",
        "It grows with the size of the validation set, so that two sets, or training and validation, cannot be compared.",
        "By what does the accuracy get divided, and should the loss be treated otherwise?",
    ),
    Mistake(
        "adds up the means of batches",
        by(lambda losses, sizes: sum(losses)),
        "Your loss is the sum of the batches' means, without any division.",
        "It grows with the number of batches. Half the batch size would double it, with the same network and the same rows.",
        "What has to be added up for each batch, so that dividing by all examples gives their mean?",
    ),
    Mistake(
        "divides means of batches by the number of examples",
        by(lambda losses, sizes: sum(losses) / sum(sizes)),
        "Your loss is far too small: means of batches are added up and divided by the number of examples.",
        "The division by the size of a batch has been done by `cross_entropy` already. You do it once more.",
        "Is what you add up in each round a mean or a sum? What does `reduction` say?",
    ),
    Mistake(
        "divides the sum over examples by the number of batches",
        by(lambda losses, sizes: sum(a * n for a, n in zip(losses, sizes)) / len(sizes)),
        "Your loss is the sum over all examples, divided by the number of batches.",
        "Losses are added up over examples and then counted in batches. The result grows with the batch size.",
        "What is counted in what you add up, and what in what you divide by?",
    ),
    Mistake(
        "takes every batch for as large as the first",
        by(lambda losses, sizes: sum(losses) * sizes[0] / sum(sizes)),
        "Each mean is multiplied with the same number, the size of the first batch.",
        "A batch size that is noted once, or that the loader is asked for, is not that of the last batch.",
        "Which number tells how many examples this batch has? Ask the batch itself.",
    ),
    Mistake(
        "multiplies sums with the size of the batch",
        by(lambda losses, sizes: sum(a * n * n for a, n in zip(losses, sizes)) / sum(sizes)),
        "Your loss is too large: what is a sum over the batch already is multiplied with its size once more.",
        '`reduction="sum"` and `* len(y)` do the same thing. One of them is enough.',
        "Print what you add up for a batch of two, and compute it by hand.",
    ),
    Mistake(
        "returns the loss of the last batch",
        by(lambda losses, sizes: losses[-1]),
        "Your loss is that of the last batch alone.",
        "In each round the value is written over, where it should be added. The name then holds what came last.",
        "Which sign stands in the line of the loss: `=` or `+=`?",
    ),
    Mistake(
        "writes over the loss in each round",
        by(lambda losses, sizes: losses[-1] * sizes[-1] / sum(sizes)),
        "Your loss is the sum of the last batch, divided by the number of all examples.",
        "`total = ...` puts the new sum in place of the old one. What was there of the batches before is gone.",
        "Which sign adds to a name, and which one writes over it?",
    ),
    Mistake(
        "divides by the size of the last batch",
        by(
            lambda losses, sizes: sum(a * n for a, n in zip(losses, sizes)) / sizes[-1],
            lambda r, sizes: sum(r) / sizes[-1],
        ),
        "Both of your numbers are divided by the size of the last batch. The accuracy may be larger than 1.",
        "The count is written over in each round, so that after the loop it holds the last batch alone.",
        "Print your count after the loop. How many examples are there?",
    ),
    Mistake(
        "takes a softmax before the loss",
        by(score=lambda z, y: _cross_entropy(torch.softmax(z, dim=1), y)),
        "Your accuracy is right. Your loss is that of scores which went through a softmax before `cross_entropy`.",
        "`cross_entropy` takes a softmax itself. Of numbers between 0 and 1 it makes nearly equal shares, so that no loss can come near 0.",
        "What does the task say the network returns, and what does `cross_entropy` expect?",
    ),
    Mistake(
        "hands scores to a loss for logarithms",
        by(score=lambda z, y: float(nn.functional.nll_loss(z, y))),
        "Your loss is minus the mean score of the right class, and may be negative.",
        "`nll_loss` expects logarithms of shares. It only picks the number of the right class, and does not ask how large the others are.",
        "What has to be made of the scores before `nll_loss`, or which loss does both?",
    ),
    Mistake(
        "leaves short batches out",
        by(taken=_all_but_short),
        "Batches that are smaller than the others are not asked about at all.",
        "`drop_last` is for training, where a tiny batch makes a noisy step. What is judged has to be judged by all rows.",
        "How many examples does your count say there are? How many do the batches hold?",
    ),
    Mistake(
        "stops after the first batch",
        by(taken=lambda batches: batches[:1]),
        "Only the first batch takes part in your numbers.",
        "A `return` or a division stands inside of the loop, and the function ends there.",
        "How far is the line with `return` moved in?",
    ),
)

_ACCURACY = (
    Mistake(
        "averages the accuracies of batches",
        by(accuracy=_of_shares),
        "Your loss is right. Your accuracy is the mean of the batches' accuracies.",
        "A share of a batch of one is 0 or 1, and would weigh as much as that of eight. Counted is over all examples.",
        "Add up how many are right, and how many there are. When do you divide?",
    ),
    Mistake(
        "divides shares of batches by the number of examples",
        by(accuracy=lambda rights, sizes: sum(r / n for r, n in zip(rights, sizes)) / sum(sizes)),
        "Your accuracy is too small by about the batch size.",
        "In each round a share is added, which has been divided by the size of the batch. Then all are divided by the number of examples.",
        "Is what you add up in each round a number of examples or a share? `.mean()` makes a share.",
    ),
    Mistake(
        "divides right answers by the number of batches",
        by(accuracy=_of_batches),
        "Your accuracy is larger than 1 as soon as batches hold several right answers.",
        "Right answers are counted in examples, and divided by a number of batches.",
        "What unit has what you add up? What you divide by has to have the same.",
    ),
    Mistake(
        "returns how many are right",
        by(accuracy=lambda rights, sizes: sum(rights)),
        "Your second number says how many are right, and not which share of them.",
        "It grows with the number of rows, so that it says nothing without that number.",
        "Can an accuracy be 12? By what should it be divided?",
    ),
    Mistake(
        "returns percent",
        by(accuracy=lambda rights, sizes: 100 * _share(rights, sizes)),
        "Your accuracy is a hundred times the share.",
        "Percent is another unit. The task asks for the share, between 0 and 1.",
        "Can a share be larger than 1? Look at your last line.",
    ),
    Mistake(
        "returns the share of wrong answers",
        by(accuracy=lambda rights, sizes: 1 - _share(rights, sizes)),
        "Your accuracy is what is missing from the right one to 1.",
        "Counted are the examples that are wrong. That is an error rate, for which lower is better.",
        "Is your comparison made with `==` or with `!=`?",
    ),
    Mistake(
        "returns the accuracy of the last batch",
        by(accuracy=lambda rights, sizes: rights[-1] / sizes[-1]),
        "Your loss is right. Your accuracy is that of the last batch alone.",
        "It is computed from the scores that the loop has left behind, after its end or anew in each round.",
        "Which names of yours count on from batch to batch?",
    ),
    Mistake(
        "writes over the right answers in each round",
        by(accuracy=lambda rights, sizes: rights[-1] / sum(sizes)),
        "Your loss is right. Of the right answers only those of the last batch are counted, and divided by the number of all examples.",
        "`right = ...` puts the new number in place of the old one. It has to be added.",
        "Print how many are right, after each batch. Does the number ever fall?",
    ),
    Mistake(
        "takes the lowest score for the answer",
        by(right=lambda z, y: int((z.argmin(dim=1) == y).sum())),
        "Your loss is right. Your accuracy counts an example as right where the right class has the lowest score.",
        "Scores are higher for what is more likely, and losses the other way round. `argmin` asks for the worst class.",
        "Which of the two, `argmax` or `argmin`, names the class that the network believes in?",
    ),
    Mistake(
        "returns the accuracy first",
        by(finally_=lambda loss, accuracy: (accuracy, loss)),
        "Both numbers are right, and stand in the other order.",
        "They are read by their place. A loop that stops early would take the accuracy for a loss, and stop when things get better.",
        "In which order does the task name them? Look at your last line.",
    ),
)

_MODE = (
    Mistake(
        "evaluates in training mode",
        by(before=lambda net: None, after=lambda net, was: None),
        "Your network answers in the mode in which it came: in training, units are dropped and each batch is normalised with its own mean.",
        "Without `eval()` the numbers are noisy and too poor, and the running statistics take in the validation rows.",
        "Which method of the network has to be called before the first batch?",
    ),
    Mistake(
        "leaves the network in evaluation",
        by(after=lambda net, was: None),
        "Both numbers are right, and the network stays in evaluation.",
        "From the second epoch on the training would run without dropout and with frozen statistics, and nothing says so.",
        "In which mode was it when it came? Note that first, and put it back at the end.",
    ),
    Mistake(
        "puts the network into training whatever it was",
        by(after=lambda net, was: net.train()),
        "Both numbers are right. A network that came in evaluation goes in training.",
        "`net.train()` at the end is right within a training. Somebody who evaluates a finished network gets one back that drops units.",
        "Which attribute says in which mode a network is? `train` takes it as an argument.",
        best="a network that comes in evaluation",
    ),
    Mistake(
        "goes back to training after the first batch",
        by(between=lambda net: net.train()),
        "Your first batch is asked about in evaluation, and all later ones in training.",
        "The line that puts the network back stands inside of the loop.",
        "How far is your `net.train(...)` moved in?",
    ),
    Mistake(
        "records for gradients",
        by(recorded=True),
        "Both numbers are right. Autograd records all the way.",
        "`eval()` changes what layers do, and not whether steps are recorded. The record costs memory and time, batch by batch.",
        "Which `with` block switches the record off?",
    ),
    Mistake(
        "goes back through the validation loss",
        by(score=_goes_back, recorded=True),
        "Your evaluation calls `backward`: the weights hold slopes of the validation rows.",
        "They are added to those of the next training batch, if nobody clears them, and the network learns from what it is judged by.",
        "Which of your lines came over from the training loop and has no business here?",
    ),
    Mistake(
        "puts the network into training mode",
        by(before=lambda net: net.train(), after=lambda net, was: net.train(was)),
        "You put the network into training before you ask it.",
        "`train()` is the other mode: it drops units and lets the running statistics move. `no_grad` has nothing to do with either.",
        "Which of `train()` and `eval()` makes a network answer as it will in use?",
    ),
)

_PAIRS = (
    Mistake(
        "averages the losses of batches, and leaves the network in evaluation",
        by(_of_batches, after=lambda net, was: None),
        "Your loss is a mean of the batches' means, and the network stays in evaluation.",
        "Two things at once: a short batch weighs as much as a full one, and the training would go on without dropout.",
        "Put the mode back first. Then weigh each batch with its size.",
    ),
    Mistake(
        "averages losses and accuracies of batches, and leaves the network in evaluation",
        by(_of_batches, _of_shares, after=lambda net, was: None),
        "Both of your numbers are means over batches, and the network stays in evaluation.",
        "Two things at once: batches weigh the same whatever they hold, and `eval()` has nothing that undoes it.",
        "Put the mode back first. Then do the example of the task.",
    ),
    Mistake(
        "averages losses and accuracies of batches, and evaluates in training mode",
        by(_of_batches, _of_shares, before=lambda net: None, after=lambda net, was: None),
        "Both of your numbers are means over batches, of a network that is still in training.",
        "Two things at once: short batches weigh too much, and units are dropped while you measure.",
        "Begin with `eval()`. Then ask what each batch should weigh.",
    ),
    Mistake(
        "averages the losses of batches, and evaluates in training mode",
        by(_of_batches, before=lambda net: None, after=lambda net, was: None),
        "Your loss is a mean of the batches' means, of a network that is still in training.",
        "Two things at once: a short batch weighs as much as a full one, and units are dropped while you measure.",
        "Begin with `eval()`. Then ask what a batch of three should weigh beside one of eight.",
    ),
    Mistake(
        "leaves the network in evaluation, and records for gradients",
        by(recorded=True, after=lambda net, was: None),
        "Both numbers are right. The network stays in evaluation, and autograd records all the way.",
        "Two things at once: nothing undoes `eval()`, and `eval()` does not switch off the record.",
        "Write `with torch.no_grad():` around the loop, and note the mode above it.",
    ),
    Mistake(
        "evaluates in training mode, and records for gradients",
        by(recorded=True, before=lambda net: None, after=lambda net, was: None),
        "Your network answers as in training, with dropout, with moving statistics, and with a record for gradients.",
        "Two things at once: `eval()` is missing, and so is `no_grad()`. Neither does the work of the other.",
        "Begin with `net.eval()` before the loop, and put the mode back behind it.",
    ),
    Mistake(
        "averages losses and accuracies of batches, and records for gradients",
        by(_of_batches, _of_shares, recorded=True),
        "Both of your numbers are means over batches, and autograd records all the way.",
        "Two things at once: short batches weigh too much, and `eval()` does not switch off the record.",
        "Write the `with` block first. Then do the example of the task.",
    ),
    Mistake(
        "averages the accuracies of batches, and records for gradients",
        by(accuracy=_of_shares, recorded=True),
        "Your loss is right. Your accuracy is a mean of the batches' accuracies, and autograd records all the way.",
        "Two things at once: a batch of one weighs as much as one of eight, and `eval()` does not switch off the record.",
        "Write the `with` block first. Then count over all examples how many are right, and divide once.",
    ),
    Mistake(
        "averages the losses of batches, and records for gradients",
        by(_of_batches, recorded=True),
        "Your accuracy is right. Your loss is a mean of the batches' means, and autograd records all the way.",
        "Two things at once: a short batch weighs as much as a full one, and `eval()` does not switch off the record.",
        "Write the `with` block first. Then multiply each loss by the size of its batch.",
    ),
)

MISTAKES = (*_LOSS, *_ACCURACY, *_MODE, *_PAIRS)
