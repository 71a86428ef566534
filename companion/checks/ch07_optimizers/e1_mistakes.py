"""What goes wrong with a step of momentum (exercise 07.1), and what to say about it."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from companion.checks.bank import Mistake
from companion.checks.ch07_optimizers.lists import Tensors

Step = Callable[[Tensors, Tensors, Tensors, float, float], tuple[Tensors, Tensors]]
Rule = Callable[[Tensor, Tensor, float], Tensor]
"""The new velocity from the old one, the slopes and the momentum."""


def right_velocity(v: Tensor, g: Tensor, momentum: float) -> Tensor:
    """Return the part of the velocity that is kept, plus the slopes."""
    return momentum * v + g


def by(
    new: Rule = right_velocity,
    move: Callable[[Tensor, Tensor, Tensor, Tensor, float, float], Tensor] = lambda w, g, v, old, lr, mu: w - lr * v,
    kept: Callable[[Tensor, Tensor], Tensor] = lambda v, old: v,
) -> Step:
    """Return a step by other rules.

    Args:
        new: the new velocity.
        move: the new weights, from weights, slopes, new and old velocity, rate and momentum.
        kept: what is handed back as the velocity, from the new one and the old one.
    """

    def step(
        weights: Tensors, slopes: Tensors, velocity: Tensors, lr: float, momentum: float
    ) -> tuple[Tensors, Tensors]:
        moved, speeds = [], []
        for w, g, old in zip(weights, slopes, velocity):
            v = new(old, g, momentum)
            moved.append(move(w, g, v, old, lr, momentum))
            speeds.append(kept(v, old))
        return moved, speeds

    return step


def _rate_inside(weights: Tensors, slopes: Tensors, velocity: Tensors, lr: float, mu: float) -> tuple[Tensors, Tensors]:
    speeds = [mu * v + lr * g for v, g in zip(velocity, slopes)]
    return [w - v for w, v in zip(weights, speeds)], speeds


def _into_velocity(
    weights: Tensors, slopes: Tensors, velocity: Tensors, lr: float, mu: float
) -> tuple[Tensors, Tensors]:
    for v, g in zip(velocity, slopes):
        v.mul_(mu).add_(g)
    return [w - lr * v for w, v in zip(weights, velocity)], velocity


def _into_weights(
    weights: Tensors, slopes: Tensors, velocity: Tensors, lr: float, mu: float
) -> tuple[Tensors, Tensors]:
    speeds = [mu * v + g for v, g in zip(velocity, slopes)]
    for w, v in zip(weights, speeds):
        w -= lr * v
    return weights, speeds


def _first_only(weights: Tensors, slopes: Tensors, velocity: Tensors, lr: float, mu: float) -> tuple[Tensors, Tensors]:
    v = mu * velocity[0] + slopes[0]
    return [weights[0] - lr * v, *weights[1:]], [v, *velocity[1:]]


def _exchanged(weights: Tensors, slopes: Tensors, velocity: Tensors, lr: float, mu: float) -> tuple[Tensors, Tensors]:
    moved, speeds = by()(weights, slopes, velocity, lr, mu)
    return speeds, moved


_VELOCITY = (
    Mistake(
        "weighs the slope by what is left of 1",
        by(lambda v, g, mu: mu * v + (1 - mu) * g),
        "The slope goes into your velocity too weakly: with a momentum of 0.9 a tenth of it is left.",
        "That is a running mean, and Adam has one. Here the whole slope is added, so that a long way downhill makes the steps longer "
        "and longer.",
        "Which factor stands before the slope in the formula? Do the example with yours.",
    ),
    Mistake(
        "forgets the friction",
        by(lambda v, g, mu: v + g),
        "Your result is the same for every `momentum`: nothing of the old velocity is lost.",
        "Without friction each slope that was ever felt pulls for good. The sledge runs through the bottom and up the other side, for ever.",
        "Put a slope of 0 into your line. Should the velocity stay as it is?",
    ),
    Mistake(
        "forgets the old velocity",
        by(lambda v, g, mu: g),
        "Your step follows the slope of this moment alone, as if `velocity` held zeros.",
        "That is plain gradient descent. With momentum a part of the old velocity goes on, in the direction of the slopes before.",
        "Change `velocity` in the example. By how much should the new weights change, and what do yours do?",
    ),
    Mistake(
        "leaves the slope out",
        by(lambda v, g, mu: mu * v),
        "Your velocity only loses speed: the slopes of this step have no part in it.",
        "Friction slows the sledge down, and the slope is what pulls it. Without the second term it rolls out and stops wherever it is.",
        "Which argument of your function is never used? Where does the first formula hold it?",
    ),
    Mistake(
        "puts the momentum before the slope",
        by(lambda v, g, mu: v + mu * g),
        "Your old velocity is kept whole, and the slope counts only as much as `momentum` says.",
        "The momentum is what is left of the old velocity after a step. It stands before the velocity, and the slope is taken as it is.",
        "What should happen at a momentum of 0, and what does your line leave of the slope then?",
    ),
    Mistake(
        "puts the momentum before both",
        by(lambda v, g, mu: mu * (v + g)),
        "Old velocity and slope are both made smaller, so that a momentum of 0 would stop you on the spot.",
        "Brackets make the momentum reach the slope. The formula takes a part of the velocity, and adds the whole slope to it.",
        "Set `momentum` to 0 on paper. What is left of your step, and what should be left?",
    ),
    Mistake(
        "takes the slope off the velocity",
        by(lambda v, g, mu: mu * v - g),
        "The slope goes into your velocity with the wrong sign, so that old and new slopes fight each other.",
        "Some books keep a velocity that points downhill. Then both signs change. Here the velocity adds up slopes, and the minus "
        "stands in the step alone.",
        "How many minus signs do the two formulas of the task hold, and where do yours stand?",
    ),
    Mistake(
        "keeps a velocity that points downhill",
        by(lambda v, g, mu: mu * v - g, lambda w, g, v, old, lr, mu: w + lr * v),
        "The velocity that came in is read with the wrong sign, and the one that you hand back has the other sign than asked for.",
        "Both signs are changed, which would be the same walk with your own velocity from the start. Here the velocity of the caller "
        "adds up slopes.",
        "Where does a velocity of (1) and a slope of 0 lead? Follow the task's two formulas and then your lines.",
    ),
    Mistake(
        "puts the rate into the velocity",
        _rate_inside,
        "The slope goes into your velocity times `lr`, and the step leaves the rate out.",
        "With a rate that never changes this can be the same walk. Here the rate stays outside, as in PyTorch, so that a lower rate "
        "acts at once on all of the velocity.",
        "Where does `lr` stand in the two formulas? Hand over a velocity that is not 0, and halve the rate.",
    ),
)

_STEP = (
    Mistake(
        "steps with the old velocity",
        by(move=lambda w, g, v, old, lr, mu: w - lr * old),
        "Your step follows the velocity that came in. The slope of this step does not reach the weights yet.",
        "First the velocity takes up the slope, then the weights move. In the other order each slope comes a step too late.",
        "In the first step of a training the velocity is 0. Where do your weights go then?",
    ),
    Mistake(
        "leaves the old velocity without the rate",
        by(move=lambda w, g, v, old, lr, mu: w - lr * g - mu * old),
        "In your step the rate reaches the slope alone. What is left of the old velocity is taken off whole.",
        "That is right for a velocity that has the rate in it already. Here the velocity holds slopes, and the rate multiplies all of it.",
        "Write the second formula out with the first put into it. Before which terms does the rate stand?",
    ),
    Mistake(
        "adds the slope once more in the step",
        by(move=lambda w, g, v, old, lr, mu: w - lr * (g + v)),
        "The slope of this step counts twice: once in the velocity, and once beside it.",
        "The new velocity holds the slope already. Whoever adds it again in the step goes twice as far in the first one.",
        "Start from a velocity of 0. How far does plain gradient descent go, and how far do you?",
    ),
    Mistake(
        "looks ahead",
        by(move=lambda w, g, v, old, lr, mu: w - lr * (g + mu * v)),
        "Your velocity is right. The weights take a step that looks ahead: the slope plus a part of the new velocity.",
        "That is Nesterov's step, which comes in the next exercise. Plain momentum follows the new velocity itself.",
        "Which of the two formulas moves the weights? Count the letters that stand in its bracket.",
    ),
    Mistake(
        "multiplies by the momentum again in the step",
        by(move=lambda w, g, v, old, lr, mu: w - lr * mu * v),
        "Your velocity is right, and the step that you make from it is too short by the factor `momentum`.",
        "The friction acts once a step, on the old velocity. The new one moves the weights as it is, times the rate.",
        "Which numbers stand before the velocity in your last line, and which in the second formula?",
    ),
    Mistake(
        "goes uphill",
        by(move=lambda w, g, v, old, lr, mu: w + lr * v),
        "Your velocity is right, and the weights go the way in which the loss grows.",
        "The velocity adds up slopes, and a slope points uphill. So the step has to take it off.",
        "Take an entry whose velocity is positive. Must the weight become larger or smaller?",
    ),
    Mistake(
        "forgets the rate",
        by(move=lambda w, g, v, old, lr, mu: w - v),
        "Your result is the same for every `lr`: the whole velocity is taken off.",
        "With a momentum of 0.9 a velocity grows to ten slopes. The rate says which share of it is a step.",
        "Call your function with two rates. What should become of the new weights, and what of the new velocity?",
    ),
)

_LISTS = (
    Mistake(
        "hands back the old velocity",
        by(kept=lambda v, old: old),
        "The new weights are right, and the velocity that you hand back is the one that came in.",
        "The caller gives it to the next step, which then knows nothing of this one. So the memory never fills.",
        "Which name holds the new velocity, and which one stands behind your `return`?",
    ),
    Mistake(
        "hands back the step as the velocity",
        lambda weights, slopes, velocity, lr, mu: (
            by()(weights, slopes, velocity, lr, mu)[0],
            [lr * (mu * v + g) for v, g in zip(velocity, slopes)],
        ),
        "The new weights are right, and the velocity that you hand back is multiplied by `lr`.",
        "The step is rate times velocity. Whoever keeps the step as the velocity multiplies by the rate again next time.",
        "Print what you hand back beside the example: is it 2.5, or a tenth of it?",
    ),
    Mistake(
        "hands back the two lists in the other order",
        _exchanged,
        "Both of your lists are right, and they come in the wrong order.",
        "The caller writes `weights, velocity = momentum_step(...)`. What comes first is taken for the weights.",
        "Which of the two lists does the task name first? Look at your last line.",
    ),
    Mistake(
        "writes into the velocity that came in",
        _into_velocity,
        "The numbers are right, and the caller's own velocity has been changed on the way.",
        "`v *= ...`, `v.mul_(...)` and `velocity[k] = ...` write into what came in. Whoever called you may want to try another rate from here.",
        "Which line changes a tensor that you did not make? Let it make a new one: `momentum * v + g`.",
    ),
    Mistake(
        "writes into the weights that came in",
        _into_weights,
        "The numbers are right, and the caller's own weights have moved with yours.",
        "`w -= ...`, `w.sub_(...)` and `weights[k] = ...` write into the tensors and lists of the caller, who still needs the old place.",
        "Write `w - ...` in place of `w -= ...`, and gather the new tensors in a list of your own.",
    ),
    Mistake(
        "moves the first tensor only",
        _first_only,
        "Your first tensor and its velocity are right. All others come back as they were.",
        "The rule is applied at place 0 alone. Every tensor has its own weights, slopes and velocity, at the same place of the three lists.",
        "How often do your two lines run for three tensors? Go through the three lists side by side.",
    ),
    Mistake(
        "goes uphill, and forgets the rate",
        by(move=lambda w, g, v, old, lr, mu: w + v),
        "Your velocity is right. The whole of it is added to the weights, so that the way leads uphill and `lr` has no say.",
        "Two things at once: the sign of the step, and the rate that is missing in it.",
        "Compare the second formula with your line, sign by sign. Which two signs differ?",
    ),
)

MISTAKES = (*_VELOCITY, *_STEP, *_LISTS)
