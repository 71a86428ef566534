"""A second bank of wrong answers, six for each exercise, written without looking at the known mistakes of the first.

For each exercise four single mistakes of different kinds come first, then one that is right on the example of the
statement and wrong elsewhere, then one that combines two mistakes. ``RIGHT`` holds a right answer to each exercise
by the same hand: it was the measure for what is wrong.
"""

from __future__ import annotations

import second_01_loops
import second_01_networks
import second_01_rules
import second_02_functions
import second_02_layers
import second_03_built
import second_03_layers
import second_03_networks
import second_04_classes
import second_04_numbers
import second_04_training
import second_05_networks
import second_05_rules
import second_06_more
import second_06_rules
import second_07_more
import second_07_rules
import second_08_more
import second_08_rules
import second_09_more
import second_09_rules
import second_10_more
import second_10_rules
import second_11_more
import second_11_rules
from second_wrong import Wrong

PARTS = (
    second_01_rules,
    second_01_loops,
    second_01_networks,
    second_02_functions,
    second_02_layers,
    second_03_layers,
    second_03_built,
    second_03_networks,
    second_04_numbers,
    second_04_classes,
    second_04_training,
    second_05_rules,
    second_05_networks,
    second_06_rules,
    second_06_more,
    second_07_rules,
    second_07_more,
    second_08_rules,
    second_08_more,
    second_09_rules,
    second_09_more,
    second_10_rules,
    second_10_more,
    second_11_rules,
    second_11_more,
)
RIGHT: dict[str, str] = {id: code for part in PARTS for id, code in part.RIGHT.items()}
WRONG: dict[str, list[Wrong]] = {id: answers for part in PARTS for id, answers in part.WRONG.items()}
