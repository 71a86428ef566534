"""What goes wrong with two divergences (exercise 04.6), and what to say about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from companion.checks.bank import Mistake, Observed
from companion.checks.levels import close
from companion.checks.trace import Case

One = Callable[[Tensor, Tensor], Tensor]
"""From two tables (N, C) to the terms of the sum, or to the sum."""
Two = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


def _terms(a: Tensor, b: Tensor) -> Tensor:
    return torch.where(a > 0, a * (a.log() - b.log()), 0.0)


def _in_rows(table: Tensor) -> Tensor:
    return table.sum(dim=1)


def _two(terms: One = _terms, reduce: Callable[[Tensor], Tensor] = _in_rows) -> Two:
    """Return both directions with other terms, or another way to add them up."""
    return lambda p, q: (reduce(terms(p, q)), reduce(terms(q, p)))


right = _two()


def _exchanged(two: Two) -> Two:
    return lambda p, q: (two(p, q)[1], two(p, q)[0])


def _twice_the_same(p: Tensor, q: Tensor) -> tuple[Tensor, Tensor]:
    return right(p, q)[0], right(p, q)[0].clone()


def _mean_of_both(p: Tensor, q: Tensor) -> tuple[Tensor, Tensor]:
    forward, reverse = right(p, q)
    return (forward + reverse) / 2, (forward + reverse) / 2


def _against_the_middle(p: Tensor, q: Tensor) -> tuple[Tensor, Tensor]:
    middle = (p + q) / 2
    return right(p, middle)[0], right(q, middle)[0]


def _naive(a: Tensor, b: Tensor) -> Tensor:
    return a * (a / b).log()


def _of_softmax(a: Tensor, b: Tensor) -> Tensor:
    return _terms(torch.softmax(a, dim=1), torch.softmax(b, dim=1))


def _where_both_are(a: Tensor, b: Tensor) -> Tensor:
    return torch.where((a > 0) & (b > 0), a * (a.log() - b.log()), 0.0)


def _log_or_0(x: Tensor) -> Tensor:
    return torch.where(x > 0, x.log(), 0.0)


def _is_padded(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
    """Recognise numbers that keep the logarithm from 0, of whatever size: right without zeros, finite where it is infinite."""
    plain = finite = 0
    for case, o in zip(cases, observed):
        p, q = case.args.values()
        for came, due in zip((o.get("forward"), o.get("reverse")), right(p, q)):
            if came is None or came.shape != due.shape or bool(came.isnan().any()):
                return False
            if float(torch.minimum(p, q).min()) >= 1e-3:
                if not close(came, due, 1e-3):
                    return False
                plain += 1
            heavy = (
                torch.minimum(p, q).sum(dim=1) < 1 - 1e-3
            )  # with a weight of 1e-30 there, nothing shows in a finite sum
            lost = due.isinf() & came.isfinite() & heavy
            if bool((came[lost] < 0.5).any()):
                return False
            finite += int(lost.sum())
    return plain > 0 and finite > 0


_ZEROS = (
    Mistake(
        "lets 0 times a logarithm become nan",
        _two(_naive),
        "Rows without zeros come out right; where a distribution holds a zero your result is nan.",
        "The logarithm of 0 is -inf, and 0 times inf has no value for the machine. On the way to 0 the factor in front wins, "
        "so the term counts 0.",
        "Print the terms of the example before they are added up. In which place does nan stand, and what does the task "
        "say that it counts?",
    ),
    Mistake(
        "leaves out every class with a zero",
        _two(_where_both_are),
        "Nothing is infinite in your result: where only one of the two is 0, the term is missing.",
        "A zero in front makes the term 0. A zero in the denominator makes it infinite, if what stands in front is not 0. "
        "Your code treats both alike.",
        "Take the second row of the example. What should its two directions be, and which of the two rules is about which "
        "of them?",
    ),
    Mistake(
        "takes 0 for the logarithm of 0",
        _two(lambda a, b: a * (_log_or_0(a) - _log_or_0(b))),
        "Nothing is infinite in your result: where q is 0, the term is `p log p` and makes the sum smaller.",
        "0 is the logarithm of 1. So a class of which the other says that it never happens is treated as one that is "
        "certain.",
        "For which of the two logarithms does it not matter what stands there, because the factor in front is 0?",
    ),
    Mistake(
        "makes ordinary numbers of nan and of inf alike",
        _two(lambda a, b: torch.nan_to_num(_naive(a, b))),
        "Where the divergence is infinite, yours is a huge number; the zeros in front are treated as they should be.",
        "`nan_to_num` replaces nan by 0, which is what you want, and inf by the largest number that there is. The task wants "
        "inf to stay.",
        "Which places should be 0? Ask for them in words of `p` and `q`, and leave the others as they are.",
    ),
    Mistake(
        "mends the sum and not its terms",
        _two(_naive, lambda table: table.sum(dim=1).nan_to_num(nan=0.0, posinf=torch.inf)),
        "Rows that hold a zero in front come out as 0, whatever their other terms are.",
        "A single nan among the terms makes the whole sum nan, and you put 0 in its place. What the other terms had to say "
        "is lost.",
        "Print the terms of the example before they are added up. Which of them should be 0, and which have a value?",
    ),
    Mistake(
        "keeps the logarithm from 0 by a small number",
        _two(lambda a, b: a * ((a + 1e-8) / (b + 1e-8)).log()),
        "Rows without zeros come out right; where the divergence is infinite, yours is a number of ordinary size.",
        "Something is added to the shares, or they are cut off below. How large the result is then depends on that number, "
        "and on nothing in the data.",
        "Make your small number a thousand times smaller. What becomes of the result, and can it be called a divergence?",
        matches=_is_padded,
    ),
    Mistake(
        "takes small weights for 0",
        _two(lambda a, b: torch.where(a < 1e-6, 0.0, a * (a.log() - b.log()))),
        "With a weight of exactly 0 your result is right. A weight far below 1 and above 0 is left out as well.",
        "Somewhere a number is compared with a small limit and not with 0. A class that is as rare as that still happens, "
        "and who says that it cannot is infinitely wrong.",
        "Which numbers does your condition take for 0? In these tables a 0 is stored as exactly 0, so what may it be "
        "compared with?",
    ),
    Mistake(
        "returns nan for whatever is not finite",
        _two(_terms, lambda table: torch.where(table.sum(dim=1).isinf(), torch.nan, table.sum(dim=1))),
        "Zeros in front count 0, as they should; where the divergence is infinite your result is nan.",
        "nan says that there is no value. Here there is one: it is larger than every number, and `torch.inf` stands for it.",
        "Which line of yours makes nan of inf? A difference of two infinities does, and so does 0 times inf.",
    ),
    Mistake(
        "lets 0 times a logarithm become nan, and exchanges the two directions",
        _exchanged(_two(_naive)),
        "Without zeros each of your two results is what the other should be; with zeros they are nan.",
        "0 times the logarithm of 0 has no value for the machine. And what is weighted by q stands first.",
        "Put the order right with a row that has no zeros. Then look which term of the example becomes nan.",
    ),
)

_DIRECTIONS = (
    Mistake(
        "exchanges the two directions",
        _exchanged(right),
        "Each of your two results is what the other should be.",
        "In the first one the weights in front are those of p. You return the one with the weights of q first.",
        "Which of the two is infinite in the second row of the example? Say it in words: who believes what, and who is right?",
    ),
    Mistake(
        "returns the same direction twice",
        _twice_the_same,
        "`forward` is right, and `reverse` is a copy of it.",
        "The divergence is no distance: it depends on which of the two stands in front. The second call has its arguments in "
        "the same order as the first.",
        "Compare both results of the first row with the 0.511 and 0.368 of the task. Which line makes the second?",
    ),
    Mistake(
        "takes the mean of both directions",
        _mean_of_both,
        "Both of your results are the same: the mean of the two that are asked for.",
        "The mean does not depend on the order any more. So it cannot say what the two directions ask for: to cover "
        "everything, or to hide in one hump.",
        "The task asks for two numbers for each row. What would each of them be on its own?",
    ),
    Mistake(
        "measures against the mean of the two",
        _against_the_middle,
        "No number of yours is above log 2, and none is infinite.",
        "You compare p and q with the mean of the two. These are the two parts of the Jensen-Shannon divergence, which "
        "never meets a zero below the line.",
        "What stands below the line in the task's formula, and what in yours?",
    ),
)

_TERMS = (
    Mistake(
        "turns the quotient round",
        _two(lambda a, b: -_terms(a, b)),
        "Your result is never above 0, and a divergence is never below.",
        "The quotient in the logarithm is upside down, or a minus is too many. The sum is then that of the formula with the "
        "other sign.",
        "Take a row in which p is larger than q in one class only. Which sign should that class's term have?",
    ),
    Mistake(
        "returns the cross-entropy",
        _two(lambda a, b: -torch.xlogy(a, b)),
        "For a distribution and itself your result is not 0: it is too large by an amount that depends on p alone.",
        "You add up `- p log q`, which is the cross-entropy. It is the divergence plus the entropy of p.",
        "Call it with the same table twice. How far is a distribution from itself, and what is left in your sum?",
    ),
    Mistake(
        "takes no logarithm of the second distribution",
        _two(lambda a, b: torch.xlogy(a, a) - a * b),
        "For a distribution and itself your result is not 0, and it is never infinite.",
        "The terms are p (log p - q). It happens with PyTorch's `kl_div` as well, which expects the logarithm of q and is "
        "handed q.",
        "Write the logarithm of a quotient as a difference. How many logarithms are in it, and how many in your code?",
    ),
    Mistake(
        "leaves out the weight in front",
        _two(lambda a, b: torch.where(a > 0, a.log() - b.log(), 0.0)),
        "All classes count the same in your sum, the rare ones too, and it may be negative.",
        "The logarithms of the quotients are added up as they are. In the formula each of them is weighted by how often its "
        "class comes.",
        "Which factor stands in front of the logarithm in the formula? Do the first row of the example with it.",
    ),
    Mistake(
        "takes the size of each term",
        _two(lambda a, b: _terms(a, b).abs()),
        "Your result is too large wherever a class has more of q than of p.",
        "Single terms may be negative: in the example one is -0.294. Their sum never is, and it is only the sum that says how "
        "far apart the two are.",
        "Compare the terms of the example's first row with yours. Which one has lost its sign?",
    ),
    Mistake(
        "cuts negative terms off",
        _two(lambda a, b: _terms(a, b).clamp(min=0)),
        "Your result is too large wherever a class has more of q than of p: that class counts 0.",
        "Single terms may be negative: in the example one is -0.294. The divergence is never negative because the others "
        "outweigh them.",
        "Compare the terms of the example's first row with yours. Which one is missing?",
    ),
    Mistake(
        "takes the logarithm to base 2",
        _two(lambda a, b: torch.where(a > 0, a * (a.log2() - b.log2()), 0.0)),
        "Your results are too large by the factor 1.443, which is 1 / log 2.",
        "To base 2 the divergence is counted in bits, which is common in books on information. Losses are counted with the "
        "natural logarithm.",
        "What does `torch.log` of 2 give, and what does your logarithm give?",
    ),
    Mistake(
        "takes the softmax of the shares",
        _two(_of_softmax),
        "Your divergences are much too small, and never infinite.",
        "p and q are shares already. A softmax takes them for logits between 0 and 1, and makes them all nearly alike.",
        "Print what goes into your logarithm for the example. Is it still 0.5, 0.5 and 0?",
    ),
)

_SUMS = (
    Mistake(
        "adds up all rows",
        _two(reduce=torch.sum),
        "Your results are two single numbers, and one for each row is asked for.",
        "A sum without an axis runs over rows and classes. One infinite row then makes everything infinite.",
        "Print the shape of the terms and the shape of their sum. Which axis should be left?",
    ),
    Mistake(
        "adds up along the batch",
        _two(reduce=lambda table: table.sum(dim=0)),
        "Your results have an entry for each class: the rows have been added up, and the classes have not.",
        "The sum runs down the batch, over different pairs of distributions. The formula's sum runs over the classes of one "
        "pair.",
        "Write (N, C) beside the table of your terms. Which of the two letters does the sum of the formula run over?",
    ),
    Mistake(
        "averages over the classes",
        _two(reduce=lambda table: table.mean(dim=1)),
        "Your results are too small by the number of classes.",
        "A mean divides by C. The weights in front already make the sum a mean: over what happens, not over classes.",
        "What do the weights p of a row add up to? What would you divide by a second time?",
    ),
    Mistake(
        "takes the logarithm to base 2, and exchanges the two directions",
        _exchanged(_two(lambda a, b: torch.where(a > 0, a * (a.log2() - b.log2()), 0.0))),
        "Each of your results is what the other should be, times 1.443.",
        "The one with the weights of q stands first, and the logarithm counts in bits.",
        "Do the first row of the example on paper, with the natural logarithm. Which of the two numbers has p in front?",
    ),
    Mistake(
        "averages over the classes, and exchanges the two directions",
        _exchanged(_two(reduce=lambda table: table.mean(dim=1))),
        "Each of your results is what the other should be, divided by the number of classes.",
        "The one with the weights of q stands first, and a mean divides by C where the formula adds up.",
        "Do the first row of the example on paper. Which of the two numbers has p in front, and how are its terms joined?",
    ),
)

MISTAKES = (*_ZEROS, *_DIRECTIONS, *_TERMS, *_SUMS)
