"""What goes wrong with a deep and narrow network (exercise 02.7), how it is recognised, and what to say about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from companion.checks.bank import Mistake, Observed
from companion.checks.numbers import F64
from companion.checks.trace import Case


def build_stack(
    activation: Callable[[], nn.Module] | None,
    init: str = "default",
    *,
    depth: int = 6,
    width: int = 32,
    outputs: int = 10,
    last: Callable[[], nn.Module] | None = None,
) -> nn.Module:
    """Return a plain stack for the statement's table, the known mistakes and the other right answers."""
    sizes = [64, *[width] * depth, outputs]
    layers: list[nn.Module] = []
    for a, b in pairwise(sizes):
        linear = nn.Linear(a, b)
        if init != "default":
            std = {
                "he": (2 / a) ** 0.5,
                "xavier": (2 / (a + b)) ** 0.5,
                "small": 0.01,
                "large": 1.0,
                "zero": 0.0,
            }[init]
            nn.init.normal_(linear.weight, std=std)
            nn.init.zeros_(linear.bias)
        layers += [linear] if activation is None else [linear, activation()]
    if activation is not None:
        layers = layers[:-1]
    return nn.Sequential(*layers, *([last()] if last else []))


_shared: list[nn.Module] = []


def _one_network_for_all() -> nn.Module:
    if not _shared:
        _shared.append(build_stack(nn.LeakyReLU, "he"))
    return _shared[0]


# -- how they are recognised --------------------------------------------------------------------------

Matches = Callable[[Sequence[Case], Sequence[Observed]], bool]


def _every(test: Callable[[Observed], bool]) -> Matches:
    def matches(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
        return all(bool(o) and bool(o["is a network"]) and test(o) for o in observed)

    return matches


def _some(test: Callable[[Observed], bool]) -> Matches:
    def matches(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
        return any(bool(o) and bool(o["is a network"]) and test(o) for o in observed)

    return matches


def deep_enough(o: Observed) -> bool:
    """Return whether there are weight matrices for six hidden layers, and a way from pixels to scores passes as many."""
    return len(o["shapes"]) >= 7 and int(o.get("in a row", 7)) >= 7


def narrow_enough(o: Observed) -> bool:
    """Return whether no hidden layer has more units than allowed."""
    return bool((o["shapes"][:-1, 0] <= 32).all())


def is_linear(o: Observed) -> bool:
    """Return whether the network is a straight line at the start, and after training also far out, where a bend would show."""
    return _adds_up(o["start"]) and ("far" not in o or not o["far"].isfinite().all() or _adds_up(o["far"]))


def _adds_up(answers: Tensor) -> bool:
    """Return whether f(a) + f(b) equals f(0) + f(a + b) and the network is not constant."""
    if answers.shape != (5, 10):
        return False
    zero, a, b, both, _ = answers.to(F64)
    spread = (a - zero).abs().max()
    return bool((a + b - zero - both).abs().max() <= 1e-4 * spread) and spread.item() > 1e-4


def _shares(o: Observed) -> bool:
    start = o["start"].to(F64)
    if start.shape != (5, 10):
        return False
    whole = torch.ones(5, dtype=F64)
    return bool((start >= 0).all()) and torch.allclose(start.sum(dim=1), whole, atol=1e-5)


def _is_noisy(o: Observed) -> bool:
    """Return whether one picture, shown twice in a batch, gets two different scores, and not by rounding."""
    if o["start"].shape != (5, 10):
        return False
    one, other = o["start"].to(F64)[1], o["start"].to(F64)[4]
    return bool((one - other).abs().max() > 1e-3 * o["start"].abs().max())


def _between(low: float, high: float) -> Callable[[Observed], bool]:
    def within(t: Tensor) -> bool:
        return bool(((t >= low) & (t <= high)).all())

    return lambda o: "reach" in o and within(o["start"]) and within(o["reach"]) and not _never_moves(o)


def _never_moves(o: Observed) -> bool:
    return "loss" in o and bool(torch.isfinite(o["loss"]).all()) and o["loss"][-50:].mean().item() > 2.2


def _explodes(o: Observed) -> bool:
    return "loss" in o and (not bool(torch.isfinite(o["loss"]).all()) or o["loss"][0].item() > 20)


def _starts_sure_and_wrong(o: Observed) -> bool:
    return "loss" in o and not _explodes(o) and o["loss"][0].item() > 5


def _starts_at_nothing(o: Observed) -> bool:
    return _never_moves(o) and bool((o["start"].abs() < 1e-6).all())


# -- what is said -------------------------------------------------------------------------------------

_FORM = (
    Mistake(
        "builds the network once and hands it out again",
        _one_network_for_all,
        "Two calls of make_network returned the same object, so the second training began with a trained network.",
        "A network that is made outside the function, or kept between calls, exists once. A call hands out a reference "
        "to it and no copy, and its weights carry on.",
        "Print `make_network() is make_network()`. Where in your code is the network made: inside the function or before "
        "it?",
        matches=_some(lambda o: bool(o["shared"])),
    ),
    Mistake(
        "has too few hidden layers",
        lambda: build_stack(nn.ReLU, "he", depth=3),
        "On its longest way from pixels to scores your network passes fewer weight matrices than 6 hidden layers and the "
        "output layer need.",
        "Shallow networks train easily whatever stands between their layers. What this exercise is about, a signal that "
        "fades from layer to layer, needs depth to show.",
        "Print the network and count its Linear layers. Which of them are hidden, which one makes the scores, and does "
        "`forward` use each of them, one behind the other?",
        matches=_every(lambda o: not deep_enough(o)),
    ),
    Mistake(
        "has layers that are too wide",
        lambda: build_stack(nn.ReLU, "he", width=64),
        "A hidden layer of yours has more than 32 units: print the network and look at each `out_features`.",
        "Width makes up for a poor start, since among many units some carry the signal by luck. The limit leaves the "
        "work to the activation and the starting weights.",
        "Bring the widths down to what is allowed and train again. What is lost now is what activation and start have to "
        "win back.",
        matches=_every(lambda o: deep_enough(o) and not narrow_enough(o)),
    ),
    Mistake(
        "has no activations",
        lambda: build_stack(None, "xavier"),
        "Your network is linear: for two pictures a and b, f(a) + f(b) equals f(0) + f(a + b).",
        "Linear layers in a row merge into one, so depth has brought nothing, however well this one scores. Only a bend "
        "between them makes seven layers more than one.",
        "Read the chapter's proof that stacked layers collapse (exercise 02.5). Then look at what stands between two "
        "Linear layers of yours.",
        matches=_every(is_linear),
    ),
)

_ENDS = (
    Mistake(
        "ends in a softmax",
        lambda: build_stack(nn.LeakyReLU, "he", last=lambda: nn.Softmax(dim=-1)),
        "The ten outputs for each picture lie between 0 and 1 and sum to 1; the loss stays well above 0.",
        "Cross-entropy applies softmax itself. Fed with shares it sees logits that differ by 1 at most, so even a perfect "
        "answer costs 1.46 and the gradients are weak.",
        "Read the chapter's pitfall on softmax in the model and again in the loss. What does the loss expect to be given?",
        matches=_every(_shares),
    ),
    Mistake(
        "ends in a sigmoid or a tanh",
        lambda: build_stack(nn.LeakyReLU, "he", last=nn.Sigmoid),
        "No score of your network is below -1 or above 1, neither at the start nor after the training.",
        "A sigmoid or tanh at the end limits the scores. The softmax in the loss then sees logits that lie close "
        "together, and it can never become sure of a digit.",
        "Print the largest and smallest score after some training. Which range does a logit need, and which layer takes "
        "it away?",
        matches=_every(_between(-1.0, 1.0)),
    ),
    Mistake(
        "ends in a ReLU",
        lambda: build_stack(nn.ReLU, "he", last=nn.ReLU),
        "No score of your network is below 0, and many are exactly 0, before and after the training.",
        "An activation after the last layer cuts the scores off. A digit whose score is 0 for all pictures is a dead "
        "unit: no gradient tells the network to raise it.",
        "Read the chapter's pitfall on a ReLU at the output. Which numbers may a logit be, and where does your last "
        "activation stand?",
        matches=_every(_between(0.0, float("inf"))),
    ),
)

_STARTS = (
    Mistake(
        "starts all units of a layer alike",
        lambda: build_stack(nn.ReLU, "zero"),
        "At the start all rows of each weight matrix are the same: the units of a layer are copies of one another.",
        "Units with the same weights compute the same and receive the same gradient, so they stay twins for ever. Only "
        "chance in the starting weights tells them apart.",
        "Print `weight[:2]` of one layer before training. What could make its first two rows differ?",
        matches=_every(lambda o: bool(o["twins"].all())),
    ),
    Mistake(
        "starts with weights that are too small",
        lambda: build_stack(nn.ReLU, "small"),
        "Before training all ten scores of every picture are 0 to six digits, and the loss stays near 2.3, which is log "
        "10.",
        "Tiny weights hand on a tiny signal, and seven layers multiply the shrinking. Small looks safe, but the gradient "
        "is multiplied by the same weights on its way back.",
        "Print the standard deviation after each layer, before training. By which factor does it change from layer to "
        "layer, and which factor would keep it?",
        matches=_every(_starts_at_nothing),
    ),
    Mistake(
        "throws activations away at random",
        lambda: build_stack(lambda: nn.Sequential(nn.ReLU(), nn.Dropout(0.5)), "he"),
        "While it trains, your network gives the same picture other scores each time; on held-out digits it falls short.",
        "Dropout, or other noise between layers, keeps large networks from learning their data by heart. Narrow layers one "
        "behind another have no units to spare: little of a picture reaches the end.",
        "Take the dropout out and train again: what is missing then is another matter. If you want it back, in how many "
        "places, and with which share?",
        matches=_every(_is_noisy),
    ),
    Mistake(
        "loses the signal on the way",
        lambda: build_stack(nn.Sigmoid),
        "The loss stays near 2.3 to the end, which is log 10: the network guesses, the same for every picture.",
        "On its way through the layers the difference between two pictures shrinks until the last layer cannot see it; "
        "and the gradient that comes back to the first layers has shrunk as well.",
        "Send a few digits through layer by layer and print the spread over the pictures. Where is it lost: in the "
        "activation, or in the weights before it?",
        matches=_every(lambda o: _never_moves(o) and not _explodes(o)),
    ),
    Mistake(
        "starts with weights that are too large",
        lambda: build_stack(nn.ReLU, "large"),
        "The first loss is already huge, or the loss becomes infinite or nan on the way.",
        "Each layer multiplies the size of the signal, and seven factors above 1 multiply up. A sum of many inputs grows "
        "with their number, so the weights have to allow for it.",
        "Compare the standard deviation before and after each layer, untrained. How does the factor depend on the number "
        "of inputs of a unit?",
        matches=_every(_explodes),
    ),
    Mistake(
        "starts sure of itself, with units at their stops",
        lambda: build_stack(nn.Tanh, "large"),
        "The first loss is far above log 10, which is what guessing costs: untrained, the network is sure, and wrong.",
        "Large weights make large sums. Units that level off then stand at their stops from the start, where their slope "
        "is nearly 0, so little gradient comes back to correct them.",
        "Print which share of a hidden layer's outputs lies at the ends of the activation's range, before training. What "
        "would bring the sums nearer to 0?",
        matches=_every(_starts_sure_and_wrong),
    ),
)

MISTAKES = (*_FORM, *_ENDS, *_STARTS)
