"""One exercise of each kind that the chapters so far do not use, with its whole bank: held to the same rules as theirs."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import nn

from companion.checks import kinds
from companion.checks.bank import Mistake, Out, exercise
from companion.checks.cases import draw
from companion.checks.mutate import wrong_version
from companion.checks.trace import Call, Case
from companion.checks.written import Choice, Number, Option, Order

HINTS = ("Read the task again.", "Do the smallest case on paper.", "Compare the code with the formula, line by line.")
CLASSES = ("90.2", "90.3")
IDS = [f"90.{n}" for n in range(1, 11)]


# -- a function with its derivative -----------------------------------------------------------------


def softplus_and_slope(z):
    """Return log(1 + exp(z)) and its derivative, entry by entry."""
    value = torch.clamp(z, min=0) + torch.log1p(torch.exp(-torch.abs(z)))
    return value, 1 / (1 + torch.exp(-z))


def _slope_of_relu(z):
    return softplus_and_slope(z)[0], (z > 0).to(z.dtype)


def _slope_from_the_value(z):
    value, _ = softplus_and_slope(z)
    return value, value * (1 - value)


def _slope_of_the_slope(z):
    value, s = softplus_and_slope(z)
    return value, s * (1 - s)


def _overflows(z):
    return torch.log(1 + torch.exp(z)), 1 / (1 + torch.exp(-z))


@exercise("90.1", title="Softplus and its slope")
class Derivative:
    """A function with its gradient: the derivative is compared with autograd's of the learner's own value."""

    reference = softplus_and_slope
    returns = (Out("value"), Out("slope"))
    observe = staticmethod(kinds.agrees_with_autograd("value", "slope", "z"))
    properties = (kinds.DERIVATIVE,)
    read = "Derivatives"
    statement = """
        Write `softplus_and_slope(z)`: it returns log(1 + exp(z)) and the derivative of it, for any z.

        Example: for z = 0 they are 0.693 and 0.5.
        """
    mistakes = (
        Mistake("takes the slope of the ReLU", _slope_of_relu, "The slope is a step.", "It is the ReLU's.", "Draw it."),
        Mistake(
            "takes s(1 - s) of the value", _slope_from_the_value, "It goes negative.", "That is for s.", "Plot it."
        ),
        Mistake("differentiates twice", _slope_of_the_slope, "It falls again.", "It is the second.", "Plot both."),
        Mistake("overflows", _overflows, "It is inf for a large z.", "exp(z) overflows.", "Which sign is safe?"),
    )
    alternatives: ClassVar = {
        "logaddexp": lambda z: (torch.logaddexp(z, torch.zeros_like(z)), torch.sigmoid(z)),
        "slope from the value": lambda z: (v := torch.logaddexp(z, torch.zeros_like(z)), 1 - torch.exp(-v)),
    }
    hints = HINTS

    @staticmethod
    def cases(seed):
        """Draw small and large numbers."""
        large = torch.tensor([-90.0, 0.5, 800.0], dtype=torch.float64)
        return [
            draw("a few numbers", {"z": "N D"}, seed, grad=("z",)),
            Case("large numbers", {"z": large}, grad=("z",)),
            draw("float32, with gaps in memory", {"z": "N D"}, seed, dtype=torch.float32, strided=True),
        ]


# -- a class with state -----------------------------------------------------------------------------


class Standardiser(torch.nn.Module):
    """Standardise features: by the batch's numbers in training, by running numbers in evaluation."""

    def __init__(self, features, momentum):
        """Start with mean 0 and variance 1."""
        super().__init__()
        self.momentum = momentum
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("var", torch.ones(features))

    def forward(self, x):
        """Return x (N, D) with mean 0 and variance 1 per feature."""
        if not self.training:
            return (x - self.mean) / torch.sqrt(self.var + 1e-5)
        mean, var = x.mean(dim=0), x.var(dim=0, unbiased=False)
        n = len(x)
        self.mean = (1 - self.momentum) * self.mean + self.momentum * mean.detach()
        self.var = (1 - self.momentum) * self.var + self.momentum * var.detach() * n / (n - 1)
        return (x - mean) / torch.sqrt(var + 1e-5)


def _standardiser(**changes):
    """Return the class with other methods."""
    return type("Standardiser", (Standardiser,), changes)


def _never_follows(self, x):
    if not self.training:
        return (x - self.mean) / torch.sqrt(self.var + 1e-5)
    return (x - x.mean(dim=0)) / torch.sqrt(x.var(dim=0, unbiased=False) + 1e-5)


def _always_the_batch(self, x):
    training, self.training = self.training, True
    y = Standardiser.forward(self, x)
    self.training = training
    return y


def _batch_in_evaluation(self, x):
    if self.training:
        return Standardiser.forward(self, x)
    return (x - x.mean(dim=0)) / torch.sqrt(x.var(dim=0, unbiased=False) + 1e-5)


def _momentum_turned(self, x):
    self.momentum = 1 - self.momentum
    y = Standardiser.forward(self, x)
    self.momentum = 1 - self.momentum
    return y


def _biased(self, x):
    old = self.var
    y = Standardiser.forward(self, x)
    if self.training:
        self.var = (1 - self.momentum) * old + self.momentum * x.var(dim=0, unbiased=False)
    return y


class _Forgetful(nn.Module):
    def __init__(self, features, momentum):
        super().__init__()
        self.momentum, self.mean, self.var = momentum, torch.zeros(features), torch.ones(features)

    forward = Standardiser.forward


def _script(case):
    x, later = case.args["x"], case.args["later"]
    return [
        Call("Standardiser", (x.shape[1], case.args["momentum"]), keep="layer"),
        Call("$layer", (x,), ("x",), ("training 1",)),
        Call("$layer", (later,), ("later",), ("training 2",)),
        Call("@attribute", ("$layer", "mean"), returns=("running mean",)),
        Call("@attribute", ("$layer", "var"), returns=("running var",)),
        Call("$layer.eval", returns=()),
        Call("$layer", (x,), ("x",), ("evaluation 1",)),
        Call("@attribute", ("$layer", "mean"), returns=("running mean after it",)),
        Call("Standardiser", (x.shape[1], case.args["momentum"]), keep="other"),
        Call("@load", ("$other", "$layer"), returns=()),
        Call("$other.eval", returns=()),
        Call("$other", (x,), ("x",), ("evaluation of a copy",)),
    ]


class InPlace(nn.Module):
    """Another right one: the running numbers move in place."""

    def __init__(self, features, momentum):
        super().__init__()
        self.share = momentum
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("var", torch.ones(features))

    def forward(self, x):
        """Return x standardised."""
        mean, var = self.mean, self.var
        if self.training:
            var, mean = torch.var_mean(x, dim=0, correction=0)
            with torch.no_grad():
                self.mean.lerp_(mean, self.share)
                self.var.lerp_(x.var(dim=0), self.share)
        return (x - mean) * torch.rsqrt(var + 1e-5)


@exercise("90.2", title="A layer that remembers")
class State:
    """A class with state, driven through training, evaluation, saving and loading."""

    reference = Standardiser
    script = staticmethod(_script)
    returns = tuple(
        Out(n)
        for n in (
            "training 1", "training 2", "running mean", "running var", "evaluation 1", "running mean after it",
            "evaluation of a copy",
        )
    )  # fmt: skip
    tolerance = 1e-4
    read = "Normalisation"
    statement = """
        Write a class `Standardiser(features, momentum)`, a torch.nn.Module with buffers `mean` and `var`.

        Example: after one batch with momentum 1, `mean` is the batch's mean.
        """
    mistakes = (
        Mistake(
            "never follows", _standardiser(forward=_never_follows), "Evaluation is off.", "Nothing moves.", "Print."
        ),
        Mistake("takes the batch in evaluation, too", _standardiser(forward=_batch_in_evaluation), "S.", "W.", "N."),
        Mistake("learns in evaluation, too", _standardiser(forward=_always_the_batch), "S1.", "W1.", "N1."),
        Mistake("turns the momentum round", _standardiser(forward=_momentum_turned), "S2.", "W2.", "N2."),
        Mistake("keeps the biased variance", _standardiser(forward=_biased), "S3.", "W3.", "N3."),
        Mistake("does not save what it learned", _Forgetful, "A copy is off.", "No buffers.", "Print state_dict()."),
    )
    hints = HINTS

    alternatives: ClassVar = {"in place": InPlace}

    @staticmethod
    def cases(seed):
        """Draw two batches of different length."""
        sizes = {"N": 5, "M": 4, "D": 3}
        draws = [
            draw("two batches", {"x": "N D", "later": "M D"}, seed, dtype=t, sizes=sizes, plus={"momentum": 0.3})
            for t in (torch.float32,)
        ]
        return [
            *draws,
            draw("momentum 0.1", {"x": "N D", "later": "M D"}, seed + 1, dtype=torch.float32, plus={"momentum": 0.1}),
        ]


# -- an optimizer -----------------------------------------------------------------------------------


class Momentum:
    """Gradient descent with momentum: v <- m v + g, w <- w - lr v."""

    def __init__(self, params, lr, momentum):
        """Keep the parameters, and a velocity of 0 for each."""
        self.params, self.lr, self.momentum = list(params), lr, momentum
        self.velocity = [torch.zeros_like(p) for p in self.params]

    def step(self):
        """Move each parameter that has a gradient."""
        with torch.no_grad():
            for p, v in zip(self.params, self.velocity):
                if p.grad is not None:
                    v.mul_(self.momentum).add_(p.grad)
                    p.sub_(self.lr * v)


class _NoGradientNoStep(Momentum):
    def step(self):
        with torch.no_grad():
            for p, v in zip(self.params, self.velocity):
                v.mul_(self.momentum).add_(p.grad)
                p.sub_(self.lr * v)


class _Plain(Momentum):
    def step(self):
        with torch.no_grad():
            for p in self.params:
                if p.grad is not None:
                    p.sub_(self.lr * p.grad)


class _Damped(Momentum):
    def step(self):
        with torch.no_grad():
            for p, v in zip(self.params, self.velocity):
                if p.grad is not None:
                    v.mul_(self.momentum).add_((1 - self.momentum) * p.grad)
                    p.sub_(self.lr * v)


class _OneForAll(Momentum):
    def __init__(self, params, lr, momentum):
        super().__init__(params, lr, momentum)
        self.velocity = [torch.zeros(())] * len(self.params)

    def step(self):
        with torch.no_grad():
            for p in self.params:
                if p.grad is not None:
                    v = self.momentum * self.velocity[0] + p.grad
                    self.velocity = [v.mean()] * len(self.params)
                    p.sub_(self.lr * v)


class _Ascends(Momentum):
    def step(self):
        self.lr = -self.lr
        super().step()
        self.lr = -self.lr


class _Functional:
    def __init__(self, params, lr, momentum):
        self.rows = [[p, 0.0] for p in params]
        self.lr, self.momentum = lr, momentum

    @torch.no_grad()
    def step(self):
        for row in self.rows:
            if row[0].grad is not None:
                row[1] = row[0].grad + self.momentum * row[1]
                row[0] -= self.lr * row[1]


def _three_steps(case):
    calls = [Call("@parameter", (case.args[n],), keep=n) for n in ("w", "b")]
    calls.append(Call("Momentum", (["$w", "$b"], case.args["lr"], case.args["momentum"]), keep="optimizer"))
    for i in range(3):
        calls.append(Call("@gradient", ("$w", case.args["w"] * (i - 0.5)), returns=()))
        calls.append(Call("@gradient", ("$b", None if i == 1 else case.args["b"] + i), returns=()))
        calls.append(Call("$optimizer.step", returns=()))
        calls += [Call("@value", (f"${n}",), returns=(f"{n} after step {i + 1}",)) for n in ("w", "b")]
    return calls


@exercise("90.3", title="Momentum")
class Optimizer:
    """An optimizer: parameters and gradients are handed to it, three steps are compared."""

    reference = Momentum
    script = staticmethod(_three_steps)
    returns = tuple(Out(f"{n} after step {i}") for i in (1, 2, 3) for n in ("w", "b"))
    read = "Momentum"
    statement = """
        Write a class `Momentum(params, lr, momentum)` with a method step().

        Example: with momentum 0 it is gradient descent.
        """
    mistakes = (
        Mistake("needs a gradient everywhere", _NoGradientNoStep, "It stops.", "One has none.", "Which one?"),
        Mistake("keeps no velocity", _Plain, "From step 2 on it is off.", "No memory.", "Print v."),
        Mistake("damps the gradient", _Damped, "Too small.", "1 - m.", "Read the formula."),
        Mistake("shares one velocity", _OneForAll, "w moves with b.", "One list.", "Print both."),
        Mistake("goes up", _Ascends, "The loss rises.", "The sign.", "Which way?"),
    )
    alternatives: ClassVar = {"rows": _Functional}
    hints = HINTS

    @staticmethod
    def cases(seed):
        """Draw two parameters."""
        plus = {"lr": 0.1, "momentum": 0.7}
        return [draw("two parameters", {"w": "N D", "b": "D"}, seed, plus=plus),
                draw("float32", {"w": "N D", "b": "D"}, seed, dtype=torch.float32, plus=plus)]  # fmt: skip


# -- a training routine -----------------------------------------------------------------------------


def train(batches, X_test):
    """Return a class, 0 or 1, for each row of X_test (M, 2), from a net trained on batches of (X, y)."""
    weight = torch.zeros(2, requires_grad=True)
    bias = torch.zeros((), requires_grad=True)
    for _ in range(30):
        for X, y in batches:
            p = torch.sigmoid(X @ weight + bias)
            loss = -(y * torch.log(p) + (1 - y) * torch.log(1 - p)).mean()
            loss.backward()
            with torch.no_grad():
                for parameter in (weight, bias):
                    parameter -= parameter.grad
                    parameter.grad = None
    return (X_test @ weight + bias > 0).to(torch.float32)


def _ascending(batches, X_test):
    return 1 - train(batches, X_test)


def _constant(batches, X_test):
    return torch.ones(len(X_test))


def _one_batch(batches, X_test):
    for X, y in batches:
        return train([(X[:2] * 0 + 1, y[:2])], X_test)


def _endless_epochs(batches, X_test):
    weight = torch.zeros(2)
    for X, _ in batches:
        weight = weight + 0.0 * X.sum()
    return (X_test @ (weight + torch.tensor([1.0, -1.0])) > 0).to(torch.float32)


def _nearer_mean(batches, X_test):
    X, y = (torch.cat(part) for part in zip(*batches))
    a, b = X[y == 0].mean(0), X[y == 1].mean(0)
    return ((X_test - b).square().sum(1) < (X_test - a).square().sum(1)).to(torch.float32)


def _every(test):
    return lambda cases, observed: all(bool(o) and test(o) for o in observed)


@exercise("90.4", title="Train within a budget", points=2)
class Training:
    """A training routine: three seeds, a limited number of steps, predictions for rows without labels."""

    reference = train
    returns = (Out("predictions"), Out("taken"))
    observe = staticmethod(kinds.accuracy)
    judge = staticmethod(kinds.bar(0.9))
    scores = staticmethod(lambda observed: kinds.standing(observed, {"always 1": (0.5, 0.5, 0.5)}))
    needs_reference = False
    random = True
    timeout = 20.0
    read = "Training"
    statement = """
        Write `train(batches, X_test)`.

        Example: it returns one answer per row.
        """
    mistakes = (
        Mistake(
            "answers always the same",
            _constant,
            "S.",
            "W.",
            "N.",
            matches=_every(lambda o: o["kinds"] == 1 and o["taken"] == 0),
        ),
        Mistake(
            "has the classes swapped", _ascending, "S1.", "W1.", "N1.", matches=_every(lambda o: o["accuracy"] < 0.2)
        ),
        Mistake("sees one batch only", _one_batch, "S2.", "W2.", "N2.", matches=_every(lambda o: o["taken"] == 1)),
        Mistake(
            "never moves",
            _endless_epochs,
            "S3.",
            "W3.",
            "N3.",
            matches=_every(lambda o: 0.2 <= o["accuracy"] < 0.9 and o["taken"] > 1),
        ),
    )
    alternatives: ClassVar = {"the nearer mean": _nearer_mean}
    hints = HINTS

    @staticmethod
    def script(case):
        """Hand over batches of which at most 40 can be taken."""
        X, y = case.args["X"], case.args["y"]
        return [
            Call("@batches", (X, y, 16, 40, 1), keep="batches"),
            Call("train", ("$batches", case.args["X_test"]), ("batches", "X_test"), ("predictions",), repeat=False),
            Call("@taken", ("$batches",), returns=("taken",)),
        ]

    @staticmethod
    def cases(seed):
        """Draw two clouds, three times."""
        cases = []
        for n in range(3):
            g = torch.Generator().manual_seed(10 * seed + n + 1)
            y = (torch.rand(120, generator=g) < 0.5).to(torch.float32)
            X = torch.randn(120, 2, generator=g) + torch.stack([2.5 * y, 1.0 + 2 * y], dim=1)
            args = {"X": X[:80], "y": y[:80], "X_test": X[80:]}
            cases.append(Case(f"draw {n + 1}", args, secret={"y_test": y[80:]}, seed=n + 1, show=False))
        return cases


# -- a data pipeline --------------------------------------------------------------------------------

LEAKAGE_SCRIPT, LEAKAGE = kinds.leakage("prepare")


def prepare(train, test):
    """Return train (N, D) and test (M, D) with mean 0 and spread 1 per column, learned from train alone."""
    mean, std = train.mean(dim=0), train.std(dim=0)
    return (train - mean) / std, (test - mean) / std


def _by_all_rows(train, test):
    both = torch.cat([train, test])
    return (train - both.mean(0)) / both.std(0), (test - both.mean(0)) / both.std(0)


def _each_by_itself(train, test):
    std = test.std(0) if len(test) > 1 else torch.ones(test.shape[1], dtype=test.dtype)
    return (train - train.mean(0)) / train.std(0), (test - test.mean(0)) / std


def _only_train(train, test):
    return prepare(train, test)[0], test


def _whole_table(train, test):
    return (train - train.mean()) / train.std(), (test - train.mean()) / train.std()


@exercise("90.5", title="Prepare two tables")
class Pipeline:
    """A data pipeline, probed for leakage."""

    reference = prepare
    script = staticmethod(LEAKAGE_SCRIPT)
    properties = LEAKAGE
    returns = tuple(
        Out(n)
        for n in ("train out", "test out", "train out again", "test out again", "train out alone", "test out alone")
    )
    read = "Leakage"
    statement = """
        Write `prepare(train, test)`.

        Example: each column of the first has mean 0.
        """
    mistakes = (
        Mistake("learns from all rows", _by_all_rows, "S.", "W.", "N."),
        Mistake("prepares each by itself", _each_by_itself, "S1.", "W1.", "N1."),
        Mistake("forgets the held-out rows", _only_train, "S2.", "W2.", "N2."),
        Mistake("takes one mean for all columns", _whole_table, "S3.", "W3.", "N3."),
    )
    alternatives: ClassVar = {
        "stacked": lambda train, test: tuple((part - train.mean(0)) / train.std(0) for part in (train, test))
    }
    hints = HINTS

    @staticmethod
    def cases(seed):
        """Draw two tables."""
        return [
            draw("two tables", {"train": "N D", "test": "M D"}, seed, sizes={"N": 7, "D": 2, "M": 3}),
            draw("float32", {"train": "N D", "test": "M D"}, seed, dtype=torch.float32, sizes={"N": 5, "D": 3, "M": 4}),
        ]


# -- a model ----------------------------------------------------------------------------------------

CAUSAL_SCRIPT, CAUSAL = kinds.causality("make_model", at=4)


def make_model():
    """Return a torch.nn.Module from (B, 1, T) to (B, 1, T): a mean of the last three places, before them 0."""
    model = torch.nn.Sequential(
        torch.nn.ConstantPad1d((2, 0), 0.0), torch.nn.Conv1d(1, 1, 3, bias=False, dtype=torch.float64)
    )
    torch.nn.init.constant_(model[1].weight, 1 / 3)
    return model


def _padded(left, right, bias=False, kernel=3):
    def make():
        layer = nn.Conv1d(1, 1, kernel, bias=bias, dtype=torch.float64)
        nn.init.constant_(layer.weight, 1 / kernel)
        if bias:
            nn.init.zeros_(layer.bias)
        return nn.Sequential(nn.ConstantPad1d((left, right), 0.0), layer)

    return make


class ByHand(nn.Module):
    """Another right one: a padded convolution, cut at the end."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Conv1d(1, 1, 3, padding=2, bias=False, dtype=torch.float64)
        nn.init.constant_(self.layer.weight, 1 / 3)

    def forward(self, x):
        """Return the mean of the last three."""
        return nn.functional.conv1d(nn.functional.pad(x, (2, 0)), self.layer.weight)


@exercise("90.6", title="A model that does not look ahead")
class Model:
    """A model: shape, number of parameters, FLOPs, causality, equivariance."""

    reference = make_model
    script = staticmethod(CAUSAL_SCRIPT)
    properties = CAUSAL
    returns = tuple(Out(n) for n in ("size", "y", "y, later changed", "y, shifted"))
    random = True
    read = "Causality"
    statement = """
        Write `make_model()`.

        Example: of 3, 6, 9 it makes 1, 3, 6.
        """
    mistakes = (
        Mistake("pads both sides", _padded(1, 1), "S.", "W.", "N."),
        Mistake("pads the right side", _padded(0, 2), "S1.", "W1.", "N1."),
        Mistake("does not pad", _padded(0, 0), "S2.", "W2.", "N2."),
        Mistake("has a bias", _padded(2, 0, bias=True), "S3.", "W3.", "N3."),
        Mistake("takes two places", _padded(1, 0, kernel=2), "S4.", "W4.", "N4."),
    )
    hints = HINTS

    alternatives: ClassVar = {"by hand": ByHand}

    @staticmethod
    def cases(seed):
        """Draw one batch."""
        return [draw("a batch of three", {"x": "B C T"}, seed, sizes={"B": 3, "C": 1, "T": 9})]


# -- a plot -----------------------------------------------------------------------------------------


def plot_losses(train, val):
    """Return axes with two labelled lines, loss over epochs from 1, on a logarithmic scale."""
    from matplotlib.figure import Figure

    axes = Figure().add_subplot()
    epochs = range(1, len(train) + 1)
    axes.plot(epochs, train.tolist(), label="training")
    axes.plot(epochs, val.tolist(), label="validation")
    axes.set_xlabel("epoch")
    axes.set_ylabel("loss")
    axes.set_yscale("log")
    axes.legend()
    return axes


def _plot(change):
    def plot(train, val):
        axes = plot_losses(train, val)
        change(axes)
        return axes

    return plot


def _from_zero(axes):
    for line in axes.lines:
        line.set_xdata(line.get_xdata() - 1)


def _plot_facts(case, trace):
    facts = {k.removeprefix("figure."): v for k, v in trace.facts.items()}
    lines = {k: v for k, v in trace.tensors.items() if k.startswith("figure.line ")}
    return {
        "labelled": torch.tensor(bool(facts.get("x label")) and bool(facts.get("y label"))),
        "legend": torch.tensor(facts.get("legend", "").count("|") == 1),
        "log": torch.tensor(facts.get("y scale") == "log"),
        **lines,
    }


@exercise("90.7", title="Plot two losses")
class Plot:
    """A plot, read off its axes."""

    reference = plot_losses
    returns = (Out("figure", "table"),)
    observe = staticmethod(_plot_facts)
    read = "Curves"
    statement = """
        Write `plot_losses(train, val)`.

        Example: two lines.
        """
    mistakes = (
        Mistake("has no labels", _plot(lambda a: a.set_xlabel("")), "S.", "W.", "N."),
        Mistake("has no legend", _plot(lambda a: a.get_legend().remove()), "S1.", "W1.", "N1."),
        Mistake("hides the end of the curve", _plot(lambda a: a.set_yscale("linear")), "S2.", "W2.", "N2."),
        Mistake("counts epochs from 0", _plot(_from_zero), "S3.", "W3.", "N3."),
        Mistake("shows one line", _plot(lambda a: a.lines[1].remove()), "S4.", "W4.", "N4."),
    )
    alternatives: ClassVar = {"a figure": lambda train, val: plot_losses(train, val).figure}
    hints = HINTS

    @staticmethod
    def script(case):
        """Draw, then read the drawing."""
        return [
            Call("plot_losses", tuple(case.args.values()), keep="figure"),
            Call("@figure", ("$figure",), returns=("figure",)),
        ]

    @staticmethod
    def cases(seed):
        """Draw two falling curves."""
        train = torch.tensor([1.0, 0.5, 0.2, 0.1], dtype=torch.float64)
        return [Case("four epochs", {"train": train, "val": train + 0.05})]


# -- without code -----------------------------------------------------------------------------------


@exercise("90.8", title="How long does it take?")
class OneNumber:
    """A number with its unit."""

    written = Number(12.5, "ms", {"s": 1000.0, "us": 0.001}, tolerance=0.02)
    read = "Cost"
    statement = """
        Store the time of one step in `answer_90_8`, not as a function `answer_90_8(`.

        Example: `"3 ms"`.
        """
    mistakes = (
        Mistake("counts the forward pass only", "4.2 ms", "It is a third.", "The way back costs too.", "Count."),
        Mistake("counts the bias twice", "13.1 ms", "Slightly too long.", "Once is enough.", "Count."),
        Mistake("takes bits for bytes", "100 ms", "Eight times.", "8 bits.", "Units."),
        Mistake("divides by the batch", "0.39 ms", "Too short.", "It is per row.", "Units."),
    )
    alternatives: ClassVar = {"in seconds": "0.0125 s", "rounded": "12.6ms", "a pair": (12500, "us")}
    hints = HINTS


@exercise("90.9", title="Which one is it?")
class OneOfFive:
    """One of four options."""

    written = Choice(
        {
            "a": Option("It grows.", "It does not grow.", "You took the sum.", "Count the terms."),
            "b": Option("It stays.", "Right: each row is averaged."),
            "c": Option("It falls.", "It does not fall.", "You took the product.", "Try n = 2."),
            "d": Option("It is nan.", "It is finite.", "You divided by 0.", "When is n 0?"),
            "e": Option("It depends.", "It does not depend on n.", "You took n for D.", "Write the shape."),
        },
        right="b",
    )
    read = "Means"
    statement = """
        What happens? Store the letter in `answer_90_9`, not a function `answer_90_9(`.

        Example: `"a"`.
        """
    alternatives: ClassVar = {"capital": "B", "with a bracket": "b)"}
    hints = HINTS


@exercise("90.10", title="Put in order")
class InOrder:
    """Lines of code in order."""

    written = Order(
        {
            "a": "loss.backward()",
            "b": "optimizer.step()",
            "c": "loss = f(x)",
            "d": "optimizer.zero_grad()",
            "e": "x.detach()",
        },
        right="dcab",
        rules=("ca", "ab", "da"),
        spare="e",
    )
    read = "The loop"
    statement = """
        Put them in order; store it in `answer_90_10`, not a function `answer_90_10(`.

        Example: `"ab"`.
        """
    mistakes = (
        Mistake("steps before it has gradients", "dcba", "S.", "W.", "N."),
        Mistake("goes back before there is a loss", "dacb", "S1.", "W1.", "N1."),
        Mistake("clears the gradients it needs", "cadb", "S2.", "W2.", "N2."),
        Mistake("cuts the graph", "decab", "S3.", "W3.", "N3."),
        Mistake("forgets the step", "dca", "S4.", "W4.", "N4."),
    )
    alternatives: ClassVar = {"cleared later": "cdab", "with commas": "d, c, a, b", "a list": ["d", "c", "a", "b"]}
    hints = HINTS


WRONG_SIGN = wrong_version(softplus_and_slope, "flip a sign", "-z")
