"""The engine: values that know what they were made from, and the sweep that brings their gradients.

Every operation notes its operands and how a gradient passes back through it. From the last value one sweep in
reverse order then gives the gradient with respect to every other one, at about the cost of computing them.
Everything is float64; infinities and nan pass without a warning, as in PyTorch.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from numbers import Real
from typing import Any, NoReturn

import numpy as np

from companion.errors import bad_type, bad_value

Array = np.ndarray
Pullback = Callable[[Array, Array], Sequence[Array]]


class Value:
    r"""Hold an array, what it was made from, and the gradient of a later number with respect to it.

    .. math:: \bar x = \sum_{y \text{ made from } x} \Big( \frac{\partial y}{\partial x} \Big)^{\!\top} \bar y,
              \qquad \bar L = 1

    Values take ``+ - * / ** @``, indices, loops along the first axis, and the methods below; numbers and arrays
    beside them are taken as values. Shapes are broadcast as in NumPy; on the way back a gradient is summed over what was repeated.

    Args:
        data: Number, nested list, array or tensor; its real numbers are copied.
        name: What a recorded trace calls it.

    Attributes:
        data: Array of float64. To learn, change it in place: ``w.data -= lr * w.grad``.
        grad: Array of the same shape, 0 at first. Every ``backward`` adds to it; ``w.grad[...] = 0``
            begins anew.
        operation: How it was made; empty for what was given.
        parents: What it was made from.

    Raises:
        TypeError: If the data are not real numbers, all rows of one length.
        ValueError: If shapes do not meet, or an index or axis is none that the value has.

    Source:
        Linnainmaa (1976), Taylor expansion of the accumulated rounding error.

    >>> w, x = Value([1.0, 2.0]), Value([3.0, 4.0])
    >>> (w * x).sum().backward()
    >>> w.grad, x.grad
    (array([3., 4.]), array([1., 2.]))
    """

    __array_ufunc__ = None  # NumPy's arrays leave the operators to this class

    def __init__(self, data: Any, name: str = "") -> None:
        self.data: Array = real_numbers("Value", "data", data)
        self.grad: Array = np.zeros_like(self.data)
        self.name, self.operation = name, ""
        self.parents: tuple[Value, ...] = ()
        self._pullback: Pullback = lambda gradient, result: ()

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the data."""
        return self.data.shape

    def __repr__(self) -> str:
        return f"Value({np.array2string(self.data, separator=', ')})"

    def backward(self, gradient: Any = None) -> None:
        """Add to ``grad`` of every value that this one was made from, and to its own.

        Args:
            gradient: Of a later number with respect to this value; None is 1, for a single number.

        Raises:
            TypeError: If it does not hold real numbers.
            ValueError: If it is left out for several numbers, or has another shape.
        """
        for value, passed, _ in sweep(self, gradient):
            value.grad = value.grad + passed

    def __add__(self, other: Any) -> Value:
        return apply("+", np.add, (self, other), lambda g, y: (g, g))

    def __sub__(self, other: Any) -> Value:
        return apply("-", np.subtract, (self, other), lambda g, y: (g, -g))

    def __mul__(self, other: Any) -> Value:
        a, b = self, as_value(other)
        return apply("*", np.multiply, (a, b), lambda g, y: (g * b.data, g * a.data))

    def __truediv__(self, other: Any) -> Value:
        a, b = self, as_value(other)
        return apply("/", np.divide, (a, b), lambda g, y: (g / b.data, -g * y / b.data))

    def __pow__(self, exponent: float) -> Value:
        if not isinstance(exponent, int | float | np.number):
            raise bad_type("Value", "exponent", "a number", exponent, "a ** b is also (b * a.log()).exp()")

        def pullback(gradient: Array, result: Array) -> tuple[Array]:
            if not exponent:  # a constant; the formula would give 0 * 0 ** -1 = nan at 0
                return (np.zeros_like(self.data),)
            return (gradient * exponent * self.data ** (exponent - 1),)

        return apply(f"** {exponent:g}", lambda x: x**exponent, (self,), pullback)

    def __matmul__(self, other: Any) -> Value:
        a, b = self, as_value(other)
        return apply("@", np.matmul, (a, b), lambda g, y: _matmul_back(g, a.data, b.data))

    def __neg__(self) -> Value:
        return apply("neg", np.negative, (self,), lambda g, y: (-g,))

    def __radd__(self, other: Any) -> Value:
        return as_value(other) + self

    def __rsub__(self, other: Any) -> Value:
        return as_value(other) - self

    def __rmul__(self, other: Any) -> Value:
        return as_value(other) * self

    def __rtruediv__(self, other: Any) -> Value:
        return as_value(other) / self

    def __rmatmul__(self, other: Any) -> Value:
        return as_value(other) @ self

    def __iter__(self) -> Iterator[Value]:
        if not self.data.ndim:
            raise bad_value("Value", "loop", "an axis to go along", "a single number")
        return (self[row] for row in range(len(self.data)))

    def __contains__(self, number: object) -> NoReturn:
        hint = "ask its data: number in value.data"
        raise bad_type("Value", "in", "an array to look through", self, hint)

    def __getitem__(self, index: Any) -> Value:
        index = index if isinstance(index, Value) else copy.deepcopy(index)  # the caller may change it before the sweep

        def pullback(gradient: Array, result: Array) -> tuple[Array]:
            back = np.zeros_like(self.data)
            np.add.at(back, index, gradient)  # adds up where an entry was taken more than once
            return (back,)

        wanted = ("index", f"places in shape {self.shape}", index)
        return apply("[]", lambda x: x[index], (self,), pullback, wanted)

    def exp(self) -> Value:
        """Raise e to every entry."""
        return apply("exp", np.exp, (self,), lambda g, y: (g * y,))

    def log(self) -> Value:
        """Take the natural logarithm of every entry."""
        return apply("log", np.log, (self,), lambda g, y: (g / self.data,))

    def tanh(self) -> Value:
        """Squash every entry into the range from -1 to 1."""
        return apply("tanh", np.tanh, (self,), lambda g, y: (g * (1 - y * y),))

    def sigmoid(self) -> Value:
        """Squash every entry into the range from 0 to 1."""
        return apply("sigmoid", lambda x: 1 / (1 + np.exp(-x)), (self,), lambda g, y: (g * y * (1 - y),))

    def relu(self) -> Value:
        """Replace negative entries by 0; the derivative at 0 is 0."""
        return apply("relu", lambda x: np.maximum(x, 0), (self,), lambda g, y: (g * (y > 0),))

    def sum(self, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Value:
        """Add up along one axis, several or all (None)."""

        def pullback(gradient: Array, result: Array) -> tuple[Array]:
            kept = self.data.sum(axis=axis, keepdims=True)  # only its shape: summed axes have size 1
            return (np.broadcast_to(gradient.reshape(kept.shape), self.shape),)

        wanted = ("axis of sum", f"one that shape {self.shape} has", axis)
        return apply("sum", lambda x: x.sum(axis=axis, keepdims=keepdims), (self,), pullback, wanted)

    def mean(self, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Value:
        """Average along one axis, several or all (None): a sum divided by a count; of nothing it is nan."""
        total = self.sum(axis, keepdims)
        return total / (self.data.size // max(total.data.size, 1))

    def max(self, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Value:
        """Take the largest along one axis, several or all (None); equals share the gradient, as in ``amax``."""

        def pullback(gradient: Array, result: Array) -> tuple[Array]:
            top = self.data.max(axis=axis, keepdims=True)
            winners = self.data == top
            return (winners * gradient.reshape(top.shape) / winners.sum(axis=axis, keepdims=True),)

        wanted = ("axis of max", f"one that shape {self.shape} has", axis)
        if not self.data.size and apply("max", lambda x: x.sum(axis=axis), (self,), pullback, wanted).data.size:
            raise bad_value("Value", "max", "one entry or more to choose from", f"shape {self.shape}")
        return apply("max", lambda x: x.max(axis=axis, keepdims=keepdims), (self,), pullback, wanted)

    def reshape(self, *shape: int) -> Value:
        """Give the same entries another shape; one -1 is worked out."""
        wanted = ("shape of reshape", f"one of {self.data.size} entries", shape)
        return apply("reshape", lambda x: x.reshape(*shape), (self,), lambda g, y: (g.reshape(self.shape),), wanted)

    def transpose(self, *axes: int) -> Value:
        """Bring the axes into another order; without one, reverse them."""
        order = axes or tuple(reversed(range(self.data.ndim)))

        def pullback(gradient: Array, result: Array) -> tuple[Array]:
            return (gradient.transpose(np.argsort([axis % gradient.ndim for axis in order])),)

        wanted = ("axes of transpose", f"each axis of shape {self.shape} once", order)
        return apply("transpose", lambda x: x.transpose(order), (self,), pullback, wanted)


def apply(
    operation: str,
    f: Callable[..., Array],
    operands: Sequence[Any],
    pullback: Pullback,
    wanted: tuple[str, str, Any] | None = None,
) -> Value:
    """Compute a value and note how it was made.

    ``wanted`` says what a refusal names: the argument, what was expected of it and what came; without it the
    operands' shapes, which do not meet.
    """
    parents = tuple(as_value(operand) for operand in operands)
    with np.errstate(all="ignore"):
        try:
            data = f(*(parent.data for parent in parents))
        except (ValueError, IndexError) as error:
            shapes = [parent.shape for parent in parents]
            argument, expected, got = wanted or (operation, "shapes that meet", shapes)
            raise bad_value("Value", argument, expected, got, str(error)) from None
    result = Value(data)
    result.operation, result.parents, result._pullback = operation, parents, pullback
    return result


def real_numbers(where: str, argument: str, data: Any) -> Array:
    """Copy numbers into an array of float64; refuse what numpy would turn into numbers, such as None and text."""
    try:
        array = np.asarray(without_torch(data))
        if array.dtype.kind in "biuf" or (array.dtype.kind == "O" and all(isinstance(n, Real) for n in array.flat)):
            return np.array(array, dtype=np.float64)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        pass
    raise bad_type(where, argument, "real numbers, all rows of one length", data)


def without_torch(data: Any) -> Any:
    """Turn PyTorch's tensors into arrays, also those in lists, with gradients, on a GPU or of 16 bits."""
    if isinstance(data, list | tuple):
        return [without_torch(part) for part in data]
    if hasattr(data, "detach"):
        return (data.double() if data.is_floating_point() else data).numpy(force=True)
    return data


def as_value(operand: Any) -> Value:
    """Take a number or an array as a value."""
    return operand if isinstance(operand, Value) else Value(operand)


def topological_order(result: Value) -> list[Value]:
    """List what a value was made from, each after its parents; by a stack, as graphs may be deep."""
    order: list[Value] = []
    seen: set[int] = set()
    stack = [(result, False)]
    while stack:
        value, parents_done = stack.pop()
        if parents_done:
            order.append(value)
        elif id(value) not in seen:
            seen.add(id(value))
            stack.append((value, True))
            stack += [(parent, False) for parent in reversed(value.parents)]
    return order


def sweep(result: Value, gradient: Any) -> Iterator[tuple[Value, Array, list[Array]]]:
    """Give every value in reverse order with its whole gradient and what it passes to each parent."""
    if gradient is None and result.data.size != 1:
        hint = "reduce it first, for example with .sum()"
        raise bad_value("backward", "self", "a single number or a gradient", f"shape {result.shape}", hint)
    first = np.ones_like(result.data) if gradient is None else real_numbers("backward", "gradient", gradient)
    if first.shape != result.shape:
        raise bad_value("backward", "gradient", f"shape {result.shape}", first.shape)
    gradients = {id(result): first}
    for value in reversed(topological_order(result)):
        own = gradients.pop(id(value))  # whole: everything made from it has been visited
        with np.errstate(all="ignore"):
            raw = value._pullback(own, value.data)
            passes = [_unbroadcast(g, parent.shape) for g, parent in zip(raw, value.parents, strict=True)]
        for parent, passed in zip(value.parents, passes, strict=True):
            gradients[id(parent)] = gradients.get(id(parent), 0) + passed
        yield value, own, passes


def _unbroadcast(gradient: Array, shape: tuple[int, ...]) -> Array:
    """Sum a gradient over the axes along which broadcasting repeated the value."""
    extra = gradient.ndim - len(shape)
    repeated = [extra + axis for axis, size in enumerate(shape) if size == 1]
    return gradient.sum(axis=(*range(extra), *repeated)).reshape(shape)


def _matmul_back(gradient: Array, a: Array, b: Array) -> tuple[Array, Array]:
    """Pass a gradient through a product of matrices, or of vectors, which are matrices of one row or column."""
    rows, columns = (a if a.ndim > 1 else a[None, :]), (b if b.ndim > 1 else b[:, None])
    gradient = gradient if b.ndim > 1 else gradient[..., None]
    gradient = gradient if a.ndim > 1 else gradient[..., None, :]
    back_a = gradient @ columns.swapaxes(-1, -2)  # (..., n, m) @ (..., m, k) -> (..., n, k)
    back_b = rows.swapaxes(-1, -2) @ gradient  # (..., k, n) @ (..., n, m) -> (..., k, m)
    return back_a, (back_b if b.ndim > 1 else back_b[..., 0])  # a row of one that a did not have is summed away
