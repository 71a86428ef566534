"""What goes wrong with thirty layers (exercise 08.8): trainings, known mistakes, and what to say about each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from companion.checks import kinds
from companion.checks.bank import Mistake, Observed
from companion.checks.numbers import F64
from companion.checks.trace import Case

HIDDEN = 30
WIDTH, NARROW = 32, 8
BENDS = HIDDEN // 2
SAY = 0.01
"""How far the scores have to move if a layer is set to 0, as a part of how far pictures lie apart."""
Training = Callable[[], tuple[nn.Module, Any]]
Optimizer = Callable[[nn.Module], Any]


def sgd(lr: float, **options: Any) -> Optimizer:
    """Return what makes plain gradient descent for a network."""
    return lambda network: torch.optim.SGD(network.parameters(), lr=lr, **options)


def adam(lr: float) -> Optimizer:
    """Return what makes Adam for a network."""
    return lambda network: torch.optim.Adam(network.parameters(), lr=lr)


def by(make: Callable[[], nn.Module], optimizer: Optimizer) -> Training:
    """Return a training of a network with an optimizer."""

    def training() -> tuple[nn.Module, Any]:
        network = make()
        return network, optimizer(network)

    return training


def draw(linear: nn.Linear, start: str) -> None:
    """Draw the weights of a layer anew; its biases begin at 0."""
    nn.init.zeros_(linear.bias)
    if start == "orthogonal":
        nn.init.orthogonal_(linear.weight)
        return
    inputs, units = linear.in_features, linear.out_features
    std = {
        "he": (2 / inputs) ** 0.5,
        "xavier": (2 / (inputs + units)) ** 0.5,
        "lecun": inputs**-0.5,
        "one": 1.0,
        "zero": 0.0,
    }
    nn.init.normal_(linear.weight, std=std[start])


def stack(
    activation: Callable[[], nn.Module] | None,
    start: str = "default",
    *,
    hidden: int = HIDDEN,
    width: int = WIDTH,
    last: Any = None,
) -> Callable[[], nn.Module]:
    """Return what makes a plain stack."""

    def make() -> nn.Module:
        layers: list[nn.Module] = []
        for a, b in pairwise([64, *[width] * hidden, 10]):
            linear = nn.Linear(a, b)
            if start != "default":
                draw(linear, start)
            layers += [linear] if activation is None else [linear, activation()]
        layers = layers if activation is None else layers[:-1]
        return nn.Sequential(*layers, *([last()] if last else []))

    return make


class Around(nn.Module):
    """A residual block of two layers; the last may begin at 0, small, or as PyTorch draws it."""

    def __init__(self, begin: str = "zero") -> None:
        super().__init__()
        self.first, self.last = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)
        if begin != "default":
            draw(self.first, "he")
            draw(self.last, "zero" if begin == "zero" else "he")
        if begin == "small":
            self.last.weight.data /= (HIDDEN / 2) ** 0.5

    def forward(self, x: Tensor) -> Tensor:
        """Return what came in plus what the layers add."""
        out: Tensor = self.last(torch.relu(self.first(x)))
        return x + out


def residual(begin: str = "zero") -> Callable[[], nn.Module]:
    """Return what makes a first layer, fifteen residual blocks, and the layer of the scores: 32 tables of weights."""
    blocks = HIDDEN // 2
    return lambda: nn.Sequential(nn.Linear(64, WIDTH), *[Around(begin) for _ in range(blocks)], nn.Linear(WIDTH, 10))


# -- networks that are less deep than they look ------------------------------------------------------------


class _AgainAndAgain(nn.Module):
    """One hidden layer, used thirty times."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.inner, self.scores = nn.Linear(64, WIDTH), nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, 10)
        draw(self.inner, "orthogonal")

    def forward(self, x: Tensor) -> Tensor:
        h = torch.tanh(self.first(x))
        for _ in range(HIDDEN):
            h = torch.tanh(self.inner(h))
        out: Tensor = self.scores(h)
        return out


class _PlainList(nn.Module):
    """Thirty layers in a list of Python, of which a module takes no notice."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.scores = nn.Linear(64, WIDTH), nn.Linear(WIDTH, 10)
        self.inner = [nn.Linear(WIDTH, WIDTH) for _ in range(HIDDEN)]
        for layer in self.inner:
            draw(layer, "orthogonal")

    def forward(self, x: Tensor) -> Tensor:
        h = torch.tanh(self.first(x))
        for layer in self.inner:
            h = torch.tanh(layer(h))
        out: Tensor = self.scores(h)
        return out


class _NextToNothing(nn.Module):
    """Residual blocks that add a ten-thousandth of what their layers make."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.scores = nn.Linear(64, WIDTH), nn.Linear(WIDTH, 10)
        self.inner = nn.ModuleList(nn.Linear(WIDTH, WIDTH) for _ in range(HIDDEN))

    def forward(self, x: Tensor) -> Tensor:
        h = torch.relu(self.first(x))
        for layer in self.inner:
            h = h + 1e-4 * torch.relu(layer(h))
        out: Tensor = self.scores(h)
        return out


class _PastAllLayers(nn.Module):
    """Two layers that do the work, and a deep stack beside them from which nothing arrives."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.scores = nn.Linear(64, WIDTH), nn.Linear(WIDTH, 10)
        self.deep = nn.Sequential(*[m for _ in range(HIDDEN) for m in (nn.Linear(WIDTH, WIDTH), nn.Sigmoid())])

    def forward(self, x: Tensor) -> Tensor:
        h = torch.relu(self.first(x))
        out: Tensor = self.scores(h + self.deep(h))
        return out


def _one_bend() -> nn.Module:
    """Return a stack with a single ReLU, behind the first layer."""
    layers = [nn.Linear(64, WIDTH), *[nn.Linear(WIDTH, WIDTH) for _ in range(HIDDEN - 1)], nn.Linear(WIDTH, 10)]
    for layer in layers:
        draw(layer, "orthogonal")
    return nn.Sequential(layers[0], nn.ReLU(), *layers[1:])


class _ThroughNeedles(nn.Module):
    """Two layers that do the work, and thirty tables of a single number in front of the scores."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.scores = nn.Linear(64, WIDTH), nn.Linear(WIDTH, 10)
        self.factors = nn.ParameterList(nn.Parameter(torch.ones(1, 1)) for _ in range(HIDDEN))

    def forward(self, x: Tensor) -> Tensor:
        h = torch.relu(self.first(x))[..., None]
        for factor in self.factors:
            h = torch.relu(h @ factor)
        out: Tensor = self.scores(h[..., 0])
        return out


_kept: list[tuple[nn.Module, Any]] = []


def _one_for_all() -> tuple[nn.Module, Any]:
    if not _kept:
        _kept.append(by(residual(), adam(3e-3))())
    return _kept[0]


def _optimizer_of_another() -> tuple[nn.Module, Any]:
    make = residual()
    return make(), adam(3e-3)(make())


def _optimizer_of_the_last() -> tuple[nn.Module, Any]:
    network = stack(nn.Tanh, "orthogonal")()
    return network, torch.optim.Adam(list(network.parameters())[-2:], lr=3e-3)


# -- how they are recognised --------------------------------------------------------------------------------


def every(test: Callable[[Observed], bool]) -> kinds.Matches:
    """Return what recognises a mistake that is to be seen in all trainings."""
    return kinds.every(lambda o: "in a row" in o and test(o))


def _some(test: Callable[[Observed], bool]) -> kinds.Matches:
    """Return what recognises a mistake that is to be seen in all trainings that miss the target, if some do."""

    def matches(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
        missed = [o for o in observed if bool(o) and "accuracy" in o and o["accuracy"].item() < 0.9]
        return bool(missed) and all(bool(o) and "in a row" in o for o in observed) and all(test(o) for o in missed)

    return matches


def tables(o: Observed) -> int:
    """Return how many tables of weights there are that are not narrower than a layer may be."""
    return int((o["shapes"] >= NARROW).all(dim=1).sum())


def deep_enough(o: Observed) -> bool:
    """Return whether a way from the pixels to the scores passes 31 tables of weights, each of them another one."""
    return tables(o) > HIDDEN and int(o["in a row"]) > HIDDEN


def narrow_enough(o: Observed) -> bool:
    """Return whether no layer but the last has more than 32 units."""
    return bool((o["shapes"][:-1, 0] <= WIDTH).all())


def bends_enough(o: Observed) -> bool:
    """Return whether there is a bend for every second hidden layer."""
    return int(o["bends"]) >= BENDS


def have_a_say(o: Observed) -> int:
    """Return how many tables of weights the scores depend on."""
    return int((o["says"].nan_to_num(nan=1.0) > SAY).sum()) if "says" in o else HIDDEN + 1


def _past_its_layers(o: Observed) -> bool:
    """Return whether a network that is deep enough has learned, and most of its layers have no say."""
    learned = "accuracy" in o and o["accuracy"].item() > 0.5
    return deep_enough(o) and narrow_enough(o) and have_a_say(o) <= HIDDEN and learned


def _whisper(o: Observed) -> bool:
    """Return whether the layers without a say all have about the same little one: what they make is multiplied by it."""
    low = o["says"][o["says"] <= SAY] if "says" in o else torch.zeros(0)
    return len(low) > 1 and bool(low.min() > 0) and bool(low.max() < 30 * low.min())


def is_linear(o: Observed) -> bool:
    """Return whether the network is a straight line at the start, and far out after training, where a bend shows."""
    far = o.get("far")
    return _adds_up(o["start"]) and (far is None or (bool(far.isfinite().all()) and _adds_up(far)))


def _adds_up(answers: Tensor) -> bool:
    """Return whether f(a) + f(b) equals f(0) + f(a + b), and the answers differ."""
    if answers.shape != (5, 10):
        return False
    zero, a, b, both, _ = answers.to(F64)
    spread = (a - zero).abs().max()
    return bool((a + b - zero - both).abs().max() <= 1e-4 * spread) and spread.item() > 1e-6 * zero.abs().max().item()


def _apart_at_start(o: Observed) -> float:
    """Return how far the scores of two pictures lie apart at the start, as a part of their size."""
    start = o["start"].to(F64)
    if start.shape != (5, 10) or not bool(start.isfinite().all()):
        return 1.0
    return float((start[1] - start[2]).abs().max() / start.abs().max().clamp(min=1e-30))


def _dies(o: Observed) -> bool:
    """Return whether nothing of the pictures arrives: the same scores for all, or too small to move the loss."""
    largest = o["start"].abs().max().item()
    faint = 0 < largest < 1e-3 and "loss" in o and bool((o["loss"] - o["loss"][0]).abs().max() < 0.1)
    return faint or _apart_at_start(o) < 1e-3


def _all_at_0(o: Observed) -> bool:
    return "loss" in o and bool((o["start"].abs() == 0).all()) and bool((o["loss"] > 2).all())


def _begins_too_large(o: Observed) -> bool:
    return not bool(o["start"].isfinite().all()) or ("loss" in o and not o["loss"][0].item() < 10)


def _climbs(o: Observed) -> bool:
    """Return whether the loss grows from the first steps on, not all at once, and never below what it was."""
    loss = o["loss"].nan_to_num(nan=1e9)
    slowly = bool(loss[:5].max() < loss[0] + 1)
    return slowly and bool(loss[:10].min() >= loss[0] - 0.05) and bool(loss[-20:].mean() > loss[0] + 0.2)


def _thrown(o: Observed) -> bool:
    loss = o["loss"]
    rises = not bool(loss.isfinite().all()) or bool(loss.max() > loss[0] + 0.7)
    return rises or bool(loss[-50:].mean() > loss[:20].mean())


def _still_falls(o: Observed) -> bool:
    loss = o["loss"]
    falls = bool(loss[:50].mean() - loss[-50:].mean() > 0.005)
    return bool(loss.isfinite().all()) and bool(loss.max() < loss[0] + 0.7) and falls


def _never_negative(o: Observed) -> bool:
    """Return whether no score is ever below 0, near the data and far away from it, and they are no shares."""
    scores = [o["start"], *([o["far"]] if "far" in o else [])]
    return all(bool((s >= 0).all()) for s in scores) and not _shares(o) and not _all_at_0(o) and not _dies(o)


def _shares(o: Observed) -> bool:
    start = o["start"].to(F64)
    return start.shape == (5, 10) and bool((start >= 0).all()) and bool((start.sum(dim=1) - 1).abs().max() < 1e-5)


def _hovers(o: Observed) -> bool:
    """Return whether the loss stays high to the end and has been lower in between, as where long steps keep shares at 0 and 1."""
    if "loss" not in o or not bool(o["loss"].isfinite().all()):
        return False
    means = o["loss"].unfold(0, 20, 1).mean(dim=1)
    return bool(means[-1] > 2.1) and bool(means[-1] > means.min() + 0.004)


# -- what is said -------------------------------------------------------------------------------------------

_DEPTH = (
    Mistake(
        "hands out the same network again",
        _one_for_all,
        "Two calls of make_training returned the same network, so the second training began with a trained one.",
        "A network that is kept outside of the function exists once. Each call hands out a reference to it, with "
        "all it has learned.",
        "Where is your network made: inside the function, or before it?",
        matches=lambda cases, observed: any(bool(o.get("shared", False)) for o in observed),
    ),
    Mistake(
        "hands the optimizer other weights",
        _optimizer_of_another,
        "No weight of your network has moved in 200 steps.",
        "The optimizer steps, but with the weights of another network: one that was made in another call, or replaced later.",
        "Compare `optimizer.param_groups[0]['params'][0] is next(network.parameters())`. Which of the two is "
        "made first in your code?",
        matches=every(lambda o: bool(o["handed"] == 0)),
    ),
    Mistake(
        "hands the optimizer a part of the weights",
        _optimizer_of_the_last,
        "Some weights of your network stay as they were drawn, through all 200 steps.",
        "The optimizer moves what it was given, and it was not given all. What stays as it was drawn has learned nothing.",
        "Print how many parameters the network has, and how many stand in `optimizer.param_groups`. Are lists of "
        "layers registered?",
        matches=_some(lambda o: bool(o["handed"] < 0.9)),
    ),
    Mistake(
        "has too few layers",
        by(stack(nn.Tanh, "orthogonal", hidden=8), adam(1e-3)),
        "On its longest way from the pixels to the scores your network passes fewer tables of weights than 30 "
        "hidden layers need.",
        "Shallow networks train with nearly any start. What this exercise is about shows only in the product of "
        "many factors.",
        "Count the Linear layers that an input passes, one behind the other: 30 hidden ones and one for the scores.",
        matches=every(lambda o: int(o["in a row"]) <= HIDDEN),
    ),
    Mistake(
        "keeps its layers where the network does not find them",
        by(_PlainList, adam(1e-3)),
        "A signal passes many layers in your network, and most of them are not among its parameters.",
        "A module finds layers that are its attributes, or stand in a ModuleList or a Sequential. In a plain list or dict it "
        "does not look, so that the optimizer never gets them.",
        "Print `len(list(network.parameters()))`. What kind of thing holds your layers, and what does `torch.nn` have in its place?",
        matches=every(lambda o: int(o["in a row"]) > HIDDEN >= len(o["shapes"]) and int(o["outside"]) > 0),
    ),
    Mistake(
        "uses one layer again and again",
        by(_AgainAndAgain, adam(1e-3)),
        "A signal passes many layers in your network, and several of them are one and the same.",
        "A layer that is used thirty times has one table of weights. It is a network of another kind, and has a "
        "thirtieth of the weights.",
        "Print how many different weights your network has: `len(list(network.parameters()))`. Is each layer made anew?",
        matches=every(lambda o: int(o["in a row"]) > HIDDEN >= len(o["shapes"]) and int(o["outside"]) == 0),
    ),
    Mistake(
        "has layers that are too wide",
        by(stack(nn.Tanh, "orthogonal", width=48), adam(1e-3)),
        "A hidden layer of yours has more than 32 units: print the network and look at each `out_features`.",
        "Width makes up for a poor start, as among many units some carry the signal by luck. The limit leaves "
        "the work to you.",
        "Bring the widths down to 32 and train again. What is lost now is what start, shortcuts and optimizer "
        "have to win back.",
        matches=every(lambda o: deep_enough(o) and not narrow_enough(o)),
    ),
    Mistake(
        "has no activations",
        by(stack(None, "orthogonal"), adam(1e-3)),
        "Your network is a straight line: for two pictures a and b, f(a) + f(b) equals f(0) + f(a + b).",
        "Linear layers in a row merge into one, however many they are. Only a bend between them makes thirty "
        "layers more than one.",
        "What stands between two Linear layers of yours? With shortcuts: what stands inside of each block?",
        matches=every(lambda o: deep_enough(o) and is_linear(o)),
    ),
    Mistake(
        "has bends in a few places only",
        by(_one_bend, sgd(0.02)),
        "Most of your layers follow one another without an activation between them, and merge into one.",
        "Between two bends any number of linear layers is a single one. It trains easily, as the network is as shallow as its bends.",
        "Print the network. Behind how many of its Linear layers stands an activation? It should be every second one at least.",
        matches=every(lambda o: deep_enough(o) and not is_linear(o) and not bends_enough(o)),
    ),
    Mistake(
        "has layers that are too narrow",
        by(_ThroughNeedles, adam(0.003)),
        "Several of your tables are narrower than a layer may be: they lead from fewer than 8 numbers, or to fewer than 8.",
        "A chain of factors, one number each, passes many tables and is no deep network. Hidden layers here have 8 to 32 units.",
        "Print the shapes: `[tuple(p.shape) for p in network.parameters()]`. Which of them are the smallest?",
        matches=every(lambda o: int(o["in a row"]) > HIDDEN and len(o["shapes"]) > HIDDEN >= tables(o)),
    ),
    Mistake(
        "adds next to nothing in each layer",
        by(_NextToNothing, adam(3e-3)),
        "Most of your layers have hardly any say: if the check sets their weights to 0, the scores move by less than a hundredth.",
        "What each of them adds is multiplied by a tiny factor, and a training of 200 steps does not make up for it. The few others do the work.",
        "By which number is it multiplied before it is added? Thirty parts of equal weight want a factor near one over the root of 30.",
        matches=every(lambda o: _past_its_layers(o) and _whisper(o)),
    ),
    Mistake(
        "leads past its layers",
        by(_PastAllLayers, adam(3e-3)),
        "Most of your layers have no say: if the check sets their weights to 0, the scores stay as they are.",
        "A way around all layers at once leaves a shallow network, with a deep one beside it from which nothing arrives.",
        "How many layers does each of your shortcuts jump over? Let each of them jump over one or two.",
        matches=every(lambda o: _past_its_layers(o) and not _whisper(o)),
    ),
    Mistake(
        "ends in a softmax, and takes steps that are too long",
        by(stack(nn.Tanh, "orthogonal", last=lambda: nn.Softmax(dim=-1)), sgd(1.0)),
        "The ten outputs for each picture add up to 1, and the loss goes up and down above 2.1 to the end.",
        "Two things at once: the loss applies a softmax itself, and long steps push the shares of yours to 0 and 1, where it is flat.",
        "Hand the scores over as they leave the last layer. Then divide the rate by ten and watch the loss every 20 steps.",
        matches=lambda cases, observed: every(_shares)(cases, observed) and _some(_hovers)(cases, observed),
    ),
    Mistake(
        "ends in a softmax",
        by(stack(nn.Tanh, "orthogonal", last=lambda: nn.Softmax(dim=-1)), adam(1e-3)),
        "The ten outputs for each picture lie between 0 and 1 and add up to 1.",
        "The loss applies a softmax itself. Fed with shares it sees scores that differ by 1 at most, and hardly "
        "any slope comes back.",
        "What does cross-entropy expect: scores, or probabilities? Look at the last layer of your network.",
        matches=every(_shares),
    ),
)

_TRAINING = (
    Mistake(
        "ends in a ReLU",
        by(stack(nn.Tanh, "orthogonal", last=nn.ReLU), sgd(0.02)),
        "None of your scores is ever negative: something behind the last layer sets them to 0.",
        "A score says how much speaks for a digit, and where much speaks against it has to be able to fall below 0. What is cut off there gets no slope either.",
        "Print the last two lines of your network. Behind which layers belongs an activation, and behind which does none?",
        matches=_some(_never_negative),
    ),
    Mistake(
        "lets chance into layer after layer",
        by(stack(lambda: nn.Sequential(nn.Tanh(), nn.Dropout(0.5)), "orthogonal"), adam(1e-3)),
        "In training the same picture gets other scores in each call: most of what they say is chance, as behind many dropouts.",
        "Each dropout adds chance to the signal, and thirty in a row leave little else. It is a remedy for learning by heart, which is "
        "not the trouble here.",
        "Take the dropouts out and train again. By how much does the loss fall in 200 steps now?",
        matches=_some(
            lambda o: "chance" in o and o["chance"].item() > 0.5 and not _dies(o) and not _begins_too_large(o)
        ),
    ),
    Mistake(
        "begins with all weights at 0",
        by(stack(nn.ReLU, "zero"), adam(1e-3)),
        "At the start all your scores are 0, whatever the picture, and most of your weights never move.",
        "With all weights at 0 every unit holds 0, and no slope gets past a layer of zeros. Units that are equal "
        "also stay equal.",
        "In which layers may zeros stand, so that the others still get a slope? A last layer of a block is one example.",
        matches=_some(_all_at_0),
    ),
    Mistake(
        "lets the signal die on its way",
        by(stack(nn.ReLU), sgd(0.1)),
        "Before the training two different pictures get the same scores: nothing of them arrives at the last layer.",
        "Each layer makes the differences smaller by a factor, and thirty such factors leave nothing. The slope "
        "dies likewise.",
        "Send a few pictures through your new network and print the standard deviation over them after each "
        "layer. Which start keeps it?",
        matches=_some(lambda o: _dies(o) and not _all_at_0(o)),
    ),
    Mistake(
        "begins with numbers that are too large",
        by(stack(nn.ReLU, "one"), sgd(0.1)),
        "Your loss begins far above 2.3, which is what guessing costs: the scores are huge before the first step.",
        "Each layer makes the signal larger by a factor, and thirty of them make a number with many digits, for "
        "the slope too.",
        "Send a few pictures through your new network and print the standard deviation after each layer. By what "
        "does it grow?",
        matches=_some(_begins_too_large),
    ),
    Mistake(
        "goes uphill",
        by(residual(), lambda network: torch.optim.Adam(network.parameters(), lr=1e-3, maximize=True)),
        "Your loss grows from the first steps on, and never comes below where it began.",
        "The steps lead the way in which the slope points. `maximize=True` does that, and so does a rate below 0.",
        "With which options is your optimizer made? Take one step, and compare the loss of the same pictures "
        "before and after.",
        matches=_some(_climbs),
    ),
    Mistake(
        "takes steps that are too long",
        by(residual(), sgd(0.1)),
        "Your network begins well: pictures differ, and the loss is small. Then the steps throw it away, and it "
        "does not come back.",
        "In thirty layers many slopes act together, so that the loss bends more sharply. A rate that is good for "
        "two layers is too large.",
        "Divide your rate by ten and watch the loss every 20 steps. Does it still jump?",
        matches=_some(lambda o: not _dies(o) and not _begins_too_large(o) and not _climbs(o) and _thrown(o)),
    ),
    Mistake(
        "takes steps that are too short",
        by(residual(), adam(3e-5)),
        "Your loss falls steadily, and is still on its way when the 200 steps are over.",
        "Nothing dies and nothing is thrown about. There are no more steps, so each of them has to lead farther.",
        "Multiply your rate by three, as long as the loss does not jump, or take an optimizer of chapter 7. If that is not "
        "enough, try a way around the layers: there a step leads farther.",
        matches=_some(lambda o: not _dies(o) and not _climbs(o) and not _thrown(o) and _still_falls(o)),
    ),
)

MISTAKES = (*_DEPTH, *_TRAINING)
