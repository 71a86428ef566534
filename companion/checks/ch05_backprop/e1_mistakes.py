"""What goes wrong with slopes along a chain (exercise 05.1), and what to say about it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from companion.checks.bank import Mistake, Observed
from companion.checks.trace import Case

Slopes = tuple[float, float, float]
Answer = Callable[[float, float, float, float], Slopes]


def _with(back: Callable[[float, float, float], float]) -> Answer:
    """Return an answer that is right but for the slope of L by u, which is made from u, h and t."""

    def answer(w: float, b: float, x: float, t: float) -> Slopes:
        u = w * x + b
        by_u = back(u, math.tanh(u), t)
        return by_u * x, by_u, by_u * w

    return answer


def _ending(
    last: Callable[[float, float, float, float], Slopes], bend: Callable[[float], float] = lambda h: 1 - h * h
) -> Answer:
    """Return an answer whose last step is made from the slope of L by u, w, b and x; ``bend`` is the slope of h by u."""

    def answer(w: float, b: float, x: float, t: float) -> Slopes:
        h = math.tanh(w * x + b)
        return last(2 * (h - t) * bend(h), w, b, x)

    return answer


def _sums(w: float, b: float, x: float, t: float) -> Slopes:
    h = math.tanh(w * x + b)
    back = 2 * (h - t) + (1 - h * h)
    return back + x, back + 1, back + w


def _without_bias(w: float, b: float, x: float, t: float) -> Slopes:
    h = math.tanh(w * x)
    back = 2 * (h - t) * (1 - h * h)
    return back * x, back, back * w


def _steps(w: float, b: float, x: float, t: float) -> Slopes:
    def loss(w: float, b: float, x: float) -> float:
        return (math.tanh(w * x + b) - t) ** 2

    d = 1e-4
    here = loss(w, b, x)
    return (loss(w + d, b, x) - here) / d, (loss(w, b + d, x) - here) / d, (loss(w, b, x + d) - here) / d


def _nearly(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
    told = [o for o in observed if "near" in o]
    return len(told) == len(cases) and all(bool(o["near"]) for o in told) and any(bool(o["steps"]) for o in told)


_ON_THE_WAY = (
    Mistake(
        "takes the slope of tanh at h",
        _with(lambda u, h, t: 2 * (h - t) * (1 - math.tanh(h) ** 2)),
        "Your slopes have the right sign, and the wrong size wherever the bend is far from 0.",
        "`1 - tanh(h)**2` applies tanh twice. The slope of the bend is asked for at its input u, and h is its output already.",
        "For u = 0.5 compute h, then the slope of tanh at u. How often did you need tanh?",
    ),
    Mistake(
        "squares u and not h",
        _with(lambda u, h, t: 2 * (h - t) * (1 - u * u)),
        "Near u = 0 your slopes are nearly right. Beyond u = 1 they have the wrong sign.",
        "The slope of tanh is 1 minus the square of its output. You squared its input.",
        "How steep is tanh at u = 9? Put 9 into your expression: is that what comes out?",
    ),
    Mistake(
        "does not square tanh",
        _with(lambda u, h, t: 2 * (h - t) * (1 - h)),
        "For positive u your slopes are too small in size, for negative u too large.",
        "`1 - h` is what h lacks to 1. The slope of tanh is the same at u and at -u, and yours is not.",
        "Compute your slope of the bend at u = 2 and at u = -2. The curve is equally steep at both.",
    ),
    Mistake(
        "takes the slope of the sigmoid",
        _with(lambda u, h, t: 2 * (h - t) * h * (1 - h)),
        "At u = 0 all your slopes are 0, and for negative u they have the wrong sign.",
        "`h * (1 - h)` belongs to the sigmoid, whose outputs lie between 0 and 1. Those of tanh reach from -1 to 1.",
        "Where is tanh steepest? Put that place into your slope of the bend.",
    ),
    Mistake(
        "leaves the bend out",
        _with(lambda u, h, t: 2 * (h - t)),
        "Your slopes are too large in size, the more so the farther u is from 0.",
        "From h you go straight to w, b and x, as if h were u. Between them lies the bend, which makes changes smaller.",
        "A change of u by 0.01 at u = 2: by how much does h change? Which factor of yours says so?",
    ),
    Mistake(
        "leaves the loss out",
        _with(lambda u, h, t: 1 - h * h),
        "Your slopes do not depend on t: they are those of h, and not those of L.",
        "The way ends at the loss, and yours stops one step before it. The step from h to L has a slope too.",
        "Call your function with two values of t. Should the slopes stay the same when the target moves?",
    ),
    Mistake(
        "forgets the 2 of the square",
        _with(lambda u, h, t: (h - t) * (1 - h * h)),
        "All three slopes are half of what they should be.",
        "The error itself was taken for the slope of its square. A square grows by two times its side.",
        "Differentiate the square of h - t by h. Which factor comes down from the exponent?",
    ),
    Mistake(
        "turns the error round",
        _with(lambda u, h, t: 2 * (t - h) * (1 - h * h)),
        "All three slopes have the right size and the wrong sign.",
        "`t - h` says which way h should go. The slope says which way L goes when h grows, and that is the opposite.",
        "When h lies below t and grows a little, does the loss rise or fall? Which sign has your slope by b there?",
    ),
    Mistake(
        "holds the slope by h below 0",
        _with(lambda u, h, t: -2 * abs(t - h) * (1 - h * h)),
        "Where the output lies below the target you are right. Above it the sign is turned.",
        "With the size of the error, its sign is lost. A slope says on which side of the target h lies: the loss falls towards "
        "it from both sides.",
        "Let h lie above t and grow a little: does the loss rise or fall? Which sign does your slope by b have there?",
    ),
    Mistake(
        "adds along the way",
        _sums,
        "Your slopes come out as sums: even where the target is hit, they are not 0.",
        "The three slopes of the way were added. What one step makes of a change is what the next one starts from.",
        "A change is doubled in one step and tripled in the next. By how many times is it larger in the end?",
    ),
    Mistake(
        "leaves the bias out of the bend",
        _without_bias,
        "With b = 0 your slopes are right. With another b they are those of a chain without a bias.",
        "On the way forward u was made without b, so that h and all slopes are taken at the wrong place.",
        "Print your u for the example of the task. Which number should it be?",
    ),
)

_LAST_STEP = (
    Mistake(
        "returns w's slope without x",
        _ending(lambda back, w, b, x: (back, back, back * w)),
        "Your slopes by b and by x are right. The one by w is the same as the one by b.",
        "A change of w is multiplied on its way to u, and a change of b is not. You treat both alike.",
        "Turn w up by 0.01 with x = 3. By how much does u grow?",
    ),
    Mistake(
        "returns x's slope without w",
        _ending(lambda back, w, b, x: (back * x, back, back)),
        "Your slopes by w and by b are right. The one by x is the same as the one by b.",
        "A change of x is multiplied on its way to u, and a change of b is not. You treat both alike.",
        "With w = 0 the input has no say at all. Which slope by x does your code give there?",
    ),
    Mistake(
        "exchanges the last steps of w and x",
        _ending(lambda back, w, b, x: (back * w, back, back * x)),
        "Your slope by b is right. Those by w and by x have changed places.",
        "In a product each factor passes its change on times the other one. Yours passes it on times itself, or the results "
        "stand in another order.",
        "With x = 0 the weight has no say. Which of your slopes is 0 there?",
    ),
    Mistake(
        "multiplies the bias's slope by b",
        _ending(lambda back, w, b, x: (back * x, back * b, back * w)),
        "Your slopes by w and by x are right. The one by b is multiplied by b itself.",
        "b is added and not multiplied. How large it is does not matter for how fast u grows with it.",
        "Turn b up by 0.01, once from 0 and once from 5. By how much does u grow each time?",
    ),
    Mistake(
        "returns the last step alone",
        lambda w, b, x, t: (x, 1.0, w),
        "You return x, 1 and w, whatever the target is.",
        "Those are the slopes of u. They are the last factors of the product, and the way from u to L is missing.",
        "From u the way goes on through the bend and the square. Where do their slopes stand in your code?",
    ),
    Mistake(
        "forgets the 2 of the square, and turns the error round",
        _with(lambda u, h, t: (t - h) * (1 - h * h)),
        "All three slopes have the wrong sign and half the size.",
        "The error was taken as t minus h and used as it is. The slope of its square by h needs a factor and the other sign.",
        "Draw the square of h - t over h for t = 1. How steep is it at h = 0, and does it rise or fall there?",
    ),
    Mistake(
        "takes the slope of the sigmoid, and multiplies the bias's slope by b",
        _ending(lambda back, w, b, x: (back * x, back * b, back * w), bend=lambda h: h * (1 - h)),
        "At u = 0 all your slopes are 0, as `h * (1 - h)` is there. And the slope by b is multiplied by b itself.",
        "The slope of the bend is that of the sigmoid, and this bend is a tanh. And b is added: how large it is does not "
        "matter for how fast u grows with it.",
        "Set the bend right first: how steep is tanh at 0? Then turn b up by 0.01, once from 0 and once from 5.",
    ),
    Mistake(
        "takes small steps",
        _steps,
        "Your slopes are nearly right: the first digits agree, and the later ones do not.",
        "A difference between two losses, divided by the step, catches the slope only nearly. The same happens when a number "
        "was rounded on the way.",
        "The slope of each step of the chain has a formula. Multiply these, and no step size is needed.",
        matches=_nearly,
    ),
)

MISTAKES = (*_ON_THE_WAY, *_LAST_STEP)
