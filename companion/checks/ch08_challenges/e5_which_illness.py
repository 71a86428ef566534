"""Exercise 08.5: which illness?"""

from __future__ import annotations

from collections.abc import Mapping

from companion.checks.bank import Parameter, exercise, per_variant
from companion.checks.ch08_challenges.e5_curves import MEASURED, TRAININGS
from companion.checks.ch08_challenges.e5_mistakes import choice, table
from companion.checks.statements import paragraphs
from companion.checks.written import Choice


@exercise("08.5", title="Which illness?", points=1, parameters=tuple({"training": name} for name in TRAININGS))
class WhichIllness:
    """A training that is to be diagnosed from its numbers."""

    read = "Curves as a clinician reads them"

    @per_variant
    def written(p: Parameter) -> Choice:
        """Return the six findings, each with what speaks for or against it here."""
        return choice(p["training"])

    @per_variant
    def statement(p: Parameter) -> str:
        """Return the question with the numbers of this training."""
        name = p["training"]
        return "\n\n".join(
            (
                paragraphs(
                    "Somebody has trained a network on the ten digits and brings you this table. Accuracy is the "
                    "share that is right, and "
                    "guessing has a loss of 2.30 and an accuracy of 0.10.",
                ),
                table(name),
                paragraphs(
                    f"After the last epoch 400 new digits were looked at, once. The accuracy on them is "
                    f"{MEASURED[name].new:.2f}.",
                    "What do you say? One of these six explains all of the numbers. Store its letter in `answer_08_5`.",
                    'Example: for option a you write `answer_08_5 = "a"`.',
                ),
            )
        )

    @per_variant
    def alternatives(p: Parameter) -> Mapping[str, object]:
        """Return other ways to write the letter down."""
        right = TRAININGS[p["training"]].right
        return {"capital": right.upper(), "with a bracket": f"{right})", "with a point": f" {right}. "}

    hints = (
        "Read in this order: has the training loss come down? Is it at rest? Is the validation like it? Do new digits agree?",
        "Where the first answer is no, the trouble lies in the training itself: too simple, thrown about, or not "
        "finished. Where it is yes, look at "
        "the difference between the columns.",
        "A gap between training and validation is one finding. No gap there, and a gap to the new digits, is "
        "another one. No gap at all, low and "
        "at rest, is the best of all.",
    )
