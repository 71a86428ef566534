"""What goes wrong when a slope is checked by difference quotients (exercise 05.6), and what to say about it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from companion.checks import kinds
from companion.checks.bank import Mistake, Observed
from companion.checks.ch05_backprop.e6_functions import STEP, F, by, central, compared, comparing, nudged
from companion.checks.routines import formula
from companion.checks.trace import Case

BOWL, WAVES, FAR = "the bottom of a steep bowl", "a function that bends fast", "values far from 0"
"""Three cases in which the claim is right: what is left there is the error of the quotients."""
FLOAT32, NAN = "a claim in float32", "a claim that is nan"


def _scale(q: Tensor) -> Tensor:
    return q.abs().max().clamp(min=1)


def _by_one_step(f: F, x: Tensor) -> Tensor:
    return 2 * central(f, x)


def _left_as_it_stands(f: F, x: Tensor, claimed: Tensor) -> Tensor:
    q = torch.zeros_like(x)
    for place in itertools.product(*map(range, x.shape)):
        x[place] += STEP
        up = f(x).clone()
        x[place] -= 2 * STEP
        q[place] = (up - f(x)) / (2 * STEP)
    return compared(q, claimed)


def _back_by_subtraction(f: F, x: Tensor, claimed: Tensor) -> Tensor:
    q = torch.zeros_like(x)
    for place in itertools.product(*map(range, x.shape)):
        x[place] += STEP
        up = f(x).clone()
        x[place] -= 2 * STEP
        q[place] = (up - f(x)) / (2 * STEP)
        x[place] += STEP
    return compared(q, claimed)


def _in_the_claims_dtype(f: F, x: Tensor, claimed: Tensor) -> Tensor:
    return central(f, x.to(claimed.dtype))


def _a_copy_is_moved(f: F, x: Tensor, claimed: Tensor) -> Tensor:
    return compared(nudged(f, x, lambda e: (f(x) - f(x)) / (2 * STEP)), claimed)


def _all_at_once(f: F, x: Tensor, claimed: Tensor) -> Tensor:
    return compared((f(x + STEP) - f(x - STEP)) / (2 * STEP), claimed)


def _rows_at_once(f: F, x: Tensor, claimed: Tensor) -> Tensor:
    q = torch.zeros_like(x)
    for place in range(len(x)):
        up, down = x.clone(), x.clone()
        up[place] += STEP
        down[place] -= STEP
        q[place] = (f(up) - f(down)) / (2 * STEP)
    return compared(q, claimed)


# -- the size of the step, whatever it is ---------------------------------------------------------------


def _errors(cases: Sequence[Case], observed: Sequence[Observed]) -> dict[str, float] | None:
    """Return by how much each result is off, or nothing if one is not a number."""
    found = {}
    for case, o in zip(cases, observed):
        if "gap" not in o or o["gap"].dim():
            return None
        if case.name == NAN:
            continue
        due = compared(central(formula(case.args["f"]), case.args["x"]), case.args["claimed"])
        found[case.name] = (o["gap"].to(torch.float64) - due).abs().item()
    return found


def _where(test: str) -> kinds.Matches:
    """Recognise quotients that look to one side, or whose step is too small or too large, by the three right claims."""

    def matches(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
        off = _errors(cases, observed)
        if off is None or not {BOWL, WAVES, FAR} <= set(off):
            return False
        bowl, waves, far = off[BOWL], off[WAVES], off[FAR]
        rest = max(e for name, e in off.items() if name not in (BOWL, WAVES, FAR))
        if test == "one side":
            return bowl > 2e-6 and far < 100 * bowl and rest < 0.3
        if test == "too small":
            return far > 1e-6 and waves < far / 5 and bowl < far / 50
        return waves > 1e-5 and max(bowl, far) < 1e-6 and rest < 0.3

    return matches


def _drifts(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
    """Recognise right results that leave x a rounding beside where it was."""
    off = _errors(cases, observed)
    moved = [o["moved"].item() for o in observed if "moved" in o]
    return off is not None and max(off.values()) < 1e-5 and any(moved) and max(moved) < 1e-9


def _at_float32(scaled: Callable[[Tensor], Tensor]) -> kinds.Matches:
    """Recognise results that are those of a scale, but for the claim in float32, where they are an error of rounding."""

    def matches(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
        off = _errors(cases, observed)
        if off is None or not off.get(FLOAT32, 0.0) > 1e-4:
            return False
        for case, o in zip(cases, observed):
            q = central(formula(case.args["f"]), case.args["x"])
            due = (q - case.args["claimed"]).abs().max() / scaled(q)
            # At the bottom of a bowl a scale of 0 leaves anything.
            if case.name not in (FLOAT32, NAN, BOWL) and not (o["gap"] - due).abs() <= 1e-6 + 1e-5 * due:
                return False
        return True

    return matches


# -- what is said ---------------------------------------------------------------------------------------

_QUOTIENTS = (
    Mistake(
        "divides by one step only",
        lambda f, x, claimed: compared(_by_one_step(f, x), claimed),
        "Claims that are right get a large gap: each of your quotients is twice the slope.",
        "From x - step to x + step it is two steps. The difference of the two values belongs to both of them.",
        "Draw the two points of the central quotient on a line. How far are they apart?",
    ),
    Mistake(
        "divides by one step only, and takes the mean of the gaps",
        lambda f, x, claimed: (_by_one_step(f, x) - claimed).abs().mean() / _scale(_by_one_step(f, x)),
        "Right claims get a large gap, because your quotients are twice the slope. And one bad entry is thinned by the good ones.",
        "The two points lie two steps apart. And a mean over thousands of entries hides a single wrong one.",
        "Mend the quotient first, with a function of one entry. Then look at how many gaps become one number.",
    ),
    Mistake(
        "does not put x back",
        _left_as_it_stands,
        "After the call the entries of `x` stand one step beside where they were.",
        "You move an entry in place, and what is not put back stays moved. The caller's weights would drift with every check.",
        "Keep the old value of an entry and write it back, or move a copy. Compare x before and after with `torch.equal`.",
    ),
    Mistake(
        "puts x back by adding and taking off",
        _back_by_subtraction,
        "After the call `x` holds other numbers than before, in the last digits.",
        "You nudge x itself and nudge it back. Each sum is rounded, so that x + e - 2e + e is not always x, and the caller's "
        "weights drift with every check.",
        "Keep the old number of an entry in a name of its own and put it back, or nudge a copy. Compare with `torch.equal`.",
        matches=_drifts,
    ),
    Mistake(
        "moves a copy that f never sees",
        _a_copy_is_moved,
        "All of your quotients are 0, so your gap is that of a function that never changes.",
        "The entry is moved in one tensor and f is asked about another. `flatten` and `reshape` may return a copy, and so does "
        "`clone`.",
        "Print the tensor that you hand to f, before and after the move. Does it change?",
    ),
    Mistake(
        "moves all entries at once",
        _all_at_once,
        "With a single entry your result is right. With several, one quotient is compared with all entries of the claim.",
        "`x + step` moves every entry. What comes out is the sum of all slopes, and none of them alone.",
        "How many quotients does an x with six entries need? How many times do you ask f?",
    ),
    Mistake(
        "moves a whole row at once",
        _rows_at_once,
        "For an x with one axis your result is right. In a table all entries of a row get one and the same quotient.",
        "`x[j]` is an entry only where x has a single axis. In a table it is a row, and all its entries are moved together.",
        "Print the shape of what you move. How do you get from a table to a list of its entries, and back?",
    ),
    Mistake(
        "turns the quotient round",
        lambda f, x, claimed: compared(-central(f, x), claimed),
        "Claims that are right get a large gap, and claims with all signs turned pass.",
        "The value behind has the value ahead taken off. A function that rises then gets a quotient below 0.",
        "Take f(x) = x at 0. Which of the two values is the larger one, and which sign should the quotient have?",
    ),
)

_COMPARED = (
    Mistake(
        "takes the mean of the gaps",
        comparing(lambda q, c: (q - c).abs().mean() / _scale(q)),
        "With a single entry your result is right. With several, one bad entry is thinned by the good ones.",
        "A mean over thousands of entries hides a single wrong one, and a single wrong one is the usual case.",
        "One entry of a thousand is off by 10. What does your function return, and what should it?",
    ),
    Mistake(
        "adds the gaps up",
        comparing(lambda q, c: (q - c).abs().sum() / _scale(q)),
        "Where one entry is wrong your result is right. Where several are, it is too large.",
        "The sum of all gaps grows with their number: small errors of rounding in a million entries would look like a large one.",
        "Which single number of the list of gaps does the task ask for?",
    ),
    Mistake(
        "looks at the first entry only",
        comparing(lambda q, c: (q - c).abs().flatten()[0] / q.abs().flatten()[0].clamp(min=1)),
        "Your result says how good the claim is in the first entry. Wrong claims further on are not seen.",
        "The other entries are never asked about, or a `return` stands inside the loop.",
        "How often is f called for an x with six entries? Count by a print in the loop.",
    ),
    Mistake(
        "keeps the last gap only",
        comparing(lambda q, c: (q - c).abs().flatten()[-1] / _scale(q)),
        "Your result says how good the claim is in the last entry. Wrong claims before it are forgotten.",
        "Each round of the loop writes over what the round before has found.",
        "What should stay when a gap is smaller than one that was seen before?",
    ),
    Mistake(
        "forgets that a gap may lie below 0",
        comparing(lambda q, c: (q - c).max() / _scale(q)),
        "Claims that are too small are found. Claims that are too large have a negative gap, which the maximum passes over.",
        "The largest of the differences is not the largest gap: -4 is further from 0 than 1.5.",
        "Claim 100 for a slope of 1. What does your function say?",
    ),
    Mistake(
        "forgets that a gap may lie below 0, seen from the claim",
        comparing(lambda q, c: (c - q).max() / _scale(q)),
        "Claims that are too large are found. Claims that are too small have a negative gap, which the maximum passes over.",
        "You subtract the quotient from the claim and take the largest: what lies below 0 is never the largest, however far it lies.",
        "Claim -100 for a slope of 1. What does your function say?",
    ),
    Mistake(
        "compares sizes without signs",
        comparing(lambda q, c: (q.abs() - c.abs()).abs().max() / _scale(q)),
        "A claim with all signs turned passes your check.",
        "You take the size of both before you subtract. A slope of 2 and one of -2 lead in opposite directions.",
        "In which order should subtracting and taking the size come?",
    ),
    Mistake(
        "compares lengths",
        comparing(lambda q, c: (q.norm() - c.norm()).abs() / _scale(q)),
        "A claim with the right length passes your check, wherever it points.",
        "Each of the two is first boiled down to one number. Entries that have changed places or signs cannot be seen in it.",
        "Exchange two entries of a right claim. What does your function say?",
    ),
    Mistake(
        "measures the distance of the two vectors",
        comparing(lambda q, c: (q - c).norm() / _scale(q)),
        "With one wrong entry your result is right. With two it lies between the larger gap and the sum of both.",
        "The length of the difference gathers all gaps in one number. The task asks for the largest of them alone.",
        "With gaps of 3 and 4, what does your function take for the largest?",
    ),
    Mistake(
        "leaves the scale out",
        comparing(lambda q, c: (q - c).abs().max()),
        "Where all slopes are below 1 your result is right. With larger ones it is too large.",
        "A gap of 1 is little beside a slope of 190, and everything beside one of 0.001. So it is told in relation to the slopes.",
        "Read the formula of the task: what stands below the line?",
    ),
    Mistake(
        "scales without a lower limit",
        comparing(lambda q, c: (q - c).abs().max() / q.abs().max()),
        "With slopes above 1 your result is right. With tiny ones it is far too large, and at 0 it is nan or infinite.",
        "Beside slopes of nearly 0 every error of rounding looks huge. The 1 below the line keeps it small.",
        "What does your function say of a right claim at the bottom of a bowl?",
    ),
    Mistake(
        "scales by the claim",
        comparing(lambda q, c: (q - c).abs().max() / _scale(c)),
        "Where the largest entry of the claim is right your result is right. A claim that is too large makes its own gap small.",
        "The claim is what is in doubt. What it is measured by should not depend on it.",
        "Claim 1000 for a slope of 2. How large is your gap, and how large with a claim of a million?",
    ),
    Mistake(
        "scales each entry by itself",
        comparing(lambda q, c: ((q - c).abs() / q.abs().clamp(min=1)).max()),
        "Where all slopes are alike your result is right. A gap at a small slope counts too much beside large ones.",
        "You divide each gap by its own quotient. The task divides by one number, the largest of the quotients.",
        "How many numbers stand below the line in the formula? How many do you divide by?",
    ),
)

_DTYPE = (
    Mistake(
        "computes in the claim's dtype",
        lambda f, x, claimed: compared(_in_the_claims_dtype(f, x, claimed), claimed),
        "You compute in the claim's dtype: where the claim is float32, your quotients are noise. Elsewhere you are right.",
        "In float32 a step of 1e-5 changes the values of f in their last digits only, and what is left is divided by the step.",
        "Bring the claim to the dtype of x, and not x to that of the claim. Print the dtype of what you hand to f.",
        matches=_at_float32(_scale),
        best=FLOAT32,
    ),
    Mistake(
        "computes in the claim's dtype, and scales without a lower limit",
        lambda f, x, claimed: (
            (_in_the_claims_dtype(f, x, claimed) - claimed).abs().max()
            / _in_the_claims_dtype(f, x, claimed).abs().max()
        ),
        "You compute in the claim's dtype: where it is float32, your quotients are noise. And tiny slopes make a gap huge.",
        "In float32 a step of 1e-5 is lost in the rounding of f. And below the line stands at least 1, so that errors of "
        "rounding beside slopes of nearly 0 stay small.",
        "Bring the claim to the dtype of x first, and not x to that of the claim. Then read what stands below the line.",
        matches=_at_float32(lambda q: q.abs().max()),
    ),
    Mistake(
        "passes over a claim that is nan",
        comparing(lambda q, c: (q - c).abs().nan_to_num(nan=0.0).max() / _scale(q)),
        "A claim that is nan passes your check: the result is small, as if the claim were right.",
        "nan is neither larger nor smaller than any number, so `max` and `>` of Python pass over it, and `nan_to_num` makes "
        "0 of it. A slope that came out as nan is the worst of claims.",
        "What does `max(0.0, float('nan'))` give? Put the gaps into a tensor, or ask for nan with `torch.isnan` first.",
    ),
)

_STEPS = (
    Mistake(
        "looks to one side only",
        by(1e-6, sided="ahead"),
        "At the bottom of a steep bowl the slope is 0, and your quotient is not.",
        "A quotient from x to x + step catches the bend of the function: it is off by half a step times the second derivative.",
        "Draw a parabola and a chord from its bottom to the right. Which chord through two points near the bottom is level?",
        matches=_where("one side"),
        best=BOWL,
    ),
    Mistake(
        "takes a step so small that rounding wins",
        by(1e-12),
        "Where the values of f are large, right claims get a gap. The digits of your quotients are noise.",
        "Two values that are nearly equal have lost their last digits, and the rest is divided by a tiny step. In float32 that "
        "begins far earlier.",
        "Look at the chapter's valley of errors: on which side of it does your step lie? Which dtype do your numbers have?",
        matches=_where("too small"),
        best=FAR,
    ),
    Mistake(
        "takes a step that is too large",
        by(1e-2),
        "For straight lines and parabolas your quotients are right. Where a function bends fast they miss the slope.",
        "The error of the central quotient goes with the square of the step. Yours is so long that the function has turned "
        "before it ends.",
        "Look at the chapter's valley of errors: on which side of it does your step lie?",
        matches=_where("too large"),
        best=WAVES,
    ),
)

MISTAKES = (*_QUOTIENTS, *_COMPARED, *_DTYPE, *_STEPS)
