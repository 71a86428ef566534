"""What goes wrong with batch normalisation (exercise 09.5), and what to say about it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from companion.checks.bank import Mistake

Statistic = Callable[[Tensor], Tensor]
"""What is taken from a batch (N, units): a number for each unit, or something that broadcasts to it."""


def _mean(z: Tensor) -> Tensor:
    return z.mean(dim=0)


def _by_n(z: Tensor) -> Tensor:
    return z.var(dim=0, unbiased=False)


def _by_one_less(z: Tensor) -> Tensor:
    return z.var(dim=0, unbiased=True)


def _moved(kept: Tensor, new: Tensor, momentum: float, step: int) -> Tensor:
    return kept + momentum * (new - kept)


def _root(variance: Tensor, eps: float) -> Tensor:
    return (variance + eps).sqrt()


def _affine(z_hat: Tensor, gamma: Tensor, beta: Tensor, training: bool) -> Tensor:
    return gamma * z_hat + beta


def rule(
    *,
    centre: Statistic = _mean,
    spread: Statistic = _by_n,
    remembered: Statistic = _by_one_less,
    remembered_mean: Statistic = _mean,
    around: Callable[[Tensor, Tensor], Tensor] | None = None,
    moved: Callable[[Tensor, Tensor, float, int], Tensor] = _moved,
    root: Callable[[Tensor, float], Tensor] = _root,
    affine: Callable[[Tensor, Tensor, Tensor, bool], Tensor] = _affine,
    before: bool = False,
    batch_in_evaluation: bool = False,
    running_in_training: bool = False,
    moves_first: bool = False,
    updates: tuple[bool, bool] = (True, False),
    saved: str = "buffer",
    records: bool = False,
    constant: bool = False,
    begin: tuple[float, float] = (0.0, 1.0),
    of_the_result: bool = False,
    of_the_root: bool = False,
) -> type:
    """Return batch normalisation by other rules.

    Args:
        centre: the mean that the batch is normalised with.
        spread: the variance that the batch is normalised with.
        remembered: the variance that the running one takes in.
        remembered_mean: the mean that the running one takes in.
        around: the running variance's own view of the batch, from the batch and the running mean.
        moved: a running statistic after a batch, from what it was, the batch's, momentum, and the number of the batch.
        root: what is divided by, from variance and eps.
        affine: scale and shift, and whether it is training.
        before: whether scale and shift come before everything else.
        batch_in_evaluation: whether evaluation uses the batch.
        running_in_training: whether training uses the running statistics.
        moves_first: whether these take in the batch before it is normalised.
        updates: whether these move in training, and in evaluation.
        saved: as what they are kept: "buffer", "attribute" or "parameter".
        records: whether they carry a graph.
        constant: whether mean and variance are constants for autograd.
        begin: running mean and variance at the start.
        of_the_result: whether the running statistics are those of what comes out.
        of_the_root: whether the running variance is a running standard deviation.
    """

    class BatchNorm(nn.Module):
        mean: Tensor
        variance: Tensor

        def __init__(self, units: int, momentum: float, eps: float) -> None:
            super().__init__()
            self.momentum, self.eps, self.count = momentum, eps, 0
            self.gamma, self.beta = nn.Parameter(torch.ones(units)), nn.Parameter(torch.zeros(units))
            for name, value in zip(("mean", "variance"), begin):
                start = torch.full((units,), value)
                if saved == "buffer":
                    self.register_buffer(name, start)
                else:
                    setattr(self, name, start if saved == "attribute" else nn.Parameter(start))

        def forward(self, z: Tensor) -> Tensor:
            if before:
                z = affine(z, self.gamma, self.beta, self.training)
            if moves_first and self.training:
                self.remember(z)
            mean, variance = centre(z), spread(z)
            if constant:
                mean, variance = mean.detach(), variance.detach()
            if running_in_training or not (self.training or batch_in_evaluation):
                mean, variance = self.mean, self.variance
            z_hat = (z - mean) / (variance if of_the_root and variance is self.variance else root(variance, self.eps))
            out = z_hat if before else affine(z_hat, self.gamma, self.beta, self.training)
            if updates[0 if self.training else 1] and not moves_first:
                self.count += 1
                self.remember(out if of_the_result else z)
            return out

        def remember(self, z: Tensor) -> None:
            new = remembered(z) if around is None else around(z, self.mean)
            new = root(new, self.eps) if of_the_root else new
            for name, value in (("mean", remembered_mean(z)), ("variance", new)):
                kept = getattr(self, name)
                value = moved(kept, value if records else value.detach(), self.momentum, self.count)
                if saved == "parameter":
                    kept.data = value.detach()
                else:
                    setattr(self, name, value)

    return BatchNorm


def _over_each_example(z: Tensor) -> Tensor:
    return z.mean(dim=1, keepdim=True)


_STATISTICS = (
    Mistake(
        "normalises each example",
        rule(centre=_over_each_example, spread=lambda z: z.var(dim=1, keepdim=True, unbiased=False)),
        "In training each row of your result has the mean 0, and the columns have not.",
        "The mean runs over the units of one example. That is layer normalisation. Here each unit is compared with itself in the other examples.",
        "Print the shape of the mean: one number for each row of the batch, or one for each unit?",
        best="three units",
    ),
    Mistake(
        "takes one mean and one variance for everything",
        rule(centre=lambda z: z.mean(), spread=lambda z: z.var(unbiased=False)),
        "With one unit all is right. With several, your units keep different means: one number is taken off everywhere.",
        "Without an axis, `mean` and `var` run over the whole table. Each unit has numbers of its own size, and needs its own two.",
        "Print the shape of your mean for a batch of three units. How many numbers should it hold?",
    ),
    Mistake(
        "keeps one mean and one variance for all units",
        rule(
            centre=lambda z: z.mean(),
            spread=lambda z: z.var(unbiased=False),
            remembered_mean=lambda z: z.mean(),
            remembered=lambda z: z.var(),
        ),
        "With one unit all is right. With several, one mean and one variance stand for all of them, in the running statistics too.",
        "Every line that averages does it over the whole table, as no axis is named. What is large in one unit moves all others.",
        "Print `layer.mean` after a batch of three units with different numbers. Are its three entries alike?",
        best="three units",
    ),
    Mistake(
        "divides by N - 1 where the batch is normalised",
        rule(spread=_by_one_less),
        "In training your result is a little too small: the batch is normalised with the variance that divides by N - 1.",
        "`var` and `std` divide by N - 1 unless told otherwise. The batch is described here as it is, and not used to guess at others.",
        "In the example the squares add up to 20. Are they divided by 4 or by 3 before the root?",
    ),
    Mistake(
        "remembers the variance divided by N",
        rule(remembered=_by_n),
        "Training is right. Your running variance is a little too small: it takes in what is divided by N.",
        "The running variance stands for examples that are still to come, and for these a batch guesses too low. N - 1 makes up for it.",
        "What does the running variance of the example take in: 20/4, or 20/3?",
    ),
    Mistake(
        "divides by N - 1 where the batch is normalised, and remembers the variance divided by N",
        rule(spread=_by_one_less, remembered=_by_n),
        "The two variances are exchanged: the batch is normalised with the one by N - 1, and the running one takes in that by N.",
        "One describes this batch, the other one guesses at examples to come. PyTorch uses both, in the places that the task names.",
        "Write down which of your two lines uses which option of `var`, and compare with the task.",
    ),
    Mistake(
        "normalises with the running statistics in training",
        rule(running_in_training=True),
        "In training your result does not have the mean 0: the running statistics are used there already.",
        "At the start these are 0 and 1, so that nothing is normalised at all. In training the batch speaks for itself.",
        "What does your first batch look like when it comes out? Its columns should have the mean 0.",
    ),
    Mistake(
        "normalises with running statistics that have just moved",
        rule(running_in_training=True, moves_first=True),
        "In training your result does not have the mean 0: the running statistics take in the batch, and then stand in for it.",
        "They have moved only a share of the way to the batch. In training it is the batch's own mean and variance that are used.",
        "In the example, is the 3 of the first batch compared with 4, the mean of the batch, or with 1, the running mean?",
    ),
    Mistake(
        "normalises with the batch in evaluation",
        rule(batch_in_evaluation=True),
        "In evaluation your answer to one example depends on the others in the batch, and a single one always becomes beta.",
        "The branch for evaluation is missing, or it is never taken. In use there may be one example alone, which has no spread.",
        "Put a layer in evaluation and ask it about one row. Which mean did your code use?",
    ),
    Mistake(
        "moves the statistics in evaluation",
        rule(updates=(True, True)),
        "Your running statistics go on moving in evaluation.",
        "The lines that bring them up to date stand outside of the branch for training. The test set then leaves its traces in the network.",
        "Print `layer.mean` before and after a call in evaluation. Which line has changed it?",
    ),
    Mistake(
        "never moves the statistics",
        rule(updates=(False, False)),
        "Training is right. Your running mean stays 0 and your running variance stays 1.",
        "What is computed for the batch is never remembered, or it is written to a name without `self`. Evaluation then normalises nothing.",
        "Print `layer.mean` after a batch in training. Which line should have changed it?",
    ),
)

_RUNNING = (
    Mistake(
        "takes the momentum for the share of the old",
        rule(moved=lambda kept, new, m, step: m * kept + (1 - m) * new),
        "Your running statistics keep the share `momentum` of what they were, and take 1 - momentum from the batch.",
        "An optimizer's momentum is the share of the old. In batch normalisation the same word means the share of the new.",
        "With a momentum of 0.25, is the running mean of the example 1 or 3 after the first batch?",
    ),
    Mistake(
        "adds without letting go",
        rule(moved=lambda kept, new, m, step: kept + m * new),
        "Your running statistics only take in, and never lose anything: they grow with every batch.",
        "The two shares have to add up to 1. What is new pushes out as much of what is old.",
        "Feed the same batch a hundred times. Where should the running mean end, and where does yours?",
    ),
    Mistake(
        "begins with the first batch",
        rule(moved=lambda kept, new, m, step: new if step == 1 else _moved(kept, new, m, step)),
        "After the first batch your running statistics are those of this batch, whole.",
        "That would be a sensible start. Asked for is another one: 0 and 1, from which the first batch moves them by its share, too.",
        "Which line treats the first batch in another way than the others?",
    ),
    Mistake(
        "averages all batches alike",
        rule(moved=lambda kept, new, m, step: kept + (new - kept) / step),
        "Your running statistics are the plain average over all batches, whatever the momentum is.",
        "An average of all never forgets the first batches, from a time when the network was another one. A fixed share forgets.",
        "Does a change of `momentum` change your running mean?",
    ),
    Mistake(
        "begins with a variance of 0",
        rule(begin=(0.0, 0.0)),
        "Your running variance begins at 0. Before it has seen many batches it is far too small.",
        "A mean of 0 and a variance of 1 are what a layer does nothing with. With a variance of 0 it would divide by the root of eps.",
        "What does a new layer make of a 3 in evaluation, before any training? It should hardly change it.",
    ),
    Mistake(
        "remembers the standard deviation",
        rule(of_the_root=True),
        "Your running variance takes in a standard deviation: its root is there already.",
        "A mean of roots is not the root of a mean. What is kept is the variance, and the root comes when it is used.",
        "Follow the unit: if z is in metres, in what is the number that you remember?",
    ),
    Mistake(
        "measures the spread around the running mean",
        rule(around=lambda z, mean: (z - mean).square().sum(dim=0) / (len(z) - 1)),
        "Your running mean is right. The running variance takes in the distances from the running mean, and not from the batch's.",
        "As long as the running mean lies far away, its distance counts as a spread. Each batch is to be measured around its own mean.",
        "Which mean stands in the line of your running variance: that of the batch, or `self.mean`?",
    ),
    Mistake(
        "remembers what comes out",
        rule(of_the_result=True),
        "Training is right. Your running statistics are those of the normalised batch.",
        "These are near beta and gamma for every batch, and say nothing about what comes in. Evaluation normalises what comes in.",
        "Which tensor stands in the line of your running mean: z, or what has become of it?",
    ),
)

_FORMULA = (
    Mistake(
        "adds eps outside of the root",
        rule(root=lambda variance, eps: variance.sqrt() + eps),
        "With a small eps you can hardly see it: eps is added to the root, and not to the variance under it.",
        "Where the variance is small the two differ a lot. Under the root eps counts as a variance, outside of it as a standard deviation.",
        "Which of the two brackets is closed first in the formula: that of the root, or that of the sum?",
        best="a large eps",
    ),
    Mistake(
        "leaves eps out",
        rule(root=lambda variance, eps: variance.sqrt()),
        "Your result is the same for every eps: it stands in no line that is used.",
        "A unit that says the same for every example has the variance 0. Without eps there is a division by 0.",
        "Give your layer a column of equal numbers in training. What comes out?",
        best="a large eps",
    ),
    Mistake(
        "divides by the variance",
        rule(root=lambda variance, eps: variance + eps),
        "Your columns have the mean 0, and their variance is one over what it was.",
        "Divided is by the variance, without its root. To bring a spread to 1 takes a division by the standard deviation.",
        "In the example: is 9 - 4 divided by 5, or by the root of 5? In which unit is each?",
    ),
    Mistake(
        "takes off the mean alone",
        rule(root=lambda variance, eps: torch.ones_like(variance)),
        "Your columns have the mean 0, and keep the spread that they had.",
        "Half of the formula is there. The division by the root of variance plus eps is missing.",
        "Multiply a batch by 10. Should what comes out change? Does yours?",
    ),
    Mistake(
        "scales before it normalises",
        rule(before=True),
        "With gamma 1 and beta 0 all is right. With other numbers these two come first, and the normalisation undoes them.",
        "A scale and a shift before a normalisation have no effect. They are there to undo it where the network wants that.",
        "In which order do the two formulas of the task stand?",
    ),
    Mistake(
        "shifts before it scales",
        rule(affine=lambda z_hat, gamma, beta, training: gamma * (z_hat + beta)),
        "With gamma 1 all is right. Otherwise your shift is multiplied by gamma as well.",
        "The bracket stands in another place: first comes the scale, and then the shift is added as it is.",
        "Write the second formula of the task beside your line, with its brackets.",
    ),
    Mistake(
        "exchanges gamma and beta",
        rule(affine=lambda z_hat, gamma, beta, training: (beta + 1) * z_hat + gamma - 1),
        "In a new layer all is right. Afterwards `beta` acts as a scale and `gamma` as a shift.",
        "Gamma is the scale and begins at 1, beta is the shift and begins at 0, as in the formula.",
        "Which of the two is multiplied in your last line, and which one is added?",
    ),
    Mistake(
        "leaves scale and shift out of evaluation",
        rule(affine=lambda z_hat, gamma, beta, training: gamma * z_hat + beta if training else z_hat),
        "Training is right. In evaluation your result has neither the scale nor the shift.",
        "The `return` of that branch comes before the second formula. What was learned belongs to the answer in both modes.",
        "Which of your lines are passed in evaluation, from the first to the `return`?",
    ),
    Mistake(
        "leaves scale and shift out",
        rule(affine=lambda z_hat, gamma, beta, training: z_hat),
        "In a new layer all is right. `gamma` and `beta` are there, and are never used.",
        "The network could not undo the normalisation where it does harm. The second formula of the task is missing.",
        "Set `gamma` to 2. What should become of the result?",
    ),
)

_KEPT = (
    Mistake(
        "keeps the statistics as plain attributes",
        rule(saved="attribute"),
        "Your statistics are right, and get lost when the network is saved: they do not stand in its `state_dict()`.",
        "A tensor that is only assigned to `self` is not part of the state. A loaded network would normalise with 0 and 1.",
        "How does a module know which tensors to save? Look at the word `register_buffer` in the task.",
    ),
    Mistake(
        "makes the statistics parameters",
        rule(saved="parameter"),
        "Your running statistics are `torch.nn.Parameter`s, so that an optimizer would move them, and decay them, too.",
        "Parameters are what slopes and an optimizer change. Statistics are counted from the batches. They are saved as well, as buffers.",
        "Print `[name for name, _ in layer.named_parameters()]`. Which names should be there?",
    ),
    Mistake(
        "lets the statistics carry a record",
        rule(records=True),
        "All numbers are right. Your running statistics carry the record of all batches from which they came.",
        "Without `no_grad` or `detach` each batch hangs on the one before. Memory grows with every step until none is left.",
        "Print `layer.mean.requires_grad` after a batch that needs slopes. What should it say?",
    ),
    Mistake(
        "adds eps outside of the root, and lets the statistics carry a record",
        rule(root=lambda variance, eps: variance.sqrt() + eps, records=True),
        "Your eps is added to the root and not to the variance under it, and your running statistics carry a record of their batches.",
        "Two things at once: a bracket that is closed too early, and an update without `no_grad` or `detach`, so that memory grows.",
        "Mend the bracket first, with an eps of 2. Then print `layer.mean.requires_grad` after a batch that needs slopes.",
        best="a large eps",
    ),
    Mistake(
        "takes mean and variance for constants",
        rule(constant=True),
        "Your values are right. The slope by z is that of a layer whose mean and variance do not depend on z.",
        "They are cut from the graph, by `detach` or `no_grad`. In training each number moves the mean and the variance of its column, too.",
        "Which lines stand under `torch.no_grad()`? Only those of the running statistics belong there.",
    ),
)

MISTAKES = (*_STATISTICS, *_RUNNING, *_FORMULA, *_KEPT)
