"""What goes wrong with the starts of Xavier and He (exercise 08.2), and what to say about it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from companion.checks.bank import Mistake

Start = Callable[[Sequence[int], str], tuple[float, float]]
Rule = Callable[[float, float], float]


def _xavier(fan_in: float, fan_out: float) -> float:
    return 2 / (fan_in + fan_out)


def _he(fan_in: float, fan_out: float) -> float:
    return 2 / fan_in


def _start(
    xavier: Rule = _xavier,
    he: Rule = _he,
    places: Callable[[Sequence[int]], tuple[float, float]] = lambda kernel: (math.prod(kernel), math.prod(kernel)),
    answer: Callable[[float], tuple[float, float]] = lambda variance: (variance**0.5, (3 * variance) ** 0.5),
) -> Start:
    """Return the rule with another variance, other places for the two fans, or another answer from the variance."""

    def start(shape: Sequence[int], rule: str) -> tuple[float, float]:
        ins, outs = places(shape[2:])
        return answer((xavier if rule == "xavier" else he)(shape[1] * ins, shape[0] * outs))

    return start


def _no_kernel(kernel: Sequence[int]) -> tuple[float, float]:
    return 1, 1


def _of_all(shape: Sequence[int], rule: str) -> tuple[float, float]:
    variance = 2 / math.prod(shape)
    return variance**0.5, (3 * variance) ** 0.5


_FANS = (
    Mistake(
        "takes the number of units for the number of inputs",
        _start(he=lambda fan_in, fan_out: 2 / fan_out),
        "By Xavier you are right. By He your numbers belong to another layer, the one that leads the other way.",
        "PyTorch lays a weight out as (units, inputs): the first number is where it leads to. He's rule counts "
        "what comes in.",
        "Print `torch.nn.Linear(50, 100).weight.shape`. Which of the two numbers do you divide by?",
    ),
    Mistake(
        "forgets the kernel",
        _start(places=_no_kernel),
        "For linear layers you are right. For convolutions your start is far too wide.",
        "A unit of a convolution adds up a product for every place of its kernel, in every channel. You count "
        "the channels alone.",
        "How many numbers does one unit of a kernel of 5 by 5 look at, in a picture with 3 channels?",
    ),
    Mistake(
        "forgets the kernel on the way out",
        _start(places=lambda kernel: (math.prod(kernel), 1)),
        "By He you are right. By Xavier the start of a convolution is too wide.",
        "The kernel stands in your fan-in and not in your fan-out. One input also goes into a sum for each place "
        "of the kernel.",
        "A pixel lies under a kernel of 3 by 3 that is moved over it. In how many positions does the kernel touch it?",
    ),
    Mistake(
        "forgets the kernel on the way in",
        _start(places=lambda kernel: (1, math.prod(kernel))),
        "For linear layers you are right. For convolutions your start is too wide, by He most of all.",
        "The kernel stands in your fan-out and not in your fan-in. A unit adds up a product for each of its places.",
        "How many numbers does one unit of a kernel of 3 by 7 look at, with 20 channels coming in?",
    ),
    Mistake(
        "takes the last side of the kernel",
        _start(places=lambda kernel: (kernel[-1], kernel[-1]) if kernel else (1, 1)),
        "With kernels that have one side you are right. With 3 by 7 you count 7 places.",
        "Of several sizes the last one is left: a loop that sets a number anew in each round keeps the last, "
        "where it should multiply.",
        "Print the number of places after each round of your loop, for 3 by 7. What should it be in the end?",
    ),
    Mistake(
        "counts the kernel in pictures only",
        _start(places=lambda kernel: (math.prod(kernel), math.prod(kernel)) if len(kernel) == 2 else (1, 1)),
        "For linear layers and for pictures you are right. Along a line and in a volume your start is too wide.",
        "The kernel is counted only where it has two sizes. Along a line it has one, in a volume three, and each of its places is a product.",
        "Which condition of yours asks how long `shape` is? Print how many places you count for (6, 4, 9).",
    ),
    Mistake(
        "takes one side of the kernel",
        _start(places=lambda kernel: (kernel[0], kernel[0]) if kernel else (1, 1)),
        "With kernels that have one side you are right. With 5 by 5 you count 5 places.",
        "A kernel in a picture has height times width places, and one in a volume has three sizes to be multiplied.",
        "How many small squares has a square of 5 by 5? Which sizes stand in `shape[2:]`?",
    ),
    Mistake(
        "adds the sides of the kernel",
        _start(places=lambda kernel: (sum(kernel), sum(kernel)) if kernel else (1, 1)),
        "With kernels that have one side you are right. With 3 by 7 you count 10 places.",
        "The places of a kernel form a grid. Their number is the product of its sides and not the sum.",
        "Draw a kernel of 3 by 7 and count its squares. What do you get from 3 and 7?",
    ),
    Mistake(
        "divides by the number of all weights",
        _of_all,
        "Your start is far too narrow, and both rules give the same.",
        "All weights of the layer stand in your denominator. A single sum has no more than n_in of them.",
        "A layer with 100 units of 50 inputs has 5000 weights. How many of them meet in one unit?",
    ),
    Mistake(
        "exchanges the two rules",
        _start(xavier=_he, he=_xavier),
        "Your Xavier is He's rule, and your He is Xavier's.",
        "The sum of both fans is Xavier's, who looks in both directions. He's rule has the fan-in alone.",
        "Call your function with the example and both words. Which of the two results does the statement give for `xavier`?",
    ),
    Mistake(
        "takes He's rule for both words",
        _start(xavier=_he),
        "By He you are right. By Xavier you give He's start, as if the word made no difference.",
        "2 / n_in stands there whatever `rule` is. Xavier's rule has the sum of both fans below the line.",
        "Which line of your code asks what `rule` is? Call it with the example and both words.",
    ),
    Mistake(
        "takes Xavier's rule for both words",
        _start(he=_xavier),
        "By Xavier you are right. By He you give Xavier's start, as if the word made no difference.",
        "2 / (n_in + n_out) stands there whatever `rule` is. Behind ReLUs that is too narrow, unless a layer has "
        "very few units.",
        "Which line of your code asks what `rule` is? For He the fan-out does not matter.",
    ),
    Mistake(
        "looks in one direction for Xavier",
        _start(xavier=lambda fan_in, fan_out: 1 / fan_in),
        "By He you are right. By Xavier the fan-out makes no difference to your numbers.",
        "1 / n_in keeps the signal on its way forwards alone. Xavier's rule is the compromise with the way back.",
        "Which two numbers does Xavier's rule add up? Both stand in the shape.",
    ),
    Mistake(
        "forgets the 2",
        _start(
            xavier=lambda fan_in, fan_out: 1 / (fan_in + fan_out),
            he=lambda fan_in, fan_out: 1 / fan_in,
        ),
        "All your numbers are too small, by the root of 2.",
        "Both rules have a 2 on top: He's makes up for the half that a ReLU takes away, Xavier's makes a mean of "
        "the two fans.",
        "With 50 inputs and 50 units the mean of the fans is 50. What should Xavier's variance be then, and what is yours?",
    ),
    Mistake(
        "squares the gain of He",
        _start(he=lambda fan_in, fan_out: 4 / fan_in),
        "By Xavier you are right. By He your numbers are too large, by the root of 2.",
        "The gain of a ReLU is the root of 2, and it belongs to the standard deviation. In the variance it is "
        "squared, which makes 2.",
        "Write He's standard deviation as gain divided by a root. What is the gain, and what stands in your code?",
    ),
    Mistake(
        "gives PyTorch's own start",
        _start(
            xavier=lambda fan_in, fan_out: 1 / (3 * fan_in),
            he=lambda fan_in, fan_out: 1 / (3 * fan_in),
        ),
        "Both your rules give the same: what `torch.nn.Linear` draws by itself.",
        "Its bound is 1 over the root of n_in, so that the variance is 1 / (3 n_in), a sixth of He's. Behind "
        "ReLUs the signal shrinks.",
        "Which variance do the two formulas of the statement ask for? Start from that, and the bound follows.",
    ),
)

_ANSWER = (
    Mistake(
        "takes the standard deviation for the bound",
        _start(answer=lambda variance: (variance**0.5, variance**0.5)),
        "Your standard deviation is right, and your bound is the same number.",
        "Numbers drawn evenly from -a to a lie closer to 0 than a: their variance is a²/3. The factor of root 3 is missing.",
        "Draw a million numbers with `torch.rand`, move them to -1 up to 1, and print their standard deviation. Is it 1?",
    ),
    Mistake(
        "divides by the root of 3",
        _start(answer=lambda variance: (variance**0.5, (variance / 3) ** 0.5)),
        "Your standard deviation is right. Your bound is too small: it lies below the standard deviation.",
        "From the bound to the standard deviation one divides by root 3. You go the other way, so it has to be a product.",
        "Can numbers between -a and a have a standard deviation that is larger than a?",
    ),
    Mistake(
        "multiplies the standard deviation by 3",
        _start(answer=lambda variance: (variance**0.5, 3 * variance**0.5)),
        "Your standard deviation is right. Your bound is too large, by the root of 3.",
        "The 3 belongs under the root: a² / 3 is the variance, so a is the root of 3 times the variance.",
        "Solve a² / 3 = v for a on paper, step by step. Where does the 3 end up?",
    ),
    Mistake(
        "gives the width of the whole interval",
        _start(answer=lambda variance: (variance**0.5, (12 * variance) ** 0.5)),
        "Your standard deviation is right. Your bound is twice what it should be.",
        "The variance of an interval is its width squared over 12. Its width is 2a, from -a to a, and the bound is a.",
        "How wide is the interval from -0.2 to 0.2, and which of the two numbers is its bound?",
    ),
    Mistake(
        "forgets the root of the bound",
        _start(answer=lambda variance: (variance**0.5, 3 * variance)),
        "Your standard deviation is right. Your bound is a² and not a.",
        "For Xavier this is 6 / (n_in + n_out). The variance is a² / 3, so a root has still to be taken.",
        "Which unit has the bound: that of a weight, or that of a weight squared?",
    ),
    Mistake(
        "forgets the root of the standard deviation",
        _start(answer=lambda variance: (variance, (3 * variance) ** 0.5)),
        "Your bound is right. Your first number is a variance and not a standard deviation.",
        "The rules give a variance. What `normal_` takes as `std` is its root, and you take that root for the bound alone.",
        "In the example the variance is 0.01333. Which of the two numbers of the result is made from it by a root, and which in yours?",
    ),
    Mistake(
        "takes the variance for the standard deviation",
        _start(answer=lambda variance: (variance, 3**0.5 * variance)),
        "Both your numbers are far too small: the first is a variance.",
        "The rules give a variance. A standard deviation is its root, and functions such as `normal_` ask for that one.",
        "What is the root of 0.01333? Compare it with the example.",
    ),
    Mistake(
        "returns the two numbers in the other order",
        _start(answer=lambda variance: ((3 * variance) ** 0.5, variance**0.5)),
        "Your two numbers are right, and stand in the other order.",
        "`return a, b` hands back a pair, and the check takes its parts by their place: first the standard deviation.",
        "Compare your last line with the first line of the task that says what is returned.",
    ),
    Mistake(
        "returns the two numbers in the other order, and forgets the kernel",
        _start(places=_no_kernel, answer=lambda variance: ((3 * variance) ** 0.5, variance**0.5)),
        "For linear layers your two numbers are right, and stand in the other order. For convolutions both are too large as well.",
        "Two things at once: the bound comes first in your pair, and the places of the kernel are not counted.",
        "Compare your last line with what the task returns first. Then look for `shape[2:]` in your code: where is it used?",
    ),
    Mistake(
        "forgets the kernel, and takes the standard deviation for the bound",
        _start(places=_no_kernel, answer=lambda variance: (variance**0.5, variance**0.5)),
        "Your bound is the standard deviation in every case, and for convolutions both are far too large.",
        "Two things at once: the places of the kernel are not counted, and evenly drawn numbers are treated like "
        "normal ones.",
        "Set the linear layer right first, where no kernel is: how does a follow from the variance a² / 3?",
    ),
)

MISTAKES = (*_FANS, *_ANSWER)
