"""What goes wrong with a bump from two steps (exercise 03.3), and what to say about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from companion.checks.bank import Mistake, Observed
from companion.checks.levels import near
from companion.checks.numbers import F64
from companion.checks.trace import Case

Network = tuple[Tensor, Tensor, Tensor, Tensor]
Make = Callable[[float, float, float, float], Network]


def answers(network: Network, x: Tensor) -> Tensor:
    """Return what a 1-2-1 network of sigmoids answers: (B, 1) -> (B,)."""
    W1, b1, W2, b2 = (part.to(F64) for part in network)
    return (torch.sigmoid(x @ W1.T + b1) @ W2.T + b2)[:, 0]


def _network(
    first: tuple[float, float], second: tuple[float, float], out: tuple[float, float], out_bias: float = 0.0
) -> Network:
    """Return a network from the weight and bias of each hidden unit, and what the output makes of them."""
    W1 = torch.tensor([[first[0]], [second[0]]])
    return W1, torch.tensor([first[1], second[1]]), torch.tensor([out]), torch.tensor([out_bias])


def _known(name: str, make: Make, seen: str, why: str, next: str) -> Mistake:
    """Return a mistake that is recognised by what the network answers, whichever way its numbers are written."""

    def matches(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
        def same(case: Case, o: Observed) -> bool:
            left, right = case.args["left"], case.args["right"]
            x = torch.linspace(2 * left - right, 2 * right - left, 201, dtype=F64)[:, None]
            return "out" in o and bool(near(o["out"], answers(make(*case.args.values()), x), 1e-4).all())

        return all(same(case, o) for case, o in zip(cases, observed))

    return Mistake(name, make, seen, why, next, matches=matches)


# Every lambda below is called with left, right, height and steepness.

_HIDDEN = (
    _known(
        "leaves the steepness out of the biases",
        lambda left, right, height, steepness: _network((steepness, -left), (steepness, -right), (height, -height)),
        "Your steps are as steep as they should be, and both lie close to 0, wherever the edges are.",
        "A sum of s x - l is 0 at x = l / s, not at l. In s (x - l) the bracket is multiplied as a whole, the edge too.",
        "Set the sum of your first hidden unit to 0 and solve it for x. At which x does this unit step?",
    ),
    _known(
        "gives the biases the other sign",
        lambda left, right, height, steepness: _network(
            (steepness, steepness * left), (steepness, steepness * right), (height, -height)
        ),
        "Your bump stands on the other side of 0, where the edges would be with the opposite sign, and upside down.",
        "A sum of s x + s l is 0 at x = -l. To step at l, what is added to s x has to cancel it there.",
        "Put x = left into the sum of your first hidden unit. Which value should it have, and which has it?",
    ),
    _known(
        "steepens the biases only",
        lambda left, right, height, steepness: _network(
            (1.0, -steepness * left), (1.0, -steepness * right), (height, -height)
        ),
        "Your steps are soft, and they lie far outside: at the edges times the steepness.",
        "The bias holds the steepness and the weight does not. A sum of x - s l grows slowly and is 0 at s l.",
        "Multiply s (x - l) out on paper. Which two places does s come to stand in?",
    ),
    _known(
        "leaves the steepness out",
        lambda left, right, height, steepness: _network((1.0, -left), (1.0, -right), (height, -height)),
        "The steps stand where they should, and they are so soft that your bump is a low and wide hill.",
        "With weights of 1 a sigmoid takes about ten units of x to go from 0 to 1. The steepness is not used at all.",
        "Call your function with the steepness 5 and 50. Which of the four tensors should change?",
    ),
    _known(
        "takes the width for the right edge",
        lambda left, right, height, steepness: _network(
            (steepness, -steepness * left), (steepness, -steepness * (right - left)), (height, -height)
        ),
        "Your bump begins at the left edge and does not end at the right one: it ends at the bump's width.",
        "The second step stands where right minus left lies. Both edges are places on the x axis, counted from 0.",
        "For a bump from 1 to 3, where does your second unit step? Set its sum to 0.",
    ),
    _known(
        "measures the right edge from the left one",
        lambda left, right, height, steepness: _network(
            (steepness, -steepness * left), (steepness, -steepness * (left + right)), (height, -height)
        ),
        "Your bump begins at the left edge, and ends at the sum of both edges.",
        "The second step stands at left plus right, as if `right` were a width. It is a place on the x axis.",
        "Take the edges 1 and 3. At which x is the sum of your second unit 0, and does the task say anything of that place?",
    ),
    _known(
        "puts the height into the hidden layer",
        lambda left, right, height, steepness: _network(
            (height * steepness, -height * steepness * left),
            (height * steepness, -height * steepness * right),
            (1.0, -1.0),
        ),
        "Your bump is 1 high or 1 deep, whatever the height; what the height changes is how sharp the edges are.",
        "A factor inside a sigmoid makes it steeper and not higher: it goes from 0 to 1 all the same. What comes behind "
        "the sigmoid scales it.",
        "Between which two values does a hidden unit move, whatever its weight? Which tensor is multiplied with that?",
    ),
)

_OUTPUT = (
    _known(
        "adds both steps",
        lambda left, right, height, steepness: _network(
            (steepness, -steepness * left), (steepness, -steepness * right), (height, height)
        ),
        "Your network climbs a stair: it rises at the left edge, and again at the right one.",
        "Both output weights have the same sign, so the second step adds to the first. To come back down it has to be "
        "taken off.",
        "Right of the bump both hidden units give 1. What should be left of them in the output?",
    ),
    _known(
        "turns the bump upside down",
        lambda left, right, height, steepness: _network(
            (steepness, -steepness * left), (steepness, -steepness * right), (-height, height)
        ),
        "Your bump has the right place and the right size, and it points the other way.",
        "The step at the left edge is taken off and the one at the right edge is added. Which comes first decides.",
        "In the middle of the bump only one hidden unit is on. Which one is it, and which sign has its output weight?",
    ),
    _known(
        "leaves out the height",
        lambda left, right, height, steepness: _network(
            (steepness, -steepness * left), (steepness, -steepness * right), (1.0, -1.0)
        ),
        "Your bump has the right place and sharp edges, and it is always 1 high.",
        "A hidden unit that is on gives 1, and the output hands that on as it is. The height is not used.",
        "Call your function with the height 2 and 5. Which of the four tensors should change?",
    ),
    _known(
        "adds the height at the output",
        lambda left, right, height, steepness: _network(
            (steepness, -steepness * left), (steepness, -steepness * right), (1.0, -1.0), height
        ),
        "Your network gives the height far away from the bump, and 1 more inside it.",
        "An output bias moves the whole curve up, the bump and what surrounds it. A height is a factor of the bump alone.",
        "What should your network answer far away from the bump? Which tensor says so when all hidden units are off?",
    ),
    _known(
        "adds a second step that falls",
        lambda left, right, height, steepness: _network(
            (steepness, -steepness * left), (-steepness, steepness * right), (height, height)
        ),
        "Your bump stands on a plateau: it has the height outside, and twice the height inside.",
        "Something adds the height everywhere: an output bias, or a step that falls at the right edge, which is 1 minus "
        "one that rises there.",
        "Which hidden units of yours are on far left of the bump, and what is in `b2`? What could make the answer 0 there?",
    ),
    _known(
        "subtracts a second step that falls",
        lambda left, right, height, steepness: _network(
            (steepness, -steepness * left), (-steepness, steepness * right), (height, -height)
        ),
        "Left of the bump your network gives minus the height, in it 0, and right of it the height.",
        "The second unit is turned round twice: once by its weight, and once more by the output. So it is there where it "
        "should not be.",
        "Write a table with the two hidden units left of the bump, in it, and right of it. What does the output make of "
        "each column?",
    ),
    _known(
        "leaves the steepness out of the biases, and adds both steps",
        lambda left, right, height, steepness: _network((steepness, -left), (steepness, -right), (height, height)),
        "Your network climbs a stair of two steps, and both lie close to 0, wherever the edges are.",
        "Two things at once: a sum of s x - l is 0 at l / s and not at l, and two steps that are added never come back "
        "down.",
        "Mend the place first: set each hidden sum to 0 and solve it for x. Then look at the output right of both steps.",
    ),
)

MISTAKES = (*_HIDDEN, *_OUTPUT)
