"""How a logarithm that was kept from 0 by a small number is recognised, in the losses of chapter 4."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor

from companion.checks.bank import Observed
from companion.checks.levels import close
from companion.checks.trace import Case


def cut_off(loss: Callable[..., Tensor], function: str = "") -> Callable[[Sequence[Case], Sequence[Observed]], bool]:
    """Recognise a number added inside the logarithm, or a cut: right among small logits, finite and too small among large.

    Args:
        loss: the right one, whose first argument is the logits.
        function: whose cases are looked at, where an exercise has several functions.
    """

    def matches(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
        small = large = 0
        for case, o in zip(cases, observed):
            if case.function != function:
                continue
            due, came = loss(*case.args.values()), o.get("out")
            if came is None or came.shape != due.shape or not bool(came.isfinite()):
                return False
            fine = close(came, due, 1e-4)
            if float(case.args["logits"].abs().max()) < 50:
                if not fine:
                    return False
                small += 1
            elif not fine and float(came) < float(due):
                large += 1
        return small > 0 and large > 0

    return matches
