"""What can be said about a training with a bug (exercise 10.6): seven bugs, and what speaks against each where it is another one."""

from __future__ import annotations

from collections.abc import Callable

from companion.checks.ch10_training.e6_bugs import MEASURED, RIGHT, Evidence
from companion.checks.written import Choice, Option

BUGS = {
    "a": "The scores go through a softmax before a loss that takes a softmax itself.",
    "b": "The slopes are cleared between the backward pass and the step.",
    "c": "The schedule was made for epochs. It is moved on after each batch.",
    "d": "The network is in training mode while the validation is measured.",
    "e": "The inputs were shuffled without their labels: each label belongs to another row.",
    "f": "Rows of the validation stand among those of the training.",
    "g": "The weights of the last layer begin far too large.",
}

_SIGNS = {
    "a": "With two softmaxes a loss cannot fall below 1.46, however sure the network is.",
    "b": "Where slopes are cleared before the step, it finds slopes of length 0.",
    "c": "A rate that is used up within two epochs leaves curves that stand still, while a single batch is learned well.",
    "d": "In training mode a network gives other answers when it is asked again, because units are dropped.",
    "e": "Labels of other rows can be learned by heart, and say nothing about rows that are new.",
    "f": "Of shuffled labels nothing can be known, but by rows that were trained on.",
    "g": "A start that is too loud has a first loss far above 2.30: the network is sure of nonsense.",
}
"""What would be seen."""

_BELIEFS = {
    "a": "You took a loss that is not near 0 for the mark of two softmaxes. Their mark is a floor at 1.46, on one batch that is learned perfectly.",
    "b": "You took a poor result for a training that does not happen. Where no slopes arrive, nothing moves at all, from the first epoch on.",
    "c": "You saw curves that come to rest. At the end of a schedule they should; the question is whether they rest long before it.",
    "d": "You saw a validation that is worse than the training. That alone is usual. The mark of the wrong mode is an answer that changes.",
    "e": "You took a gap between the two parts for wrong labels. With labels of other rows the validation stays at a guess, whatever the training does.",
    "f": "You did not trust a good validation, which is a sound habit. The test for it is the one with shuffled labels.",
    "g": "You looked at the early part of the curves. A start that is too loud shows before the first step, in the loss of the first batch.",
}
"""What one was thinking who took it."""

_NEXT = {
    "a": "Look at the single batch: what is its loss when every answer is right?",
    "b": "Look at the length of the slopes, and then at the first and the last line of the training loss.",
    "c": "Compare the lines of epochs 5 and 30. Does anything move in between?",
    "d": "Compare the two answers of the finished network about the same rows.",
    "e": "Read the validation accuracy of the last line. Is it better than a guess, 0.10?",
    "f": "Read the two accuracies with shuffled labels. What should the second one be?",
    "g": "Compare the loss of the first batch with 2.30, the loss of a network that knows nothing.",
}


def _falls(e: Evidence) -> str:
    early, late = e.curve[2][1], e.curve[-1][1]
    if early - late < 0.01:
        return (
            f"Here the loss does not move in the first epoch either, at the whole rate: it is {e.curve[0][1]:.2f} then."
        )
    return f"Here the training loss goes on falling after epoch 5, from {early:.2f} to {late:.2f}."


def _floor(e: Evidence) -> str:
    loss, accuracy = e.one_batch
    if accuracy < 0.5:
        return f"Here the single batch is not learned at all: only {accuracy:.2f} of it are right."
    return f"Here the loss of a single batch comes down to {loss:.2f}."


def _known(e: Evidence) -> str:
    share = e.curve[-1][4]
    if e.one_batch[1] < 0.5:
        return f"Here not even a single batch can be learned by heart: only {e.one_batch[1]:.2f} of it are right."
    return f"Here {share:.2f} of the validation are right in the end, far more than a guess."


_AGAINST: dict[str, Callable[[Evidence], str]] = {
    "a": _floor,
    "b": lambda e: f"Here they are {e.slopes:.2f} long at the first step.",
    "c": _falls,
    "d": lambda e: f"Here {e.twice[0]:.3f} of the validation are right both times.",
    "e": _known,
    "f": lambda e: f"Here {e.shuffled[1]:.2f} of the validation are right with them, which is a guess.",
    "g": lambda e: f"Here it is {e.start:.2f}, about what it should be.",
}

_RIGHT: dict[str, Callable[[Evidence], str]] = {
    "a": lambda e: (
        f"The single batch is learned perfectly, and its loss stays at {e.one_batch[0]:.2f}. No curve comes below that either."
    ),
    "b": lambda e: (
        f"The step finds slopes of length {e.slopes:.2f}. Nothing moves: the loss of the last epoch is that of the first."
    ),
    "c": lambda e: (
        f"A single batch is learned well, and in the training nothing moves after epoch 5, at a loss of {e.curve[-1][1]:.2f}."
    ),
    "d": lambda e: (
        f"Asked twice about the same rows, the same network is right for {e.twice[0]:.3f} and for {e.twice[1]:.3f} of them."
    ),
    "e": lambda e: (
        f"A single batch is learned by heart, and the validation stays at {e.curve[-1][4]:.2f}. To shuffle all labels changes nothing."
    ),
    "f": lambda e: (
        f"With shuffled labels {e.shuffled[1]:.2f} of the validation are right. That can be known by those only who have seen these rows."
    ),
    "g": lambda e: f"The loss of the first batch is {e.start:.2f}, where a network that knows nothing has 2.30.",
}


def choice(bug: str) -> Choice:
    """Return the seven bugs, each with what speaks for or against it in a training."""
    e, right = MEASURED[bug], RIGHT[bug]
    options = {
        letter: Option(text, _RIGHT[letter](e))
        if letter == right
        else Option(text, f"{_SIGNS[letter]} {_AGAINST[letter](e)}", _BELIEFS[letter], _NEXT[letter])
        for letter, text in BUGS.items()
    }
    return Choice(options, right)


def checklist(bug: str) -> str:
    """Return what the checklist measured, as a list in Markdown."""
    e = MEASURED[bug]
    return "\n".join(
        [
            f"* Before the first step, the loss of the first batch is {e.start:.2f}.",
            f"* On a single batch of 32, after 300 steps on nothing else and without a schedule: loss {e.one_batch[0]:.2f}, and {e.one_batch[1]:.2f} are right.",
            f"* At the optimizer's first step all slopes together are {e.slopes:.2f} long.",
            f"* The finished network is asked twice about the same validation rows: {e.twice[0]:.3f} and {e.twice[1]:.3f} are right.",
            f"* Trained once more, with all labels shuffled before anything else: {e.shuffled[0]:.2f} of the training rows are right in the end, and {e.shuffled[1]:.2f} of the validation rows.",
        ]
    )


def table(bug: str) -> str:
    """Return the curves, as a table in Markdown."""
    head = (
        "| epoch | training loss | validation loss | training accuracy | validation accuracy |\n|---|---|---|---|---|"
    )
    lines = [f"| {n} | {a:.2f} | {b:.2f} | {c:.2f} | {d:.2f} |" for n, a, b, c, d in MEASURED[bug].curve]
    return "\n".join([head, *lines])
