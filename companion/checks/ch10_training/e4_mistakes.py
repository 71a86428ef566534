"""What goes wrong with the loop of an epoch (exercise 10.4), and what to say about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from companion.checks.bank import Mistake

Clip = Callable[[list[Tensor], float], None]
"""Changes slopes in place, for a limit."""
Mean = Callable[[Sequence[Any], Sequence[int]], Any]
"""From the losses of the batches and their sizes to what is returned."""


def _by_norm(slopes: list[Tensor], limit: float) -> None:
    length = float(torch.stack([s.norm() for s in slopes]).norm()) if slopes else 0.0
    if length > limit:
        for s in slopes:
            s *= limit / length


def _by_entry(slopes: list[Tensor], limit: float) -> None:
    for s in slopes:
        s.clamp_(-limit, limit)


def _one_by_one(slopes: list[Tensor], limit: float) -> None:
    for s in slopes:
        _by_norm([s], limit)


def _by_the_sum(slopes: list[Tensor], limit: float) -> None:
    length = sum(float(s.norm()) for s in slopes)
    if length > limit:
        for s in slopes:
            s *= limit / length


def _always(slopes: list[Tensor], limit: float) -> None:
    length = float(torch.stack([s.norm() for s in slopes]).norm())
    for s in slopes:
        s *= limit / length


def _to_one(slopes: list[Tensor], limit: float) -> None:
    _by_norm(slopes, 1.0)


def _over_examples(losses: Sequence[Any], sizes: Sequence[int]) -> Any:
    return sum(float(loss) * n for loss, n in zip(losses, sizes)) / sum(sizes)


def loop(
    order: str = "zfbcsd",
    *,
    first: str = "",
    last: str = "",
    mode: Callable[[nn.Module], object] = lambda net: net.train(),
    loss_of: Callable[[Tensor, Tensor], Tensor] = nn.functional.cross_entropy,
    clip: Clip = _by_norm,
    mean: Mean = _over_examples,
    kept: Callable[[Tensor], Any] = lambda loss: loss.item(),
    taken: Callable[[list[Any]], list[Any]] = lambda batches: batches,
) -> Callable[..., Any]:
    """Return a loop that does things in another order, or other things.

    Args:
        order: for each batch: z clear, f scores and loss, b backward, c clip, s step, d schedule.
        first: likewise, once before all batches.
        last: likewise, once after them.
        mode: what is done to the network first.
        loss_of: the loss of scores and classes.
        clip: how slopes are shortened.
        mean: what is returned.
        kept: what is kept of each loss.
        taken: which batches take part.
    """

    def train_epoch(net: nn.Module, optimizer: Any, schedule: Any, batches: Any, limit: float) -> Any:
        mode(net)
        losses: list[Any] = []
        sizes: list[int] = []
        loss = torch.zeros((), requires_grad=True)

        def do(letters: str, x: Tensor | None = None, y: Tensor | None = None) -> None:
            nonlocal loss
            for letter in letters:
                if letter == "z":
                    optimizer.zero_grad()
                elif letter == "f" and x is not None and y is not None:
                    loss = loss_of(net(x), y)
                elif letter == "b":
                    loss.backward()  # type: ignore[no-untyped-call]
                elif letter == "c":
                    clip([p.grad for p in net.parameters() if p.grad is not None], limit)
                elif letter == "s":
                    optimizer.step()
                elif letter == "d":
                    schedule.step()

        do(first)
        for x, y in taken(list(batches)):
            do(order, x, y)
            losses.append(kept(loss))
            sizes.append(len(y))
        do(last)
        return mean(losses, sizes)

    return train_epoch


def _summed(z: Tensor, y: Tensor) -> Tensor:
    return nn.functional.cross_entropy(z, y, reduction="sum")


def _of_batches(losses: Sequence[Any], sizes: Sequence[int]) -> Any:
    return sum(float(loss) for loss in losses) / len(losses)


def _all_but_short(batches: list[Any]) -> list[Any]:
    most = max(len(y) for _, y in batches)
    return [(x, y) for x, y in batches if len(y) == most]


def _held(losses: Sequence[Any], sizes: Sequence[int]) -> Any:
    return sum(loss * n for loss, n in zip(losses, sizes)) / sum(sizes)


_CLEARING = (
    Mistake(
        "never clears the slopes",
        loop("fbcsd"),
        "Your slopes add up from batch to batch: they are never cleared.",
        "`backward` adds to what stands in `.grad`. The third step goes by the slopes of three batches, two of them out of date.",
        "Print the length of the slopes before each step. Where should they be set back?",
    ),
    Mistake(
        "clears before the first batch only",
        loop("fbcsd", first="z"),
        "Your slopes are cleared once, above the loop, and add up from the first batch on.",
        "The first step is right, and the second goes by two batches. The line belongs to each batch.",
        "How far is your `zero_grad` moved in? It belongs to each round.",
    ),
    Mistake(
        "clears after the step only",
        loop("fbcsdz"),
        "Slopes that are there when you are called take part in your first step.",
        "Clearing at the end of a round serves the next batch. For the first one nobody has cleared anything.",
        "What may stand in `.grad` when your function begins? A line before the backward pass is safe in any case.",
        best="slopes left over from before",
    ),
    Mistake(
        "clears between backward and step",
        loop("fbzcsd"),
        "Your weights do not move: slopes are computed, and the step finds none.",
        "They are cleared in between, or were never written to `.grad`. The loss stays where it was, at the value of the start.",
        "Which line writes to `.grad`, and which one reads it? What stands between the two?",
    ),
)  # fmt: skip

_ORDER = (
    Mistake(
        "steps before it goes back",
        loop("zfcsbd"),
        "Your step comes before the backward pass: it finds no slopes, or old ones.",
        "`backward` writes the slopes that the step reads. With clearing in between, every step stands still.",
        "Which of the two lines needs what the other has written?",
    ),
    Mistake(
        "steps before it goes back, and clears after the step only",
        loop("fcsbd", last="z"),
        "Each of your steps goes by the slopes of the batches before: the backward pass comes after it.",
        "`backward` writes the slopes that the step reads, and here it is a batch late.",
        "Put `backward` above the step. Then ask where the old slopes are cleared.",
    ),
    Mistake(
        "never goes back",
        loop("zfcsd"),
        "No slopes are computed: nothing goes back through the loss in your loop.",
        "A step by empty slopes moves nothing. PyTorch takes that for intended and is silent.",
        "Which line turns a loss into slopes of the weights?",
    ),
    Mistake(
        "never steps",
        loop("zfbcd"),
        "Slopes are computed, and the optimizer is never asked for a step.",
        "`backward` does not move anything. It only writes slopes beside the weights.",
        "Which line of yours changes the weights?",
    ),
    Mistake(
        "steps twice",
        loop("zfbcssd"),
        "Your optimizer takes two steps for each batch, both by the same slopes.",
        "The second one goes on blindly. With momentum it goes farther than the first.",
        "Count the calls of `optimizer.step()` in one round.",
    ),
    Mistake(
        "asks the network twice",
        loop("zffbcsd"),
        "Your network is asked twice about each batch.",
        "The second pass costs as much as the first, and in training mode it moves the running statistics once more.",
        "Keep the scores under a name. Who else needs them?",
    ),
    Mistake(
        "takes the loss after the step",
        loop("zfbcsdf"),
        "Your network is asked about each batch once more, after the step, and that loss is what you return.",
        "It is the loss of other weights, which have just learned this batch, so that it is too good. And the second pass moves the running statistics once more.",
        "Which loss belongs to the batch: the one before its step, or the one after? Keep the first under a name.",
    ),
    Mistake(
        "leaves short batches out",
        loop(taken=_all_but_short),
        "Batches that are smaller than the others take no step.",
        "Leaving out a last short batch may be a choice of the loader. Your function is to use each batch that it is given.",
        "How often does your loop run, and how many batches are there?",
    ),
    Mistake(
        "leaves the network in its mode",
        loop(mode=lambda net: None),
        "A network that comes in evaluation learns in evaluation.",
        "The evaluation of the last epoch may have left it so. Then nothing is dropped, and running statistics stand still.",
        "Which call belongs above the loop, whatever was before?",
        best="a network that comes in evaluation",
    ),
    Mistake(
        "trains in evaluation mode",
        loop(mode=lambda net: net.eval()),
        "You put the network into evaluation, and then train it.",
        "Dropout does nothing then, and each batch is normalised by running statistics that never move.",
        "Which of the two modes belongs to an epoch of training?",
    ),
)  # fmt: skip

_CLIPPING = (
    Mistake(
        "never clips",
        loop("zfbsd"),
        "Where slopes are longer than the limit, your step is as long as they are.",
        "Either `limit` is not used, or the line that shortens stands above the backward pass, where there are no slopes of this batch yet.",
        "Which line writes the slopes, and which one reads them? Shortening belongs between the two.",
    ),
    Mistake(
        "clips after the step",
        loop("zfbscd"),
        "Your slopes are shortened after the step has used them.",
        "The next batch clears them, so that the line does nothing at all.",
        "Which line reads the slopes? What changes them has to come before it.",
    ),
    Mistake(
        "clips entry by entry",
        loop(clip=_by_entry),
        "Each entry of your slopes is cut at the limit by itself, as `clip_grad_value_` does.",
        "That changes the direction, and all together may still be longer than the limit. Asked for is the length of all as one vector.",
        "What is the length of the two slopes 3 and 4? What becomes of them with a limit of 1, in yours and in the task?",
    ),
    Mistake(
        "clips each tensor by itself",
        loop(clip=_one_by_one),
        "Each tensor of slopes is shortened by itself, to the limit.",
        "All together are then still longer than the limit, and the direction changes. There is one length, that of all slopes.",
        "How many lengths do you compute for one batch? There should be one.",
    ),
    Mistake(
        "adds the lengths of the tensors up",
        loop(clip=_by_the_sum),
        "You add up the lengths of the tensors and compare the sum with the limit, so that slopes become shorter than it.",
        "Lengths do not add up, their squares do: a slope of 3 and one of 4 make a vector of length 5, and not 7.",
        "What do you get for two tensors with the lengths 3 and 4? Which function makes one number of all tensors?",
    ),
    Mistake(
        "makes every step as long as the limit",
        loop(clip=_always),
        "Short slopes are made longer with you: they always have the length of the limit.",
        "Clipping only shortens. Near a minimum slopes become small, and steps should, too.",
        "What should happen to slopes that are shorter than the limit?",
    ),
    Mistake(
        "clips to a length of 1",
        loop(clip=_to_one),
        "Your slopes are shortened to the length 1, whatever the limit is.",
        "A number that was written into an example has stayed. The caller says how long slopes may be.",
        "Which argument of your function is not used?",
    ),
)

_SCHEDULE = (
    Mistake(
        "never moves the schedule",
        loop("zfbcs"),
        "Your rate stays at what it was: `schedule.step()` is never called.",
        "A schedule does nothing by itself. Without its calls it is decoration.",
        "Print the rate of the first step and of the last.",
    ),
    Mistake(
        "moves the schedule once an epoch",
        loop("zfbcs", last="d"),
        "Your schedule is moved on once, at the end, and not after each step.",
        "This one counts steps. Made for a thousand of them and moved on ten times, it has hardly begun when the training ends.",
        "How far is your `schedule.step()` moved in? What does the task say that it counts?",
    ),
    Mistake(
        "moves the schedule before the step",
        loop("zfbcds"),
        "Each of your steps is taken at the rate that was meant for the next one.",
        "The first rate of the schedule is never used. With a warm-up that is its lowest one, and with a fall its highest.",
        "At which rate should the first step be taken? Print it.",
    ),
    Mistake(
        "moves the schedule at the beginning of a round",
        loop("dzfbcsd", last=""),
        "Your schedule is moved on twice for each batch, before and after.",
        "The rate falls twice as fast as it should, and the first step is taken too low.",
        "Count the calls of `schedule.step()` in one round.",
    ),
    Mistake(
        "moves the schedule twice",
        loop("zfbcsdd"),
        "Your schedule is moved on twice after each step, so that it ends half-way through the training.",
        "One of the two lines may stand in a helper, or in a place where it was before.",
        "Print the rates of the first three steps, and compare with the schedule.",
    ),
)

_LOSS = (
    Mistake(
        "adds losses up with their records",
        loop(kept=lambda loss: loss, mean=_held),
        "All numbers are right. Your total holds the losses with everything that led to them: memory grows from batch to batch.",
        "`total += loss` ties each batch's record to the next one. After some thousand batches the memory is full, in the middle of a training.",
        "What does `.item()` or `.detach()` leave of a loss?",
        best="many batches, in float32",
    ),
    Mistake(
        "averages the losses of batches",
        loop(mean=_of_batches),
        "The weights are right. Your loss is the mean of the batches' means.",
        "A short last batch then weighs as much as a full one. Each example should weigh the same.",
        "Do the numbers of the example: is it 1.0 or 1.05 with you?",
    ),
    Mistake(
        "returns the loss of the last batch",
        loop(mean=lambda losses, sizes: losses[-1]),
        "The weights are right. Your result is the loss of the last batch alone.",
        "One batch is a noisy sample. A curve of such numbers jumps, whatever the training does.",
        "What is still there after the loop of all the losses before?",
    ),
    Mistake(
        "returns the sum of losses",
        loop(mean=lambda losses, sizes: sum(float(a) * n for a, n in zip(losses, sizes))),
        "The weights are right. Your result is the sum over all examples: the division is missing.",
        "It grows with the number of rows, so that two data sets cannot be compared.",
        "How many examples went into your sum? Count them as you go.",
    ),
    Mistake(
        "writes over the loss in each round",
        loop(mean=lambda losses, sizes: float(losses[-1]) * sizes[-1] / sum(sizes)),
        "The weights are right. Your result is the loss of the last batch's examples, divided by the number of all.",
        "`total = ...` puts the new sum in place of the old one, where it should be added.",
        "Which sign stands in the line of your total: `=` or `+=`?",
    ),
    Mistake(
        "divides by the size of the last batch",
        loop(mean=lambda losses, sizes: sum(float(a) * n for a, n in zip(losses, sizes)) / sizes[-1]),
        "The weights are right. Your sum over all examples is divided by the size of the last batch.",
        "The count is written over in each round, so that after the loop it holds one batch alone.",
        "Print your count after the loop. How many examples have been used?",
    ),
    Mistake(
        "divides by the number of batches",
        loop(mean=lambda losses, sizes: sum(float(a) * n for a, n in zip(losses, sizes)) / len(sizes)),
        "The weights are right. Your sum over examples is divided by the number of batches.",
        "What is counted in examples is divided by a number of batches, so that the result grows with the batch size.",
        "In what are your two totals counted: examples or batches?",
    ),
    Mistake(
        "divides means by the number of examples",
        loop(mean=lambda losses, sizes: sum(float(a) for a in losses) / sum(sizes)),
        "The weights are right. Your loss is too small: means of batches are divided by the number of examples.",
        "`cross_entropy` has divided by the size of the batch already. What is added up has to be a sum over its examples.",
        "By what do you have to multiply the mean of a batch before you add it?",
    ),
    Mistake(
        "adds up the loss of a batch",
        loop(loss_of=_summed, mean=lambda losses, sizes: sum(losses) / sum(sizes)),
        "Your slopes are those of the sum over the batch: they are longer by the batch size.",
        "The step then depends on how many examples a batch has, and a rate that was right for the mean is too high.",
        "What is `reduction` in your loss? For the report you may multiply afterwards.",
    ),
    Mistake(
        "takes a softmax before the loss",
        loop(loss_of=lambda z, y: nn.functional.cross_entropy(torch.softmax(z, dim=1), y)),
        "Your loss is that of scores which went through a softmax before `cross_entropy`.",
        "`cross_entropy` takes a softmax itself. With two of them slopes are small, and the loss cannot come near 0.",
        "What does the network return, and what does `cross_entropy` expect?",
    ),
)

_PAIRS = (
    Mistake(
        "never clears the slopes, and clips after the step",
        loop("fbscd"),
        "Your slopes add up from batch to batch, and they are shortened only after the step has used them.",
        "Two things at once: `backward` adds, so that old slopes have to be cleared, and the limit comes too late.",
        "Begin with the clearing. Then put the clipping between backward pass and step.",
    ),
    Mistake(
        "never clips, and moves the schedule once an epoch",
        loop("zfbs", last="d"),
        "Slopes of any length are used, and the schedule is moved on once at the end.",
        "Two things at once: `limit` is not used, and this schedule counts steps.",
        "Look for `limit` in your code. Then ask how often the rate should change.",
    ),
    Mistake(
        "moves the schedule before the step, and adds losses up with their records",
        loop("zfbcds", kept=lambda loss: loss, mean=_held),
        "Each of your steps is taken at the rate that was meant for the next one, and your total holds the records of all batches.",
        "Two things at once: the first rate of the schedule is never used, and a loss that is added as it is keeps its whole batch alive.",
        "Begin with the schedule: print the rate of the first step. Then ask what `.item()` leaves of a loss.",
        best="many batches, in float32",
    ),
    Mistake(
        "moves the schedule once an epoch, and averages the losses of batches",
        loop("zfbcs", last="d", mean=_of_batches),
        "Your schedule is moved on once at the end, and your loss is a mean of the batches' means.",
        "Two things at once: this schedule counts steps, and a short batch weighs as much as a full one.",
        "Begin with the schedule: print the rate of each step. Then do the example for the loss.",
    ),
    Mistake(
        "moves the schedule once an epoch, and leaves the network in its mode",
        loop("zfbcs", last="d", mode=lambda net: None),
        "Your schedule is moved on once at the end, and a network that comes in evaluation stays there.",
        "Two things at once: this schedule counts steps, and nobody puts the network into training.",
        "Begin with the line above the loop. Then print the rate of each step.",
    ),
    Mistake(
        "never clips, and averages the losses of batches",
        loop("zfbsd", mean=_of_batches),
        "Slopes of any length are used, and your loss is a mean of the batches' means.",
        "Two things at once: `limit` is not used, and a short batch weighs as much as a full one.",
        "Begin with `limit`. Then multiply each loss by the size of its batch.",
    ),
    Mistake(
        "adds losses up with their records, and leaves the network in its mode",
        loop(kept=lambda loss: loss, mean=_held, mode=lambda net: None),
        "Your total holds the records of all batches, and a network that comes in evaluation stays there.",
        "Two things at once: a loss that is added as it is keeps its whole batch alive, and nobody calls `train()`.",
        "Begin with the line above the loop. Then ask what your total is made of.",
        best="many batches, in float32",
    ),
    Mistake(
        "averages the losses of batches, and leaves the network in its mode",
        loop(mean=_of_batches, mode=lambda net: None),
        "Your loss is a mean of the batches' means, and a network that comes in evaluation stays there.",
        "Two things at once: a short batch weighs as much as a full one, and nobody calls `train()`.",
        "Begin with the line above the loop. Then do the numbers of the example.",
    ),
)

MISTAKES = (*_CLEARING, *_ORDER, *_CLIPPING, *_SCHEDULE, *_LOSS, *_PAIRS)
