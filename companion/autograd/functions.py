"""What is built on the engine: joining, cross-entropy, the check of gradients, and the recorded trace."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from companion.autograd.engine import (
    Array,
    Value,
    apply,
    as_value,
    sweep,
    topological_order,
    without_torch,
)
from companion.errors import bad_type, bad_value


def concatenate(values: Sequence[Any], axis: int = 0) -> Value:
    """Join values along an axis that they have.

    Args:
        values: One or more, of one shape but for that axis.
        axis: Where they follow each other.

    Returns:
        The joined value.

    Raises:
        ValueError: If there is none, the shapes do not meet, or there is no such axis.

    >>> concatenate([Value([1.0]), Value([2.0, 3.0])])
    Value([1., 2., 3.])
    """
    parents = tuple(as_value(value) for value in values)
    if not parents:
        raise bad_value("concatenate", "values", "one or more", "none")

    def pullback(gradient: Array, result: Array) -> Sequence[Array]:
        ends = np.cumsum([parent.shape[axis] for parent in parents])
        return np.split(gradient, ends[:-1], axis)

    ndim = parents[0].data.ndim
    if ndim and not -ndim <= axis < ndim:
        raise bad_value("concatenate", "axis", f"one that shape {parents[0].shape} has", axis)
    return apply("concatenate", lambda *parts: np.concatenate(parts, axis), parents, pullback)


def cross_entropy(logits: Value, targets: Any) -> Value:
    r"""Give the mean surprise at the right classes, straight from logits.

    .. math:: L = -\frac{1}{N} \sum_n \log \operatorname{softmax}(z_n)_{t_n}, \qquad
              \frac{\partial L}{\partial z} = \frac{1}{N} (\operatorname{softmax}(z) - \text{one-hot}(t))

    One operation instead of four, because its gradient is that simple, and because the exponentials overflow
    unless the largest logit is subtracted first.

    Args:
        logits: One row of C numbers for each example.
        targets: N class numbers from 0 to C - 1.

    Shape:
        logits (N, C), targets (N,); the result is a single number.

    Returns:
        A number from 0 upwards; 0 is best.

    Raises:
        TypeError: If the logits are no :class:`Value`.
        ValueError: If the shapes do not meet or a target is no class number.

    Source:
        Bridle (1990), Probabilistic interpretation of feedforward classification network outputs.

    >>> cross_entropy(Value([[0.0, 0.0], [1000.0, 0.0]]), [1, 0])
    Value(0.34657359)
    """
    if not isinstance(logits, Value):
        raise bad_type("cross_entropy", "logits", "a Value", logits)
    if logits.data.ndim != 2 or not logits.data.size:
        raise bad_value("cross_entropy", "logits", "one or more rows of logits, shape (N, C)", logits.shape)
    rows = np.arange(len(logits.data))
    try:
        classes = np.array(without_torch(targets))  # a copy: the caller may change them before the sweep
    except ValueError:
        expected, got = f"class numbers of shape {rows.shape}", "rows of different lengths"
        raise bad_value("cross_entropy", "targets", expected, got) from None
    if classes.shape != rows.shape:
        raise bad_value("cross_entropy", "targets", f"class numbers of shape {rows.shape}", classes.shape)
    if classes.dtype.kind not in "iu" or classes.min() < 0 or classes.max() >= logits.shape[1]:
        expected = f"whole numbers from 0 to {logits.shape[1] - 1}"
        raise bad_value("cross_entropy", "targets", expected, classes.tolist())

    def log_softmax(z: Array) -> Array:
        shifted = z - z.max(axis=1, keepdims=True)
        return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))

    def pullback(gradient: Array, result: Array) -> tuple[Array]:
        slope = np.exp(log_softmax(logits.data))
        slope[rows, classes] -= 1
        return (gradient * slope / len(rows),)

    return apply("cross_entropy", lambda z: -log_softmax(z)[rows, classes].mean(), (logits,), pullback)


def gradcheck(
    f: Callable[..., Value], *inputs: Any, eps: float = 1e-6, rtol: float = 1e-5, atol: float = 1e-7
) -> float:
    r"""Compare the engine's gradient with differences of the function's values, entry by entry.

    .. math:: \frac{\partial L}{\partial x_i} \approx \frac{L(x + h e_i) - L(x - h e_i)}{2 h}, \qquad
              h = \epsilon \max(1, |x_i|)

    Where f gives several numbers, L is their sum with weights that differ. A gap g between the two is allowed up to

    .. math:: g \le \text{rtol} \, |q| + \text{atol} \, \min(1, \max_j |q_j|) + r,

    with q the quotient, its largest in the same input, and r what rounding in L and x can make of it, about 1e-9
    for numbers near 1. So slopes that are all small are compared in relation to the largest of them. An entry that
    fails is tried once more with a tenth of the step, as small entries and steep functions need. At a kink (``relu``
    at 0, equal largest entries) the differences are no derivative: keep away from them.

    Args:
        f: A function of values that returns a value, the same each time.
        inputs: Where to compare; arrays, lists or values, which are copied.
        eps: How far to step, about the cube root of float64's precision; where an entry is above 1, that share of it.
        rtol: Gap allowed in relation to the difference quotient.
        atol: Gap allowed besides, in relation to the largest quotient where that is below 1.

    Returns:
        The largest gap.

    Raises:
        ArithmeticError: If a gap is larger than allowed, with the entry and both numbers.
        ValueError: If f gives different values for the same input.

    Source:
        Bengio (2012), Practical recommendations for gradient-based training of deep architectures.

    >>> gradcheck(lambda x: (x * x).sum(), [1.0, 2.0]) < 1e-7
    True
    """
    points = [as_value(x).data.copy() for x in inputs]
    values = [Value(point) for point in points]
    result = f(*values)
    _require_same(result.data, f(*map(Value, points)).data)
    weights = np.cos(np.arange(result.data.size)).reshape(result.shape)
    result.backward(weights)
    worst = 0.0
    for number, (point, value) in enumerate(zip(points, values, strict=True)):
        steps = eps * np.maximum(1, np.abs(point))
        places = list(np.ndindex(point.shape))
        quotients = [_quotient(f, points, number, place, steps[place], weights) for place in places]
        grant = atol * min(1.0, max((abs(want) for want in quotients), default=0.0))
        rounding = 4 * np.finfo(np.float64).eps * (_size(result.data * weights) + _size(point))
        for place, want in zip(places, quotients, strict=True):
            got = value.grad[place]
            unseen = grant + rounding / steps[place]
            gap = abs(got - want)
            if not gap <= unseen + rtol * abs(want):  # nan is a gap too
                closer = _quotient(f, points, number, place, steps[place] / 10, weights)
                gap = abs(got - closer)
                if not gap <= unseen + rtol * abs(closer):
                    where = f"gradcheck: the gradient of input {number} at {place}"
                    raise ArithmeticError(f"{where} expected {want:.6g} by differences, got {got:.6g} from the engine")
            worst = max(worst, float(gap))
    return worst


def _size(array: Array) -> float:
    """Bound the length of an array, in a way that does not overflow."""
    return float(np.sqrt(array.size) * np.abs(array).max(initial=0))


def _quotient(
    f: Callable[..., Value], points: list[Array], number: int, place: tuple[int, ...], step: float, weights: Array
) -> float:
    """Move one entry to both sides and divide how the weighted sum moves by how far the entry did."""
    sums, ends = [], []
    for side in (step, -step):
        moved = [p.copy() for p in points]
        moved[number][place] += side
        ends.append(moved[number][place])
        sums.append((f(*map(Value, moved)).data * weights).sum())
    return float((sums[0] - sums[1]) / (ends[0] - ends[1]))


def _require_same(first: Array, second: Array) -> None:
    """Refuse a function with randomness, whose differences say nothing; the last digits may differ."""
    size = np.abs(first).max(initial=0, where=np.isfinite(first))
    if first.shape != second.shape or not np.allclose(first, second, rtol=0, atol=1e-12 * size, equal_nan=True):
        got = "different values for the same input"
        raise bad_value("gradcheck", "f", "the same values each time", got, "fix its randomness")


def trace(result: Value) -> dict[str, list[dict[str, Any]]]:
    """Record a computation and its way back, for an interactive figure to play step by step.

    Args:
        result: A single number; its gradient is 1. Nothing of the graph is changed.

    Returns:
        What ``json.dumps`` takes. ``forward`` lists the values in the order of computing: ``id``, ``name``,
        ``operation``, ``parents`` (ids), ``shape``, ``value``, and ``gradient`` as it is in the end. ``backward``
        lists the steps of the sweep: ``id``, and ``passes``, one gradient for each parent. Infinities and nan,
        which JSON lacks, are words.

    Raises:
        ValueError: If the result is not a single number.

    >>> x = Value(3.0, name="x")
    >>> [step["gradient"] for step in trace(x * x)["forward"]]
    [6.0, 1.0]
    """
    order = topological_order(result)
    ids = {id(value): number for number, value in enumerate(order)}
    gradients, backward = {}, []
    for value, gradient, passes in sweep(result, None):
        gradients[id(value)] = gradient
        if value.parents:
            backward.append({"id": ids[id(value)], "passes": [_plain(p) for p in passes]})
    forward = [
        {
            "id": ids[id(value)],
            "name": value.name,
            "operation": value.operation,
            "parents": [ids[id(parent)] for parent in value.parents],
            "shape": list(value.shape),
            "value": _plain(value.data),
            "gradient": _plain(gradients[id(value)]),
        }
        for value in order
    ]
    return {"forward": forward, "backward": backward}


def _plain(array: Array) -> Any:
    """Turn an array into numbers and lists; what JSON lacks becomes a word."""
    if array.ndim:
        return [_plain(part) for part in array]
    return float(array) if np.isfinite(array) else str(float(array))
