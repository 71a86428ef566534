"""What goes wrong on the way back through rows that are scaled (exercise 05.5), and what to say about it."""

from __future__ import annotations

from torch import Tensor

from companion.checks.bank import Mistake
from companion.checks.ch05_backprop.e5_mistakes import along
from companion.checks.ch05_backprop.e5_operations import EPS, lengthened, standardised


def _norm(x: Tensor) -> Tensor:
    return x.norm(dim=-1, keepdim=True)


def _with_length(x: Tensor, g: Tensor, n: Tensor) -> Tensor:
    """Return the way back as if n were the length."""
    y = x / n
    return (g - y * along(g * y)) / n


LENGTH = (
    Mistake(
        "uses only the diagonal of the table",
        lambda x, g: g * (1 - lengthened(x).square()) / _norm(x),
        "Each input of yours feels the slope at its own result alone. The slopes at the other results do not reach it.",
        "You have the slope of $y_j$ by its own $x_j$, the diagonal of the table. But $x_j$ changes the length, and with it "
        "every entry of the row.",
        "In the example the loss listens to $y_1$ alone. Does $y_1$ change when $x_2$ does?",
    ),
    Mistake(
        "uses only the diagonal of the table, and forgets to divide by the length",
        lambda x, g: g * (1 - lengthened(x).square()),
        "Each input feels the slope at its own result alone, and long rows get as large a slope as short ones.",
        "A row of length 100 is turned less by a push than one of length 1. And an input also moves the other results of its "
        "row, over the length.",
        "Differentiate $y_1$ by $x_1$ with the quotient rule, on paper. Then $y_1$ by $x_2$.",
    ),
    Mistake(
        "takes the length for a constant",
        lambda x, g: g / _norm(x),
        "Where g stands at a right angle to the row your result is right. Elsewhere something has to be taken off.",
        "You divide by the length as if it were a fixed number. It is made from the same inputs, so it is a second way to the "
        "loss.",
        "Make a row twice as long. Does y change? So what must the slope along the row itself be?",
    ),
    Mistake(
        "takes the length for a constant, and forgets to divide by the length",
        lambda x, g: g.clone(),
        "Your result is g itself: the slope was passed on as it came in.",
        "The operation would be passed as if it were not there. It divides by the length, and the length depends on the inputs "
        "as well.",
        "Differentiate $3 / \\sqrt{x^2 + 9}$ by x on paper. How many places hold an x in $y_1$, and how many in $y_2$?",
    ),
    Mistake(
        "forgets to divide by the length",
        lambda x, g: g - lengthened(x) * along(g * lengthened(x)),
        "With a row of length 1 your result is right. With others it is off by a factor, which is the length.",
        "You take off what points along the row, which is right. But a push of the same size turns a long row less than a "
        "short one.",
        "Compare the slopes for a row and for ten times that row. Which row is turned further by a push of the same size?",
    ),
    Mistake(
        "puts the input in place of the result",
        lambda x, g: (g - x * along(g * x)) / _norm(x),
        "With a row of length 1 your result is right. For a long row it is far too large.",
        "The formula is written in y, the row of length 1. Your code puts x there, so that the length comes in two times too "
        "often.",
        "Print what you multiply g by in the sum. Is its length 1?",
    ),
    Mistake(
        "divides the product by the length once too few",
        lambda x, g: g / _norm(x) - x * along(g * x) / _norm(x).square(),
        "The first part of your result is right. What is taken off is too large for long rows and too small for short ones.",
        "Differentiating 1 divided by the length gives a power of the length below the line, and the length's own derivative "
        "brings another.",
        "Give units: let x be metres. Which unit has $y$, which has $\\partial y / \\partial x$, and which have your two parts?",
    ),
    Mistake(
        "sums over the batch",
        lambda x, g: (g - lengthened(x) * along(g * lengthened(x), 0)) / _norm(x),
        "The result of one row changes when other rows stand beside it.",
        "The sum runs down the batch. The results that share a length stand in one row.",
        "Write the shape of g with a name for each axis. Over which of them does the sum of the recipe run?",
    ),
    Mistake(
        "takes one sum for all rows",
        lambda x, g: (g - lengthened(x) * (g * lengthened(x)).sum()) / _norm(x),
        "With a single row your result is right. With several, each row has the sum of all of them taken off.",
        "A sum without an axis runs over the whole table, and every row gets what the others want.",
        "How many sums has a batch of two rows? Print the shape of yours.",
    ),
    Mistake(
        "takes one length for the whole table",
        lambda x, g: _with_length(x, g, x.norm()),
        "With a single row your result is right. With several, all are divided by one and the same length.",
        "A norm without an axis is that of the whole table. Each row has a length of its own.",
        "How many lengths has a batch of two rows? Print the shape of yours.",
    ),
    Mistake(
        "leaves g out of the sum",
        lambda x, g: g * (1 - lengthened(x) * along(lengthened(x))) / _norm(x),
        "Each input is multiplied by the slope at its own place, and the slopes at other places do not reach it.",
        "You add the table up over the results first, and multiply by g afterwards. Each result has a slope of its own, which "
        "belongs inside the sum.",
        "Read the third line of the recipe. Which index has the slope that comes in, and over which is added?",
    ),
    Mistake(
        "adds what should be taken off",
        lambda x, g: (g + lengthened(x) * along(g * lengthened(x))) / _norm(x),
        "Where g points along the row your result is twice that of a division. It should be 0 there.",
        "A larger entry makes the length larger, and everything is divided by it. So that way takes something off.",
        "Does $y_1$ rise or fall when $x_2$ grows, with both above 0? Which sign has that in your result?",
    ),
    Mistake(
        "adds what should be taken off, and forgets to divide by the length",
        lambda x, g: g + lengthened(x) * along(g * lengthened(x)),
        "Where g points along the row your result is twice g, where it should be 0. And long rows get as large a slope as short "
        "ones.",
        "The part along the row comes over the length: a larger entry makes it larger, and everything is divided by it, so that "
        "way takes something off. Both ways pass the division.",
        "Mend the sign first: does $y_1$ rise or fall when $x_2$ grows, with both above 0? Then try a row of length 10.",
    ),
    Mistake(
        "forgets the root when it differentiates the length",
        lambda x, g: g / _norm(x) - 2 * x * along(g * x) / _norm(x).square(),
        "The first part of your result is right. What is taken off is wrong by a factor: twice the length of the row.",
        "The slope of a sum of squares by an entry is twice the entry. The length is the root of that sum, and the root's own "
        "slope has to be multiplied on.",
        "Differentiate $\\sqrt{u}$ by u, then $u = x_1^2 + x_2^2$ by $x_1$. What does their product come to for the row (3, 4)?",
    ),
    Mistake(
        "takes the lengths of the columns",
        lambda x, g: _with_length(x, g, x.norm(dim=0, keepdim=True)),
        "Your lengths are those of columns. In a batch of one each entry is divided by its own size.",
        "`norm(dim=0)` runs down the batch, over different examples. Each row is to be made 1 long, so its own entries count.",
        "Print the shape of your lengths for two rows of three. How many rows have a length, and how many lengths do you have?",
    ),
    Mistake(
        "scales the columns",
        lambda x, g: _with_length(x.T, g.T, _norm(x.T)).T,
        "Lengths and sums of yours are those of columns: one example changes with its neighbours.",
        "Both run down the batch. It is the right way back through another operation, which makes each column 1 long.",
        "Write the shape of x with a name for each axis. Look at every `dim` in your code: which axis does it take away?",
    ),
    Mistake(
        "forgets the root",
        lambda x, g: _with_length(x, g, along(x.square())),
        "With a row of length 1 your result is right. With others everything is divided by too much or too little.",
        "What you divide by is the sum of the squares. The length is its root.",
        "How long is the row (3, 4)? Print what your code takes for it.",
    ),
    Mistake(
        "sends the slope through the operation",
        lambda x, g: lengthened(g),
        "Your rows have the length 1, and x has no part in them.",
        "You apply the operation to g. The way back is another function: it multiplies g by slopes that belong to the point x.",
        "What does the recipe do with g? Where does x come in?",
    ),
)


def _off(x: Tensor) -> Tensor:
    return x - x.mean(dim=-1, keepdim=True)


def _s(x: Tensor, correction: int = 0, eps: float = EPS) -> Tensor:
    return (_off(x).square().sum(dim=-1, keepdim=True) / (x.shape[-1] - correction) + eps).sqrt()


def _mean(numbers: Tensor) -> Tensor:
    return numbers.mean(dim=-1, keepdim=True)


def _with_spread(x: Tensor, g: Tensor, s: Tensor) -> Tensor:
    """Return the way back as if s were the spread."""
    y = _off(x) / s
    return (g - _mean(g) - y * _mean(g * y)) / s


STANDARDISE = (
    Mistake(
        "takes mean and spread for constants",
        lambda x, g: g / _s(x),
        "Your rows do not add up to 0: each slope that comes in is divided by the spread, and no more.",
        "Mean and spread are made from the same inputs, so they are two further ways to the loss. You go over the direct one "
        "alone.",
        "Raise all numbers of a row by 1. Does y change? What must your row then add up to?",
    ),
    Mistake(
        "takes the spread for a constant",
        lambda x, g: (g - _mean(g)) / _s(x),
        "Your rows add up to 0, as they should. The part that comes over the spread is missing.",
        "The spread grows when an entry moves away from the mean, and all results are divided by it. That is a way of its own.",
        "Make a row twice as wide around its mean. Does y change? What does that say of the slopes along y?",
    ),
    Mistake(
        "takes the mean for a constant",
        lambda x, g: (g - standardised(x) * _mean(g * standardised(x))) / _s(x),
        "The part that comes over the spread is right. Your rows do not add up to 0, though y stays the same when a row is "
        "moved as a whole.",
        "Every input is a part of the mean, and the mean is taken off every result. That is a way of its own.",
        "With a g that is the same for the whole row: can any input change that loss?",
    ),
    Mistake(
        "forgets to divide by the spread",
        lambda x, g: g - _mean(g) - standardised(x) * _mean(g * standardised(x)),
        "With a spread of 1 your result is right. With others it is off by a factor, which is the spread.",
        "All three ways pass the division. In a row that is spread over hundreds, a push of 1 moves y very little.",
        "Compare the slopes for a row and for ten times that row. Which y is moved further by a push of the same size?",
    ),
    Mistake(
        "takes the spread for a constant, and forgets to divide by the spread",
        lambda x, g: g - _mean(g),
        "Your result is g with its mean taken off: the numbers in x play no part, apart from how many there are.",
        "This is the way back of centring. The division by the spread is left out twice, as a factor and as a way to the loss.",
        "Write the operation as two: centring, then dividing. Do the way back of the second first.",
    ),
    Mistake(
        "sums where it should average",
        lambda x, g: (g - along(g) - standardised(x) * along(g * standardised(x))) / _s(x),
        "What is taken off is too large, by a factor that is the number of entries in a row.",
        "The slope of a mean by one of its entries is 1 divided by their number, and so it is for the spread. That factor is "
        "missing.",
        "By how much does the mean of three numbers rise when one of them rises by 3?",
    ),
    Mistake(
        "divides by one less than the number of entries",
        lambda x, g: _with_spread(x, g, _s(x, correction=1)),
        "Your result is a little off in short rows and less in long ones. The spread is another one.",
        "`std` and `var` of torch divide by D - 1 unless they are told otherwise. The formula of the task divides by D.",
        "Compute the spread of the example by hand and print yours. What does the argument `correction` do?",
    ),
    Mistake(
        "leaves the small number under the root out",
        lambda x, g: _with_spread(x, g, _s(x, eps=0.0)),
        "Where all numbers of a row are equal your result is not a number, or infinite. Elsewhere it is right.",
        "Such a row has the spread 0, and 0 divided by 0 has no value. The task adds something under the root.",
        "Print your s for the row (2, 2, 2), and compare it with the formula.",
    ),
    Mistake(
        "adds the small number outside of the root",
        lambda x, g: _with_spread(x, g, _s(x, eps=0.0) + EPS),
        "Where all numbers of a row are equal your slopes are too large, by a factor of hundreds. Elsewhere it is right.",
        "The small number is added to the spread and not to the variance. The root of a small number is much larger than the "
        "number.",
        "Where does the root end in the formula of the task, and where does it end in your code?",
    ),
    Mistake(
        "standardises the columns",
        lambda x, g: _with_spread(x.T, g.T, _s(x.T)).T,
        "The columns of your result add up to 0, and the rows do not. One example changes with its neighbours.",
        "Mean and spread are taken over the batch. Here each example is measured by itself, along its own row.",
        "Write the shape of x with a name for each axis. How many means has a batch of two rows?",
    ),
    Mistake(
        "puts distances in place of the result",
        lambda x, g: (g - _mean(g) - _off(x) * _mean(g * _off(x))) / _s(x),
        "With a spread of 1 your result is right. In wide rows what is taken off is far too large.",
        "The formula is written in y, which has been divided by the spread. Your code puts $x - m$ there, so that the spread "
        "comes in two times too often.",
        "Print what you multiply g by in the second mean. What is its spread?",
    ),
    Mistake(
        "uses only the diagonal of the table",
        lambda x, g: g * (1 - 1 / x.shape[-1] - standardised(x).square() / x.shape[-1]) / _s(x),
        "Each input of yours feels the slope at its own result alone. The slopes at the other results do not reach it.",
        "You have the slope of $y_j$ by its own $x_j$. But every input moves the mean and the spread, and these reach all "
        "results of the row.",
        "In the example the loss listens to $y_1$ alone. Does $y_1$ change when $x_2$ does?",
    ),
    Mistake(
        "adds what comes over the spread",
        lambda x, g: (g - _mean(g) + standardised(x) * _mean(g * standardised(x))) / _s(x),
        "Your rows add up to 0. The part that comes over the spread has the right size and the wrong sign.",
        "An entry that moves outwards makes the spread larger, and all results are divided by it. So that way takes something "
        "off.",
        "With g = y the loss asks for larger results. Can the inputs give it any? What should come out?",
    ),
    Mistake(
        "sends the slope through the operation",
        lambda x, g: standardised(g),
        "Your rows have the mean 0 and the spread 1, and x has no part in them.",
        "You apply the operation to g. The way back is another function: it multiplies g by slopes that belong to the point x.",
        "What does the recipe do with g? Where does x come in?",
    ),
)
