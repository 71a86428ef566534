"""What goes wrong with a leaky ReLU (exercise 02.1), and what to say about it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from companion.checks.bank import Mistake


def leaky_mistakes(slope: float) -> list[Mistake]:
    """Return the known mistakes with one variant's default slope."""

    def make(compute: Callable[[Tensor, float], Tensor]) -> Callable[..., Tensor]:
        return lambda z, negative_slope=slope: compute(z, negative_slope)

    def in_place(z: Tensor, s: float) -> Tensor:
        z[z < 0] *= s
        return z

    return [
        *_wrong_branches(make),
        *_wrong_slopes(make, slope),
        *_wrong_sums(make),
        *_wrong_ways(make, in_place),
        Mistake(
            "always uses the default slope, and writes into its argument",
            make(lambda z, s: in_place(z, slope)),
            "The z that you were given has changed after the call; and with any slope but the default one the negative "
            "numbers are scaled by the wrong factor.",
            "Two things at once: `*=` on a part of z writes into the caller's tensor, and a number fixed in your code "
            "stands where the argument should be read.",
            "Begin with the argument: call it with 0.5 and see whether anything changes. Then print z before and after, "
            "and find the line that assigns into it.",
        ),
        Mistake(
            "puts the slope on the positive side, and always uses the default slope",
            make(lambda z, s: torch.where(z > 0, slope * z, z)),
            "Positive numbers came out changed and negative ones passed unchanged; and the factor stays the same "
            "whatever slope the call gives.",
            "The branches have changed places, so the drip is on the side that should be open; and the factor is a "
            "number in your code, so the argument is never read.",
            "Mend the side first: follow one positive and one negative number through your condition. Then call it "
            "with two slopes and compare.",
        ),
    ]


Make = Callable[[Callable[[Tensor, float], Tensor]], Callable[..., Tensor]]


def _wrong_branches(make: Make) -> list[Mistake]:
    return [
        Mistake(
            "lets nothing through below 0",
            make(lambda z, s: torch.where(z > 0, z, torch.zeros_like(z))),
            "Every negative number of the input came out as 0; the positive ones are as they were.",
            "This is the plain ReLU. Level below 0 means that no gradient comes back there either: the very thing "
            "that the leak is to cure.",
            "Look at the second line of the formula in the statement: what in it does your code not use yet, and for "
            "which numbers is it meant?",
        ),
        Mistake(
            "puts the slope on the positive side",
            make(lambda z, s: torch.where(z > 0, s * z, z)),
            "The positive numbers of the input came out changed; the negative ones passed through as they were.",
            "Your code takes slope times z where z > 0 and z itself elsewhere: the two branches have changed places, so "
            "the valve is open backwards and drips forwards.",
            "Follow z = 2 through your code by hand: which branch does it take, and which should it take?",
        ),
        Mistake(
            "loses the positive side",
            make(lambda z, s: s * torch.clamp(z, max=0)),
            "The negative numbers are right, but every positive number came out as 0.",
            "You return the leak alone. What cuts z off at 0 from above keeps only the part below, so a unit that "
            "should fire is silent.",
            "The formula has two lines. Which of the two does your code compute, and where would the other one come in?",
        ),
    ]


def _wrong_slopes(make: Make, slope: float) -> list[Mistake]:
    return [
        Mistake(
            "turns the sign of negative numbers",
            make(lambda z, s: torch.where(z > 0, z, -s * z)),
            "Negative numbers of the input came out positive, though smaller.",
            "You multiply by minus the slope, perhaps because it is called negative. But z brings its own minus: the "
            "slope is a positive number, and its name only says on which side it applies.",
            "Draw your function on paper for z from -3 to 3: is it a line with a kink, or a V? Which of the two is a "
            "leaky ReLU?",
        ),
        Mistake(
            "returns the slope itself",
            make(lambda z, s: torch.where(z > 0, z, torch.full_like(z, s))),
            "All numbers of the input that are not positive gave one and the same result: the slope itself.",
            "A branch that is constant has the derivative 0: changing z changes nothing. The slope of a line is the "
            "factor in front of z, not its height.",
            "Compare z = -1 and z = -3 in your result: should a leak let the same amount through for both?",
        ),
        Mistake(
            "stops at minus the slope",
            make(lambda z, s: torch.clamp(z, min=-s)),
            "Negative numbers that lie far apart gave one and the same result, a small negative number.",
            "You cut z off at minus the slope. That makes a floor, level and without a gradient. The slope says how "
            "steep the line is below 0, not where it ends.",
            "Put -1, -2 and -4 into your function. What should happen to the result each time z doubles?",
        ),
        Mistake(
            "always uses the default slope",
            make(lambda z, s: torch.where(z > 0, z, slope * z)),
            "With this slope the negative numbers are scaled by another factor than the call asks for; with the default "
            "slope they are right.",
            "A number fixed in your code does the work, so `negative_slope` is accepted and never read. A default is "
            "only what an argument is when the caller gives none.",
            "Call your function twice on the same z, with 0.1 and with 0.5. Which line should have made the two results "
            "differ?",
        ),
    ]


def _wrong_sums(make: Make) -> list[Mistake]:
    return [
        Mistake(
            "adds the leak on both sides",
            make(lambda z, s: torch.relu(z) + s * z),
            "The negative numbers are right; each positive one came out larger than it went in.",
            "You add slope times z to a ReLU, and on the positive side that term is not 0: the line is steeper there "
            "than it should be, by the slope.",
            "Write down how steep your function is left and right of 0. Which of your two terms should be silent where?",
        ),
        Mistake(
            "subtracts the leak",
            make(lambda z, s: torch.clamp(z, min=0) - s * z),
            "Negative numbers came out positive, and each positive one came out smaller than it went in.",
            "You subtract slope times z on both sides. Below 0 minus times minus is plus, and above 0 the leak eats into "
            "what should pass unchanged.",
            "Take z = -1 and z = 1 by hand: what does each of your two terms contribute, and what should it?",
        ),
    ]


def _wrong_ways(make: Make, in_place: Callable[[Tensor, float], Tensor]) -> list[Mistake]:
    return [
        Mistake(
            "decides once for the whole tensor",
            make(lambda z, s: z if z.sum() > 0 else s * z),
            "All numbers were treated alike, all scaled or none, although the input holds both signs.",
            "Your `if` asks one question of the whole tensor, such as its sum, so one answer serves every entry. An "
            "activation works on each entry by itself.",
            "Print the condition that your `if` asks. How many truth values does it hold, and how many numbers has z?",
        ),
        Mistake(
            "writes into its argument",
            make(in_place),
            "The numbers that came back are right, but the z that you were given has changed: print it before and after.",
            "`z[...] *= ...` writes into the caller's tensor and makes no new one. Whoever needs z afterwards, the "
            "backward pass among them, finds other numbers.",
            "Which line of yours assigns into z? Look for an expression that makes a tensor of its own, as `a + b` does.",
        ),
        Mistake(
            "builds a new tensor out of plain numbers",
            make(lambda z, s: torch.tensor([v if v > 0 else s * v for v in z])),
            "The numbers look right here, but no gradient gets back to z; and a table in place of the vector makes your "
            "loop stop.",
            "`torch.tensor(...)` copies plain numbers and forgets where they came from, so the graph ends there. A loop "
            "over z goes along its first axis only.",
            "Call `z.requires_grad_()`, then your function, and print the `grad_fn` of the result. Which function of "
            "torch chooses entry by entry?",
        ),
    ]
