"""Ways to learn from targets of which some are wrong (exercise 04.7): right ones, known mistakes, and what to say about each."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from companion.checks import kinds
from companion.checks.bank import Mistake, Observed
from companion.checks.trace import Case
from companion.models.mlp import mlp
from companion.training import fit

TARGET = 53.0
Predict = Callable[[Tensor], Tensor]
Train = Callable[[Tensor, Tensor], Predict]
Loss = Callable[[Tensor, Tensor], Tensor]
huber, absolute, squared = nn.functional.huber_loss, nn.functional.l1_loss, nn.functional.mse_loss


def _prepared(X: Tensor) -> Callable[[Tensor], Tensor]:
    mean, spread = X.mean(dim=0), X.std(dim=0)
    return lambda x: (x - mean) / spread


def _half(y: Tensor) -> Tensor:
    """Return the distance from the median within which half of the targets lie."""
    return (y - y.median()).abs().median()


def neuron(
    X: Tensor,
    y: Tensor,
    loss: Loss,
    *,
    middle: Tensor | float | None = None,
    scale: Tensor | float | None = None,
    hidden: Sequence[int] = (),
    epochs: int = 40,
    lr: float = 0.05,
    net: nn.Module | None = None,
    raw: bool = False,
    back: bool = True,
) -> Predict:
    """Return what a network predicts that was trained on standardised measurements and scaled targets.

    Args:
        X: the measurements.
        y: the targets.
        loss: from outputs and scaled targets to a number.
        middle: taken off the targets; their median if none.
        scale: what they are divided by; the median distance from their median if none.
        hidden: widths of hidden layers; without any it is one linear neuron.
        epochs: how often all patients are gone through.
        lr: the learning rate.
        net: another network, which is left in training mode.
        raw: leave out the standardising when it predicts.
        back: turn the answers back into the unit of y.
    """
    middle = y.median() if middle is None else middle
    scale = _half(y) if scale is None else scale
    prepared = _prepared(X)
    model = mlp([10, *hidden, 1]) if net is None else net
    fit(model, prepared(X), ((y - middle) / scale)[:, None], loss=loss, epochs=epochs, lr=lr, batch_size=64)
    if net is None:
        model.eval()
    else:
        model.train()

    def predict(x: Tensor) -> Tensor:
        with torch.no_grad():
            out: Tensor = model(x if raw else prepared(x))[:, 0]
        return out * scale + middle if back else out

    return predict


# -- ways without a training loop ---------------------------------------------------------------------


def _with_one(x: Tensor) -> Tensor:
    return torch.cat([x, torch.ones(len(x), 1)], dim=1)


def squares(X: Tensor, y: Tensor, votes: Tensor | None = None) -> Predict:
    """Return least squares in which each patient has as many votes as told, else one."""
    prepared = _prepared(X)
    root = torch.ones(len(y), 1) if votes is None else votes.sqrt()[:, None]
    found = torch.linalg.lstsq(root * _with_one(prepared(X)), root * y[:, None]).solution[:, 0]
    return lambda x: _with_one(prepared(x)) @ found


def _reweighted(X: Tensor, y: Tensor) -> Predict:
    """Repeat least squares with votes that fall with the size of the error, which comes to the absolute error."""
    predict = squares(X, y)
    for _ in range(30):
        predict = squares(X, y, 1 / (y - predict(X)).abs().clamp(min=1.0))
    return predict


def _trimmed(X: Tensor, y: Tensor) -> Predict:
    """Leave out what lies far from the median."""
    near = (y - y.median()).abs() < 4 * _half(y)
    return squares(X[near], y[near])


def _least_trimmed(X: Tensor, y: Tensor) -> Predict:
    """Repeat least squares on the three quarters that are fitted best."""
    kept = (y - y.median()).abs().argsort()[: 3 * len(y) // 4]
    for _ in range(20):
        kept = (squares(X[kept], y[kept])(X) - y).abs().argsort()[: 3 * len(y) // 4]
    return squares(X[kept], y[kept])


def _neighbours(X: Tensor, y: Tensor) -> Predict:
    """Answer with the median of the 25 patients who are most alike."""
    prepared = _prepared(X)
    return lambda x: y[torch.cdist(prepared(x), prepared(X)).topk(25, largest=False).indices].median(dim=1).values


def _by_a_loop(X: Tensor, y: Tensor) -> Predict:
    """Go down the slope of the Huber loss, with an error of 40 as its bend and no scaling of the targets."""
    mean, spread = X.mean(dim=0), X.std(dim=0)
    weight, bias = torch.zeros(10), y.median()
    for _ in range(500):
        slope = ((X - mean) / spread @ weight + bias - y).clamp(-40, 40)
        weight, bias = weight - 0.1 * slope @ ((X - mean) / spread) / len(y), bias - 0.1 * slope.mean()
    return lambda x: (x - mean) / spread @ weight + bias


class _Network(nn.Module):
    """A module that keeps the scales, with 16 ReLUs."""

    def __init__(self, X: Tensor, y: Tensor) -> None:
        super().__init__()
        self.predict = neuron(X, y, absolute, hidden=(16,), lr=0.01, epochs=20)

    def forward(self, x: Tensor) -> Tensor:
        """Return the predictions."""
        return self.predict(x)


ALTERNATIVES: dict[str, Train] = {
    "absolute error": lambda X, y: neuron(X, y, absolute),
    "absolute error in the unit of y": lambda X, y: neuron(X, y, absolute, middle=0.0, scale=1.0, lr=1.0),
    "reweighted least squares": _reweighted,
    "trimmed by the median": _trimmed,
    "least trimmed squares": _least_trimmed,
    "median of the neighbours": _neighbours,
    "Huber by a loop": _by_a_loop,
    "16 ReLUs, absolute error": _Network,
}


# -- how mistakes are recognised ----------------------------------------------------------------------


def _allowed(test: Callable[[Observed], bool]) -> kinds.Matches:
    """Recognise something in predictions that depend on the patient alone, and miss the target in some draw."""

    def matches(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
        whole = all("error" in o and not kinds.asks_its_companions(o) and test(o) for o in observed)
        return whole and any(o["error"].item() > TARGET for o in observed)

    return matches


def _is_constant(o: Observed) -> bool:
    return o["spread"].item() < 0.02


def _by_heart(o: Observed) -> bool:
    return o["by heart"].item() > 0.15


def _pulled(low: float, high: float) -> Callable[[Observed], bool]:
    return lambda o: low < o["pull"].item() <= high and not _by_heart(o) and not _is_constant(o)


# -- what is said -------------------------------------------------------------------------------------


def _in_a_column(X: Tensor, y: Tensor) -> Predict:
    predict = neuron(X, y, huber)
    return lambda x: predict(x)[:, None]


def _by_its_batch(X: Tensor, y: Tensor) -> Predict:
    predict = neuron(X, y, huber, raw=True)
    return lambda x: predict((x - x.mean(dim=0)) / x.std(dim=0))


def _with_dropout(X: Tensor, y: Tensor) -> Predict:
    return neuron(X, y, huber, net=nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 1)))


_CONDITIONS = (
    Mistake(
        "predicts in a column",
        _in_a_column,
        "Your predictions have the shape (N, 1), and a tensor of the shape (N,) is asked for.",
        "A linear layer with one output keeps its axis. Subtract targets of the shape (N,) from such a column, and a table "
        "of N rows and N columns comes out, without a word.",
        "Print the shape of what you return for five patients. Which index takes the last axis away?",
        matches=kinds.every(lambda o: "shape" in o and o["shape"].tolist() == [int(o["rows"]), 1]),
    ),
    Mistake(
        "scales with the patients that it is asked about",
        _by_its_batch,
        "For the same patient it predicts something else when other patients stand beside them.",
        "Mean or spread are computed from what comes in, so that each patient is measured against their companions. A single "
        "patient has no spread at all.",
        "Which numbers does your function compute from its input, over the first axis? From which patients should they be?",
        matches=kinds.every(lambda o: "error" in o and not kinds.answers_by_chance(o) and kinds.asks_its_companions(o)),
    ),
    Mistake(
        "leaves the dropout on",
        _with_dropout,
        "Asked twice about the same patients it gives two different predictions.",
        "Something in it draws random numbers whenever it is called, as dropout does in training mode. In use that is noise.",
        "What does `net.training` say of the network that you return? See what `net.eval()` changes.",
        matches=kinds.every(kinds.answers_by_chance),
    ),
)

_SCALES = (
    Mistake(
        "answers in the scaled unit",
        lambda X, y: neuron(X, y, huber, back=False),
        "Your predictions lie around 0 and hardly reach 10. The disease is counted from 25 to 346.",
        "The network was trained on scaled targets, and its answers come back in that unit. Whoever asks does not know how you "
        "scaled.",
        "What did you do to y before the training? The same steps backwards lead from an answer to a prediction.",
        matches=_allowed(lambda o: o["size"].item() < 20),
    ),
    Mistake(
        "is trained on prepared measurements and asked about raw ones",
        lambda X, y: neuron(X, y, huber, raw=True),
        "It predicts well for standardised measurements. It is asked about measurements in their own units.",
        "In training the mean was taken off and the spread divided out. Who uses it has a body mass of 25 and a blood pressure "
        "of 90.",
        "What happens to X before the training sees it? Where can the same be done in the function that you return?",
        matches=_allowed(lambda o: o["if prepared"].item() <= TARGET),
    ),
    Mistake(
        "has not come near the targets",
        lambda X, y: neuron(X, y, absolute, middle=0.0, scale=1.0),
        "All of your predictions are far too low, also for the patients of the training.",
        "A bounded slope takes equal steps, however far away the target is. From 0 to a target of 150 that is a long way, and "
        "the training ended before.",
        "Print the loss of each epoch: does it still fall in the last one? Ask also in which unit the targets are, and where "
        "the network starts.",
        matches=_allowed(lambda o: o["bias"].item() < -60 and o["size"].item() >= 20),
    ),
    Mistake(
        "says the same for everybody",
        lambda X, y: lambda x: y.median().expand(len(x)),
        "All held-out patients get the same prediction.",
        "A number for everybody does not use the measurements. The median stays calm among wrong targets, which is half of "
        "the task; the other half is to tell patients apart.",
        "If you meant to use the measurements: print predictions for five patients, and the shapes of what meets in your loss.",
        matches=_allowed(_is_constant),
    ),
)

_PULLED = (
    Mistake(
        "learns the wrong targets by heart",
        lambda X, y: neuron(X, y, huber, hidden=(64, 64), lr=0.01, epochs=200),
        "For patients of the training whose target has 1000 added, your predictions are far above those for the others.",
        "The model has room enough to fit single patients, the wrong targets too. A loss that forgives does not help against "
        "that: given time, even a bounded slope leads there.",
        "Count your parameters beside 300 patients. What does a smaller model do, or a shorter training?",
        matches=_allowed(_by_heart),
    ),
    Mistake(
        "trains with the squared error",
        lambda X, y: neuron(X, y, squared),
        "The mean of your predictions is that of the given targets, wrong ones included: far too high for everybody.",
        "That is what squared errors do: an error of 1000 pulls like fifty of 20. A cut at three standard deviations changes "
        "nothing, because the wrong targets have made that number large.",
        "Compare mean and median of y. Which loss answers with which of them?",
        matches=_allowed(_pulled(0.8, 2.0)),
    ),
    Mistake(
        "forgives too late",
        lambda X, y: neuron(X, y, huber, middle=y.mean(), scale=y.std()),
        "Your predictions are too high for nearly everybody: the wrong targets pull less than with squares, and still a lot.",
        "Huber's bend lies too far out. δ is measured in the unit that you train in; if y was divided by a standard deviation "
        "that the wrong targets made large, δ = 1 is hundreds.",
        "Turn your δ back into the unit of y. How many of the errors of a good model are larger than that?",
        matches=_allowed(_pulled(0.25, 0.8)),
    ),
)

MISTAKES = (*_CONDITIONS, *_SCALES, *_PULLED)
