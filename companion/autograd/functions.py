"""What is built on the engine: joining, cross-entropy, the check of gradients, and the recorded trace."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from companion.autograd.engine import Array, Value, apply, as_value, sweep, topological_order
from companion.errors import bad_type, bad_value


def concatenate(values: Sequence[Any], axis: int = 0) -> Value:
    """Join values along an axis that they have.

    Args:
        values: One or more, of one shape but for that axis.
        axis: Where they follow each other.

    Returns:
        The joined value.

    Raises:
        ValueError: If there is none, or the shapes do not meet.

    >>> concatenate([Value([1.0]), Value([2.0, 3.0])])
    Value([1., 2., 3.])
    """
    parents = tuple(as_value(value) for value in values)
    if not parents:
        raise bad_value("concatenate", "values", "one or more", "none")

    def pullback(gradient: Array, result: Array) -> Sequence[Array]:
        ends = np.cumsum([parent.shape[axis] for parent in parents])
        return np.split(gradient, ends[:-1], axis)

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
    rows, classes = np.arange(len(logits.data)), np.asarray(targets)
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

    .. math:: \frac{\partial L}{\partial x_i} \approx \frac{L(x + \epsilon e_i) - L(x - \epsilon e_i)}{2 \epsilon}

    Where f gives several numbers, L is their sum with weights that differ. At a kink (``relu`` at 0, equal
    largest entries) the differences are no derivative: keep away from them.

    Args:
        f: A function of values that returns a value.
        inputs: Where to compare; arrays, lists or values, which are copied.
        eps: How far to step, about the cube root of float64's precision.
        rtol: Gap allowed in relation to the difference quotient.
        atol: Gap allowed besides.

    Returns:
        The largest gap.

    Raises:
        ArithmeticError: If a gap is larger than allowed, with the entry and both numbers.

    Source:
        Bengio (2012), Practical recommendations for gradient-based training of deep architectures.

    >>> gradcheck(lambda x: (x * x).sum(), [1.0, 2.0]) < 1e-7
    True
    """
    points = [np.array(x.data if isinstance(x, Value) else x, dtype=np.float64) for x in inputs]
    values = [Value(point) for point in points]
    result = f(*values)
    weights = np.cos(np.arange(result.data.size)).reshape(result.shape)
    result.backward(weights)
    worst = 0.0
    for number, (point, value) in enumerate(zip(points, values, strict=True)):
        for place in np.ndindex(point.shape):
            sides = []
            for step in (eps, -eps):
                moved = [p.copy() for p in points]
                moved[number][place] += step
                sides.append((f(*map(Value, moved)).data * weights).sum())
            want, got = (sides[0] - sides[1]) / (2 * eps), value.grad[place]
            if not abs(got - want) <= atol + rtol * abs(want):  # nan is a gap too
                where = f"gradcheck: the gradient of input {number} at {place}"
                raise ArithmeticError(f"{where} expected {want:.6g} by differences, got {got:.6g} from the engine")
            worst = max(worst, float(abs(got - want)))
    return worst


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
