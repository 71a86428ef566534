"""What goes wrong with a sigmoid for all numbers (exercise 02.2), and what to say about it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from companion.checks.bank import Mistake, Observed
from companion.checks.trace import Case


def _by_formula(z: Tensor) -> Tensor:
    return 1 / (1 + torch.exp(-z))


def _by_other_formula(z: Tensor) -> Tensor:
    return torch.exp(z) / (1 + torch.exp(z))


def _turned(z: Tensor) -> Tensor:
    e = torch.exp(torch.where(z >= 0, -z, z))
    return torch.where(z >= 0, e, torch.ones_like(e)) / (1 + e)


def _by_abs(z: Tensor) -> Tensor:
    e = torch.exp(-z.abs())
    return torch.where(z >= 0, 1 / (1 + e), e / (1 + e))


def _with_softmax_shift(z: Tensor) -> Tensor:
    e = torch.exp(z - z.max())
    return e / (1 + e)


def _is_cut_off(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
    """Recognise a sigmoid of clamped sums, wherever it was cut: level, and visibly short of 0 and 1."""
    ends = {case.name: o["out"] for case, o in zip(cases, observed) if "out" in o}
    high, low, zero = (ends.get(name) for name in ("a sum of 1000", "a sum of -1000", "z = 0"))
    if high is None or low is None or zero is None or high.shape != (2,) or low.shape != (2,) or zero.shape != (1,):
        return False
    top, bottom, middle = high[0].item(), low[0].item(), zero[0].item()
    return abs(middle - 0.5) < 1e-5 and 1e-7 < bottom < 0.2 and abs(top + bottom - 1) < 1e-5


_OVERFLOWS = (
    Mistake(
        "uses 1/(1+exp(-z)) everywhere",
        _by_formula,
        "All values are right, even at -1000, but the gradient by z holds nan where z is very negative.",
        "exp(1000) is infinite in float32. Going forwards 1/inf is a harmless 0; going back, that 0 is multiplied by the "
        "infinite exponential, and 0 times inf is nan.",
        "Print exp(-z) for z = -1000 and for z = 1000. For which sign of z does this form stay finite, and what does the "
        "other form of the statement do there?",
    ),
    Mistake(
        "uses exp(z)/(1+exp(z)) everywhere",
        _by_other_formula,
        "The entry at 1000 came out as nan; numbers of moderate size and negative ones are right.",
        "exp(1000) is infinite in float32, and inf divided by inf is nan. On paper the fraction has a limit; the machine "
        "divides before it can see that.",
        "Print exp(z) for 1000 and for -1000. On which side of 0 does this form never meet a large exponential?",
    ),
    Mistake(
        "computes both forms and picks one",
        lambda z: torch.where(z >= 0, _by_formula(z), _by_other_formula(z)),
        "All values are right, but the gradient by z holds nan far out, although the good form was picked there.",
        "The choice (torch.where, or a product with a mask) comes after both forms were computed. Going back, the form "
        "that was not picked receives a gradient of 0, and 0 times its infinite exponential is nan.",
        "Print what goes into each exp of yours, for 1000 and for -1000. Could the choice be made there, before anything "
        "large reaches an exponential?",
    ),
    Mistake(
        "computes both forms and picks the wrong one",
        lambda z: torch.where(z < 0, _by_formula(z), _by_other_formula(z)),
        "The entry at 1000 came out as nan, though your code tells the two signs apart.",
        "Your condition is turned round: each side of 0 gets just the form whose exponential is infinite there. For "
        "numbers of moderate size both forms agree, so nothing shows.",
        "For z = 1000, write down which form your condition picks and how large its exponential is. Then look at the "
        "gradient as well: both forms are still computed.",
    ),
    Mistake(
        "decides once for the whole tensor",
        lambda z: _by_formula(z) if bool((z >= 0).all()) else _by_other_formula(z),
        "Large numbers of both signs stand side by side here and one of them overflows; tensors of one sign are right.",
        "Each form is right for one sign. Your `if` picks one of them by a question about the whole tensor, so entries "
        "of the other sign get the form that overflows.",
        "How many answers does your condition have, and how many entries has z? Look for a way to let each entry choose, "
        "before its exponential is taken.",
    ),
    Mistake(
        "cuts z off too late",
        lambda z: _by_formula(z.clamp(-500, 500)),
        "All values are right, also at -1000, but at -100 and -300 the gradient by z holds nan.",
        "Your cut comes after the overflow: in float32 exp is infinite from about 88.7 on, and a sum between that and "
        "your bound passes uncut. A bound such as 500 comes from float64.",
        "Print exp(-z) for z = -100 in float32. Up to which size may an exponent go, and which way to write the formula "
        "needs no bound at all?",
    ),
    Mistake(
        "replaces nan afterwards",
        lambda z: torch.nan_to_num(_by_other_formula(z), nan=1.0),
        "The values are right now that nan has been replaced, but the gradient by z is still not right at 1000.",
        "The replacement changes the number on its way out. The overflow came before, and the way back leads through the "
        "same inf / inf: the damage is covered, not avoided.",
        "Print each intermediate result for z = 1000 and find the first that is infinite. What could that line be given "
        "instead?",
    ),
    Mistake(
        "computes in float64",
        lambda z: 1 / (1 + torch.exp(-z.double())),
        "The result has the dtype float64 although z came in float32: print `.dtype` of both.",
        "More digits do not cure an overflow, they move it: in float64 exp is infinite from about 709.8 on. And a layer "
        "that changes the dtype stops the next one.",
        "Try exp(1000) in float64 too. Then ask which exponents can be avoided altogether, so that the dtype may stay as "
        "it came.",
    ),
)

_SIDES = (
    Mistake(
        "loses the gradient at 0",
        _by_abs,
        "All values are right; the gradient by z is 0 at z = 0 exactly, where the curve is at its steepest.",
        "Something in your exponent has a corner at 0, as the size of z has, and autograd takes its slope there as 0. The "
        "chain rule multiplies by it, though the sigmoid itself has no corner.",
        "Compute the gradient of your exponent alone at 0 and at 0.001; for `z.abs()` it is 0 and 1. How else can you get "
        "minus the size of z, with a slope at 0 too?",
    ),
    Mistake(
        "forgets the sign",
        lambda z: 1 / (1 + torch.exp(-z.abs())),
        "Nothing overflows, but -1 and 1 get the same answer, never below one half; and at 0 no gradient comes back.",
        "With only the size of z in the exponent the function cannot tell for from against. The exponential is harmless "
        "now, and half of the curve has been lost with it.",
        "Use the symmetry of the curve: what do sigmoid(z) and sigmoid(-z) add up to? The chapter's section on the "
        "sigmoid says it.",
    ),
    Mistake(
        "turns the sign",
        _turned,
        "Your curve falls where it should rise: large sums come near 0, very negative ones near 1, and the gradient is "
        "negative.",
        "This is the sigmoid of -z. Either a sign in the exponent is turned, or the two branches have changed places: "
        "one such turn mirrors the whole curve.",
        "Follow z = 2 through your code by hand: which branch, which exponent, and is the result above one half or below?",
    ),
    Mistake(
        "takes the shift of softmax",
        _with_softmax_shift,
        "The largest entry of every tensor gets one half, whatever it is, and no gradient reaches it through the shift.",
        "Softmax may subtract its largest logit because each share is divided by the sum of all. A sigmoid has no such "
        "sum: shift z, and you get the sigmoid of another number.",
        "Call it on [3.0] and on [3.0, 5.0]. Should the answer for 3 depend on its neighbour?",
    ),
    Mistake(
        "uses 1/(1+exp(-z)) everywhere, and turns the sign",
        lambda z: 1 / (1 + torch.exp(z)),
        "Your curve falls where it should rise, and at 1000 the gradient by z is nan.",
        "Without the minus in the exponent this is the sigmoid of -z. And one form for all numbers meets an infinite "
        "exponential on one side: on the way back 0 times inf is nan.",
        "Set the sign right first, by following z = 2 by hand. Then print your exponential at 1000 and at -1000: on "
        "which side is it still infinite?",
    ),
    Mistake(
        "turns the sign, and loses the gradient at 0",
        lambda z: 1 - _by_abs(z),
        "Your curve falls where it should rise; and at z = 0 the gradient is 0, though the curve is not level there.",
        "A sign or two branches have changed places, which mirrors the curve. And your exponent has the slope 0 at 0, as "
        "the size of z has, so no gradient comes through that point.",
        "Ask first what belongs to z = 2. Then look at the gradient of your exponent alone at 0, and for another road to a "
        "harmless one.",
    ),
)

_FORMULAS = (
    Mistake(
        "forgets to halve z",
        lambda z: 0.5 * (1 + torch.tanh(z)),
        "Your curve passes through one half at 0 like a sigmoid, but it is twice as steep there: look at the gradient.",
        "Half of 1 + tanh(z) is the sigmoid of 2z. tanh is a sigmoid stretched in height and squeezed sideways; you have "
        "undone the stretching and left the squeeze.",
        "Read the equation that joins tanh and the sigmoid in the chapter's section on tanh, and solve it for the sigmoid.",
    ),
    Mistake(
        "forgets the brackets",
        lambda z: 1 / 1 + torch.exp(-z),
        "No result of yours is below 1, and a sigmoid never comes above it.",
        "`1 / 1 + torch.exp(-z)` divides first and adds afterwards: the exponential stands beside the fraction and not "
        "in its denominator.",
        "Compute your line by hand for z = 0, in the order in which Python does: which comes first, the division or the "
        "sum? When that is right, try -1000.",
    ),
    Mistake(
        "writes into its argument",
        lambda z: 1 / (1 + torch.exp(-z.clamp_(-80, 80))),
        "The numbers that came back are right, but the z that you were given has changed: print it before and after.",
        "Functions whose name ends in `_` write into their tensor. The caller's sums have been cut off too, and whoever "
        "reads them next computes with other numbers.",
        "Look for an underscore at the end of a name in your code. What does torch call the function that makes a new "
        "tensor?",
    ),
    Mistake(
        "cuts z off too early",
        lambda z: 1 / (1 + torch.exp(-z.clamp(-5, 5))),
        "Far out your values stop short of 0 and 1, all at the same number; beyond that cut the gradient is exactly 0.",
        "Cutting z off keeps exp small, but you cut where the curve is still on its way: at 5 it is visibly short of its "
        "end, at 10 still measurably. Nothing forces a cut that early.",
        "Print in float64 how far the curve is from 1 at your limit. How far out must you go until float32 can no longer "
        "tell?",
        matches=_is_cut_off,
    ),
)

MISTAKES = (*_OVERFLOWS, *_SIDES, *_FORMULAS)
