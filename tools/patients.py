"""Measure the ten patients of the figure learning_curves again and write what came out: `python tools/patients.py`, half a minute."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from companion.figures.patients import PATIENTS, measure, whole

TARGET = Path(__file__).resolve().parents[1] / "companion" / "figures" / "patients_measured.py"


def main() -> None:
    """Measure every patient, and each after its test or cure, and write what came out."""
    lines = [
        '"""What was measured on the ten patients: see `patients.py`; tools/patients.py writes this file. A test measures again."""',
        "",
        "#: For each: loss and accuracy on the training set, then on the validation set, before the first epoch and after every one of 40.",
        "#: Losses are thousandths, accuracies percent.",
        "CURVES = [",
    ]
    after = []
    for patient in PATIENTS:
        lines += [
            "    [",
            *(f'        "{" ".join(map(str, curve))}",' for curve in whole(measure(patient.training))),
            "    ],",
        ]
        after.append([curve[-1] for curve in whole(measure(patient.after))])
    lines += ["]", "#: The same four after the test or the cure, after its last epoch.", "AFTER = ["]
    lines += [*(f"    {numbers}," for numbers in after), "]", ""]
    TARGET.write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
