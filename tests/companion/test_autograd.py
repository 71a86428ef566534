"""The autograd engine against PyTorch: every operation, every way of broadcasting, random expressions."""

import inspect
import json
import math
import warnings
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from companion import autograd
from companion.autograd import Value, concatenate, cross_entropy, gradcheck, trace
from companion.autograd.engine import apply
from companion.random import generator

PROPERTY = settings(max_examples=40, deadline=None, derandomize=True)


def cat(values, axis):
    return concatenate(values, axis) if isinstance(values[0], Value) else torch.cat(values, axis)


# operation: (what to do with values or tensors, shapes of the operands, whether they have to be positive)
UNARY, BINARY = [(3, 4)], [(3, 4), (3, 4)]
OPERATIONS = {
    "+": (lambda a, b: a + b, BINARY),
    "-": (lambda a, b: a - b, BINARY),
    "*": (lambda a, b: a * b, BINARY),
    "/": (lambda a, b: a / b, BINARY),
    "neg": (lambda a: -a, UNARY),
    "number +": (lambda a: 2 + a, UNARY),
    "number -": (lambda a: 2 - a, UNARY),
    "number *": (lambda a: 2 * a, UNARY),
    "number /": (lambda a: 2 / a, UNARY),
    "** 3": (lambda a: a**3, UNARY),
    "** 0": (lambda a: a**0, UNARY),
    "** -1.5": (lambda a: (a * a) ** -1.5, UNARY),
    "@": (lambda a, b: a @ b, [(3, 4), (4, 2)]),
    "exp": (lambda a: a.exp(), UNARY),
    "log": (lambda a: (a * a).log(), UNARY),
    "tanh": (lambda a: a.tanh(), UNARY),
    "relu": (lambda a: a.relu(), UNARY),
    "sigmoid": (lambda a: a.sigmoid(), UNARY),
    "reshape": (lambda a: a.reshape(2, -1), UNARY),
    "transpose": (lambda a: a.transpose(1, 0), UNARY),
    "[] row": (lambda a: a[1], UNARY),
    "[] slice": (lambda a: a[1:, ::2], UNARY),
    "[] twice the same": (lambda a: a[[0, 2, 0]], UNARY),
    "[] pairs": (lambda a: a[[0, 1, 1], [3, 3, 3]], UNARY),
    "concatenate": (lambda a, b: cat([a, b, a], 1), [(3, 4), (3, 2)]),
    "concatenate first": (lambda a, b: cat([a, b], 0), [(3, 4), (1, 4)]),
}
REDUCTIONS = {"sum": "sum", "mean": "mean", "max": "amax"}
EVERY_OPERATION = pytest.mark.parametrize("name", OPERATIONS)


def draw(*shape, seed=0):
    return torch.randn(shape, generator=generator(seed), dtype=torch.float64)


def both(f, tensors):
    """Compute f and its gradients with the engine and with PyTorch; the result is weighted unevenly."""
    values = [Value(t.numpy()) for t in tensors]
    y = f(*values)
    weights = np.cos(np.arange(y.data.size)).reshape(y.shape)
    y.backward(weights)
    leaves = [t.clone().requires_grad_() for t in tensors]
    z = f(*leaves)
    z.backward(torch.as_tensor(weights))
    theirs = [torch.zeros_like(t) if t.grad is None else t.grad for t in leaves]  # None: not used
    return [y.data, *(v.grad for v in values)], [z.detach().numpy(), *(t.numpy() for t in theirs)]


def assert_agree(f, tensors, tolerance=1e-12):
    for got, want in zip(*both(f, tensors), strict=True):
        assert got.shape == want.shape
        np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance)


@EVERY_OPERATION
def test_operation_agrees_with_torch(name):
    f, shapes = OPERATIONS[name]
    assert_agree(f, [draw(*shape, seed=i) for i, shape in enumerate(shapes)])


def test_every_operation_and_public_name_is_tested():
    methods = {n for n, m in vars(Value).items() if inspect.isfunction(m) and not n.startswith("_")}
    named = {name.split()[0] for name in OPERATIONS} | set(REDUCTIONS)
    assert methods - {"backward"} <= named
    operators = {n for n in vars(Value) if n.startswith("__")}
    assert {
        "__add__",
        "__radd__",
        "__sub__",
        "__rsub__",
        "__mul__",
        "__rmul__",
        "__truediv__",
        "__rtruediv__",
    } <= operators
    assert {"__matmul__", "__rmatmul__", "__pow__", "__neg__", "__getitem__"} <= operators
    assert set(autograd.__all__) == {"Value", "concatenate", "cross_entropy", "gradcheck", "trace"}
    assert all(">>>" in getattr(autograd, name).__doc__ for name in autograd.__all__)


shape_pairs = st.sampled_from([
    ((3, 4), (4,)), ((3, 4), (1, 4)), ((3, 1), (1, 4)), ((), (3, 4)), ((1,), ()), ((2, 1, 4), (3, 1)), ((3,), (2, 3)), ((1, 1), (3, 4)),
    ((0, 4), (1, 4)), ((2, 3, 4), (1,)), ((), ()),
])  # fmt: skip


@pytest.mark.parametrize("name", ["+", "-", "*", "/"])
@PROPERTY
@given(shapes=shape_pairs, swap=st.booleans())
def test_broadcasting_agrees_with_torch(name, shapes, swap):
    tensors = [draw(*shape, seed=i) for i, shape in enumerate(shapes)]
    assert_agree(OPERATIONS[name][0], tensors[::-1] if swap else tensors)


@pytest.mark.parametrize(
    "shapes",
    [((3, 4), (4,)), ((4,), (4, 2)), ((4,), (4,)), ((5, 3, 4), (4, 2)), ((3, 4), (5, 4, 2)), ((5, 3, 4), (5, 4, 2)),
     ((1, 3, 4), (5, 4, 2)), ((2, 1, 3, 4), (5, 4, 2)), ((5, 3, 4), (4,)), ((4,), (5, 4, 2)), ((0, 4), (4, 2)), ((3, 1), (1, 2))],
    ids=str,
)  # fmt: skip
def test_matrix_product_agrees_with_torch_for_vectors_and_stacks(shapes):
    assert_agree(OPERATIONS["@"][0], [draw(*shape, seed=i) for i, shape in enumerate(shapes)])


@pytest.mark.parametrize("name", REDUCTIONS)
@pytest.mark.parametrize("axis", [0, -1, 1, (0, 2), (1, -1), None], ids=str)
@pytest.mark.parametrize("keepdims", [False, True])
def test_reduction_agrees_with_torch(name, axis, keepdims):
    x = draw(2, 3, 4)

    def f(a):
        if isinstance(a, Value):
            return getattr(a, name)(axis, keepdims)
        dims = tuple(range(3)) if axis is None else axis
        return getattr(a, REDUCTIONS[name])(dims, keepdim=keepdims)

    assert_agree(f, [x])
    assert_agree(f, [torch.round(x)], 1e-12)  # with equal entries, where max shares


def test_max_shares_between_equals_as_amax_does():
    x = Value([[2.0, 2.0, 1.0], [0.0, 3.0, 3.0]])
    x.max(axis=1).backward([1.0, 4.0])
    assert x.grad.tolist() == [[0.5, 0.5, 0.0], [0.0, 2.0, 2.0]]


def test_reductions_of_nothing_are_those_of_torch():
    empty = np.zeros((0, 3))
    assert Value(empty).sum().data == 0
    x = Value(empty)
    x.mean().backward()
    assert np.isnan(x.mean().data)
    assert np.isnan(x.mean(axis=0).data).tolist() == [True] * 3
    assert x.mean(axis=1).shape == (0,)
    assert x.grad.shape == (0, 3)
    with pytest.raises(ValueError, match="Value: max expected one entry or more to choose from, got shape"):
        Value(empty).max()


def test_relu_at_zero_and_powers_at_zero_have_the_derivatives_of_torch():
    zero = torch.zeros(3, dtype=torch.float64)
    for f in (lambda a: a.relu(), lambda a: a**0, lambda a: a**1, lambda a: a**2, lambda a: a**0.5):
        assert_agree(f, [zero])


def test_extreme_values_pass_without_a_warning_as_in_torch():
    x = torch.tensor([-math.inf, -1e308, -1000.0, 0.0, 1000.0, 1e308, math.inf], dtype=torch.float64)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in ("exp", "tanh", "relu"):
            assert_agree(OPERATIONS[name][0], [x])
        assert_agree(lambda a: a.log(), [x.abs()])
        assert_agree(lambda a: a / a, [x])
        s = Value(x.numpy())
        y = s.sigmoid()
        y.backward(np.ones(7))
        assert y.data.tolist() == [0, 0, 0, 0.5, 1, 1, 1]
        assert s.grad.tolist() == [0, 0, 0, 0.25, 0, 0, 0]


@PROPERTY
@given(rows=st.integers(1, 4), classes=st.integers(1, 4), scale=st.sampled_from([1e-3, 1.0, 1e3]), data=st.data())
def test_cross_entropy_agrees_with_torch(rows, classes, scale, data):
    targets = data.draw(st.lists(st.integers(0, classes - 1), min_size=rows, max_size=rows))
    z = scale * draw(rows, classes)

    def f(logits):
        if isinstance(logits, Value):
            return cross_entropy(logits, targets) * 3
        return torch.nn.functional.cross_entropy(logits, torch.tensor(targets)) * 3

    assert_agree(f, [z])


def test_transpose_of_three_axes_and_none():
    x = draw(2, 3, 4)
    for axes in ((2, 0, 1), (1, 2, 0), (0, -1, 1)):
        assert_agree(lambda a, axes=axes: a.transpose(*axes) if isinstance(a, Value) else a.permute(*axes), [x])
    assert_agree(lambda a: a.transpose() if isinstance(a, Value) else a.permute(2, 1, 0), [x])


@st.composite
def expressions(draw_):
    """Draw a program: each line takes an operation and two earlier results, all of shape (3, 3)."""
    names = [
        "+",
        "-",
        "*",
        "@",
        "tanh",
        "sigmoid",
        "exp tanh",
        "relu",
        "transpose",
        "mean row",
        "max column",
        "first row",
        "cat",
    ]
    return draw_(
        st.lists(st.tuples(st.sampled_from(names), st.integers(0, 99), st.integers(0, 99)), min_size=1, max_size=12)
    )


def one_line(name, a, b):
    ours = isinstance(a, Value)
    axis, keep, largest = ("axis", "keepdims", "max") if ours else ("dim", "keepdim", "amax")
    operations = {
        "+": lambda: a + b,
        "-": lambda: a - b,
        "*": lambda: a * b,
        "@": lambda: a @ b * 0.3,
        "tanh": lambda: a.tanh(),
        "sigmoid": lambda: a.sigmoid() / (b * b + 1),
        "exp tanh": lambda: a.tanh().exp(),
        "relu": lambda: a.relu(),
        "transpose": lambda: a.transpose() if ours else a.transpose(0, 1),
        "mean row": lambda: a - a.mean(**{axis: 1, keep: True}),
        "max column": lambda: b + getattr(a, largest)(**{axis: 0, keep: True}),
        "first row": lambda: a[0] * b,
        "cat": lambda: cat([a[:1], b[1:]], 0),
    }
    return operations[name]()


def run(program, leaves):
    results = list(leaves)
    for name, i, j in program:
        results.append(one_line(name, results[i % len(results)], results[j % len(results)]))
    return sum(results[-3:], 0 * results[0]).tanh()


@PROPERTY
@given(program=expressions())
def test_random_expressions_agree_with_torch(program):
    assert_agree(lambda *leaves: run(program, leaves), [draw(3, 3, seed=i) for i in range(3)], 1e-9)


def test_gradient_through_shared_and_repeated_use_is_counted_by_paths():
    x = Value(2.0)
    y = x
    for _ in range(50):
        y = y + y  # 2^50 paths, 51 values
    y.backward()
    assert x.grad == 2.0**50
    z = Value(3.0)
    (z * z * z + z).backward()
    assert z.grad == 28


def test_gradients_accumulate_over_calls_also_over_one_graph():
    x = Value([1.0, 2.0])
    square = x * x
    y = square.sum()
    y.backward()
    y.backward()
    (3 * x).sum().backward()
    assert x.grad.tolist() == [7.0, 11.0]
    assert square.grad.tolist() == [2.0, 2.0]
    assert y.grad == 2
    x.grad[...] = 0
    y.backward()
    assert x.grad.tolist() == [2.0, 4.0]


def test_graph_may_be_ten_thousand_operations_deep():
    x = Value(1.0)
    y = x
    for _ in range(10_000):
        y = y + 1e-4
    y.backward()
    assert x.grad == 1
    assert y.data == pytest.approx(2)


def test_value_copies_its_data_and_operands_stay_as_they_were():
    given_array = np.array([1.0, -2.0])
    x = Value(given_array)
    gradient = np.array([1.0, 1.0])
    y = x.relu() + x
    y.backward(gradient)
    x.data -= 1
    x.grad += 5
    assert given_array.tolist() == [1.0, -2.0]
    assert gradient.tolist() == [1.0, 1.0]
    assert y.grad.tolist() == [1.0, 1.0]
    first, second = Value([1.0]), Value([2.0])
    (first + second).backward([1.0])
    first.grad += 1
    assert second.grad.tolist() == [1.0], "two operands do not share one gradient array"


def test_arrays_and_numbers_of_numpy_leave_the_operators_to_the_value():
    x = Value([1.0, 2.0])
    for y in (np.array([1.0, 2.0]) + x, np.float64(2) * x, np.array([3.0, 4.0]) / x, np.ones((3, 2)) @ x):
        assert isinstance(y, Value)
    assert (np.array([3.0, 4.0]) - x).data.tolist() == [2.0, 2.0]
    assert (np.ones((3, 2)) @ x).data.tolist() == [3.0, 3.0, 3.0]


def test_an_mlp_learns_with_it():
    """Exclusive or, by hand-written gradient descent; the steps equal PyTorch's."""
    X, t = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), [0, 1, 1, 0]
    start = [draw(2, 8, seed=1), draw(8, seed=2), draw(8, 2, seed=3), draw(2, seed=4)]
    ours, theirs = [Value(s.numpy()) for s in start], [s.clone().requires_grad_() for s in start]
    for _ in range(300):
        loss = cross_entropy((Value(X) @ ours[0] + ours[1]).tanh() @ ours[2] + ours[3], t)
        for w in ours:
            w.grad[...] = 0
        loss.backward()
        reference = torch.nn.functional.cross_entropy(
            (torch.tensor(X) @ theirs[0] + theirs[1]).tanh() @ theirs[2] + theirs[3], torch.tensor(t)
        )
        gradients = torch.autograd.grad(reference, theirs)
        for w, v, g in zip(ours, theirs, gradients, strict=True):
            w.data -= 0.5 * w.grad
            v.data -= 0.5 * g
    assert loss.data < 0.05
    assert loss.data == pytest.approx(reference.item(), rel=1e-8)


def test_gradcheck_accepts_what_is_right_and_measures_the_gap():
    gap = gradcheck(lambda a, b: (a @ b).tanh() / 2, draw(2, 3).numpy(), draw(3, 2, seed=1).numpy())
    assert 0 < gap < 1e-8
    assert gradcheck(lambda a: a, 3) < 1e-8
    assert gradcheck(lambda a: a * 2, Value([1.0, 2.0])) < 1e-8


def test_gradcheck_leaves_values_alone():
    x = Value([1.0, 2.0])
    gradcheck(lambda a: a * a, x)
    assert x.data.tolist() == [1.0, 2.0]
    assert x.grad.tolist() == [0.0, 0.0]


@pytest.mark.parametrize("slope", [1.001, -1.0, math.nan])
def test_gradcheck_names_the_entry_that_is_wrong(slope):
    def wrong(x):
        y = x * x
        right = y._pullback
        y._pullback = lambda g, r: [part * np.array([1.0, slope]) for part in right(g, r)]
        return y

    with pytest.raises(
        ArithmeticError, match=r"gradcheck: the gradient of input 0 at \(1,\) expected 2.16.* by differences, got"
    ):
        gradcheck(wrong, [1.0, 2.0])


def test_gradcheck_grants_what_it_is_told_to():
    def rough(x):
        y = x * 1.0
        y._pullback = lambda g, r: (1.01 * g, g)
        return y

    assert gradcheck(rough, 5.0, rtol=0.02) == pytest.approx(0.01, rel=1e-4)
    assert gradcheck(rough, 5.0, rtol=0.0, atol=0.02) == pytest.approx(0.01, rel=1e-4)
    with pytest.raises(ArithmeticError):
        gradcheck(rough, 5.0, rtol=0.0, atol=0.005)
    with pytest.raises(ArithmeticError):  # rtol counts in relation to the slope, here 1e-4
        gradcheck(lambda x: rough(x * 1e-4) + x * 0, 5.0, rtol=0.005, atol=0.0)


def test_trace_records_operations_parents_values_gradients_in_order():
    x, w = Value([1.0, 2.0], name="x"), Value([3.0, -1.0], name="w")
    record = trace((x * w).relu().sum())
    forward, backward = record["forward"], record["backward"]
    assert [step["operation"] for step in forward] == ["", "", "*", "relu", "sum"]
    assert [step["name"] for step in forward] == ["x", "w", "", "", ""]
    assert [step["parents"] for step in forward] == [[], [], [0, 1], [2], [3]]
    assert [step["id"] for step in forward] == [0, 1, 2, 3, 4]
    assert [step["shape"] for step in forward] == [[2], [2], [2], [2], []]
    assert [step["value"] for step in forward] == [[1.0, 2.0], [3.0, -1.0], [3.0, -2.0], [3.0, 0.0], 3.0]
    assert [step["gradient"] for step in forward] == [[3.0, 0.0], [1.0, 0.0], [1.0, 0.0], [1.0, 1.0], 1.0]
    assert backward == [
        {"id": 4, "passes": [[1.0, 1.0]]},
        {"id": 3, "passes": [[1.0, 0.0]]},
        {"id": 2, "passes": [[3.0, -0.0], [1.0, 0.0]]},
    ]


@PROPERTY
@given(program=expressions())
def test_trace_is_json_and_its_steps_add_up_to_its_gradients(program):
    result = run(program, [Value(draw(3, 3, seed=i).numpy(), name=f"x{i}") for i in range(3)]).sum()
    record = json.loads(json.dumps(trace(result), allow_nan=False))
    arrived = {step["id"]: np.zeros(step["shape"]) for step in record["forward"]}
    arrived[record["forward"][-1]["id"]] = np.ones(())
    visited = set()
    for step in record["backward"]:
        parents = record["forward"][step["id"]]["parents"]
        assert not visited & set(parents), "a gradient is passed on when it is whole"
        visited.add(step["id"])
        for parent, passed in zip(parents, step["passes"], strict=True):
            assert parent < step["id"]
            arrived[parent] = arrived[parent] + np.array(passed)
    for step in record["forward"]:
        np.testing.assert_allclose(arrived[step["id"]], step["gradient"], rtol=1e-12, atol=1e-12)


def test_trace_changes_nothing_and_writes_what_json_lacks_as_words():
    x = Value([0.0, -1.0, 2.0])
    result = x.log().sum()
    record = trace(result)
    assert record["forward"][1]["value"] == ["-inf", "nan", pytest.approx(math.log(2))]
    assert record["forward"][0]["gradient"] == ["inf", -1.0, 0.5]
    assert x.grad.tolist() == [0.0, 0.0, 0.0]
    assert json.loads(json.dumps(record, allow_nan=False)) == record


def test_value_prints_its_data():
    assert repr(Value([[1.0, 2.5]])) == "Value([[1. , 2.5]])"
    assert Value([[1.0, 2.5]]).shape == (1, 2)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: Value("one"), TypeError, "Value: data expected real numbers, all rows of one length, got str"),
        (lambda: Value([[1.0], [1.0, 2.0]]), TypeError, "Value: data expected real numbers, all rows of one length, got list"),
        (lambda: Value([1.0, 2.0]).backward(), ValueError, "backward: self expected a single number or a gradient, got shape (2,); reduce it first, for example with .sum()"),
        (lambda: Value([1.0, 2.0]).backward(1.0), ValueError, "backward: gradient expected shape (2,), got ()"),
        (lambda: Value([1.0]) ** Value([2.0]), TypeError, "Value: exponent expected a number, got Value; a ** b is also (b * a.log()).exp()"),
        (lambda: concatenate([]), ValueError, "concatenate: values expected one or more, got none"),
        (lambda: cross_entropy([[0.0]], [0]), TypeError, "cross_entropy: logits expected a Value, got list"),
        (lambda: cross_entropy(Value([0.0]), [0]), ValueError, "cross_entropy: logits expected one or more rows of logits, shape (N, C), got (1,)"),
        (lambda: cross_entropy(Value(np.zeros((0, 3))), []), ValueError, "cross_entropy: logits expected one or more rows of logits, shape (N, C), got (0, 3)"),
        (lambda: cross_entropy(Value([[0.0, 0.0]]), [[1]]), ValueError, "cross_entropy: targets expected class numbers of shape (1,), got (1, 1)"),
        (lambda: cross_entropy(Value([[0.0, 0.0]]), [2]), ValueError, "cross_entropy: targets expected whole numbers from 0 to 1, got [2]"),
        (lambda: cross_entropy(Value([[0.0, 0.0]]), [-1]), ValueError, "cross_entropy: targets expected whole numbers from 0 to 1, got [-1]"),
        (lambda: cross_entropy(Value([[0.0, 0.0]]), [1.0]), ValueError, "cross_entropy: targets expected whole numbers from 0 to 1, got [1.0]"),
        (lambda: trace(Value([1.0, 2.0])), ValueError, "backward: self expected a single number or a gradient, got shape (2,); reduce it first, for example with .sum()"),
    ],
)  # fmt: skip
def test_autograd_refuses_what_does_not_fit(call, error, message):
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Value([1.0, 2.0]) + np.ones(3), r"Value: \+ expected shapes that meet, got \[\(2,\), \(3,\)\]; operands could not"),
        (lambda: Value([1.0, 2.0]) @ Value([1.0]), r"Value: @ expected shapes that meet, got \[\(2,\), \(1,\)\]; matmul"),
        (lambda: concatenate([Value([1.0]), Value([[1.0]])]), r"Value: concatenate expected shapes that meet, got \[\(1,\), \(1, 1\)\]"),
    ],
)  # fmt: skip
def test_shapes_that_do_not_meet_are_named_with_the_operation(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_concatenate_joins_along_the_first_axis_if_none_is_named():
    assert concatenate([Value([[1.0, 2.0]]), Value([[3.0, 4.0]])]).shape == (2, 2)
    assert concatenate([Value([[1.0, 2.0]]), Value([[3.0, 4.0]])]).data.tolist() == [[1.0, 2.0], [3.0, 4.0]]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Value([1.0, 2.0])[5], r"Value: index expected places in shape \(2,\), got 5; index 5 is out of bounds"),
        (lambda: Value([1.0, 2.0])[1.5], r"Value: index expected places in shape \(2,\), got 1.5; only integers"),
        (lambda: Value([1.0, 2.0])[Value(1.0)], r"Value: index expected places in shape \(2,\), got Value\(1.\); only integers"),
        (lambda: Value([1.0, 2.0]).sum(axis=3), r"Value: axis of sum expected one that shape \(2,\) has, got 3; axis 3"),
        (lambda: Value([1.0, 2.0]).max(axis=(0, 0)), r"Value: axis of max expected one that shape \(2,\) has, got \(0, 0\); duplicate"),
        (lambda: Value(np.zeros((0, 3))).max(axis=5), r"Value: axis of max expected one that shape \(0, 3\) has, got 5; axis 5"),
        (lambda: Value(np.zeros((0, 3))).max(axis=0), r"Value: max expected one entry or more to choose from, got shape \(0, 3\)$"),
        (lambda: Value([1.0, 2.0]).reshape(3), r"Value: shape of reshape expected one of 2 entries, got \(3,\); cannot reshape"),
        (lambda: Value([[1.0, 2.0]]).transpose(0, 3), r"Value: axes of transpose expected each axis of shape \(1, 2\) once, got \(0, 3\); axis 3"),
        (lambda: Value(1.0).transpose(0), r"Value: axes of transpose expected each axis of shape \(\) once, got \(0,\); axes don't match"),
        (lambda: concatenate([Value([1.0])], axis=2), r"concatenate: axis expected one that shape \(1,\) has, got 2$"),
        (lambda: concatenate([Value([[1.0]])], axis=-3), r"concatenate: axis expected one that shape \(1, 1\) has, got -3$"),
        (lambda: iter(Value(1.0)), r"Value: loop expected an axis to go along, got a single number$"),
        (lambda: cross_entropy(Value([[0.0], [0.0]]), [[0], [0, 0]]), r"cross_entropy: targets expected class numbers of shape \(2,\), got rows of different lengths$"),
    ],
)  # fmt: skip
def test_wrong_index_axis_and_shape_are_refused_in_words_of_their_own(call, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        call()


def test_value_is_unpacked_and_looped_over_along_its_first_axis():
    x = Value([[1.0, 2.0], [3.0, 4.0]])
    a, b = x
    (a * b * b).sum().backward()
    assert x.grad.tolist() == [[9.0, 16.0], [6.0, 16.0]]
    assert [row.shape for row in Value(np.zeros((3, 0, 2)))] == [(0, 2)] * 3
    assert list(Value(np.zeros((0, 2)))) == []
    assert sum(Value([1.0, 2.0, 3.0])).data == 6
    assert Value(np.zeros((0, 3))).max(axis=1).shape == (0,)


def test_value_does_not_answer_in():
    with pytest.raises(TypeError) as caught:
        1.0 in Value([1.0])  # noqa: B015
    assert str(caught.value) == (
        "Value: in expected an array to look through, got Value; ask its data: number in value.data"
    )


@pytest.mark.parametrize(
    "data",
    [None, [1, None], "3.5", ["1", "2"], 1j, np.array([1j]), torch.tensor([1j]), {}, {1.0}, b"1", object(),
     np.datetime64("2020-01-01"), [Value(1.0)], 10**400, [[1.0], 2.0]],
    ids=["None", "None in a list", "text", "texts", "complex", "complex array", "complex tensor", "dict", "set", "bytes",
         "object", "date", "Value in a list", "too large", "rows of two lengths"],
)  # fmt: skip
def test_value_refuses_what_is_no_real_number(data):
    expected = f"Value: data expected real numbers, all rows of one length, got {type(data).__name__}"
    with pytest.raises(TypeError) as caught:
        Value(data)
    assert str(caught.value) == expected
    with pytest.raises(TypeError, match="backward: gradient expected real numbers"):
        Value([1.0]).backward([data])


@pytest.mark.parametrize(
    ("data", "numbers"),
    [
        (torch.tensor([1.0, 2.0], requires_grad=True), [1.0, 2.0]),
        (torch.nn.Parameter(torch.tensor([0.5])) * 3, [1.5]),
        (torch.tensor([1.5], dtype=torch.bfloat16), [1.5]),
        (torch.tensor([[1], [0]]), [[1.0], [0.0]]),
        (torch.tensor([True, False]), [1.0, 0.0]),
        ([torch.tensor(1.0, requires_grad=True), 2], [1.0, 2.0]),
        (Fraction(1, 2), 0.5),
        (2**70, 2.0**70),
        (np.float16(0.5), 0.5),
        ([], []),
    ],
)
def test_value_takes_numbers_of_every_kind_without_a_warning(data, numbers):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        x = Value(data)
    assert x.data.tolist() == numbers
    assert x.data.dtype == np.float64


def test_value_copies_the_numbers_of_a_tensor():
    given_tensor = torch.zeros(2, dtype=torch.float64)
    x = Value(given_tensor)
    given_tensor += 1
    assert x.data.tolist() == [0.0, 0.0]
    assert Value(torch.zeros(0, 3)).shape == (0, 3)


@pytest.mark.parametrize("make", [np.array, list, torch.tensor], ids=["array", "list", "tensor"])
def test_what_the_caller_changes_before_the_sweep_does_not_count(make):
    targets, z = make([0]), Value([[1.0, 2.0, 3.0]])
    loss = cross_entropy(z, targets)
    targets[0] = 2
    loss.backward()
    assert (z.grad < 0).tolist() == [[True, False, False]]
    rows, columns, x = make([0, 0]), make([1, 1]), Value([[1.0, 2.0], [3.0, 4.0]])
    y = x[rows].sum() + x[0, columns].sum()
    rows[0] = columns[0] = 1
    y.backward()
    assert x.grad.tolist() == [[2.0, 4.0], [0.0, 0.0]]


def with_slope(value, slope):
    """Make an operation of one operand with a slope of one's own."""
    return lambda v: apply("own", value, (v,), lambda g, y: (g * slope(v.data),))


@pytest.mark.parametrize(("scale", "wrong"), [(1.0, 1.001), (1e-2, 1.001), (1e-4, 1.5), (1e-4, 0.5)])
def test_gradcheck_finds_a_wrong_slope_where_all_slopes_are_small(scale, wrong):
    mean = lambda a: scale * np.square(a).mean()  # noqa: E731
    point = np.full(50, 1e-2)
    assert gradcheck(with_slope(mean, lambda a: scale * 2 * a / a.size), point) < 1e-10 * scale
    with pytest.raises(ArithmeticError, match="gradcheck: the gradient of input 0 at"):
        gradcheck(with_slope(mean, lambda a: scale * 2 * wrong * a / a.size), point)


def test_gradcheck_finds_the_wrong_slopes_of_many_small_entries():
    square = lambda a: np.square(a).mean()  # noqa: E731
    with pytest.raises(ArithmeticError, match=r"expected 1e-07 by differences, got 1.5e-07 from the engine"):
        gradcheck(with_slope(square, lambda a: 3 * a / a.size), np.full(2000, 1e-4))
    assert gradcheck(lambda x: (x * x * x).mean(), np.full(20, 1e-4)) < 1e-12


@pytest.mark.parametrize("point", [[1234567.8], [1234567.8, 1.0], [-1e9, 3e9], [1e150]], ids=str)
def test_gradcheck_takes_data_that_are_not_scaled(point):
    assert gradcheck(lambda x: (x * x).sum(), point) <= 2e-5 * max(map(abs, point))
    with pytest.raises(ArithmeticError):
        gradcheck(with_slope(lambda a: np.square(a).sum(), lambda a: 2.001 * a), point)


def test_gradcheck_takes_slopes_that_are_zero_but_for_rounding():
    x = draw(3, 4).numpy()
    share = lambda z: z.exp() / z.exp().sum(axis=1, keepdims=True)  # noqa: E731
    for f in (lambda z: share(z).sum(), lambda z: (z - z.mean()).sum(), lambda z: z * 0):
        assert gradcheck(f, x) < 1e-8


def test_gradcheck_refuses_a_function_with_randomness():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError) as caught:
        gradcheck(lambda x: x * rng.random(3), [1.0, 2.0, 3.0])
    assert str(caught.value) == (
        "gradcheck: f expected the same values each time, got different values for the same input; fix its randomness"
    )
    assert gradcheck(lambda x: x * np.random.default_rng(0).random(3), [1.0, 2.0, 3.0]) < 1e-8
