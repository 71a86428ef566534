"""Exercise 10.6: find the bug."""

from __future__ import annotations

from collections.abc import Mapping

from companion.checks.bank import Parameter, exercise, per_variant
from companion.checks.ch10_training.e6_bugs import RIGHT
from companion.checks.ch10_training.e6_mistakes import checklist, choice, table
from companion.checks.statements import paragraphs
from companion.checks.written import Choice


@exercise("10.6", title="Find the bug", points=1, parameters=tuple({"bug": name} for name in RIGHT))
class FindTheBug:
    """A training with a planted bug, and what the checklist measures of it."""

    read = "The checklist"

    @per_variant
    def written(p: Parameter) -> Choice:
        """Return the seven bugs, each with what speaks for or against it here."""
        return choice(p["bug"])

    @per_variant
    def statement(p: Parameter) -> str:
        """Return the question with the numbers of this training."""
        return "\n\n".join(
            (
                paragraphs(
                    "Somebody's program trains a small network on 600 digits, with batch normalisation, dropout and a rate that falls from epoch to epoch, "
                    "and asks it about 400 others for validation. There are ten classes: guessing has a loss of 2.30 and an accuracy of 0.10. One bug is in the "
                    "program. It raises no error. You have gone through the checklist, and these are the numbers:",
                ),
                checklist(p["bug"]),
                "The training itself:",
                table(p["bug"]),
                paragraphs(
                    "The same program without its bug ends at the losses 0.02 and 0.10 and the accuracies 1.00 and 0.98; its other numbers are as they should be.",
                    "Which bug is it? One of these seven explains all of the numbers. Store its letter in `answer_10_6`.",
                    'Example: if there were an option h, you would write `answer_10_6 = "h"` for it.',
                ),
            )
        )

    @per_variant
    def alternatives(p: Parameter) -> Mapping[str, object]:
        """Return other ways to write the letter down."""
        right = RIGHT[p["bug"]]
        return {"capital": right.upper(), "with a bracket": f"{right})", "with a point": f" {right}. "}

    hints = (
        "Go through the list from the top. For each number say first what it should be, and only then look at it. The first that is not so says most.",
        "A first loss far from 2.30, a single batch that is not learned, slopes of 0, two answers about the same rows, shuffled labels that are known all the same: each of these five has one bug "
        "of its own.",
        "If all five are in order but one batch does better than the whole training, look at the curves: does something stand still that should move, or does the validation know nothing at all?",
    )
