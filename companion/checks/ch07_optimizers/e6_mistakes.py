"""What goes wrong with a warm-up and a cosine (exercise 07.6), and what to say about it."""

from __future__ import annotations

import math
from collections.abc import Callable

from companion.checks.bank import Mistake

Rate = Callable[..., float]


def rule(
    plan: str,
    *,
    up: Callable[[float, int], float] | None = None,
    done: Callable[[float, int, int], float] = lambda k, warm, total: (k - warm) / (total - warm),
    left: Callable[[float], float] = lambda p: (1 + math.cos(math.pi * p)) / 2,
    mixed: Callable[[float, float, float], float] = lambda lr, floor, share: floor + (lr - floor) * share,
    low: Callable[[float, float], float] = lambda lr, floor: 0.0,
    end: Callable[[float, float], float] | None = lambda lr, floor: floor,
    epoch: Callable[[int, int], float] = lambda step, per_epoch: step // per_epoch,
    warms: bool = True,
    longer: bool = False,
) -> Rate:
    """Return a schedule by other rules.

    Args:
        plan: which of the schedules, a key of ``PLANS``.
        up: which share of the way up lies behind, from the step and the length of the warm-up.
        done: which part of the way down lies behind, from the step, the warm-up and the end.
        left: the share of the rate that is left, from that part.
        mixed: the rate from the whole one, the floor and the share.
        low: where the warm-up begins, from the whole rate and the floor.
        end: the rate after the end, from both; ``None`` if nobody looks for the end.
        epoch: the epoch from the step and the steps in an epoch.
        warms: whether there is a warm-up.
        longer: whether it takes a step more than it should.
    """
    climb = up or ((lambda k, warm: k / warm) if plan == "down to a floor" else (lambda k, warm: (k + 1) / warm))

    def core(k: float, lr: float, floor: float, warm: int, total: int) -> float:
        if warms and (k < warm or (longer and k == warm)):
            start = low(lr, floor)
            return start + (lr - start) * climb(k, warm)
        if end is not None and k >= total:
            return end(lr, floor)
        return mixed(lr, floor, left(done(k, warm, total)))

    def to_nought(step: int, lr: float, warm: int, total: int) -> float:
        return core(step, lr, 0.0, warm, total)

    def to_floor(step: int, lr: float, floor: float, warm: int, total: int) -> float:
        return core(step, lr, floor, warm, total)

    def by_epochs(step: int, lr: float, warm: int, total: int, per_epoch: int) -> float:
        return core(epoch(step, per_epoch), lr, 0.0, warm, total)

    made: dict[str, Rate] = {"down to 0": to_nought, "down to a floor": to_floor, "once in an epoch": by_epochs}
    return made[plan]


def _in_one_line(plan: str) -> Rate:
    """Return a schedule that computes the warm-up for every step, and so divides by its length even where there is none."""
    right = rule(plan)

    def rate(step: int, *others: float) -> float:
        warm = others[2] if plan == "down to a floor" else others[1]
        share = min(1.0, (step + 1) / warm)
        return right(step, *others) if share else 0.0

    def with_floor(step: int, lr: float, floor: float, warm: int, total: int) -> float:
        return rate(step, lr, floor, warm, total)

    def without(step: int, lr: float, warm: int, total: int) -> float:
        return rate(step, lr, warm, total)

    def by_epochs(step: int, lr: float, warm: int, total: int, per_epoch: int) -> float:
        return rate(step, lr, warm, total, per_epoch)

    made: dict[str, Rate] = {"down to 0": without, "down to a floor": with_floor, "once in an epoch": by_epochs}
    return made[plan]


def _both_at_once(plan: str) -> Rate:
    """Return a schedule in which the cosine runs from the first step, and the warm-up multiplies it."""
    whole = rule(plan, warms=False, done=lambda k, warm, total: k / total)
    floored = plan == "down to a floor"

    def rate(step: int, *others: float) -> float:
        lr, warm = others[0], others[2] if floored else others[1]
        k = step // int(others[3]) if plan == "once in an epoch" else step
        share = (k if floored else k + 1) / warm if k < warm else 1.0
        return share * whole(step, lr, *others[1:])

    def with_floor(step: int, lr: float, floor: float, warm: int, total: int) -> float:
        return rate(step, lr, floor, warm, total)

    def without(step: int, lr: float, warm: int, total: int) -> float:
        return rate(step, lr, warm, total)

    def by_epochs(step: int, lr: float, warm: int, total: int, per_epoch: int) -> float:
        return rate(step, lr, warm, total, per_epoch)

    made: dict[str, Rate] = {"down to 0": without, "down to a floor": with_floor, "once in an epoch": by_epochs}
    return made[plan]


def mistakes_of(plan: str) -> list[Mistake]:
    """Return what goes wrong with any of the schedules, and with this one."""
    found = [*_way_up(plan), *_way_down(plan), *_shape(plan)]
    if plan == "down to a floor":
        found += _floor()
    if plan == "once in an epoch":
        found += _epochs()
    return [*found, *_last(plan)]


def _way_up(plan: str) -> list[Mistake]:
    if plan == "down to a floor":
        first = Mistake(
            "begins the warm-up one step ahead",
            rule(plan, up=lambda k, warm: (k + 1) / warm),
            "Your first rate is a share of `lr` and not 0, and the whole rate is there a step too early.",
            "`step + 1` over `warm` is another custom: there the first step is not lost. In this schedule the warm-up begins at 0.",
            "What does the formula give for k = 0? And which step has the whole rate for the first time?",
        )
    else:
        first = Mistake(
            "begins the warm-up at a rate of 0",
            rule(plan, up=lambda k, warm: k / warm),
            "Your first rate is 0, and the warm-up ends before the whole rate is reached.",
            "The count begins at 0. With `step / warm` the first step moves nothing; with 1 added the last of the warm-up has the whole rate.",
            "What should the rate be at k = 0, and what at the last k of the warm-up? Try both in your line.",
        )
    longer = Mistake(
        "warms up one step too long",
        rule(plan, longer=True),
        "Right after the warm-up there is a place at which your rate is higher than `lr`.",
        "Counted from 0 the warm-up ends at `warm - 1`. `<=` takes in the next place as well, and the straight line goes on above the whole rate.",
        "Which places lie in a warm-up over four, if the first has the number 0? Ask your condition about each.",
    )
    return [
        first,
        *([] if plan == "down to a floor" else [longer]),
        Mistake(
            "divides the warm-up by one more than its length",
            rule(plan, up=lambda k, warm: (k if plan == "down to a floor" else k + 1) / (warm + 1)),
            "Your warm-up is too flat: it divides by one more than `warm`, and the rate jumps at its end.",
            "A one is added where the formula has none, perhaps against a division by 0. Where the warm-up is asked for only if there is one, "
            "there is none.",
            "What does the warm-up come to at its last step, and what comes next? Is there a jump between the two?",
        ),
        Mistake(
            "leaves the warm-up out",
            rule(plan, up=lambda k, warm: 1.0),
            "During the warm-up your rate is `lr` already.",
            "The first slopes and the first means are poor guides, and that is why the first steps are to be short.",
            "What does your function return at step 0, and which of your lines makes it?",
        ),
        Mistake(
            "divides by the length of a warm-up that is not there",
            _in_one_line(plan),
            "With `warm = 0` your function stops with a division by 0. Everywhere else it is right.",
            "The share of the warm-up is computed for every step, also where there is no warm-up.",
            "Ask first whether the step lies in the warm-up at all. With `warm = 0` no step does.",
            best="no warm-up, at the first step",
        ),
    ]


def _way_down(plan: str) -> list[Mistake]:
    return [
        Mistake(
            "lets the cosine run over the warm-up as well",
            rule(plan, done=lambda k, warm, total: k / total),
            "At the end of the warm-up your rate jumps down: the cosine has been running since the first step.",
            "The way down begins where the warm-up ends. Its part that lies behind is counted from there, and over what is left.",
            "What should the cosine's angle be at the first step after the warm-up, and what is it in your code?",
        ),
        Mistake(
            "divides the way down by the whole length",
            rule(plan, done=lambda k, warm, total: (k - warm) / total),
            "Your way down begins well and does not arrive: shortly before the end the rate is still high, and then it falls off a cliff.",
            "You count from the end of the warm-up, and divide by the length of the whole training. The way down is shorter by the warm-up.",
            "Which part of the way lies behind at the end? Put `total` in place of the step in your line.",
        ),
        Mistake(
            "counts the way down from the first step",
            rule(plan, done=lambda k, warm, total: k / (total - warm)),
            "Right after the warm-up your rate is too low: on the way down the steps of the warm-up count as gone.",
            "You divide by the length of the way down, and count from the very first step. The warm-up has to be taken off above the line, too.",
            "What does your part of the way come to at the first step after the warm-up? It should be 0.",
        ),
        Mistake(
            "begins the way down one step ahead",
            rule(plan, done=lambda k, warm, total: (k - warm + 1) / (total - warm)),
            "Your way down is a step ahead: right after the warm-up the rate has fallen already.",
            "A one is added on the way down as in the warm-up. There it keeps the first step from being lost; here nothing is lost.",
            "Which part of the way lies behind at the first step after the warm-up?",
        ),
        Mistake(
            "arrives one step too early",
            rule(plan, done=lambda k, warm, total: (k - warm) / (total - warm - 1)),
            "Your rate is at its lowest in the last step of the training, which then is as good as lost.",
            "You divide by one less than the length of the way down. The formula reaches the lowest rate when the training is over.",
            "At which step does your cosine's angle reach pi, and at which does the one of the formula?",
        ),
        Mistake(
            "arrives one step too early and then goes on",
            rule(plan, done=lambda k, warm, total: (k - warm) / (total - warm - 1), end=None),
            "Your rate is at its lowest one step before the end, and after the end it comes up again.",
            "Two things: you divide by one less than the length of the way down, and nothing asks whether the training is over.",
            "At which step does your cosine's angle reach pi? And what should `rate` return from step `total` on?",
        ),
        Mistake(
            "does not stop at the end",
            rule(plan, end=None),
            "After the end your rate comes up again: the cosine goes on for another half period.",
            "A cosine never ends by itself. Whoever trains on a little longer would do it at a rising rate.",
            "What is the cosine of 1.5 times pi, and what of 2 times pi? Which condition keeps you from getting there?",
        ),
        Mistake(
            "lets warm-up and cosine act at once",
            _both_at_once(plan),
            "Your cosine runs from the first step, and the warm-up multiplies it: the whole rate is never reached.",
            "That comes from putting one schedule into the other. Here they come one after the other, and the seam is at the whole rate.",
            "Which rate should there be at the seam, and what does your product come to?",
        ),
    ]


def _shape(plan: str) -> list[Mistake]:
    return [
        Mistake(
            "takes a whole period of the cosine",
            rule(plan, left=lambda p: (1 + math.cos(2 * math.pi * p)) / 2),
            "Halfway down your rate is at its lowest, and then it comes up again.",
            "The cosine goes from 1 down to -1 in half a period, from 0 to pi. You let it run to twice that.",
            "Which angle should the cosine have in the middle of the way down, and which at its end?",
        ),
        Mistake(
            "takes a quarter of a period",
            rule(plan, left=lambda p: math.cos(math.pi * p / 2)),
            "Your rate stays high for long and then falls steeply, right down to the end.",
            "You take the cosine from 0 to half of pi, where it goes from 1 to 0 by itself. The formula's is flat at both ends.",
            "How steep is a cosine at half of pi, and how steep at pi?",
        ),
        Mistake(
            "leaves pi out",
            rule(plan, left=lambda p: (1 + math.cos(p)) / 2),
            "Your rate hardly comes down: at the end of the way more than three quarters are left.",
            "The part of the way goes from 0 to 1, and an angle of 1 is less than a third of half a turn.",
            "Which angle has the cosine -1? By what must the part of the way be multiplied to get there?",
        ),
        Mistake(
            "counts the angle in degrees",
            rule(plan, left=lambda p: (1 + math.cos(180 * p)) / 2),
            "On the way down your rate jumps up and down from step to step.",
            "`math.cos` takes radians. An angle of 180 is more than 28 whole turns there.",
            "How many radians are half a turn? Which name does `math` have for that number?",
        ),
        Mistake(
            "forgets to add 1 to the cosine",
            rule(plan, left=lambda p: math.cos(math.pi * p) / 2),
            "At the seam your rate drops to half, and in the second half of the way down it is too low, even negative.",
            "A cosine goes from 1 to -1. With 1 added it goes from 2 to 0, and halved from 1 to 0.",
            "Which two numbers should the share go between? Do both ends in your line.",
        ),
        Mistake(
            "forgets to halve",
            rule(plan, left=lambda p: 1 + math.cos(math.pi * p)),
            "At the seam your rate is nearly or exactly twice `lr`.",
            "1 plus a cosine begins at 2. Only its half is a share of the rate.",
            "What is 1 + cos(0)? And what should be left of the rate there?",
        ),
        Mistake(
            "goes up where it should go down",
            rule(plan, left=lambda p: (1 - math.cos(math.pi * p)) / 2),
            "After the warm-up your rate begins at its lowest, and goes up to the end.",
            "1 minus the cosine is the part that is gone. What is left is 1 plus the cosine, halved.",
            "What is left of the rate at the beginning of the way down, and what at the end?",
        ),
        Mistake(
            "takes the sine",
            rule(plan, left=lambda p: (1 + math.sin(math.pi * p)) / 2),
            "Your rate drops to half at the seam, comes up to the whole in the middle, and ends at half.",
            "A sine is 0 at both ends of half a period, and 1 in between. The cosine is what falls from 1 to -1.",
            "What is the sine of 0, and what is the cosine of 0?",
        ),
        Mistake(
            "goes down in a straight line",
            rule(plan, left=lambda p: 1 - p),
            "Your rate falls by the same amount in every step. Beginning, middle and end of the way down are right.",
            "A straight line goes through the same three places as the cosine, which stays high at first and goes out gently.",
            "Do the step at a quarter of the way by hand, and look whether a cosine is in your code.",
            best="a quarter of the way down",
        ),
    ]


def _floor() -> list[Mistake]:
    plan = "down to a floor"
    return [
        Mistake(
            "adds the floor to the whole rate",
            rule(plan, mixed=lambda lr, floor, share: floor + lr * share),
            "At the seam your rate is `lr` plus the floor: the floor was added on top.",
            "The cosine goes between the whole rate and the floor. So it multiplies their distance, and not the whole rate.",
            "How far is it from the whole rate down to the floor? Does that number stand in your line?",
        ),
        Mistake(
            "cuts off at the floor",
            rule(plan, mixed=lambda lr, floor, share: max(floor, lr * share)),
            "Your rate goes down towards 0, and stands still as soon as it meets the floor, before the end.",
            "`max` cuts the curve off. The formula presses it together, so that it reaches the floor exactly at the end.",
            "What is the rate in the middle of the way: half of `lr`, or half of the way from `lr` to the floor?",
        ),
        Mistake(
            "goes down to 0",
            rule(plan, mixed=lambda lr, floor, share: lr * share),
            "Your way down leads to 0, and after the end the rate jumps up to the floor.",
            "The floor is known after the end alone. On the way down the cosine has to end at it.",
            "Which rate does your cosine come to just before the end, and which comes next?",
        ),
        Mistake(
            "falls to 0 after the end",
            rule(plan, end=lambda lr, floor: 0.0),
            "After the end your rate is 0, and it should stay at the floor.",
            "Whoever trains on a little longer still wants to take steps. That is what the floor is for.",
            "Which rate does the way down come to at its end? Should it jump from there?",
        ),
        Mistake(
            "warms up from the floor",
            rule(plan, low=lambda lr, floor: floor),
            "Your first rate is the floor, and the warm-up goes from there.",
            "There are schedules that begin so. In this one the floor belongs to the way down, and the warm-up begins at 0.",
            "Is there a floor in the first of the two formulas?",
        ),
    ]


def _epochs() -> list[Mistake]:
    plan = "once in an epoch"
    return [
        Mistake(
            "takes steps for epochs",
            rule(plan, epoch=lambda step, per_epoch: step),
            "Your schedule is over much too early: it counts steps, and `warm` and `total` are epochs.",
            "This is what happens when a schedule that is meant to move once in an epoch is moved after each batch.",
            "How many steps has the whole training of the example? At which step is your rate 0?",
        ),
        Mistake(
            "changes the rate within an epoch",
            rule(plan, epoch=lambda step, per_epoch: step / per_epoch),
            "At the first step of an epoch you are right. Within the epoch your rate goes on changing.",
            "`/` keeps the part of an epoch that has been gone. All steps of an epoch belong to the same whole number.",
            "In which epoch is step 2 of the example: in 0, or in 0.67?",
        ),
        Mistake(
            "rounds to the nearest epoch",
            rule(plan, epoch=lambda step, per_epoch: round(step / per_epoch)),
            "In the second half of an epoch you have the rate of the next one.",
            "Rounding goes up as well as down. An epoch lasts until its last step, so that the remainder has to be dropped.",
            "Write down the epochs of the steps 0 to 5 by your rule, with three steps in each.",
        ),
        Mistake(
            "counts the epochs from 1",
            rule(plan, epoch=lambda step, per_epoch: step // per_epoch + 1),
            "Your schedule is an epoch ahead, from the first step to the last.",
            "The formula adds 1 in the warm-up by itself, because epochs are counted from 0.",
            "What is e for step 0, by the task and by your code?",
        ),
        Mistake(
            "takes the place within the epoch",
            rule(plan, epoch=lambda step, per_epoch: step % per_epoch),
            "Your rate repeats itself in each epoch, and so never gets anywhere.",
            "`%` gives the remainder, which is the place within an epoch. The number of the epoch is what the division gives.",
            "What are `7 // 3` and `7 % 3`? Which of the two is the epoch of step 7?",
        ),
    ]


def _last(plan: str) -> list[Mistake]:
    return [
        Mistake(
            "returns the share and not the rate",
            _share_alone(plan),
            "Your result is the same for every `lr`: a share, and not a rate.",
            "The warm-up and the cosine say which share of the rate is used. The rate itself is still to be multiplied.",
            "Where does `lr` stand in the two formulas, and where in your code?",
        ),
        Mistake(
            "goes down in a straight line, one step ahead",
            rule(plan, left=lambda p: 1 - p, done=lambda k, warm, total: (k - warm + 1) / (total - warm)),
            "Your rate falls by the same amount in every step, and the first of these is taken right after the warm-up.",
            "Two things at once: a straight line stands where the cosine should, and a one is added to the part of the way that lies behind.",
            "Which part of the way lies behind when the way down begins? And how many lines of your code hold a cosine?",
        ),
        Mistake(
            "goes down in a straight line, and does not stop at the end",
            rule(plan, left=lambda p: 1 - p, end=None),
            "Your rate falls by the same amount in every step, and goes on falling after the end, below 0.",
            "Two things at once: a straight line in place of the cosine, and nobody looks whether the training is over.",
            "What does your line give one step after the end? Which condition is missing, and where is the cosine?",
        ),
    ]


def _share_alone(plan: str) -> Rate:
    right = rule(plan)

    def of_one(step: int, lr: float, warm: int, total: int) -> float:
        return right(step, 1.0, warm, total)

    def with_floor(step: int, lr: float, floor: float, warm: int, total: int) -> float:
        return right(step, 1.0, floor, warm, total)

    def by_epochs(step: int, lr: float, warm: int, total: int, per_epoch: int) -> float:
        return right(step, 1.0, warm, total, per_epoch)

    made: dict[str, Rate] = {"down to 0": of_one, "down to a floor": with_floor, "once in an epoch": by_epochs}
    return made[plan]
