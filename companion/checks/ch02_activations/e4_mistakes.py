"""What goes wrong with three derivatives by hand (exercise 02.4), and what to say about it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from companion.checks.bank import Mistake


def named_as(name: str, function: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """Return the function under the name of the one that it stands for."""
    function.__name__ = name
    return function


def _sigmoid(compute: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    return named_as("sigmoid_grad", compute)


def _tanh(compute: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    return named_as("tanh_grad", compute)


def _relu(compute: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    return named_as("relu_grad", compute)


def _logistic_slope(z: Tensor) -> Tensor:
    return torch.sigmoid(z) * (1 - torch.sigmoid(z))


def _tanh_by_exponentials(z: Tensor) -> Tensor:
    up, down = torch.exp(z), torch.exp(-z)
    return 1 - ((up - down) / (up + down)) ** 2


_SIGMOID = (
    Mistake(
        "puts z into a formula meant for the sigmoid's output",
        _sigmoid(lambda z: z * (1 - z)),
        "Your slope far out is a huge negative number, where the sigmoid is level and never falls.",
        "y(1 - y) is right for y = sigmoid(z), the output. Your code puts the input z in its place: the right formula, "
        "fed from the wrong side of the function.",
        "Write down what the letter y stands for in y(1 - y). Then print what your code multiplies: does it lie between "
        "0 and 1?",
    ),
    Mistake(
        "returns the sigmoid itself",
        _sigmoid(lambda z: torch.sigmoid(z)),
        "Your result at 100 is 1, though the curve is level there; it rises from 0 to 1 as the sigmoid itself does.",
        "This is the height of the curve, not its steepness. A derivative says how much the output changes when z "
        "changes a little, and far out nothing changes any more.",
        "Take sigmoid(100.1) minus sigmoid(100) and divide by 0.1. Do the same around 0: where is the curve steep?",
    ),
    Mistake(
        "adds where it should subtract",
        _sigmoid(lambda z: torch.sigmoid(z) * (1 + torch.sigmoid(z))),
        "Your slope at 100 is 2, larger than anywhere else, though the curve is level there.",
        "With a plus in the bracket both factors grow with the output. But the sigmoid slows down as it nears its upper "
        "end, so one of the two must vanish there.",
        "Go through the last step of the chapter's derivation: two shares are multiplied. What do they add up to, and do "
        "yours?",
    ),
    Mistake(
        "squares inside the bracket for the sigmoid",
        _sigmoid(lambda z: 1 - torch.sigmoid(z) ** 2),
        "Your slope at -100 is 1, as steep as it gets, though the sigmoid is level on both sides.",
        "1 - y squared belongs to tanh, whose ends are -1 and 1. The sigmoid ends at 0 and 1, and at y = 0 your formula "
        "does not vanish.",
        "Put y = 0 and y = 1 into your formula. For which of them does it say level, and for which should it?",
    ),
    Mistake(
        "keeps one factor only",
        _sigmoid(lambda z: 1 - torch.sigmoid(z)),
        "Your slope falls from 1 at -100 to 0 at 100, instead of dying away on both sides.",
        "You return what is left of 1, one factor of two (forgetting a square in the denominator gives the same). It "
        "vanishes at one end of the curve only.",
        "Compare your formula with the chapter's derivation, factor by factor. At which end of the curve should the "
        "missing one vanish?",
    ),
    Mistake(
        "loses the inner derivative's sign",
        _sigmoid(lambda z: -_logistic_slope(z)),
        "Your slopes have the right size, and all of them are negative, as if the sigmoid were falling.",
        "By the chain rule 1/(1 + e^-z) brings one minus from the power -1 and another from the exponent -z. You have "
        "counted one of them.",
        "Write the derivation line by line and mark each minus sign. Then ask the curve: does it rise or fall?",
    ),
    Mistake(
        "overflows at -100",
        _sigmoid(lambda z: torch.exp(-z) / (1 + torch.exp(-z)) ** 2),
        "Your slope at -100 is nan; at numbers of moderate size it is right.",
        "The formula is right on paper. But exp(100) is infinite in float32, so you divide inf by inf, and the machine "
        "does not know a limit.",
        "Compare the slopes at 2 and at -2: how are they related? Then ask which sign of the exponent is the harmless "
        "one.",
    ),
    Mistake(
        "overflows at -100, and loses the inner derivative's sign",
        _sigmoid(lambda z: -torch.exp(-z) / (1 + torch.exp(-z)) ** 2),
        "Your slope at -100 is nan, and nearer to 0 all slopes are negative, as if the sigmoid were falling.",
        "Two things: the exponent -z brings a second minus that was not counted, and exp(100) is infinite in float32, so "
        "that inf is divided by inf.",
        "Count the minus signs of the derivation first. Then compare the slopes at 2 and -2, to see which exponent you "
        "are free to take.",
    ),
)

_TANH = (
    Mistake(
        "puts z into a formula meant for the output of tanh",
        _tanh(lambda z: 1 - z**2),
        "Far out your slope is thousands below 0, though tanh rises everywhere and is level there.",
        "1 - y squared is right for y = tanh(z), the output, and you square the input. Near 0 the two nearly agree, "
        "which is why it may have looked right.",
        "Print z and tanh(z) side by side for z = 2. Which of the two does the chapter's formula square?",
    ),
    Mistake(
        "does not square tanh",
        _tanh(lambda z: 1 - torch.tanh(z)),
        "Your slope is 2 at -100 and 0 at 100: level on one side only, though tanh is level on both.",
        "1 - tanh(z) is the distance to the upper end. The slope dies away at the lower end as well, so the distance to "
        "that one must come in too.",
        "Is the slope of tanh the same at z and at -z? Look at the curve, then try your formula at 1 and at -1.",
    ),
    Mistake(
        "uses the sigmoid's derivative for tanh",
        _tanh(lambda z: _logistic_slope(z)),
        "At 0 your slope is only 0.25; far out, where both curves are level, it is right.",
        "This is y(1 - y) of the sigmoid. tanh is that curve stretched in height and squeezed sideways, and each of the "
        "two makes it steeper.",
        "Take tanh(0.1) minus tanh(0), divide by 0.1, and compare with what you return at 0.",
    ),
    Mistake(
        "uses the sigmoid's formula with tanh",
        _tanh(lambda z: torch.tanh(z) * (1 - torch.tanh(z))),
        "Your slope at -100 is -2, as if tanh were falling there, and at 0 it vanishes.",
        "y(1 - y) vanishes at y = 0 and y = 1, the ends of the sigmoid. tanh ends at -1 and 1, and with negative outputs "
        "the first factor is negative.",
        "At which outputs is tanh level? Look for an expression in y that is 0 at just these two.",
    ),
    Mistake(
        "adds where tanh subtracts",
        _tanh(lambda z: 1 + torch.tanh(z) ** 2),
        "Your slope is 2 far out on both sides, larger than in the middle, where tanh is steepest.",
        "The square of tanh grows towards both ends. Added, it makes the slope grow with it, where it should use the "
        "slope up.",
        "Compare your formula at 0 and far out with the curve: where should the larger number stand? Which sign decides "
        "that?",
    ),
    Mistake(
        "builds tanh from exponentials that overflow",
        _tanh(_tanh_by_exponentials),
        "Your slope is nan at -100 and at 100; at numbers of moderate size it is right.",
        "exp(100) is infinite in float32, so the fraction of exponentials is inf over inf before anything is squared. "
        "tanh itself never leaves its range.",
        "Read the statement's list of what you may call. Or ask, as in exercise 02.2, which exponentials can be avoided.",
    ),
)

_RELU = (
    Mistake(
        "asks whether the output of ReLU is at least 0",
        _relu(lambda z: (torch.relu(z) >= 0).to(z.dtype)),
        "Your derivative is 1 everywhere, at -100 as well, where the ReLU is level.",
        "The output of a ReLU is never below 0, so to ask whether it is at least 0 says nothing: the mask is all ones, "
        "and the way back treats the unit as linear.",
        "Print the output for a negative and a positive z. Which question tells the two apart? See the chapter's pitfall "
        "on the wrong side.",
    ),
    Mistake(
        "uses the sigmoid's derivative for ReLU",
        _relu(lambda z: _logistic_slope(z)),
        "Your slope at 100 is 0, though a ReLU goes on rising for ever.",
        "This is y(1 - y) of the sigmoid, pasted in. Each activation has a derivative of its own, and a ReLU was brought "
        "in because it does not saturate on the right.",
        "Draw max(0, z) and lay a ruler along it, left and right of 0. How many different slopes do you find?",
    ),
    Mistake(
        "returns the ReLU itself",
        _relu(lambda z: torch.relu(z)),
        "Your result at 100 is 100 and grows with z, though the line is equally steep all the way.",
        "This is the height of the function. Multiplied into the chain rule it would correct units with large sums most, "
        "which a slope does not do.",
        "By how much does the output grow from z = 5 to 6, and from 50 to 51? Compare with what you return at 5 and 50.",
    ),
    Mistake(
        "takes the sign",
        _relu(lambda z: torch.sign(z)),
        "Your derivative at -100 is -1, as if the ReLU were falling there.",
        "The sign of z is the slope of abs, a V. A ReLU has the right half of that V; on the left its output stays the "
        "same whatever z does.",
        "What is the output at -3, and at -2? Divide the change by the step, and compare with what you return there.",
    ),
    Mistake(
        "takes 1 at z = 0",
        _relu(lambda z: (z >= 0).to(z.dtype)),
        "At z = 0 your derivative is 1; at all other numbers it is right.",
        "A ReLU has a corner at 0: the left says one slope, the right another, and what lies between could be defended. "
        "A convention decides, so that all get the same gradient.",
        "Read the statement's words on z = 0, then look at your comparison: does it include equality?",
    ),
    Mistake(
        "takes one half at z = 0",
        _relu(lambda z: (torch.sign(z) + 1) / 2),
        "At z = 0 your derivative is one half; left and right of it all is well.",
        "One half is the mean of the two slopes that meet at the corner. There is no derivative there, so libraries "
        "agree on one value, and it is not the mean.",
        "Read the chapter's paragraph on ReLU at z = 0. Which plain comparison answers in that way by itself?",
    ),
    Mistake(
        "returns truth values",
        _relu(lambda z: z > 0),
        "True and False stand in the right places, but the result is a tensor of truth values: print its dtype.",
        "A comparison answers with bool. The chain rule multiplies derivatives with one another, so they should be "
        "numbers, of the same kind as z.",
        "Print `z.dtype` beside the dtype of your result. How does one turn into the other without naming float32?",
    ),
    Mistake(
        "takes 1 at z = 0, and returns truth values",
        _relu(lambda z: z >= 0),
        "The result is a tensor of truth values, and at z = 0 it says True; left and right of 0 they are as they should "
        "be.",
        "A comparison answers with bool, which is no number to multiply by; and a comparison that includes equality "
        "counts the corner at 0 to the rising side.",
        "Print the result for [-1.0, 0.0, 1.0] and its dtype. Mend the entry at 0 by the statement's words, then the "
        "kind of the entries.",
    ),
)

MISTAKES = (*_SIGMOID, *_TANH, *_RELU)
