"""Known mistakes of exercise 01.3: updates that go wrong, and what to say about each."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from companion.checks.bank import Mistake


def _update_variant(
    error: Callable[[Tensor, Tensor], Tensor], *, lr_used: bool = True, bias_moves: bool = True
) -> Callable[..., tuple[Tensor, Tensor]]:
    """Return an update with another error, by the weighted sum and the target, or with a part left out."""

    def update(x: Tensor, target: Tensor, weight: Tensor, bias: Tensor, lr: float) -> tuple[Tensor, Tensor]:
        step = (lr if lr_used else 1.0) * error(x @ weight + bias, target)
        return weight + step * x, bias + step if bias_moves else bias.clone()

    return update


def _update_in_place(x: Tensor, target: Tensor, weight: Tensor, bias: Tensor, lr: float) -> tuple[Tensor, Tensor]:
    error = target - (x @ weight + bias >= 0).to(x.dtype)
    weight += lr * error * x
    bias += lr * error
    return weight, bias


def _update_without_input(x: Tensor, target: Tensor, weight: Tensor, bias: Tensor, lr: float) -> tuple[Tensor, Tensor]:
    error = target - (x @ weight + bias >= 0).to(x.dtype)
    return weight + lr * error, bias + lr * error


def _update_without_bias(x: Tensor, target: Tensor, weight: Tensor, bias: Tensor, lr: float) -> tuple[Tensor, Tensor]:
    error = target - (x @ weight >= 0).to(x.dtype)
    return weight + lr * error * x, bias + lr * error


def _update_always_adding(x: Tensor, target: Tensor, weight: Tensor, bias: Tensor, lr: float) -> tuple[Tensor, Tensor]:
    return weight + lr * x, bias + lr


def _update_adding_when_wrong(
    x: Tensor, target: Tensor, weight: Tensor, bias: Tensor, lr: float
) -> tuple[Tensor, Tensor]:
    wrong = (target != _step_of(x @ weight + bias)).to(x.dtype)
    return weight + lr * wrong * x, bias + lr * wrong


def _step_of(z: Tensor) -> Tensor:
    return (z >= 0).to(z.dtype)


def _update_without_any_bias(
    x: Tensor, target: Tensor, weight: Tensor, bias: Tensor, lr: float
) -> tuple[Tensor, Tensor]:
    return weight + lr * (target - _step_of(x @ weight)) * x, bias.clone()


def _update_with_input_on_the_bias(
    x: Tensor, target: Tensor, weight: Tensor, bias: Tensor, lr: float
) -> tuple[Tensor, Tensor]:
    step = lr * (target - _step_of(x @ weight + bias)) * x
    return weight + step, bias + step


def _update_without_rate_and_bias(
    x: Tensor, target: Tensor, weight: Tensor, bias: Tensor, lr: float
) -> tuple[Tensor, Tensor]:
    error = target - _step_of(x @ weight)
    return weight + error * x, bias + error


def _signed_error(z: Tensor, target: Tensor) -> Tensor:
    label = 2 * target - 1
    return label * (label * z <= 0)


def _step_alone(x: Tensor, target: Tensor, weight: Tensor, bias: Tensor, lr: float) -> tuple[Tensor, Tensor]:
    error = target - _step_of(x @ weight + bias)
    return lr * error * x, lr * error


MISTAKES = (
    Mistake(
        "moves away from the target",
        _update_variant(lambda z, target: _step_of(z) - target),
        "Your step goes the wrong way: with your new weights the same example lies further on its wrong side.",
        "You take prediction minus target. The sign of the error carries the direction; turned round, it strengthens "
        "the very inputs that led to the mistake.",
        "Compute the weighted sum of the example shown with the old weights and with your new ones. Which way should "
        "it have moved for this target?",
    ),
    Mistake(
        "moves on every example",
        _update_variant(lambda z, target: 2 * target - 1),
        "Your weights move although the example shown was predicted rightly.",
        "You step by the target alone, up for 1 and down for 0. The rule's error is a difference that vanishes after a "
        "right answer, and that is how a perceptron can come to rest.",
        "Compute the prediction for the example shown by hand. What is target minus prediction, and what does the rule "
        "make of it?",
    ),
    Mistake(
        "uses the target as the error",
        _update_variant(lambda z, target: target),
        "You move whenever the target is 1, also after a right answer, and never when it is 0.",
        "Your step is multiplied by the target, so a false alarm has no consequence. What counts is target minus "
        "prediction: how far the answer was from what was wanted.",
        "List the four combinations of target and prediction and write beside each the step of the rule and yours. In "
        "how many do they differ?",
    ),
    Mistake(
        "leaves the bias out of the prediction",
        _update_without_bias,
        "The example shown is judged as if its bias were 0.",
        "Your prediction uses the products alone, so you judge another neuron than the one you train. The bias moves, "
        "and nothing of that reaches the next prediction.",
        "Compute the sum of the example shown once with the bias and once without. Do the two lie on the same side of "
        "0?",
    ),
    Mistake(
        "uses the weighted sum as the prediction",
        _update_variant(lambda z, target: target - z),
        "Your step has another length for each example: it grows with the distance from the weighted sum to the target.",
        "You take target minus weighted sum. That is the delta rule, which learns from the size of the sum; the "
        "perceptron compares the target with its answer, after the step.",
        "Print your error for several examples. Which values can it take when both target and prediction are 0 or 1?",
    ),
    Mistake(
        "leaves the bias as it was",
        _update_variant(lambda z, target: target - _step_of(z), bias_moves=False),
        "The weight you return is right, and the bias you return is the old one.",
        "The bias learns like the weights: it is the weight of an input that is always 1. While it is fixed, the "
        "boundary can turn, but it cannot be pushed forward or back.",
        "Read the second half of the rule again, the one for b. Which factor of the first half is not there, and why?",
    ),
    Mistake(
        "leaves out the learning rate",
        _update_variant(lambda z, target: target - _step_of(z), lr_used=False),
        "Your step has the right direction and the wrong length: it is the same whatever `lr` is.",
        "The learning rate scales each correction, of the weights and of the bias alike. With a rate of 1 one does not "
        "see it, but here it is an argument.",
        "Call your function on the example shown with two values of `lr`. How far do the weights move each time?",
    ),
    Mistake(
        "does not fire at a sum of exactly 0",
        _update_variant(lambda z, target: target - (z > 0).to(z.dtype)),
        "Only examples with a weighted sum of exactly 0 go wrong: you take the neuron to rest there.",
        "Your comparison leaves out equality, and this neuron fires at 0. Training often starts with all weights at 0, "
        "so the very first prediction depends on it.",
        "Compute the sum of the example shown, then read in the task, sign by sign, when the prediction is 1.",
    ),
    Mistake(
        "moves every weight by the same amount",
        _update_without_input,
        "All weights moved by the same amount, although the inputs of the example shown differ.",
        "The input is missing from your step. A weight is corrected in proportion to what it multiplied: an input of 0 "
        "had no part in the mistake.",
        "Subtract the old weight from your new one and lay the difference beside `x`. Which relation between the two "
        "does the rule ask for?",
    ),
    Mistake(
        "always adds the input",
        _update_always_adding,
        "The example shown was predicted rightly, and still you add lr times x to the weights.",
        "There is no error in your step, so each example pulls the sum up, whatever its target is. In the end such a "
        "neuron fires for everything.",
        "Go through three outcomes: right, false alarm, missed. What should each of them do to the weights, and which "
        "factor of the rule says so?",
    ),
    Mistake(
        "adds the input after every mistake",
        _update_adding_when_wrong,
        "After the false alarm shown you add the input, and the sum of this example becomes larger still.",
        "You ask whether there was a mistake, not which one. A truth value knows one kind of wrong; the rule's error "
        "has a sign, and the sign says where to go.",
        "Work out the sum of the example shown before and after your step. On which side of 0 does its target want it?",
    ),
    Mistake(
        "takes -1 for not firing",
        _update_variant(lambda z, target: target - torch.sign(z)),
        "A neuron that rests rightly still moves, and after a missed example it moves twice as far as lr times x.",
        "`torch.sign` answers -1 for resting, and your targets say 0 for the same thing. Two conventions meet in one "
        "subtraction, so that the error of a right answer is not 0.",
        "Print prediction and target side by side for an example that should rest. Do the two speak of it with the "
        "same number?",
    ),
    Mistake(
        "predicts one half at a sum of exactly 0",
        _update_variant(lambda z, target: target - (torch.sign(z) + 1) / 2),
        "At a sum of exactly 0 you move by half a step; everywhere else your result is right.",
        "The sign of 0 is 0, which is neither of its two answers, and you turn it into a prediction of one half. A "
        "step has no third value: the formula decides the case of 0.",
        "Print your prediction for the example shown, and for sums a little above and a little below its own.",
    ),
    Mistake(
        "writes into its arguments",
        _update_in_place,
        "What you return is right, but the caller's `weight` and `bias` have changed as well.",
        "`+=` writes into the tensor that was handed in. Whoever called you still holds the old weight under its name, "
        "and now finds other numbers in it.",
        "Make a weight, call your function with it, and print it before and after. Which of your operators makes a new "
        "tensor, and which one reuses the old?",
    ),
    Mistake(
        "returns the step alone",
        _step_alone,
        "After a right answer you return zeros, and after a mistake lr times x with its sign: the old weight is gone.",
        "The arrow of the rule replaces w by w plus a correction. You return the correction, so the neuron forgets at "
        "each example all that it learned before.",
        "Take an example that is predicted rightly. What should become of its old weight, and what of it is in your "
        "result?",
    ),
    Mistake(
        "asks for a sum of one half",
        _update_variant(lambda z, target: target - (z >= 0.5).to(z.dtype)),
        "A sum from 0 up to 0.5 counts as resting for you: the example shown fires, and you treat it as missed.",
        "One half is where a probability tips, which runs from 0 to 1. A weighted sum can be any number; its threshold "
        "is in the bias already, and what is left is the sign.",
        "Compute the sum of the example shown and lay it beside the condition for a prediction of 1 in the task.",
    ),
    Mistake(
        "takes -1 for a target of 0",
        _update_variant(lambda z, target: 2 * target - 1 - _step_of(z)),
        "An example that rests, and should, still moves your weights; a false alarm moves them by twice lr times x.",
        "You turned the targets into -1 and 1 and left the predictions at 0 and 1. Either convention is fine, half of "
        "each is not: the error of the lower class is never 0.",
        "Read again the pitfall about labels -1 and 1. Then print target and prediction, as your subtraction meets "
        "them, for the example shown.",
    ),
    Mistake(
        "multiplies the bias's step by x",
        _update_with_input_on_the_bias,
        "The bias comes back with one number for each input, and a neuron has a single bias.",
        "The line of the weight was taken over for the bias with its x. The input says how much a weight had to do with "
        "a mistake; the bias has no input, or one that is always 1.",
        "Put the two halves of the rule below each other, the one for w and the one for b. Which factor of the first is "
        "not in the second?",
    ),
    Mistake(
        "counts a sum of exactly 0 as wrong for both kinds",
        _update_variant(_signed_error),
        "At a sum of exactly 0 with target 1 you move, although this neuron fires there and is right.",
        "You use the rule for labels -1 and 1: label times sum, and 0 or less is a mistake. At 0 that product is 0 for "
        "both labels, but the prediction of the task counts 0 as firing.",
        "Set all weights to 0 and write down the prediction of the task, once for target 0 and once for target 1. In "
        "which of the two is there a mistake?",
    ),
    Mistake(
        "leaves out the learning rate, and leaves the bias out of the prediction",
        _update_without_rate_and_bias,
        "Your steps have the same length whatever `lr` is, and your prediction the same side whatever `bias` is.",
        "Two names are accepted and not read where they count: `lr` should scale the step, and the bias belongs to the "
        "sum that decides whether there is a step at all.",
        "Search your code for each of the five arguments and mark where it is read. Then mend the prediction first, and "
        "the length of the step afterwards.",
    ),
    Mistake(
        "leaves the bias out of the prediction, and leaves the bias as it was",
        _update_without_any_bias,
        "The bias you return is the one you were given, and your prediction comes out as if it were 0.",
        "Your neuron has no bias at all: it neither counts in the sum nor learns. Such a neuron can draw only "
        "boundaries that pass through the origin.",
        "Find the two places of the rule where b stands. Then read again Without bias the boundary passes through the "
        "origin.",
    ),
    Mistake(
        "leaves out the learning rate, and does not fire at a sum of exactly 0",
        _update_variant(lambda z, target: target - (z > 0).to(z.dtype), lr_used=False),
        "Your steps have the same length whatever `lr` is, and at a sum of exactly 0 you take the neuron to rest.",
        "This is the rule as one remembers it, with a rate of 1 that nobody sees and a strict comparison. The task "
        "makes the rate an argument and counts equality as firing.",
        "Mend the length first, with one example and two values of `lr`. Then set all weights to 0 and read which "
        "prediction the task fixes for that.",
    ),
)
"""Every known mistake of 01.3."""
