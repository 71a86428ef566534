"""Losses as layers. Each only keeps its options; formula, range and source stand with its function.

Class weights are buffers: they move with ``.to(device)`` and stand in the ``state_dict``, as in PyTorch.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import Module

from companion import functional as F
from companion.functional._arguments import require_choice, require_tensor
from companion.functional.losses import REDUCTIONS


class Loss(Module):
    """What all losses share: a reduction."""

    def __init__(self, reduction: str, *also: str) -> None:
        super().__init__()
        require_choice(type(self).__name__, "reduction", reduction, (*REDUCTIONS, *also))
        self.reduction = reduction

    def keep(self, name: str, weight: Tensor | None) -> None:
        """Register a copy of a weight that moves with the layer and is not learned; None stays None."""
        if weight is not None:
            require_tensor(type(self).__name__, name, weight)
            weight = weight.detach().clone()
        self.register_buffer(name, weight)

    def extra_repr(self) -> str:
        """Name the reduction when the layer is printed."""
        return f"reduction={self.reduction!r}"


class MSELoss(Loss):
    """Square the distance between answer and target: :func:`companion.functional.mse_loss`.

    Args:
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Shape:
        Any, the same for both; the output is () or, with ``"none"``, has that shape.
    """

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__(reduction)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Compare answers with targets."""
        return F.mse_loss(input, target, reduction=self.reduction)


class L1Loss(Loss):
    """Take the distance between answer and target: :func:`companion.functional.l1_loss`.

    Args:
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Shape:
        Any, the same for both; the output is () or, with ``"none"``, has that shape.
    """

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__(reduction)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Compare answers with targets."""
        return F.l1_loss(input, target, reduction=self.reduction)


class HuberLoss(Loss):
    """Square small distances, take large ones as they are: :func:`companion.functional.huber_loss`.

    Args:
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        delta: Where the square turns into a line, above 0.

    Shape:
        Any, the same for both; the output is () or, with ``"none"``, has that shape.
    """

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction)
        self.delta = delta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Compare answers with targets."""
        return F.huber_loss(input, target, self.reduction, self.delta)


class BCELoss(Loss):
    """Judge probabilities of a yes: :func:`companion.functional.binary_cross_entropy`.

    Args:
        weight: What each entry counts, or None.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Shape:
        Any, the same for both; the output is () or, with ``"none"``, has that shape.
    """

    weight: Tensor | None

    def __init__(self, weight: Tensor | None = None, *, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.keep("weight", weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Compare probabilities with targets."""
        return F.binary_cross_entropy(input, target, self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(Loss):
    """Judge logits of a yes: :func:`companion.functional.binary_cross_entropy_with_logits`.

    Args:
        weight: What each entry counts, or None.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        pos_weight: What a yes counts beside a no, one number for each class, or None.

    Shape:
        Any, the same for both; the output is () or, with ``"none"``, has that shape.
    """

    weight: Tensor | None
    pos_weight: Tensor | None

    def __init__(
        self, weight: Tensor | None = None, *, reduction: str = "mean", pos_weight: Tensor | None = None
    ) -> None:
        super().__init__(reduction)
        self.keep("weight", weight)
        self.keep("pos_weight", pos_weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Compare logits with targets."""
        return F.binary_cross_entropy_with_logits(
            input, target, self.weight, reduction=self.reduction, pos_weight=self.pos_weight
        )


class NLLLoss(Loss):
    """Look up the log-probability of the right class: :func:`companion.functional.nll_loss`.

    Args:
        weight: What each class counts, C numbers, or None.
        ignore_index: A class number that stands for no target.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Shape:
        Input (N, C), (N, C, d1, ...) or (C,); target the same without C.
    """

    weight: Tensor | None

    def __init__(self, weight: Tensor | None = None, *, ignore_index: int = -100, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.keep("weight", weight)
        self.ignore_index = ignore_index

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Compare log-probabilities with class numbers."""
        return F.nll_loss(input, target, self.weight, ignore_index=self.ignore_index, reduction=self.reduction)


class CrossEntropyLoss(Loss):
    """Judge the logits of several classes: :func:`companion.functional.cross_entropy`.

    Args:
        weight: What each class counts, C numbers, or None.
        ignore_index: A class number that stands for no target.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        label_smoothing: The share of each target that is spread over all classes, in [0, 1].

    Shape:
        Input (N, C), (N, C, d1, ...) or (C,); target the same without C, or with it for probabilities.
    """

    weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        *,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(reduction)
        self.keep("weight", weight)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Compare logits with class numbers or probabilities."""
        return F.cross_entropy(
            input,
            target,
            self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )


class KLDivLoss(Loss):
    """Measure how far one distribution lies from another: :func:`companion.functional.kl_div`.

    Args:
        reduction: ``"batchmean"`` for the divergence itself; ``"mean"`` (by entries), ``"sum"`` or ``"none"``.
        log_target: Whether targets are logarithms.

    Shape:
        Any, the same for both; the output is () or, with ``"none"``, has that shape.
    """

    def __init__(self, *, reduction: str = "mean", log_target: bool = False) -> None:
        super().__init__(reduction, "batchmean")
        self.log_target = log_target

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Compare expected log-probabilities with true ones."""
        return F.kl_div(input, target, reduction=self.reduction, log_target=self.log_target)


class FocalLoss(Loss):
    """Judge logits of a yes, sure ones less: :func:`companion.functional.sigmoid_focal_loss`.

    Args:
        alpha: What a yes counts, in [0, 1], beside a no with 1 - alpha; -1 leaves both at 1.
        gamma: How fast sure examples lose their weight, 0 or more.
        reduction: ``"mean"``, as for the other layers, ``"sum"`` or ``"none"``, the function's own.

    Shape:
        Any, the same for both; the output is () or, with ``"none"``, has that shape.
    """

    def __init__(self, alpha: float = 0.25, gamma: float = 2, *, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.alpha = alpha
        self.gamma = gamma

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Compare logits with targets."""
        return F.sigmoid_focal_loss(input, target, self.alpha, self.gamma, self.reduction)
