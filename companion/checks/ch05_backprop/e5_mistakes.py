"""What goes wrong on the way back through softmax and log-sum-exp (exercise 05.5), and what to say about it."""

from __future__ import annotations

import torch
from torch import Tensor

from companion.checks.bank import Mistake


def along(numbers: Tensor, dim: int = -1) -> Tensor:
    """Return the sum along an axis, which stays with the size 1."""
    return numbers.sum(dim=dim, keepdim=True)


def _softmax(x: Tensor) -> Tensor:
    return torch.softmax(x, dim=-1)


def _unshifted(x: Tensor) -> Tensor:
    return torch.exp(x) / along(torch.exp(x))


SOFTMAX = (
    Mistake(
        "uses only the diagonal of the table",
        lambda x, g: g * _softmax(x) * (1 - _softmax(x)),
        "Each input of yours feels the slope at its own share alone. The slopes at the other shares do not reach it.",
        "y(1 - y) is the slope of a share by its own logit, the diagonal of the table. But a logit moves all shares of its row, "
        "and each of them is a way to the loss.",
        "In the example only $y_1$ is listened to. Can a change of $x_2$ be heard there?",
    ),
    Mistake(
        "adds the table up before g comes in",
        lambda x, g: g * _softmax(x) * (1 - along(_softmax(x))),
        "Your result is 0 everywhere, whatever g is.",
        "You add the slopes of all shares first and multiply by g afterwards. Raising a logit moves the shares by amounts that "
        "add up to 0, so nothing is left.",
        "Read the third line of the recipe. Which index has the slope that comes in, and is it inside the sum or outside?",
    ),
    Mistake(
        "stops at the share",
        lambda x, g: g * _softmax(x),
        "Your result is the share times the slope, and its rows do not add up to 0.",
        "This is the part that comes from the numerator. The sum below the line holds every logit too, and takes something off "
        "again.",
        "Raise all logits of a row by the same number. Do the shares change? What does that say of the sum of your row?",
    ),
    Mistake(
        "leaves the last factor out",
        lambda x, g: g - along(g * _softmax(x)),
        "Your bracket is right, and logits of tiny shares get as large a slope as those of large ones.",
        "What stands in front of the bracket is missing: a logit whose share is nearly 0 can hardly move anything.",
        "What is the slope by a logit of -30, whose share is almost 0? What does your code give there?",
    ),
    Mistake(
        "sums over the batch",
        lambda x, g: _softmax(x) * (g - along(g * _softmax(x), 0)),
        "The result of one row changes when other rows stand beside it. With a single row it is wrong as well.",
        "The sum runs down the batch, over different examples. The shares that belong together stand in one row.",
        "Write the shape of g with a name for each axis. Over which of them does the sum of the recipe run?",
    ),
    Mistake(
        "takes one sum for all rows",
        lambda x, g: _softmax(x) * (g - (g * _softmax(x)).sum()),
        "With a single row your result is right. With several, each row is given the sum of all of them.",
        "A sum without an axis runs over the whole table, and every example gets what the others want.",
        "How many sums has a batch of two rows? Print the shape of yours.",
    ),
    Mistake(
        "puts the input in place of the result",
        lambda x, g: x * (g - along(g * x)),
        "Your formula is fed with the logits: where a logit is 0 your slope is 0, and with large logits it is huge.",
        "The formula of the chapter is written in y, the shares. You are given x, from which the shares have to be made first.",
        "Write down what y stands for in the recipe, and print what your code puts there. Does it add up to 1?",
    ),
    Mistake(
        "takes the shares down the batch",
        lambda x, g: torch.softmax(x, dim=0) * (g - along(g * torch.softmax(x, dim=0))),
        "Your shares add up to 1 in the columns and not in the rows. In a batch of one every share is 1.",
        "The softmax runs over the examples, so that the classes of one example do not compete with each other.",
        "Print the shares that your code computes for two rows, and add up each row.",
    ),
    Mistake(
        "takes the shares down the batch, and sums over the batch",
        lambda x, g: torch.softmax(x, dim=0) * (g - along(g * torch.softmax(x, dim=0), 0)),
        "Each column of your result adds up to 0, and the rows do not. In a batch of one everything is 0.",
        "Both the softmax and the sum of the way back run over the examples. It is the right way back through another operation.",
        "Which axis holds the classes of one example? Look at every `dim` in your code.",
    ),
    Mistake(
        "sends the slope through the softmax",
        lambda x, g: _softmax(g),
        "All numbers of your result lie between 0 and 1, and x has no part in it.",
        "You apply the operation to g. The way back is another function: it multiplies g by slopes that belong to the point x.",
        "What does the recipe do with g? Where does x come in?",
    ),
    Mistake(
        "turns the sign",
        lambda x, g: _softmax(x) * (along(g * _softmax(x)) - g),
        "Each slope of yours has the right size and the wrong sign.",
        "In the bracket the two are exchanged. A share grows with its own logit, so the part with its own slope comes in with a "
        "plus.",
        "With g = 1 at one share and 0 elsewhere: should its own logit get a slope above or below 0?",
    ),
    Mistake(
        "adds what should be taken off",
        lambda x, g: _softmax(x) * (g + along(g * _softmax(x))),
        "The slopes by the other logits have the wrong sign in the example, and rows do not add up to 0.",
        "When a logit rises, the shares of the others fall. So what comes over the other shares is taken off, and yours is "
        "added.",
        "Differentiate 1 divided by a sum by something that stands in the sum. Which sign comes out?",
    ),
    Mistake(
        "leaves the shares out of the sum",
        lambda x, g: _softmax(x) * (g - along(g)),
        "Your rows do not add up to 0. With one class that is certain, your result would be 0 where g is heard most.",
        "Inside the sum each slope has to be multiplied by its share. Without it this is the way back of no softmax. The "
        "logarithm of a softmax has a sum without shares.",
        "In $\\sum_i g_i\\, y_i (\\delta_{ij} - y_j)$ take the bracket apart. What is left beside each $g_i$?",
    ),
    Mistake(
        "goes back through the log-softmax",
        lambda x, g: g - _softmax(x) * along(g),
        "Your rows add up to 0, and your numbers do not depend on the shares in the way they should.",
        "This is the way back through the logarithm of the softmax, which is the neighbour of this task. Here the shares "
        "themselves are handed on.",
        "What is $y$ in the formula of the task? What is the slope of a share by its own logit, and of its logarithm?",
    ),
    Mistake(
        "overflows",
        lambda x, g: _unshifted(x) * (g - along(g * _unshifted(x))),
        "With logits of 1000 your result is nan. With moderate ones it is right.",
        "The formula is right on paper. exp(1000) is infinite for the machine, and inf divided by inf has no value.",
        "Which number may be taken off all logits of a row without changing a share? Or which ready-made function does it?",
    ),
)

LOGSUMEXP = (
    Mistake(
        "hands g on to every entry",
        lambda x, g: g[:, None].expand_as(x).clone(),
        "All entries of a row get the same slope, the whole of g. Their sum is too large.",
        "That is the way back of a sum. Here each entry counts by how much it contributes: an entry far below the others can "
        "hardly be heard.",
        "In the example, by how much does $y$ grow when $x_1$ goes up by 0.01? And when $x_3$ does?",
    ),
    Mistake(
        "shares g out equally",
        lambda x, g: g[:, None].expand_as(x) / x.shape[-1],
        "All entries of a row get the same slope, an equal part of g. Where all entries are equal that would be right.",
        "That is the way back of a mean. In a log-sum-exp the large entries count for more.",
        "In the example, which of the three entries moves $y$ most? Does your result say so?",
    ),
    Mistake(
        "gives everything to the largest",
        lambda x, g: g[:, None] * torch.nn.functional.one_hot(x.argmax(dim=-1), x.shape[-1]).to(x.dtype),
        "In each row a single entry gets a slope, and all others get 0.",
        "That is the way back of the maximum. The log-sum-exp is a smooth one: entries that are nearly as large are heard too.",
        "Move the second largest entry of a row by 0.01. Does $y$ change?",
    ),
    Mistake(
        "forgets g",
        lambda x, g: _softmax(x),
        "Each row of your result adds up to 1, whatever g is.",
        "This is the slope of $y$ by x. The slope of the loss is asked: what comes in from behind has to be multiplied on.",
        "Call your function twice, with two different g. What should have changed?",
    ),
    Mistake(
        "multiplies every row by the sum of g",
        lambda x, g: g.sum() * _softmax(x),
        "With a single row your result is right. With several, each is multiplied by the sum of all slopes.",
        "Each row has one result, and one slope for it. Another row's result does not depend on this row.",
        "Which entries of `x` enter the first result? Whose slope should they be multiplied by?",
    ),
    Mistake(
        "takes the shares down the batch",
        lambda x, g: g[:, None] * torch.softmax(x, dim=0),
        "The columns of your shares add up to 1, and the rows do not. In a batch of one every entry gets the whole of g.",
        "The softmax runs over the examples. The entries that are added up in one result stand in one row.",
        "Print the shares for two rows and add them up, along each axis.",
    ),
    Mistake(
        "takes the shares down the batch, and forgets g",
        lambda x, g: torch.softmax(x, dim=0),
        "Your result does not depend on g, and its columns add up to 1.",
        "The shares are taken over the examples and not along a row. And the slope that comes in is not multiplied on.",
        "Begin with a batch of one and g = 1, where every row should add up to 1. Then change g.",
    ),
    Mistake(
        "forgets the slope of the logarithm",
        lambda x, g: g[:, None] * torch.exp(x),
        "Your slopes are far too large, and at entries of 1000 they are infinite.",
        "You have differentiated the sum of exponentials. The logarithm stands behind it, and along a way slopes are "
        "multiplied.",
        "What is the derivative of log at the value 4? Where in your code is it?",
    ),
    Mistake(
        "forgets the slope of the exponentials",
        lambda x, g: (g[:, None] / along(torch.exp(x))).expand_as(x).clone(),
        "All entries of a row get the same slope, and at entries of 1000 it is 0.",
        "You have differentiated the logarithm: 1 divided by the sum. Each entry sits in an exponential, whose slope has to be "
        "multiplied on.",
        "By how much does $e^{x_3}$ grow when $x_3$ goes up a little? Is it the same for $x_1$?",
    ),
    Mistake(
        "goes back through the softmax",
        lambda x, g: _softmax(x) * (g[:, None] - along(g[:, None] * _softmax(x))),
        "Your result is 0 everywhere, or nearly so.",
        "This is the way back through the softmax, as the chapter has it. It is another operation: here a row gives one number, "
        "and that number does change when all entries rise.",
        "Raise all entries of a row by 1. By how much does $y$ rise? What must the slopes of a row add up to?",
    ),
    Mistake(
        "multiplies by the logarithm of the shares",
        lambda x, g: g[:, None] * torch.log_softmax(x, dim=-1),
        "With a g above 0 none of your slopes is above 0. But $y$ grows with each entry.",
        "The logarithm of the shares is $x - y$, a value of the forward pass. The derivative of the logarithm is 1 divided by "
        "what stands inside it.",
        "Differentiate log u by u. Then ask what u is here.",
    ),
    Mistake(
        "turns the sign",
        lambda x, g: -g[:, None] * _softmax(x),
        "Each slope of yours has the right size and the wrong sign.",
        "There is no minus in this operation: every exponential grows with its entry, and the logarithm grows with the sum.",
        "Does $y$ rise or fall when an entry rises?",
    ),
    Mistake(
        "overflows",
        lambda x, g: g[:, None] * _unshifted(x),
        "With entries of 1000 your result is nan. With moderate ones it is right.",
        "The formula is right on paper. exp(1000) is infinite for the machine, and inf divided by inf has no value.",
        "Which number may be taken off all entries of a row without changing their shares? Or which ready-made function does it?",
    ),
)
