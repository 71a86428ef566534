"""Exercise 11.6: what does the report hide?"""

from __future__ import annotations

from collections.abc import Mapping

from companion.checks.bank import Parameter, exercise, per_variant
from companion.checks.ch11_metrics.e6_mistakes import REPORTS
from companion.checks.statements import paragraphs
from companion.checks.written import Choice


@exercise("11.6", title="What does the report hide?", points=1, parameters=tuple({"report": name} for name in REPORTS))
class WhatDoesTheReportHide:
    """A report with numbers, and the one conclusion of five that holds."""

    read = "Choosing"

    @per_variant
    def written(p: Parameter) -> Choice:
        """Return the five conclusions, each with what speaks for or against it."""
        return REPORTS[p["report"]].choice

    @per_variant
    def statement(p: Parameter) -> str:
        """Return the report and the question."""
        report = REPORTS[p["report"]]
        return "\n\n".join(
            (
                "A report reaches your desk. Its numbers are right, and nothing in it is invented:",
                report.text,
                paragraphs(
                    "Which of these five conclusions holds? Store its letter in `answer_11_6`.",
                    'Example: for option a you write `answer_11_6 = "a"`.',
                ),
            )
        )

    @per_variant
    def alternatives(p: Parameter) -> Mapping[str, object]:
        """Return other ways to write the letter down."""
        right = REPORTS[p["report"]].choice.right
        return {"capital": right.upper(), "with a bracket": f"{right})", "with a point": f" {right}. "}

    @per_variant
    def hints(p: Parameter) -> tuple[str, ...]:
        """Return three hints for this report."""
        return REPORTS[p["report"]].hints
