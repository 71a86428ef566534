"""Exercise 09.5: normalise the batch."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from companion.checks.bank import Observed, Out, Property, exercise, rng
from companion.checks.ch09_regularization.e5_mistakes import MISTAKES
from companion.checks.levels import close
from companion.checks.numbers import F64, rows, vector
from companion.checks.trace import Call, Case, Trace


class BatchNorm(torch.nn.Module):
    """Give each unit the mean 0 and the variance 1 over the batch, then a scale and a shift that are learned."""

    mean: torch.Tensor
    variance: torch.Tensor

    def __init__(self, units: int, momentum: float, eps: float) -> None:
        """Begin with the scale 1, the shift 0, the running mean 0 and the running variance 1."""
        super().__init__()
        self.momentum, self.eps = momentum, eps
        self.gamma = torch.nn.Parameter(torch.ones(units))
        self.beta = torch.nn.Parameter(torch.zeros(units))
        self.register_buffer("mean", torch.zeros(units))
        self.register_buffer("variance", torch.ones(units))

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        """Return z (N, units) normalised: by the batch in training, by the running statistics in evaluation."""
        if self.training:
            mean, variance = z.mean(dim=0), z.var(dim=0, unbiased=False)
            with torch.no_grad():  # what is remembered is numbers, and not how they came about
                self.mean += self.momentum * (mean - self.mean)
                self.variance += self.momentum * (z.var(dim=0, unbiased=True) - self.variance)
        else:
            mean, variance = self.mean, self.variance
        return self.gamma * (z - mean) / (variance + self.eps).sqrt() + self.beta


class _BySums(nn.Module):
    """Add up by hand, and put new tensors in the places of the old ones."""

    mean: Tensor
    variance: Tensor

    def __init__(self, units: int, momentum: float, eps: float) -> None:
        super().__init__()
        self.share, self.small = momentum, eps
        for name, begin in (("mean", 0.0), ("variance", 1.0)):
            self.register_buffer(name, torch.full((units,), begin))
        self.beta = nn.Parameter(torch.zeros(units))
        self.gamma = nn.Parameter(torch.ones(units))

    def forward(self, z: Tensor) -> Tensor:
        if not self.training:
            return torch.addcmul(self.beta, self.gamma, (z - self.mean) * (self.variance + self.small).rsqrt())
        n = len(z)
        centre = z.sum(dim=0) / n
        apart = z - centre
        squares = (apart * apart).sum(dim=0)
        self.mean = (1 - self.share) * self.mean + self.share * centre.detach()
        self.variance = torch.lerp(self.variance, squares.detach() / (n - 1), self.share)
        return apart / torch.sqrt(squares / n + self.small) * self.gamma + self.beta


class _ByVarMean(nn.Module):
    """Take both from one function, and correct the variance by its factor."""

    mean: Tensor
    variance: Tensor

    def __init__(self, units: int, momentum: float, eps: float) -> None:
        super().__init__()
        self.gamma, self.beta = nn.Parameter(torch.ones(units)), nn.Parameter(torch.zeros(units))
        self.register_buffer("mean", torch.zeros(units))
        self.register_buffer("variance", torch.ones(units))
        self.steps = 0
        self.momentum, self.eps = momentum, eps

    def forward(self, z: Tensor) -> Tensor:
        use = {"mean": self.mean, "variance": self.variance}
        if self.training:
            self.steps += 1
            use["variance"], use["mean"] = torch.var_mean(z, dim=0, correction=0)
            factors = {"mean": 1.0, "variance": len(z) / (len(z) - 1)}
            for name, new in use.items():
                kept = getattr(self, name)
                kept.mul_(1 - self.momentum).add_(factors[name] * new.detach(), alpha=self.momentum)
        width = (use["variance"] + self.eps) ** 0.5
        return (z - use["mean"]) * (self.gamma / width) + self.beta


def _cases(seed: int) -> list[Case]:
    g = rng(seed + 95)

    def drawn(n: int, units: int) -> Tensor:
        return (
            torch.randn(n, units, generator=g, dtype=F64) * torch.linspace(0.5, 3, units) + torch.linspace(-4, 2, units)
        ).float()

    def case(
        name: str, units: int, momentum: float, eps: float, sizes: tuple[int, int, int], scale: float = 1.0
    ) -> Case:
        batches = [scale * drawn(n, units) for n in sizes]
        values = {"gamma": drawn(1, units)[0], "beta": drawn(1, units)[0]}
        given = {"units": units, "momentum": momentum, "eps": eps, "z": batches[0]}
        return Case(name, {**given, "later": (*batches[1:], scale * drawn(4, units)), "values": values}, grad=("z",))

    worked_out = {
        **{"units": 1, "momentum": 0.25, "eps": 0.0001, "z": rows([1], [3], [5], [7])},
        "later": (rows([8], [2], [5]), rows([4], [-2]), rows([3], [6], [1])),  # the last of them in evaluation
        "values": {"gamma": vector(2), "beta": vector(-1)},
    }
    return [
        Case("the four examples worked out", worked_out, grad=("z",)),
        case("three units", 3, 0.1, 1e-5, (5, 4, 6)),
        case("as many examples as units", 4, 0.3, 1e-5, (4, 4, 4)),
        case("a large eps", 2, 0.2, 2.0, (6, 3, 5)),
        case("batches of two", 3, 0.4, 0.01, (2, 2, 2)),
        case("a momentum of 1", 2, 1.0, 0.001, (3, 5, 4)),
        case("small numbers", 3, 0.15, 0.001, (7, 3, 4), 0.02),
    ]  # fmt: skip


def _script(case: Case) -> list[Call]:
    units, momentum, eps, z, (*batches, x), values = case.args.values()
    settings, names = (units, momentum, eps), ("units", "momentum", "eps")
    return [
        Call("BatchNorm", settings, names, keep="layer"),
        Call("@shapes", ("$layer",), returns=("shapes",)),
        Call("@state", ("$layer",), returns=("new",)),
        Call("$layer.train", (), keep="mode"),
        Call("$layer", (z,), ("z",), ("training",)),
        Call("@state", ("$layer",), returns=("after one",)),
        Call("@fill", ("$layer", values), returns=()),
        *[Call("$layer", (batch,), returns=(f"training {n}",)) for n, batch in enumerate(batches, 2)],
        Call("@state", ("$layer",), returns=("after all",)),
        Call("$layer.eval", (), keep="mode"),
        Call("$layer", (x,), returns=("evaluation",)),
        Call("$layer", (x[:1].clone(),), returns=("alone",)),
        Call("@state", ("$layer",), returns=("in the end",)),
        Call("BatchNorm", settings, names, keep="loaded"),
        Call("@load", ("$loaded", "$layer"), returns=()),
        Call("$loaded.eval", (), keep="mode"),
        Call("$loaded", (x,), returns=("loaded",)),
        Call("BatchNorm", settings, names, keep="slopes"),
        Call("@fill", ("$slopes", values), returns=()),
        Call("$slopes", (z,), ("z",), ("of another",), grad=("z",)),
        Call("@recorded", ("$slopes", ("mean", "variance")), returns=("recorded",)),
    ]


_OUTPUTS = ("training", "training 2", "training 3", "evaluation", "alone", "loaded", "of another")
_STATES = ("new", "after one", "after all", "in the end")


def _observe(case: Case, trace: Trace) -> Observed:
    """Return what came out, the two running statistics at four times, and what is learned and recorded."""
    t = trace.tensors
    kept = [f"{when}.{name}" for when in _STATES for name in ("mean", "variance")]
    found = {name: t[name] for name in (*_OUTPUTS, *kept) if name in t}
    learned = {name.removeprefix("shapes."): s.tolist() for name, s in t.items() if name.startswith("shapes.")}
    units = [case.args["units"]]
    found["learned"] = torch.tensor(learned == {"gamma": units, "beta": units})
    found["recorded"] = t.get("recorded", torch.tensor(False))
    return found


def _trained(case: Case, o: Observed) -> bool:
    z, eps = case.args["z"].to(F64), case.args["eps"]
    due = (z - z.mean(dim=0)) / (z.var(dim=0, unbiased=False) + eps).sqrt()
    return close(o["training"], due, 1e-3)


def _remembers(case: Case, o: Observed) -> bool:
    z, share = case.args["z"], case.args["momentum"]
    due = {"mean": share * z.mean(dim=0), "variance": 1 - share + share * z.var(dim=0)}
    return all(close(o[f"after one.{name}"], value, 1e-3) for name, value in due.items())


_PROPERTIES = (
    Property(
        "two things are learned",
        lambda case, o: bool(o["learned"]),
        "What is learned should be `gamma` and `beta`, one number for each unit, and nothing else.",
        "A `torch.nn.Parameter` is what an optimizer moves. The running statistics are moved by the batches, and are no parameters.",
        "Print `[(n, p.shape) for n, p in layer.named_parameters()]`.",
    ),
    Property(
        "the statistics are saved",
        lambda case, o: all(f"{when}.{name}" in o for when in _STATES for name in ("mean", "variance")),
        "`mean` or `variance` does not stand in the `state_dict()` of your layer, so that it is lost when the network is saved.",
        "A tensor that is only assigned to `self` is not part of the state. `register_buffer` makes it one.",
        'Print `layer.state_dict().keys()`. In `__init__`: `self.register_buffer("mean", torch.zeros(units))`.',
    ),
    Property(
        "a new layer normalises its batch in training",
        _trained,
        "With a scale of 1 and a shift of 0 your result of a first batch is not the normalised batch.",
        "For each unit, over the rows: off with the mean, and divided by the root of variance plus eps. That variance divides by N.",
        "Print mean and variance of each column of what you return. They should be 0, and a little less than 1.",
    ),
    Property(
        "the running statistics move by their share",
        _remembers,
        "The batch is normalised as it should be. After a first batch the running statistics are not what they should be.",
        "Each moves a share `momentum` of the way from what it was to what the batch has. The running variance takes the one that divides by N - 1.",
        "Do it on paper for the example, beginning with 0 and 1, and print both after the first call.",
    ),
    Property(
        "evaluation leaves the statistics alone",
        lambda case, o: all(torch.equal(o[f"after all.{n}"], o[f"in the end.{n}"]) for n in ("mean", "variance")),
        "Your running statistics move in evaluation.",
        "What is asked there may be a test set, or somebody's single picture. It must leave no trace in the network.",
        "Which of your lines run when `self.training` is False?",
    ),
    Property(
        "evaluation does not look at the batch",
        lambda case, o: close(o["alone"], o["evaluation"][:1], 1e-4),
        "In evaluation, the answer to an example changes with the rows that stand beside it.",
        "Mean and variance of the batch are used there. In evaluation the running ones take their place.",
        "Which mean is used when `self.training` is False?",
    ),
    Property(
        "no history is kept",
        lambda case, o: not bool(o["recorded"]),
        "All numbers are right. Your running statistics carry the record of how they were computed.",
        "Each batch is hung on to the one before it, so that memory grows with every step of a training.",
        "Bring them up to date within `with torch.no_grad():`, or from `z.detach()`.",
    ),
)


@exercise("09.5", title="Normalise the batch", points=3)
class NormaliseTheBatch:
    """Batch normalisation as a module: what it does in training, what it remembers, and what it does in evaluation."""

    reference = BatchNorm
    read = "Batch normalisation"
    returns = tuple(Out(name) for name in _OUTPUTS)
    script = _script
    observe = _observe
    properties = _PROPERTIES
    random = True  # all numbers come as float32, as the weights of a new layer are
    tolerance = 1e-3
    forbidden: ClassVar = dict.fromkeys(
        ("nn.functional.batch_norm", "batch_norm", "native_batch_norm", "nn.functional.instance_norm", "instance_norm"),
        "It does all of this by itself, running statistics too. Here you write its few lines.",
    )
    statement = r"""
        Batch normalisation gives each unit the mean 0 and the variance 1 over the examples of a batch. Then it applies a scale and a shift that are learned:

        $$\hat z = \frac{z - \bar z}{\sqrt{\operatorname{Var}(z) + \varepsilon}}, \qquad \text{result} = \gamma \hat z + \beta$$

        Write a class `BatchNorm(units, momentum, eps)`, a `torch.nn.Module` with the method `forward(z)` from (N, units) to (N, units). It holds

        * two parameters, `gamma` (1 at the start) and `beta` (0), each of shape (units,), as `torch.nn.Parameter(torch.ones(units))`,
        * two running statistics, `mean` (0 at the start) and `variance` (1), each of shape (units,). They are not learned, but have to be saved with
          the network. For that there is `self.register_buffer("mean", torch.zeros(units))`. It is used like any other attribute, as `self.mean`.

        **In training** (`self.training` is True; `train()` and `eval()` of a module set it) the batch is normalised with its own mean and
        its own variance, divided by N. And both running statistics move towards the batch, by the share `momentum`:

        $$r \leftarrow (1 - \text{momentum})\, r + \text{momentum} \cdot \text{value of the batch}$$

        The running variance takes in the variance of the batch that is divided by N - 1. Both keep numbers only, without a record
        for gradients. **In evaluation** the running statistics stand in for mean and variance, and nothing is changed. A training batch has two rows
        or more. Do not use the ready-made batch normalisation.

        Example: `BatchNorm(1, 0.25, 0.0001)`, and in training `z = [[1], [3], [5], [7]]`. The mean is 4, and the variance $(9 + 1 + 1 + 9)/4 = 5$. The result is
        `[[-1.342], [-0.447], [0.447], [1.342]]`. Now the running mean is $0.75 \cdot 0 + 0.25 \cdot 4 = 1$, and the running variance
        $0.75 \cdot 1 + 0.25 \cdot 20/3 = 2.417$. In evaluation a 3 would become $(3 - 1)/\sqrt{2.4168} = 1.287$.
    """
    cases = _cases
    mistakes = MISTAKES
    alternatives: ClassVar = {"by sums": _BySums, "by var_mean": _ByVarMean}
    hints = (
        "Begin with training alone, without anything that runs: mean, variance, root. `z.mean(dim=0)` has one number for each unit. Which "
        "option of `z.var` divides by N?",
        "Then let `forward` begin with `if self.training:`, and choose there which mean and variance are used below. In the same branch both "
        "running statistics move, under `torch.no_grad()`.",
        "`self.mean += self.momentum * (z.mean(dim=0) - self.mean)` moves the running mean, and the running variance moves likewise with "
        "`z.var(dim=0, unbiased=True)`. The last line is the same for both modes.",
    )
