"""What goes wrong in counting dead units (exercise 02.6), and what to say about it."""

from __future__ import annotations

from torch import Tensor

from companion.checks.bank import Mistake


def _mean(truths: Tensor, like: Tensor) -> Tensor:
    return truths.to(like.dtype).mean()


_DEAD = (
    Mistake(
        "counts zeros",
        lambda activations: _mean(activations == 0, activations),
        "Your number is the share of zeros in the table, wherever they stand: units that fire for another sample count "
        "too.",
        "A healthy ReLU is 0 for many samples, which makes its answers sparse. Dead says something about a unit over all "
        "samples, not about single entries.",
        "Go through the table column by column: of which columns can you say that nothing ever comes through?",
    ),
    Mistake(
        "looks at samples instead of units",
        lambda activations: _mean((activations == 0).all(dim=1), activations),
        "Your number is the share of rows that are 0 from end to end; the columns were not asked.",
        "`dim` names the axis that disappears. Yours leaves one answer for each sample, and a silent sample does not "
        "tell whether a unit can still learn.",
        "Print the shape of what you have just before the mean: N numbers or H? Which of the two should be left?",
    ),
    Mistake(
        "calls a unit dead after one zero",
        lambda activations: _mean((activations == 0).any(dim=0), activations),
        "Every unit with at least one 0 has been counted, also those that fire for another sample.",
        "`any` asks whether there is one silent sample. A unit that fires once gets a gradient from that sample and can "
        "recover; a dead one has no such sample.",
        "Take a column with one 0 and one positive number: does a gradient pass through that unit? For how many samples "
        "must the answer be no?",
    ),
    Mistake(
        "compares the zeros of a unit with the number of units",
        lambda activations: _mean((activations == 0).sum(dim=0) == activations.shape[1], activations),
        "Your result is right for square tables only; this one has another number of rows than of columns.",
        "You count the zeros of a unit, which run over the samples, and compare them with how many units there are: the "
        "two lengths of the table have changed places.",
        "How many zeros can one column hold at most? Print the number with which your code compares.",
    ),
    Mistake(
        "takes small activations for zero",
        lambda activations: _mean((activations < 1e-8).all(dim=0), activations),
        "A unit that gives a tiny positive number has been counted among the dead.",
        "A ReLU that gives 1e-12 is on: the slope of its line does not depend on how large the output is, so its "
        "gradient passes. The slope is 0 only where the output is exactly 0.",
        "What is the derivative of ReLU at z = 1e-12, and at z = -1? Which comparison tells the two apart without a "
        "threshold?",
    ),
    Mistake(
        "looks at the first sample only",
        lambda activations: _mean(activations[0] == 0, activations),
        "Only the first row decides your result: put the rows in another order and it changes.",
        "One sample shows which units are silent for it. Dead means silent for the whole data set, and the next sample "
        "may find the same unit firing.",
        "Find the index in your code that picks out a single row. What should be asked of the others?",
    ),
    Mistake(
        "asks for outputs below 0",
        lambda activations: _mean((activations < 0).all(dim=0), activations),
        "Your result is 0 for every table, even for one that holds nothing but zeros.",
        "A dead unit's sum is below 0, and that is what you ask for. But the table holds what comes after the ReLU, "
        "where every negative sum has become exactly 0.",
        "What is the smallest number that a ReLU can give? Print `activations.min()` and look at your comparison again.",
    ),
)

_SHARE = (
    Mistake(
        "returns a count",
        lambda activations: (activations == 0).all(dim=0).sum().to(activations.dtype),
        "Your result is a whole number: how many units are dead, not which part of them.",
        "A count depends on how wide the layer is, so two layers cannot be compared by it. A share says out of how many.",
        "Call it on tables of zeros with 3 columns and with 30 columns. Should the two answers differ?",
    ),
    Mistake(
        "returns the share that lives",
        lambda activations: _mean((activations > 0).any(dim=0), activations),
        "A layer without a dead unit gives 1 and a layer of dead units 0: just the other way round.",
        "You count the units that fire at least once. A unit is either alive or dead on a data set, and the statement "
        "asks for the other kind.",
        "What do the two shares of one layer add up to? Find out with the statement's example which of them is yours.",
    ),
    Mistake(
        "divides by the number of samples",
        lambda activations: (activations == 0).all(dim=0).sum() / activations.shape[0],
        "The number of dead units is right, but it has been divided by the number of rows.",
        "The shape is (N, H): N samples and H units. A share of units is taken of all units; how many samples there are "
        "has nothing to do with it.",
        "Repeat all rows, so that the table has twice as many: no unit has changed. Does your result stay the same?",
    ),
    Mistake(
        "returns a percentage",
        lambda activations: 100 * _mean((activations == 0).all(dim=0), activations),
        "Your result goes up to 100, where a share ends at 1.",
        "Percent is a way to write a share, not another quantity. Code that compares or averages shares expects them "
        "between 0 and 1.",
        "Read in the statement from where to where the result may go. What in your code leads beyond that?",
    ),
    Mistake(
        "asks whether everything is 0",
        lambda activations: _mean((activations == 0).all(), activations),
        "Your result is only ever 0 or 1: it is 1 if the whole layer is silent, and 0 otherwise.",
        "`all()` without an axis puts one question to the whole table. Before there can be a share, each unit has to be "
        "asked by itself.",
        "Print the shape of what your `all` returns. How many truth values are left, and how many units are there?",
    ),
    Mistake(
        "returns a value for each unit",
        lambda activations: (activations == 0).all(dim=0).to(activations.dtype),
        "You return one value for each unit; one number for the whole layer is asked for.",
        "Which units are dead is the right step on the way. A share sums these answers up: how many of them are yes, "
        "compared with how many there are.",
        "Write down your values for the statement's example. What would you do by hand to turn them into its answer?",
    ),
)

_PAIRS = (
    Mistake(
        "returns the share that lives, and calls a unit dead after one zero",
        lambda activations: _mean((activations > 0).all(dim=0), activations),
        "Your number is the share of units that fire for every sample; one 0 in a column, and it does not count.",
        "Two things: these are living units, and dead ones are asked for; and a unit does not have to fire always to "
        "live. A single sample for which it fires brings a gradient.",
        "Take a column with one 0 and one positive number: is this unit alive? Mend that first, then ask which of the two "
        "shares your result is.",
    ),
    Mistake(
        "counts zeros, and returns a count",
        lambda activations: (activations == 0).sum(),
        "Your result is a whole number: how many entries of the table are 0, whichever column they stand in.",
        "Zeros by themselves are no dead units, since a healthy ReLU is 0 for many samples; and a count grows with the "
        "table, where a share does not.",
        "Take two steps. First mark the columns of this table that deserve the name dead. Then ask: out of how many?",
    ),
    Mistake(
        "looks at samples instead of units, and returns a count",
        lambda activations: (activations == 0).all(dim=1).sum(),
        "Your result is a whole number: how many rows are 0 from end to end. Units are columns here.",
        "The axis that you gave disappears and leaves one answer for each sample. And a count says little as long as "
        "nobody knows out of how many.",
        "Print the shape before your sum: which axis is left? When it is that of the units, call it on tables of 3 and of "
        "30 columns.",
    ),
)

MISTAKES = (*_DEAD, *_SHARE, *_PAIRS)
