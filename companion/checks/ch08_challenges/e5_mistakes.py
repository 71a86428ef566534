"""What can be said about a training (exercise 08.5): six findings, and what speaks against each in each of six trainings."""

from __future__ import annotations

from companion.checks.ch08_challenges.e5_curves import MEASURED, TRAININGS
from companion.checks.written import Choice, Option

FINDINGS = {
    "a": "The network is too simple for these digits. It cannot do better, however long it is trained.",
    "b": "The network has learned its training digits by heart. It is too flexible for so few of them.",
    "c": "The learning rate is too large.",
    "d": "The training was stopped on its way: the rate is too small, or there are too few epochs.",
    "e": "The validation set is not held out: digits of the training stand in it.",
    "f": "Nothing is wrong. The training may end here.",
}

_SIGNS = {
    "a": "A network that is too simple fails on its own training digits, steadily.",
    "b": "What is learned by heart shows as a gap: training far better than validation.",
    "c": "A rate that is too large throws the loss about, and often does not let it come back.",
    "d": "A training that was stopped on its way was still falling when it ended.",
    "e": "Where the same digits stand on both sides, validation is good and new digits are not.",
    "f": "A training in good health ends low and at rest, and new digits confirm what the validation says.",
}
"""What would be seen."""

_BELIEFS = {
    "a": "You took a poor result for a lack of units. Only the training numbers can tell: if they are good, the "
    "network is large enough.",
    "b": "You looked for the gap, which is the best known illness. It needs both: training digits that are "
    "learned, and others that are not.",
    "c": "You put poor numbers down to the rate. A rate that is too large has a mark of its own: the loss rises "
    "within the training data.",
    "d": "You hoped that more epochs would help. They do as long as the curves fall, and the last two lines of "
    "the table say whether they do.",
    "e": "You did not trust the validation. That is a good habit, and the check of it is a third set of digits "
    "which nobody has used.",
    "f": "You looked at the number that looks best. A training is judged by what it says of digits that it has never met.",
}
"""What one was thinking who took it."""

_NEXT = {
    "a": "Read the training accuracy of the last line by itself. Has the network learned the digits that it was shown?",
    "b": "Put training and validation of the last line side by side. How large is the gap, and did it grow?",
    "c": "Go down the column of the training loss. Does it ever rise by more than a little?",
    "d": "Compare the last two lines. By how much did the training loss still fall, and what did the validation loss do?",
    "e": "Compare the validation accuracy of the last line with that on new digits. Which of the two is the honest one?",
    "f": "Go through the four columns and the new digits one by one. Which of them would worry a careful reader?",
}

_AGAINST = {
    "by heart": {
        "a": "This one gets every training digit right in the end.",
        "c": "Here the training loss falls from line to line, without a jump.",
        "d": "Here the training loss is down at 0.01, and the validation loss has been rising since epoch 50.",
        "e": "Here validation is poor as well, 0.64, and new digits agree with it.",
        "f": "Here the validation loss has risen from 1.33 to 2.46, and four in ten of the new digits are wrong.",
    },
    "too simple": {
        "b": "Here a quarter of the training digits are still wrong.",
        "c": "Here the training loss falls in every line.",
        "d": "Here 100 more epochs took the training loss from 0.67 to 0.65, and left the validation loss where it was.",
        "e": "Here new digits come out at 0.74, even a bit above the validation.",
        "f": "Here the curves are at rest, but at 0.65, and a quarter of all digits are wrong.",
    },
    "thrown about": {
        "a": "This one had 0.82 of its training digits right after one epoch, and lost them again.",
        "b": "Here training and validation are equally poor in the end.",
        "d": "Here the training loss rose, from 0.80 to 2.38, which is worse than guessing.",
        "e": "Here all three are at chance, training too.",
        "f": "Here the end is worse than guessing, which costs 2.30.",
    },
    "on its way": {
        "a": "This one has not come to rest: its training loss was still falling, and its accuracy rose from 0.18 to 0.46.",
        "b": "Here the losses are nearly equal, 2.23 and 2.24, and neither is low.",
        "c": "Here the loss creeps down by a few hundredths, and never rises.",
        "e": "Here the new digits are no worse than the validation, 0.45 and 0.34.",
        "f": "Here the loss is hardly below 2.30, which is what guessing costs.",
    },
    "seen before": {
        "a": "This one gets every training digit right in the end.",
        "b": "Here validation seems fine, 0.97. If it were held out, a gap would show in the table, and not only "
        "on new digits.",
        "c": "Here both losses fall or rest in every line.",
        "d": "Here the training loss went from 0.03 to 0.01, and no accuracy changed any more.",
        "f": "Here 0.97 of the validation digits are right, and 0.64 of the new ones.",
    },
    "in good health": {
        "a": "This one gets 0.99 of its training digits right.",
        "b": "Here the gap is 0.99 to 0.95, and the validation loss fell to the end.",
        "c": "Here both losses fall in every line.",
        "d": "Here twenty more epochs brought one digit in a hundred, in the validation.",
        "e": "Here the new digits come out at 0.96, as the validation does.",
    },
}

_RIGHT = {
    "by heart": "Every training digit is right, and more than a third of the others is wrong. The validation loss rose "
    "while the training loss fell.",
    "too simple": "A quarter of its own training digits stays wrong, at rest, and validation and new digits are "
    "about as poor.",
    "thrown about": "After a good first epoch the loss rose to the level of guessing, on the training digits "
    "themselves, and stayed there.",
    "on its way": "Everything still falls in the last line, on both sides alike, and it is hardly below the start.",
    "seen before": "Validation follows training up to 0.97, and digits that nobody has used come out at 0.64.",
    "in good health": "Both losses are low and near each other, the curves have come to rest, and new digits confirm it.",
}


def choice(training: str) -> Choice:
    """Return the six findings about a training, each with what speaks for or against it."""
    right = TRAININGS[training].right
    options = {
        letter: Option(text, _RIGHT[training])
        if letter == right
        else Option(text, f"{_SIGNS[letter]} {_AGAINST[training][letter]}", _BELIEFS[letter], _NEXT[letter])
        for letter, text in FINDINGS.items()
    }
    return Choice(options, right)


def table(training: str) -> str:
    """Return what was measured, as a table in Markdown."""
    head = (
        "| epoch | training loss | validation loss | training accuracy | validation accuracy |\n|---|---|---|---|---|"
    )
    lines = [f"| {e} | {a:.2f} | {b:.2f} | {c:.2f} | {d:.2f} |" for e, a, b, c, d in MEASURED[training].rows]
    return "\n".join([head, *lines])
