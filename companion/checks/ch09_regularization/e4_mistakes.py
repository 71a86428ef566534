"""What goes wrong with early stopping (exercise 09.4), and what to say about it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from companion.checks.bank import Mistake, Observed
from companion.checks.trace import Case

Better = Callable[[float, float, float, float, str], bool]
"""From value, best, last value, min_delta and mode, with signs turned so that lower is better: whether it is a new best."""


def _beats(value: float, best: float, last: float, delta: float, mode: str) -> bool:
    return value < best - delta


def _sign(mode: str) -> float:
    return 1.0 if mode == "min" else -1.0


def rule(
    *,
    better: Better = _beats,
    sign: Callable[[str], float] = _sign,
    begin: float = math.inf,
    waits: Callable[[int, bool, bool], int] = lambda waited, new, fell: 0 if new else waited + 1,
    stops: Callable[[int, int], bool] = lambda waited, patience: waited >= patience,
    place: Callable[[int, int], int] = lambda epoch, waited: epoch,
    keeps: str = "best",
    creeps: bool = False,
    notes: bool = False,
    of_nan: str = "",
    copies: bool = True,
) -> type:
    """Return a stopper by other rules.

    Args:
        better: whether a value is a new best.
        sign: what values are multiplied by, from the mode.
        begin: the best before any value.
        waits: the count after a look, from what it was, whether there is a new best, and whether the value is lower than the last.
        stops: whether to stop, from the count and the patience.
        place: what is noted as the epoch of the best, from the epoch and the count.
        keeps: the weights of which epoch: "best", "last", "first".
        creeps: whether the best is lowered by gains that are too small as well.
        notes: whether such gains are noted as the best epoch, with their weights.
        of_nan: what becomes of a value that is no number: nothing special, "skipped", "stops", "a best", or "a best like an equal value".
        copies: whether weights are copied.
    """

    class Stopper:
        def __init__(self, patience: int, min_delta: float, mode: str) -> None:
            self.patience, self.min_delta, self.mode = patience, min_delta, mode
            self.best, self.last = begin, math.inf
            self.best_epoch: int | None = None
            self.weights: list[Tensor] = []
            self.epoch, self.waited = -1, 0

        def look(self, value: float, weights: Sequence[Tensor]) -> bool:
            wrong = math.isnan(value)
            if wrong and of_nan == "skipped":
                return stops(self.waited, self.patience)
            self.epoch += 1
            signed = sign(self.mode) * value
            new = better(signed, self.best, self.last, self.min_delta, self.mode)
            if of_nan == "a best":
                new = not (signed >= self.best - self.min_delta)
            if of_nan == "a best like an equal value":
                new = not (signed > self.best - self.min_delta)
            self.waited = waits(self.waited, new, signed < self.last)
            gains = signed < self.best
            new = new or (notes and gains)
            if new or (creeps and gains):
                self.best = signed
            if new:
                self.best_epoch = place(self.epoch, self.waited)
            if new if keeps == "best" else keeps == "last" or not self.weights:
                self.weights = [w.detach().clone() if copies else w for w in weights]
            self.last = signed
            return stops(self.waited, self.patience) or (wrong and of_nan == "stops")

    return Stopper


def _answers(stopper: type, case: Case) -> list[tuple[bool, float | None]]:
    """Return what a stopper says of a case's values, and what it takes for the best epoch."""
    it = stopper(*(case.args[name] for name in ("patience", "min_delta", "mode")))
    return [(bool(it.look(value, [])), it.best_epoch) for value in case.args["values"]]


def _alike(stopper: type) -> Callable[[Sequence[Case], Sequence[Observed]], bool]:
    """Return whether an answer says the same as a stopper in all cases, those with nan too."""

    def matches(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
        return all(
            (float(o.get(f"stop {k}", torch.tensor(-1.0)).flatten()[0]), float(o.get(f"best {k}", torch.tensor(-1.0))))
            == (float(stop), -1.0 if best is None else float(best))
            for case, o in zip(cases, observed)
            for k, (stop, best) in enumerate(_answers(stopper, case))
        )

    return matches


_EQUAL_OR_NAN = rule(of_nan="a best like an equal value")


class _WhereItStands(rule()):  # type: ignore[misc]
    """Note in each epoch without a new best that this was the best one."""

    def look(self, value: float, weights: Sequence[Tensor]) -> bool:
        stop: bool = super().look(value, weights)
        if stop:
            self.best_epoch = self.epoch
        return stop


_PATIENCE = (
    Mistake(
        "waits for one epoch more",
        rule(stops=lambda waited, patience: waited > patience),
        "You stop one epoch too late: as many as `patience` without a new best are not enough for yours.",
        "`>` asks for more than the patience, and `>=` for as many. Or the count begins one look too late.",
        "With a patience of 1, how many epochs without a new best should it take? How many does yours take?",
        best="a patience of 1, and calls after the stop",
    ),
    Mistake(
        "stops one epoch early",
        rule(stops=lambda waited, patience: waited + 1 >= patience),
        "You stop one epoch too early: the new best itself is counted, or the last look is counted twice.",
        "Counted are the looks that were no new best. Directly after a best their number is 0.",
        "Print your count directly after a new best. What should it be?",
    ),
    Mistake(
        "stops at the first rise",
        rule(stops=lambda waited, patience: waited >= 1),
        "You stop at the first value that is no new best, whatever the patience is.",
        "Curves of a validation are ragged. Small rises come long before the lowest point, and that is what the patience is for.",
        "Where in your code does `patience` stand, and with what is it compared?",
    ),
    Mistake(
        "never starts the count again",
        rule(waits=lambda waited, new, fell: waited if new else waited + 1),
        "Your count goes on over a new best: you stop after so many values in all, and not in a row.",
        "A new best shows that the waiting was worth it. From there the patience begins anew.",
        "Which lines run at a new best? One of them should set the count to 0.",
    ),
    Mistake(
        "starts the count again at every fall",
        rule(waits=lambda waited, new, fell: 0 if fell else waited + 1),
        "Your count begins anew whenever a value is lower than the one before, even if it is no new best.",
        "A ragged curve falls every second time. Whoever takes that for progress never stops.",
        "In the example, is the 0.72 after the 0.75 a new best? What should the count be there?",
    ),
    Mistake(
        "says stop at a new best",
        rule(stops=lambda waited, patience: waited == 0),
        "`look` returns True in the epochs of a new best, and False in those without.",
        "It answers whether there is a new best. Asked for is whether to stop.",
        "The training writes `if stopper.look(...): break`. What should come out after the first epoch?",
    ),
    Mistake(
        "never says stop",
        rule(stops=lambda waited, patience: False),
        "`look` returns False every time, however long nothing gets better.",
        "The training would go on to the end. The count is not compared with the patience, or what comes out is not returned.",
        "Print the count in each look, and what is returned beside it.",
    ),
)

_BEST = (
    Mistake(
        "takes nan and an equal value for a new best",
        _EQUAL_OR_NAN,
        "Both a value that is nan and a gain of exactly min_delta are a new best with you.",
        "You ask whether a value is worse, and take all others. To be equal is not worse, and a comparison with nan is always False.",
        "Turn your `if` round: ask whether the value beats the best by more than min_delta. What is the answer for nan?",
        matches=_alike(_EQUAL_OR_NAN),
        best="a value that comes again",
    ),
    Mistake(
        "compares with the value before",
        rule(better=lambda value, best, last, delta, mode: value < last - delta),
        "You compare each value with the one before it, and not with the best so far.",
        "After a high value nearly everything is an improvement. Only the best so far says whether there is progress.",
        "In the example, which values does your code take for a new best? The 0.72 and 0.71 should not be among them.",
    ),
    Mistake(
        "makes the margin a reward",
        rule(better=lambda value, best, last, delta, mode: value < best + delta),
        "With min_delta 0 all is right. Otherwise values that are worse by less than min_delta count as a new best.",
        "The margin makes it harder to be a new best. Added to the best on the wrong side it makes it easier.",
        "The best is 4 and min_delta is 1. Is 4.5 a new best? Is 3.5 one?",
    ),
    Mistake(
        "has the margin on the wrong side for max",
        rule(better=lambda value, best, last, delta, mode: value < best - (delta if mode == "min" else -delta)),
        'With "min" all is right. With "max" the margin is taken off the best, where it should be added.',
        "Whatever the direction, the margin makes it harder to be a new best: lower than the best minus it, or higher than the best plus it.",
        "The best accuracy is 0.5 and min_delta is 0.25. Is 0.4 a new best? And 0.7?",
    ),
    Mistake(
        "leaves the margin out",
        rule(better=lambda value, best, last, delta, mode: value < best),
        "Your result is the same for every `min_delta`: each gain counts, however small it is.",
        "A loss that creeps on by a millionth would keep the training alive for ever. The margin says what is worth waiting for.",
        "Where does `min_delta` stand in your comparison?",
    ),
    Mistake(
        "takes the margin for a share",
        rule(
            better=lambda value, best, last, delta, mode: (
                value < best - delta * abs(best) if best < math.inf else value < best
            )
        ),
        "Your margin grows with the best: min_delta is multiplied by it.",
        "A share would be a sensible rule, and is another one. Here the margin is in the unit of the values.",
        "The best is 4 and min_delta is 0.5. Below which number is a value a new best: 3.5, or 2?",
    ),
    Mistake(
        "takes a gain of exactly min_delta for enough",
        rule(better=lambda value, best, last, delta, mode: value <= best - delta),
        "Nearly all is right. A gain of exactly min_delta counts as a new best with you; with a margin of 0 an equal value does.",
        "A value that only comes again is no progress. The task asks for more than min_delta.",
        "With min_delta 0 and the values 1, 1, 1: how many new bests are there?",
    ),
    Mistake(
        "lowers the bar by gains that are too small",
        rule(creeps=True),
        "Gains below min_delta are no new best with you, and still each of them moves the number that the next one has to beat.",
        "Many small steps then never count, however far they lead in all. The best so far changes at a new best and nowhere else.",
        "The best is 4 and min_delta is 0.5. Then come 3.75 and 3.25. Does 3.25 beat the 4 by more than 0.5?",
    ),
    Mistake(
        "asks for the margin only when it counts",
        rule(notes=True),
        "Your count asks for a gain of more than min_delta. Best epoch and weights do not: they move at every gain, however small.",
        "There are two questions in your code, and the task has one. What is no new best changes nothing but the count.",
        "The best is 4 and min_delta is 1. Then comes 3.75. What should `best_epoch` be, and which number has the next value to beat?",
        best="gains that are too small",
    ),
    Mistake(
        "always looks for the lowest",
        rule(sign=lambda mode: 1.0),
        'With "min" all is right. With "max" you still take lower values for better ones.',
        "An accuracy is good when it is high. What is measured says which direction is progress, and `mode` hands that on.",
        "Where in your code does `mode` stand? Try the accuracies 0.25 and 0.5.",
    ),
    Mistake(
        "always looks for the highest",
        rule(sign=lambda mode: -1.0),
        'With "max" all is right. With "min" higher values count as better ones.',
        "The comparison of an accuracy has stayed in the branch of the loss, or `mode` is compared with another word.",
        'What does your code do if `mode` is "min"? Follow the values 1.0 and 0.8 through it.',
    ),
    Mistake(
        "begins with a best of 0",
        rule(begin=0.0),
        'Your best begins at 0. A loss above 0 never beats that, nor does a negative value with "max".',
        "0 is the worst of all accuracies and nothing special for other values. The start has to be beaten by any number.",
        "Which number is larger than every loss? `math.inf`, or None until the first value is there.",
        best="a patience of 1, and calls after the stop",
    ),
    Mistake(
        "begins with a best of 1",
        rule(begin=1.0),
        "Your best begins at 1, so that losses count only when they fall below that.",
        "Losses may be 40 or -3. The start has to be beaten by whatever comes first.",
        "Try the losses 40, 20 and 10. How many new bests should there be?",
        best="losses above 1",
    ),
)

_NAN = (
    Mistake(
        "takes nan for a new best",
        rule(of_nan="a best"),
        "A value that is nan becomes your best, and from there on everything is a new best.",
        "Every comparison with nan is False. If False leads to the branch of a new best, nan gets there, and nothing can be compared with it later.",
        "Is your `if` the question for a new best, or for the opposite? What does it say for nan?",
        best="a loss that is not a number on the way",
    ),
    Mistake(
        "leaves nan out of the count",
        rule(of_nan="skipped"),
        "An epoch with nan is passed over: it is neither counted in a row nor as an epoch.",
        "A training whose loss is nan for ever would never stop. And the later epochs get the wrong numbers.",
        "Which lines are passed in your `look` if the value is nan? Should the number of the epoch stay as it was?",
    ),
    Mistake(
        "stops at once at nan",
        rule(of_nan="stops"),
        "You stop as soon as a value is nan, whatever the patience is.",
        "That may be a good idea for a training loss. The task counts it like any other value that is no new best, since one bad batch may pass.",
        "What does the task say of nan? Try the values 2, nan, 1.5 with a patience of 2.",
    ),
)

_KEPT = (
    Mistake(
        "keeps the tensors themselves",
        rule(copies=False),
        "Your `weights` are the tensors of the network, and no copies: they have moved on with the training.",
        "A list of the same tensors, also `list(weights)`, only points at them. The next step writes into them, and the best weights are gone.",
        "Compare `stopper.weights[0] is weights[0]`. What should come out, and what does `clone()` do?",
    ),
    Mistake(
        "keeps the last weights",
        rule(keeps="last"),
        "Epochs and stops are right. `weights` holds those of the last epoch, and not those of the best.",
        "The line that copies them runs in every call. Then the patience itself does harm: the weights are those of so many epochs after the best.",
        "Does the copy stand inside or outside of your `if`?",
    ),
    Mistake(
        "keeps the first weights",
        rule(keeps="first"),
        "Epochs and stops are right. `weights` stays what it was after the first epoch.",
        "They are copied once, and later bests do not replace them.",
        "Which lines run at the second new best? Is the copy among them?",
    ),
    Mistake(
        "counts epochs from 1",
        rule(place=lambda epoch, waited: epoch + 1),
        "`best_epoch` is too large by one: you count the epochs from 1.",
        "The count is raised before it is noted. With numbers from 0, `curve[best_epoch]` is the best value.",
        "What is `best_epoch` after the first call of `look`?",
    ),
    Mistake(
        "notes the epoch in which it stops",
        _WhereItStands,
        "When you stop, `best_epoch` is the epoch that has been reached.",
        "The best lies before that, by as many epochs as the patience. Who puts the weights back wants to know from where they come.",
        "Which line writes `best_epoch`, and does it run in an epoch without a new best?",
    ),
    Mistake(
        "waits for one epoch more, and keeps the last weights",
        rule(stops=lambda waited, patience: waited > patience, keeps="last"),
        "You stop one epoch too late, and `weights` holds those of the last epoch.",
        "Two things at once: the comparison with the patience, and a copy that is made in every call.",
        "Mend the stop first, with a patience of 1. Then ask in which epochs weights are to be copied.",
    ),
)

MISTAKES = (*_PATIENCE, *_BEST, *_NAN, *_KEPT)
