"""What goes wrong with a step that looks ahead (exercise 07.2), and what to say about it."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from companion.checks.bank import Mistake
from companion.checks.ch07_optimizers.e1_mistakes import Rule, Step, right_velocity
from companion.checks.ch07_optimizers.e1_mistakes import by as _by
from companion.checks.ch07_optimizers.lists import Tensors


def by(
    new: Rule = right_velocity,
    move: Callable[[Tensor, Tensor, Tensor, Tensor, float, float], Tensor] = lambda w, g, v, old, lr, mu: (
        w - lr * (g + mu * v)
    ),
    kept: Callable[[Tensor, Tensor], Tensor] = lambda v, old: v,
) -> Step:
    """Return a step that looks ahead, by other rules; the arguments are those of 07.1."""
    return _by(new, move, kept)


def _rate_inside(weights: Tensors, slopes: Tensors, velocity: Tensors, lr: float, mu: float) -> tuple[Tensors, Tensors]:
    speeds = [mu * v + lr * g for v, g in zip(velocity, slopes)]
    return [w - lr * g - mu * v for w, g, v in zip(weights, slopes, speeds)], speeds


def _of_steps(weights: Tensors, slopes: Tensors, velocity: Tensors, lr: float, mu: float) -> tuple[Tensors, Tensors]:
    speeds = [mu * v - lr * g for v, g in zip(velocity, slopes)]
    return [w + mu * v - lr * g for w, g, v in zip(weights, slopes, speeds)], speeds


def _keeps_what_moved(
    weights: Tensors, slopes: Tensors, velocity: Tensors, lr: float, mu: float
) -> tuple[Tensors, Tensors]:
    moved, speeds = by()(weights, slopes, velocity, lr, mu)
    return moved, [g + mu * v for g, v in zip(slopes, speeds)]


def _into_velocity(
    weights: Tensors, slopes: Tensors, velocity: Tensors, lr: float, mu: float
) -> tuple[Tensors, Tensors]:
    for v, g in zip(velocity, slopes):
        v.mul_(mu).add_(g)
    return [w - lr * (g + mu * v) for w, g, v in zip(weights, slopes, velocity)], velocity


def _into_weights(
    weights: Tensors, slopes: Tensors, velocity: Tensors, lr: float, mu: float
) -> tuple[Tensors, Tensors]:
    speeds = [mu * v + g for v, g in zip(velocity, slopes)]
    for w, g, v in zip(weights, slopes, speeds):
        w -= lr * (g + mu * v)
    return weights, speeds


def _into_slopes(weights: Tensors, slopes: Tensors, velocity: Tensors, lr: float, mu: float) -> tuple[Tensors, Tensors]:
    speeds = [mu * v + g for v, g in zip(velocity, slopes)]
    for g, v in zip(slopes, speeds):
        g.add_(v, alpha=mu)
    return [w - lr * g for w, g in zip(weights, slopes)], speeds


def _first_only(weights: Tensors, slopes: Tensors, velocity: Tensors, lr: float, mu: float) -> tuple[Tensors, Tensors]:
    moved, speeds = by()(weights[:1], slopes[:1], velocity[:1], lr, mu)
    return [*moved, *weights[1:]], [*speeds, *velocity[1:]]


_AHEAD = (
    Mistake(
        "looks ahead twice",
        by(move=lambda w, g, v, old, lr, mu: w - lr * (g + mu * (g + mu * v))),
        "Your velocity is right. The weights look two steps ahead: the slope is taken up once more than it should be.",
        "`g + momentum * v` is the look-ahead already, where v is the new velocity. Whoever applies the rule of the velocity a third time "
        "counts the same slope again.",
        "How often does `momentum` stand before the slope in your step, when you write it out in g and the old velocity alone?",
    ),
    Mistake(
        "goes ahead before it steps",
        by(move=lambda w, g, v, old, lr, mu: w - lr * mu * old - lr * (g + mu * v)),
        "Your step holds `lr * momentum` times the old velocity more than it should: the way ahead is gone twice.",
        "Two ways lead there: to move the weights ahead first, as in books, or to write v where the bracket has g. The new v holds a part of the "
        "old one already.",
        "Which terms with the old velocity does your step hold, written out? The formula has one, with the momentum squared.",
    ),
    Mistake(
        "goes ahead and takes the plain step from there",
        by(move=lambda w, g, v, old, lr, mu: w - lr * mu * old - lr * v),
        "Your weights go ahead along the old velocity, and then take the plain step of momentum from there.",
        "That is half of the textbook's form: the place ahead is where it asks for a slope, and not where the step begins. Here no slope is asked for.",
        "How often does the old velocity move your weights? The formula holds the new one, once.",
    ),
    Mistake(
        "takes the plain step of momentum",
        by(move=lambda w, g, v, old, lr, mu: w - lr * v),
        "Your velocity is right. The weights follow it as in exercise 07.1, without looking ahead.",
        "The slope plus `momentum` times the **old** velocity is nothing but the new velocity. To look ahead, the new one goes into the bracket.",
        "Write your step out in g and the old velocity. By what does it differ from momentum without a look-ahead?",
    ),
    Mistake(
        "adds the whole velocity to the slope",
        by(move=lambda w, g, v, old, lr, mu: w - lr * (g + v)),
        "Your velocity is right. In the step it counts whole, where a part of it should: it has lost no speed on the way ahead.",
        "In the step to come the velocity loses some of itself again. So the look-ahead takes `momentum` times the velocity.",
        "Which factor stands before v in the second formula? Do the example with yours.",
    ),
    Mistake(
        "steps along the look-ahead without the slope",
        by(move=lambda w, g, v, old, lr, mu: w - lr * mu * v),
        "Your velocity is right. Your step is a part of it, and the slope of this moment does not stand beside it.",
        "The bracket has two terms. What the velocity will carry on is the one, and the slope that is felt now is the other.",
        "Start at a velocity of 0 and a momentum of 0. Where does plain descent go, and where do you?",
    ),
    Mistake(
        "looks ahead with the friction put on the slope",
        by(move=lambda w, g, v, old, lr, mu: w - lr * (mu * g + v)),
        "Your velocity is right. In the step the factor `momentum` stands before the slope and not before the velocity.",
        "It is the velocity that loses speed on the way. The slope of this step is taken as it is.",
        "Put the two factors of your bracket beside those of the formula. Which letter does each belong to?",
    ),
    Mistake(
        "keeps what moved the weights as the velocity",
        _keeps_what_moved,
        "Your new weights are right. What you hand back as the velocity is the bracket that moved them.",
        "The look-ahead is for this step alone. Kept as the velocity it would be looked ahead from again, and would grow too fast.",
        "Which of the two formulas makes the new velocity? Do not let the second overwrite its name.",
    ),
)

_VELOCITY = (
    Mistake(
        "weighs the slope by what is left of 1",
        by(lambda v, g, mu: mu * v + (1 - mu) * g),
        "The slope goes into your velocity with a share of it only, the share that `momentum` leaves of 1.",
        "That is a running mean, as in Adam. PyTorch's momentum and Nesterov's both take up the whole slope.",
        "Compare the first formula with your line: what stands before g in each?",
    ),
    Mistake(
        "forgets the friction",
        by(lambda v, g, mu: v + g),
        "Your velocity is the old one plus the slope: `momentum` takes nothing off it.",
        "The first formula is that of 07.1, and the look-ahead does not replace its friction. Both formulas hold the momentum.",
        "What should be left of the velocity after a step with the slope 0?",
    ),
    Mistake(
        "forgets the old velocity",
        by(lambda v, g, mu: g),
        "Your result is the same whatever `velocity` holds.",
        "The new velocity is made from the old one and the slope. With the slope alone the step is one of plain descent, made a "
        "little longer.",
        "Which argument of your function has no effect? Where should it stand?",
    ),
    Mistake(
        "puts the rate into the velocity",
        _rate_inside,
        "The slope goes into your velocity times `lr`, and the velocity moves the weights without a rate.",
        "Some libraries keep it so. Here the rate stays outside, and the velocity that comes in adds up slopes as they are.",
        "In which of the two formulas does the rate stand, and before which bracket?",
    ),
    Mistake(
        "keeps a velocity of steps",
        _of_steps,
        "Your velocity holds steps, with the rate in it and the sign turned round. The one that comes in holds slopes.",
        "Keras keeps it so, and with a velocity of its own and a fixed rate the walk is the same. Here both formulas are PyTorch's.",
        "What would your code make of a velocity of (1) and a slope of 0, and what do the two formulas?",
    ),
    Mistake(
        "takes the slope off the velocity",
        by(lambda v, g, mu: mu * v - g),
        "The slope goes into your velocity with the wrong sign.",
        "The velocity adds up slopes, which point uphill. The one minus of the rule stands in the step of the weights.",
        "Set the old velocity to 0. Which sign should the new one have, that of the slope or the other?",
    ),
    Mistake(
        "keeps a velocity that points downhill",
        by(lambda v, g, mu: mu * v - g, lambda w, g, v, old, lr, mu: w + lr * (mu * v - g)),
        "Your velocity points downhill, as in some books, and the one that came in points uphill.",
        "With all signs turned round the walk is the same one, if the velocity is your own from the start. Here it is the caller's, and "
        "adds up slopes.",
        "What does the caller find in the velocity that you hand back, if the first slope was 3 and the old velocity 0?",
    ),
)

_REST = (
    Mistake(
        "goes uphill",
        by(move=lambda w, g, v, old, lr, mu: w + lr * (g + mu * v)),
        "Your steps have the right length and lead the way in which the loss grows.",
        "Slope and velocity point uphill, and so does your bracket. The weights have to go the other way.",
        "Take an entry where slope and velocity are positive. On which side of the old weight must the new one lie?",
    ),
    Mistake(
        "forgets the rate",
        by(move=lambda w, g, v, old, lr, mu: w - (g + mu * v)),
        "Your result is the same for every `lr`: the whole bracket is taken off.",
        "The bracket says in which direction, and how steep it is. How far to go is the rate's business.",
        "Where does `lr` stand in the second formula, and where in your line?",
    ),
    Mistake(
        "leaves the slope out of the rate's bracket",
        by(move=lambda w, g, v, old, lr, mu: w - lr * g + mu * v),
        "The slope is taken off times `lr`. The part with the velocity is added, and without the rate.",
        "A bracket is missing. `w - lr * g + momentum * v` takes the rate and the minus to the slope alone.",
        "Put brackets around everything that the rate and the minus belong to.",
    ),
    Mistake(
        "hands back the old velocity",
        by(kept=lambda v, old: old),
        "The new weights are right, and the velocity that you hand back is the one that came in.",
        "The caller hands it to the next step. With the old one no step would know of those before it.",
        "Which of your names holds the new velocity when the function ends, and is it behind your `return`?",
    ),
    Mistake(
        "writes into the velocity that came in",
        _into_velocity,
        "The numbers are right, and the caller's own velocity has been changed on the way.",
        "`v *= ...` and `v.mul_(...)` write into what came in. To compare this step with a plain one from the same place, the caller needs it.",
        "Which line changes a tensor that came in? `momentum * v + g` makes a new one.",
    ),
    Mistake(
        "writes into the weights that came in",
        _into_weights,
        "The numbers are right, and the caller's own weights have moved with yours.",
        "`w -= ...` and `weights[k] = ...` write into the tensors and lists of whoever called you.",
        "Write `w - ...` instead, and put the new tensors into a list of your own.",
    ),
    Mistake(
        "writes into the slopes that came in",
        _into_slopes,
        "The numbers are right, and the caller's own slopes have become something else.",
        "PyTorch's own code adds the velocity to the slope to get the bracket. With `+=` or `add_` that happens in the caller's tensor.",
        "Give the bracket a new name, such as `ahead = g + momentum * v`. What does `slopes` hold afterwards?",
    ),
    Mistake(
        "moves the first tensor only",
        _first_only,
        "Your first tensor and its velocity are right. All others come back as they were.",
        "The two lines run for place 0 alone. Each tensor of the three lists has its own step.",
        "For how many tensors does your function compute something, and how many are there in `weights`?",
    ),
    Mistake(
        "goes uphill, and forgets the rate",
        by(move=lambda w, g, v, old, lr, mu: w + (g + mu * v)),
        "The whole bracket is added to the weights: uphill, and with no rate.",
        "Two things at once: the sign of the step is wrong, and `lr` is missing from it.",
        "Read the second formula aloud and point at each sign in your line. Which two are not there?",
    ),
)

MISTAKES = (*_AHEAD, *_VELOCITY, *_REST)
