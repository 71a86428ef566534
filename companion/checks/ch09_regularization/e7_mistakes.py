"""What goes wrong with blended inputs and softened targets (exercise 09.7), and what to say about it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from companion.checks.bank import Mistake

Blended = tuple[Tensor, Tensor, Tensor]
Blend = Callable[[Tensor, Tensor, Tensor, Tensor, float, int], Blended]
Mix = Callable[[Tensor, Tensor, Tensor], Tensor]
"""From values, shares and partners to blended values."""


def one_hot(labels: Tensor, classes: int, like: Tensor) -> Tensor:
    """Return rows of 0 and 1."""
    return (labels[:, None] == torch.arange(classes)).to(like.dtype)


def mixed(values: Tensor, share: Tensor, partner: Tensor) -> Tensor:
    """Return each value blended with that of its partner."""
    wide = share.reshape(-1, *[1] * (values.dim() - 1))
    return wide * values + (1 - wide) * values[partner]


def smoothed(labels: Tensor, smoothing: float, classes: int, like: Tensor) -> Tensor:
    """Return softened rows."""
    return (1 - smoothing) * one_hot(labels, classes, like) + smoothing / classes


def entropy(targets: Tensor) -> Tensor:
    """Return the mean entropy of rows."""
    return torch.special.entr(targets).sum(dim=1).mean()


def by(
    *,
    inputs: Mix = mixed,
    soften: Callable[[Tensor, float, int, Tensor], Tensor] = smoothed,
    targets: Mix = mixed,
    after: Callable[[Tensor, Tensor, float, int], Tensor] = lambda t, own, smoothing, classes: t,
    floor: Callable[[Tensor, Tensor, Tensor], Tensor] = lambda t, own, labels: entropy(t),
) -> Blend:
    """Return a blend by other rules.

    Args:
        inputs: how the inputs are blended.
        soften: the targets before the blend.
        targets: how the targets are blended.
        after: what becomes of the targets after the blend, with those before it, smoothing and classes.
        floor: from the blended targets, those before the blend, and the labels.
    """

    def blend(x: Tensor, labels: Tensor, share: Tensor, partner: Tensor, smoothing: float, classes: int) -> Blended:
        own = soften(labels, smoothing, classes, x)
        t = after(targets(own, share, partner), own, smoothing, classes)
        return inputs(x, share, partner), t, floor(t, own, labels)

    return blend


def _the_other_way(values: Tensor, share: Tensor, partner: Tensor) -> Tensor:
    return mixed(values, 1 - share, partner)


def _one_share(values: Tensor, share: Tensor, partner: Tensor) -> Tensor:
    return mixed(values, share[:1].expand_as(share), partner)


def _mean_share(values: Tensor, share: Tensor, partner: Tensor) -> Tensor:
    return mixed(values, share.mean().expand_as(share), partner)


def _as_they_are(values: Tensor, share: Tensor, partner: Tensor) -> Tensor:
    return values.clone()


def _of_the_larger(values: Tensor, share: Tensor, partner: Tensor) -> Tensor:
    own = (share >= 0.5).reshape(-1, *[1] * (values.dim() - 1))
    return torch.where(own, values, values[partner])


def _of_the_next(values: Tensor, share: Tensor, partner: Tensor) -> Tensor:
    return mixed(values, share, (torch.arange(len(values)) + 1) % len(values))


def _backwards(values: Tensor, share: Tensor, partner: Tensor) -> Tensor:
    return mixed(values, share, torch.argsort(partner))


def _already_blended(values: Tensor, share: Tensor, partner: Tensor) -> Tensor:
    values = values.clone()
    for n, (part, other) in enumerate(zip(share.tolist(), partner.tolist())):
        values[n] = part * values[n] + (1 - part) * values[other]
    return values


def _share_of_the_partner(values: Tensor, share: Tensor, partner: Tensor) -> Tensor:
    """Weigh the partner's row with the partner's own share."""
    wide = share.reshape(-1, *[1] * (values.dim() - 1))
    return wide * values + (1 - wide[partner]) * values[partner]


def _only_added(values: Tensor, share: Tensor, partner: Tensor) -> Tensor:
    wide = share.reshape(-1, *[1] * (values.dim() - 1))
    return values + (1 - wide) * values[partner]


def _both(mix: Mix) -> Blend:
    return by(inputs=mix, targets=mix)


def _to_the_others(labels: Tensor, smoothing: float, classes: int, like: Tensor) -> Tensor:
    hard = one_hot(labels, classes, like)
    return (1 - smoothing) * hard + smoothing / (classes - 1) * (1 - hard)


def _loses_a_part(labels: Tensor, smoothing: float, classes: int, like: Tensor) -> Tensor:
    hard = one_hot(labels, classes, like)
    return (1 - smoothing) * hard + smoothing / classes * (1 - hard)


def _epsilon_for_all(labels: Tensor, smoothing: float, classes: int, like: Tensor) -> Tensor:
    hard = one_hot(labels, classes, like)
    return (1 - smoothing) * hard + smoothing * (1 - hard)


def _hard(labels: Tensor, smoothing: float, classes: int, like: Tensor) -> Tensor:
    return one_hot(labels, classes, like)


def _soft_and_hard(
    x: Tensor, labels: Tensor, share: Tensor, partner: Tensor, smoothing: float, classes: int
) -> Blended:
    """Soften an example's own target, and leave its partner's hard."""
    wide = share[:, None]
    t = wide * smoothed(labels, smoothing, classes, x) + (1 - wide) * one_hot(labels, classes, x)[partner]
    return mixed(x, share, partner), t, entropy(t)


def _by_numbers(x: Tensor, labels: Tensor, share: Tensor, partner: Tensor, smoothing: float, classes: int) -> Blended:
    """Blend the numbers of the classes."""
    between = mixed(labels.to(x.dtype), share, partner).round().long()
    t = smoothed(between, smoothing, classes, x)
    return mixed(x, share, partner), t, entropy(t)


def _counted_classes(
    x: Tensor, labels: Tensor, share: Tensor, partner: Tensor, smoothing: float, classes: int
) -> Blended:
    return by()(x, labels, share, partner, smoothing, int(labels.max()) + 1)


def _writes(x: Tensor, labels: Tensor, share: Tensor, partner: Tensor, smoothing: float, classes: int) -> Blended:
    inputs, targets, floor = by()(x, labels, share, partner, smoothing, classes)
    return x.copy_(inputs), targets, floor


def _row_by_row(floor: Callable[[Tensor], Tensor]) -> Blend:
    """Write each blend into x before the next one is made."""

    def blend(x: Tensor, labels: Tensor, share: Tensor, partner: Tensor, smoothing: float, classes: int) -> Blended:
        made, targets, _ = by(inputs=_already_blended)(x, labels, share, partner, smoothing, classes)
        return x.copy_(made), targets, floor(targets)

    return blend


def _with_nan(targets: Tensor) -> Tensor:
    return -(targets * targets.log()).sum(dim=1).mean()


_BLEND = (
    Mistake(
        "gives the targets the other share",
        by(targets=_the_other_way),
        "Your inputs are right. In the targets the shares of the two are exchanged.",
        "An example that keeps 0.75 of its picture is asked for 0.25 of its class. The network then learns the opposite of what it sees.",
        "In the first row of the example most of the picture is of class 0. Which class should its target name most?",
    ),
    Mistake(
        "gives the inputs the other share",
        by(inputs=_the_other_way),
        "Your targets are right. In the inputs the shares of the two are exchanged.",
        "`share` is what an example keeps of itself. In your inputs it is what the partner gets.",
        "With a share of 1 an example should stay as it is. Which row comes out with yours?",
    ),
    Mistake(
        "gives the share to the partner",
        _both(_the_other_way),
        "Inputs and targets fit each other. The share goes to the partner in both, where the example itself should keep it.",
        "With shares drawn from a Beta distribution nobody would notice, as it is symmetric. Here the shares are handed in.",
        "With a share of 1, does your example stay as it is, or does it become its partner?",
    ),
    Mistake(
        "takes one share for all",
        _both(_one_share),
        "All rows of your result are blended with the share of the first.",
        "Some programs draw one share for a whole batch. Here every example has its own.",
        "Print the shape of what you multiply x by. How many shares are in it?",
    ),
    Mistake(
        "takes the mean share for all",
        _both(_mean_share),
        "All rows of your result are blended with the mean of the shares.",
        "A mean makes one number of them. Each row is to be blended by its own.",
        "Where in your code does a mean stand? Only the floor needs one.",
    ),
    Mistake(
        "leaves the targets as they are",
        by(targets=_as_they_are),
        "Your inputs are blended. The targets are those of the examples alone.",
        "A picture that is half a 3 and half an 8 would count as a whole 3. Mixup asks for both in their shares.",
        "How many entries of the first target in the example should be larger than 0.05?",
    ),
    Mistake(
        "leaves the inputs as they are",
        by(inputs=_as_they_are),
        "Your targets are blended. The inputs come back as they were.",
        "The network would be asked to see a part of something that is not there.",
        "Which line of yours makes the new inputs, and is it what stands behind `return`?",
    ),
    Mistake(
        "asks for the larger part alone",
        by(targets=_of_the_larger),
        "Your targets name one class each: that of which the larger part is there.",
        "With a hard choice the leap is back that mixup is to take away. The target should change evenly with the share.",
        "What is asked for with a share of 0.51, and what with 0.49? Should these two differ by much?",
    ),
    Mistake(
        "blends with the next row",
        _both(_of_the_next),
        "Your examples are blended with the row below them, whatever `partner` says.",
        "With two rows both are the same. The partners are handed in, in an order drawn by chance.",
        "Which line of yours reads `partner`? Try one who is its own partner.",
        best="one who is its own partner",
    ),
    Mistake(
        "looks the partner up the other way round",
        _both(_backwards),
        "Where two are partners of each other all is right. In a ring of three each is blended with the wrong one.",
        "`partner[i]` says from which row the rest of i comes. Your code hands row i on to `partner[i]`: that is the way back.",
        "In the ring 1, 2, 0: with which row is row 0 to be blended? Does the index stand on the right side of your `=`?",
        best="three partners in a ring",
    ),
    Mistake(
        "blends with rows that are blended already",
        _both(_already_blended),
        "Your first row is right. Later ones are blended with rows that have been changed before.",
        "The loop writes into the table from which it reads. The partner is meant as it came in.",
        "Write the results into a table of their own, or make all rows in one line with `x[partner]`.",
    ),
    Mistake(
        "weighs the partner by the partner's share",
        _both(_share_of_the_partner),
        "The two weights of a row do not add up to 1: the partner's row is weighed by what the partner gives of itself.",
        "Both weights belong to the example that is made: its share, and what is missing from it to 1.",
        "Print the two weights of each row of the example. What is their sum?",
    ),
    Mistake(
        "adds the partner on top",
        _both(_only_added),
        "Your examples keep all of themselves, and a part of the partner comes on top.",
        "The first product is missing. Inputs become too bright by it, and targets add up to more than 1.",
        "Which number should stand before x itself in the blend?",
    ),
)

_SOFT = (
    Mistake(
        "shares the smoothing out among the others",
        by(soften=_to_the_others),
        "Your targets give ε/(C - 1) to each wrong class, and 1 - ε to the right one.",
        "That adds up to 1 as well, and is another definition. Here, as in PyTorch, all C classes get the same ε/C, the right one too.",
        "With ε = 0.2 and 4 classes: does the right class have 0.8 or 0.85?",
    ),
    Mistake(
        "loses a part of the right class",
        by(soften=_loses_a_part),
        "Your rows add up to less than 1: the right class has 1 - ε, and each other ε/C.",
        "Shared out are C parts, and you hand out C - 1 of them. The right class gets its part, too.",
        "Add up one row of your targets before the blend. What is missing?",
    ),
    Mistake(
        "gives every other class the whole smoothing",
        by(soften=_epsilon_for_all, floor=lambda t, own, labels: entropy(t)),
        "Each wrong class has ε in your targets, where ε is to be shared out.",
        "A row then adds up to more than 1. All classes together get ε.",
        "Add up one row of your targets before the blend. How many classes share the smoothing?",
    ),
    Mistake(
        "leaves the smoothing out",
        by(soften=_hard),
        "Your targets are blended and not smoothed: classes that neither of the two has are at 0.",
        "`smoothing` is never used, or what it makes is lost before the blend.",
        "Which entries of the example's targets should be 0.05?",
    ),
    Mistake(
        "smooths twice",
        by(after=lambda t, own, smoothing, classes: (1 - smoothing) * t + smoothing / classes),
        "Your targets are smoothed before the blend and after it: the right classes have lost too much.",
        "A blend of smoothed rows is smoothed already. Whether one smooths before or after makes no difference, but it is done once.",
        "Count how often `smoothing` is used on its way through your code.",
    ),
    Mistake(
        "smooths one of the two",
        _soft_and_hard,
        "Your own part of the targets is smoothed, and that of the partner is hard.",
        "The smoothed rows are made for the examples, and the partners' rows are made anew from the labels.",
        "Take the partner's row from the same table: `targets[partner]`.",
    ),
    Mistake(
        "blends the numbers of the classes",
        _by_numbers,
        "You blend the labels as numbers, and round: between class 0 and class 2 class 1 is asked for.",
        "A class is a name. Halfway between a 0 and a 2 there is no 1, but half a chance for each.",
        "What should be asked for in the second row of the example: one class, or two?",
    ),
    Mistake(
        "counts the classes of the batch",
        _counted_classes,
        "Your targets have as many columns as classes occur in this batch, or up to the largest that does.",
        "Not every batch has all classes. How many there are says `classes`.",
        "In the example the labels are 0 and 2. How many columns should the targets have?",
    ),
)

_FLOOR = (
    Mistake(
        "returns nan where a target is 0",
        by(floor=lambda t, own, labels: _with_nan(t)),
        "Without smoothing your floor is nan. With smoothing it is right.",
        "The logarithm of 0 is -inf, and 0 times that has no value for the machine. Such a term counts 0.",
        "Which function of `torch.special` takes care of 0 · log 0? Or choose the terms with `torch.where`, and mind what it is fed.",
        best="no smoothing",
    ),
    Mistake(
        "forgets the minus of the floor",
        by(floor=lambda t, own, labels: -entropy(t)),
        "Your floor has the right size and the wrong sign: it is negative.",
        "Logarithms of shares are below 0. The minus in front turns the sum into a loss, which is never below 0.",
        "Can a cross-entropy be negative? Which sign does the formula have?",
    ),
    Mistake(
        "adds up the floor over the examples",
        by(floor=lambda t, own, labels: entropy(t) * len(t)),
        "Your floor grows with the number of examples.",
        "It is a sum over all rows. The loss of a batch is the mean over its examples, and so is its floor.",
        "Twice the same batch: should the floor be twice as high?",
    ),
    Mistake(
        "averages the floor over the classes too",
        by(floor=lambda t, own, labels: entropy(t) / t.shape[1]),
        "Your floor is too low by the number of classes: it is a mean over all entries of the table.",
        "The classes of a row are added up. Only the examples are averaged.",
        "Over which axis does your `mean` run? Print the shape of what it is taken of.",
    ),
    Mistake(
        "takes logarithms to the base of 2",
        by(floor=lambda t, own, labels: entropy(t) / torch.tensor(2.0, dtype=t.dtype).log()),
        "Your floor is too high by one factor, 1.44: it is measured in bits.",
        "`log2` has the base 2. A cross-entropy in PyTorch uses the natural logarithm, `log`.",
        "Which logarithm does the formula of the task have?",
    ),
    Mistake(
        "takes the floor of the targets before the blend",
        by(floor=lambda t, own, labels: entropy(own)),
        "Your floor knows of the smoothing and not of the blend.",
        "A row that asks for two classes cannot be met without a loss. The blend raises the floor.",
        "Which table stands in your sum: that before the blend, or that after it?",
    ),
    Mistake(
        "takes the floor for 0",
        by(floor=lambda t, own, labels: torch.zeros((), dtype=t.dtype)),
        "Your floor is 0, also where a target asks for two classes.",
        "A loss of 0 would take a probability of 1 for the one class that is asked for. No soft target allows that.",
        "What is the loss of the first row of the example if the network says 0.65, 0.05, 0.25 and 0.05?",
    ),
    Mistake(
        "writes into x",
        _writes,
        "Your numbers are right, and the caller's own inputs have been blended with them.",
        "`x *= ...`, `x[...] = ...` and names that end in _ write into what came in. In the next epoch it would be blended once more.",
        "Make a new tensor: `share * x + (1 - share) * x[partner]`.",
    ),
    Mistake(
        "writes each blend into x before the next",
        _row_by_row(entropy),
        "The caller's own x is overwritten row by row, so that later rows are blended with partners that are blends already.",
        "`x[i] = ...` changes the batch while it is still needed. Every partner is a row of the batch as it came in.",
        "Print x before your loop and after its first round. From which tensor should the partner of the second row come?",
    ),
    Mistake(
        "writes each blend into x before the next, and returns nan where a target is 0",
        _row_by_row(_with_nan),
        "Your blends are written into x row by row, so that later rows meet blended partners. And where a target is 0 the floor is nan.",
        "Two things at once: `x[i] = ...` changes the batch while it is needed, and 0 times the logarithm of 0 has no value for the machine.",
        "Begin with a new tensor for the blends. Then ask for the floor of hard targets, for example with `torch.special.entr`.",
    ),
    Mistake(
        "gives the targets the other share, and leaves the smoothing out",
        by(soften=_hard, targets=_the_other_way),
        "Your targets have the shares of the two exchanged, and are not smoothed.",
        "Two things at once: `share` and `1 - share` have changed places in the targets, and ε is never used.",
        "Mend the blend first, with a smoothing of 0. Then add the smoothing.",
    ),
)

MISTAKES = (*_BLEND, *_SOFT, *_FLOOR)
