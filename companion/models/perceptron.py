"""Rosenblatt's perceptron: one neuron with a step, and the rule by which it learns from its mistakes."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from companion import functional as F
from companion.errors import bad_value
from companion.functional._arguments import (
    require_float,
    require_float_like,
    require_number,
    require_tensor,
    require_whole,
    under_autocast,
)

_NO_DECISION = "a sum with nan reaches no decision: clean the data"


@dataclass(frozen=True, eq=False)
class PerceptronStep:
    """One look at one example, and the neuron as it was afterwards.

    Attributes:
        index: The row of the example.
        target: What was right, 0 or 1.
        prediction: What the neuron said before the step; a mistake where it differs from the target.
        weight: The weights after the step, shape (D,).
        bias: The bias after the step, shape ().
    """

    index: int
    target: float
    prediction: float
    weight: Tensor
    bias: Tensor


@dataclass
class PerceptronHistory:
    """What happened while a perceptron learned.

    Attributes:
        mistakes: Number of mistakes in each epoch; the last is 0 if it converged.
        converged: Whether a whole epoch passed without a mistake.
        steps: One entry for every example looked at, in order.
    """

    mistakes: list[int] = field(default_factory=list)
    converged: bool = False
    steps: list[PerceptronStep] = field(default_factory=list)


class Perceptron:
    r"""Decide between 0 and 1 by a weighted sum, and learn by moving it after each mistake.

    .. math:: \hat y = \operatorname{step}(w \cdot x + b), \qquad
              w \leftarrow w + \eta \, (y - \hat y) \, x, \qquad b \leftarrow b + \eta \, (y - \hat y)

    All weights start at 0. If a line (plane, hyperplane) separates the classes, the number of mistakes is
    finite: at most :math:`(R / \gamma)^2`, with R the longest example and :math:`\gamma` the margin, bias
    included in both.

    Args:
        in_features: Number of inputs D, 1 or more.
        lr: The step size :math:`\eta`, above 0. Starting from 0 it scales the weights and changes no
            decision.
        device: Where weight and bias live.
        dtype: Their float type.

    Attributes:
        weight: Tensor of shape (D,); may be set by hand.
        bias: Tensor of shape (); may be set by hand.

    Raises:
        ValueError: If there is no input or ``lr`` is not above 0.

    Source:
        Rosenblatt (1958), The perceptron; the bound: Novikoff (1962), On convergence proofs on perceptrons.

    >>> neuron = Perceptron(2)
    >>> X, y = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), torch.tensor([0, 0, 0, 1])
    >>> neuron.fit(X, y).converged, neuron.predict(X).tolist()
    (True, [0.0, 0.0, 0.0, 1.0])
    """

    def __init__(
        self,
        in_features: int,
        lr: float = 1.0,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        require_whole("Perceptron", "in_features", in_features, least=1)
        require_number("Perceptron", "lr", lr, positive=True)
        self.lr = lr
        self.weight = torch.zeros(in_features, device=device, dtype=dtype)
        self.bias = torch.zeros((), device=device, dtype=dtype)

    def __repr__(self) -> str:
        return f"Perceptron(weight={self.weight.tolist()}, bias={float(self.bias)})"

    def decision(self, x: Tensor) -> Tensor:
        """Return the weighted sum plus the bias: how far, and on which side of the boundary.

        Args:
            x: One example (D,) or several (N, D).

        Returns:
            One number for each example, shape () or (N,).

        Raises:
            TypeError: If x is no tensor or holds floats of another type than the weights.
            ValueError: If x holds no floats or the last axis does not hold D numbers.
        """
        self._require_input("decision", x)
        return self._decision(x)

    def _require_input(self, where: str, x: Tensor, argument: str = "x") -> None:
        require_tensor(where, argument, x)
        if x.dtype != self.weight.dtype and not under_autocast(x):
            require_float(where, argument, x)
            require_float_like(where, argument, x, [self.weight.dtype], "the perceptron's weights")
        if x.shape[-1:] != self.weight.shape:
            one = "" if where == "fit" else f"({len(self.weight)},) or "
            raise bad_value(where, argument, f"shape {one}(N, {len(self.weight)})", tuple(x.shape))

    def _decision(self, x: Tensor) -> Tensor:
        return x @ self.weight + self.bias  # (..., D) @ (D,) -> (...)

    def predict(self, x: Tensor) -> Tensor:
        """Return 1.0 where the weighted sum reaches 0, else 0.0.

        Args:
            x: One example (D,) or several (N, D).

        Returns:
            One decision for each example, shape () or (N,).

        Raises:
            TypeError: If x is no tensor or holds floats of another type than the weights.
            ValueError: If x holds no floats or the last axis does not hold D numbers.
        """
        self._require_input("predict", x)
        return F.step(self._decision(x))

    def update(self, x: Tensor, target: Tensor | float) -> bool:
        """Learn from one example: move weights and bias after a mistake, else leave them.

        Args:
            x: One example, shape (D,).
            target: What is right, 0 or 1.

        Returns:
            Whether it was a mistake.

        Raises:
            TypeError: If x is no tensor or holds floats of another type than the weights.
            ValueError: If several examples come at once, x holds nan or inf, or the target is neither 0 nor 1.
        """
        require_tensor("update", "x", x)
        if x.ndim != 1:
            raise bad_value("update", "x", "one example, one axis", tuple(x.shape), "fit(X, y) takes many")
        self._require_input("update", x)
        if not torch.isfinite(x).all():
            raise bad_value("update", "x", "finite numbers", "nan or inf", _NO_DECISION)
        if float(target) not in (0.0, 1.0):
            raise bad_value("update", "target", "0 or 1", float(target))
        return self._learn(x, float(target))

    def _learn(self, x: Tensor, target: float) -> bool:
        error = target - float(F.step(self._decision(x)))  # -1, 0 or 1
        if error:
            self.weight = self.weight + self.lr * error * x
            self.bias = self.bias + self.lr * error
        return bool(error)

    def fit(
        self, X: Tensor, y: Tensor, max_epochs: int = 100, generator: torch.Generator | None = None
    ) -> PerceptronHistory:
        """Go through the examples again and again until an epoch passes without a mistake.

        Args:
            X: Examples, shape (N, D).
            y: Targets 0 or 1, shape (N,).
            max_epochs: When to give up: no boundary may exist.
            generator: Shuffles the order in every epoch; None keeps the order of the rows.

        Returns:
            Mistakes by epoch, whether it converged, and every single step.

        Raises:
            TypeError: If X or y is no tensor, or X holds floats of another type than the weights.
            ValueError: If the shapes do not meet, X holds nan or inf, or y holds anything but 0 and 1.
        """
        _require_examples(X, y)
        self._require_input("fit", X, "X")
        require_whole("fit", "max_epochs", max_epochs, least=0)
        targets = y.tolist()
        history = PerceptronHistory()
        for _ in range(max_epochs):
            order = torch.arange(len(X)) if generator is None else torch.randperm(len(X), generator=generator)
            mistakes = 0
            for i in order.tolist():
                wrong = self._learn(X[i], float(targets[i]))
                said = 1.0 - targets[i] if wrong else float(targets[i])
                history.steps.append(PerceptronStep(i, float(targets[i]), said, self.weight, self.bias))
                mistakes += wrong
            history.mistakes.append(mistakes)
            if mistakes == 0:
                history.converged = True
                break
        return history


def _require_examples(X: Tensor, y: Tensor) -> None:
    require_float("fit", "X", X)
    require_tensor("fit", "y", y)
    if X.ndim != 2 or not len(X):
        raise bad_value("fit", "X", "rows of examples, shape (N, D)", tuple(X.shape))
    lost = int((~torch.isfinite(X)).any(dim=1).sum())  # (N, D) -> (N,)
    if lost:
        raise bad_value("fit", "X", "finite numbers", f"nan or inf in {lost} of {len(X)} rows", _NO_DECISION)
    if y.shape != X.shape[:1]:
        raise bad_value("fit", "y", f"one target for each row, shape ({len(X)},)", tuple(y.shape))
    values = sorted(set(y.tolist()))
    if not set(values) <= {0, 1}:
        raise bad_value("fit", "y", "only 0 and 1", values[:5], "targets -1 and 1 become 0 and 1 by (y + 1) / 2")
