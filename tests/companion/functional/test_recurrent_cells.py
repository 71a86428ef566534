"""The recurrent cells against PyTorch's, and backpropagation through time against automatic differentiation."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.autograd import gradcheck, gradgradcheck

from companion import functional as F
from companion.functional import _cells
from companion.functional._through_time import through_time

# PyTorch's own forward mode scripts its rules on first use and warns about that
FORWARD_MODE = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")
PROPERTY = settings(max_examples=40, deadline=None, derandomize=True)
TOLERANCE = {torch.float64: 1e-12, torch.float32: 1e-5, torch.bfloat16: 5e-2}

# name: (ours, PyTorch's, gates, states)
FUNCTIONS = {
    "rnn_cell": (F.rnn_cell, torch.rnn_tanh_cell, 1, 1),
    "rnn_cell relu": (lambda *a: F.rnn_cell(*a, nonlinearity="relu"), torch.rnn_relu_cell, 1, 1),
    "lstm_cell": (F.lstm_cell, torch.lstm_cell, 4, 2),
    "gru_cell": (F.gru_cell, torch.gru_cell, 3, 1),
}
CELLS = [_cells.TanhCell, _cells.ReluCell, _cells.LstmCell, _cells.GruCell]
EVERY_FUNCTION = pytest.mark.parametrize("name", FUNCTIONS)
EVERY_CELL = pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.__name__)


def draw(*shape, dtype=torch.float64, seed=0, scale=1.0):
    drawn = scale * torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return drawn.to(dtype).requires_grad_()


def arguments(name, batch=(5,), size=4, width=3, dtype=torch.float64, bias=True, scale=1.0):
    """Return x, the state as the function takes it, weights and biases, and all of them as a list."""
    gates, states = FUNCTIONS[name][2:]
    x = draw(*batch, width, dtype=dtype, scale=scale)
    state = [draw(*batch, size, dtype=dtype, seed=1 + i, scale=scale) for i in range(states)]
    shapes = [(gates * size, width), (gates * size, size)] + [(gates * size,)] * 2 * bias
    numbers = [draw(*shape, dtype=dtype, seed=5 + i) for i, shape in enumerate(shapes)]
    return (x, tuple(state) if states == 2 else state[0], *numbers), [x, *state, *numbers]


def for_one(theirs):
    """Let PyTorch's function, which wants a batch, take a single example."""

    def f(x, state, *numbers):
        batched = tuple(s[None] for s in state) if isinstance(state, tuple) else state[None]
        y = theirs(x[None], batched, *numbers)
        return tuple(s[0] for s in y) if isinstance(y, tuple) else y[0]

    return f


def value_and_gradients(f, given, leaves):
    y = f(*given)
    y = torch.cat(y, dim=-1) if isinstance(y, tuple) else y
    return [y, *torch.autograd.grad(y, leaves, torch.cos(torch.arange(y.numel()).reshape(y.shape)).to(y.dtype))]


@EVERY_FUNCTION
@pytest.mark.parametrize("batch", [(5,), (), (1,), (0,)], ids=str)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
def test_cell_agrees_with_torch_in_value_and_every_gradient(name, batch, bias, dtype):
    given, leaves = arguments(name, batch, dtype=dtype, bias=bias)
    ours, theirs = FUNCTIONS[name][0], FUNCTIONS[name][1] if batch else for_one(FUNCTIONS[name][1])
    results = [value_and_gradients(f, given, leaves) for f in (ours, theirs)]
    for got, want in zip(*results, strict=True):
        torch.testing.assert_close(got, want, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])


@EVERY_FUNCTION
@pytest.mark.parametrize("scale", [1e-8, 30.0, 1e4])
def test_cell_agrees_with_torch_far_from_one_and_close_to_zero(name, scale):
    given, leaves = arguments(name, scale=scale)
    ours, theirs = FUNCTIONS[name][:2]
    results = [value_and_gradients(f, given, leaves) for f in (ours, theirs)]
    for got, want in zip(*results, strict=True):
        torch.testing.assert_close(got, want, rtol=1e-10, atol=1e-10)


def test_rnn_cell_equals_what_one_computes_by_hand():
    h = F.rnn_cell(torch.tensor([2.0]), torch.tensor([3.0]), *torch.tensor([[[0.25]], [[-0.5]]]), torch.tensor([0.75]))
    assert h.item() == pytest.approx(math.tanh(2 * 0.25 - 3 * 0.5 + 0.75))
    h = F.rnn_cell(torch.tensor([2.0]), torch.tensor([3.0]), *torch.tensor([[[2.0]], [[-1.0]]]), nonlinearity="relu")
    assert h.tolist() == [1.0]


def test_lstm_cell_equals_what_one_computes_by_hand():
    def sigmoid(z):
        return 1 / (1 + math.exp(-z))

    w, u = torch.tensor([[0.1], [0.2], [0.3], [0.4]]), torch.tensor([[0.5], [0.6], [0.7], [0.8]])
    h, c = F.lstm_cell(torch.tensor([1.0]), (torch.tensor([2.0]), torch.tensor([3.0])), w, u)
    belt = sigmoid(0.2 + 1.2) * 3 + sigmoid(0.1 + 1.0) * math.tanh(0.3 + 1.4)
    assert c.item() == pytest.approx(belt)
    assert h.item() == pytest.approx(sigmoid(0.4 + 1.6) * math.tanh(belt))


def test_gru_cell_equals_what_one_computes_by_hand():
    def sigmoid(z):
        return 1 / (1 + math.exp(-z))

    w, u = torch.tensor([[0.1], [0.2], [0.3]]), torch.tensor([[0.4], [0.5], [0.6]])
    b, d = torch.zeros(3), torch.tensor([0.0, 0.0, 0.7])
    h = F.gru_cell(torch.tensor([1.0]), torch.tensor([2.0]), w, u, b, d)
    r, z = sigmoid(0.1 + 0.8), sigmoid(0.2 + 1.0)
    n = math.tanh(0.3 + r * (1.2 + 0.7))
    assert h.item() == pytest.approx((1 - z) * n + z * 2)


def test_lstm_cell_keeps_its_belt_through_a_thousand_steps_when_told_to():
    bias = torch.tensor([-100.0, 100.0, 0.0, 0.0])  # write nothing, forget nothing
    c = start = torch.tensor([0.25], requires_grad=True)
    h = torch.zeros(1)
    for _ in range(1000):
        h, c = F.lstm_cell(torch.ones(1), (h, c), torch.ones(4, 1), torch.ones(4, 1), bias)
    assert c.item() == 0.25
    assert torch.autograd.grad(c, start)[0].item() == 1.0


@EVERY_FUNCTION
@FORWARD_MODE
def test_cell_passes_gradcheck_twice_and_forward_mode(name):
    given, leaves = arguments(name, batch=(2,), size=2)
    pairs = len(leaves) - len(given)  # 1 where the state is a pair

    def f(*tensors):
        x, *rest = tensors
        state = tuple(rest[:2]) if pairs else rest[0]
        return FUNCTIONS[name][0](x, state, *rest[1 + pairs :])

    assert gradcheck(f, leaves, check_forward_ad=True)
    assert gradgradcheck(f, leaves)


@EVERY_FUNCTION
def test_cell_can_be_mapped_over_a_batch_of_networks(name):
    given, _leaves = arguments(name, batch=(2,))
    weights = torch.stack([given[3], 2 * given[3], -given[3]])

    def ours(w):
        return FUNCTIONS[name][0](given[0], given[1], given[2], w)

    got = torch.func.vmap(ours)(weights)
    for i, w in enumerate(weights):
        want = ours(w)
        for a, b in zip(got, want) if isinstance(want, tuple) else [(got, want)]:
            torch.testing.assert_close(a[i], b)


@EVERY_FUNCTION
@pytest.mark.parametrize("recorded", [True, False])
def test_cell_leaves_its_arguments_alone_and_takes_strided_views(name, recorded):
    given, leaves = arguments(name)
    views = [t.detach().repeat_interleave(2, dim=-1)[..., ::2] for t in leaves]
    kept = [t.clone() for t in views]
    pairs = len(leaves) - len(given)
    state = tuple(views[1:3]) if pairs else views[1]
    with torch.set_grad_enabled(recorded):
        got = FUNCTIONS[name][0](views[0], state, *views[2 + pairs :])
    want = FUNCTIONS[name][1](*given)
    torch.testing.assert_close(got, want if pairs else want.detach())
    assert all(torch.equal(a, b) for a, b in zip(views, kept, strict=True))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x, h, w, u: F.rnn_cell([1.0], h, w, u), TypeError, "rnn_cell: x expected a tensor, got list; torch.as_tensor(x) makes one"),
        (lambda x, h, w, u: F.rnn_cell(x.long(), h, w, u), ValueError, "rnn_cell: x expected a float tensor, got torch.int64; x.float() converts it"),
        (lambda x, h, w, u: F.rnn_cell(x.expand(2, 5, 3), h, w, u), ValueError, "rnn_cell: x expected shape (B, in) or (in,), got (2, 5, 3); time steps go in one by one"),
        (lambda x, h, w, u: F.rnn_cell(x, h[:1], w, u), ValueError, "rnn_cell: h expected shape (5, 4), got (1, 4)"),
        (lambda x, h, w, u: F.rnn_cell(x, 0.0, w, u), TypeError, "rnn_cell: h expected a tensor, got float; torch.as_tensor(h) makes one"),
        (lambda x, h, w, u: F.rnn_cell(x, h, w[:, :2], u), ValueError, "rnn_cell: weight_ih expected shape (4, 3), got (4, 2)"),
        (lambda x, h, w, u: F.rnn_cell(x, h, w, u[:2]), ValueError, "rnn_cell: weight_hh expected shape (4, 4), got (2, 4)"),
        (lambda x, h, w, u: F.rnn_cell(x, h, w, u, torch.ones(1)), ValueError, "rnn_cell: bias_ih expected shape (4,), got (1,)"),
        (lambda x, h, w, u: F.rnn_cell(x, h, w, u, None, torch.ones(4, 1)), ValueError, "rnn_cell: bias_hh expected shape (4,), got (4, 1)"),
        (lambda x, h, w, u: F.rnn_cell(x, h, w, u, nonlinearity="sine"), ValueError, "rnn_cell: nonlinearity expected 'tanh' or 'relu', got 'sine'"),
        (lambda x, h, w, u: F.lstm_cell(x, h, w, u), TypeError, "lstm_cell: state expected a pair (h, c), got Tensor"),
        (lambda x, h, w, u: F.lstm_cell(x, (h,), w, u), ValueError, "lstm_cell: state expected a pair (h, c), got 1 of them"),
        (lambda x, h, w, u: F.lstm_cell(x, (h, h[:, :3]), w, u), ValueError, "lstm_cell: c expected shape (5, 4), got (5, 3)"),
        (lambda x, h, w, u: F.lstm_cell(x, (h, h), w, u), ValueError, "lstm_cell: weight_hh expected shape (16, 4), got (4, 4)"),
        (lambda x, h, w, u: F.gru_cell(x, h, w, u), ValueError, "gru_cell: weight_hh expected shape (12, 4), got (4, 4)"),
        (lambda x, h, w, u: F.gru_cell(x, h, w, u[0, 0]), ValueError, "gru_cell: h expected shape (5, 0), got (5, 4)"),
    ],
)  # fmt: skip
def test_cell_refuses_what_does_not_fit(call, error, message):
    with pytest.raises(error) as caught:
        call(torch.ones(5, 3), torch.ones(5, 4), torch.ones(4, 3), torch.ones(4, 4))
    assert str(caught.value) == message


def plain_loop(cell, parts, state, weight, bias, sizes, reverse):
    """The same by the cell's equation and automatic differentiation, one sequence at a time."""
    starts = [sum(sizes[:t]) for t in range(len(sizes))]
    outputs, ends = [None] * sum(sizes), []
    for row in range(sizes[0]):
        times = [t for t, size in enumerate(sizes) if row < size]
        s = tuple(x[row : row + 1] for x in state)
        for t in reversed(times) if reverse else times:
            s, _ = cell.step(parts[starts[t] + row].unsqueeze(0), s, weight, bias)
            outputs[starts[t] + row] = s[0]
        ends.append(s)
    return torch.cat(outputs), tuple(torch.cat(column) for column in zip(*ends))


def through_time_arguments(cell, sizes, size, bias):
    rows = cell.gates * size
    parts, weight = draw(sum(sizes), rows), draw(rows, size, seed=1)
    state = tuple(draw(sizes[0], size, seed=2 + i) for i in range(cell.states))
    return parts, state, weight, draw(rows, seed=9) if bias else None


falling = st.lists(st.integers(1, 4), min_size=1, max_size=5).map(lambda sizes: sorted(sizes, reverse=True))


@EVERY_CELL
@PROPERTY
@given(sizes=falling, size=st.integers(1, 3), bias=st.booleans(), reverse=st.booleans(), used=st.sampled_from("oeb"))
def test_through_time_agrees_with_automatic_differentiation(cell, sizes, size, bias, reverse, used):
    parts, state, weight, b = through_time_arguments(cell, sizes, size, bias)
    leaves = [parts, weight, *state] + ([b] if bias else [])
    results = []
    for f in (through_time, plain_loop):
        outputs, ends = f(cell, parts, state, weight, b, sizes, reverse)
        chosen = {"o": [outputs], "e": [ends[-1]], "b": [outputs, *ends]}[used]  # outputs, last state, both
        total = sum((y * torch.cos(torch.arange(y.numel()).reshape(y.shape))).sum() for y in chosen)
        grads = torch.autograd.grad(total, leaves, allow_unused=True, materialize_grads=True)
        results.append([outputs, *ends, *grads])
    for got, want in zip(*results, strict=True):
        torch.testing.assert_close(got, want, rtol=1e-10, atol=1e-12)


@EVERY_CELL
@pytest.mark.parametrize("reverse", [False, True])
def test_through_time_passes_gradcheck_twice(cell, reverse):
    parts, state, weight, bias = through_time_arguments(cell, [3, 2, 2], 2, True)

    def f(parts, weight, bias, *state):
        outputs, ends = through_time(cell, parts, state, weight, bias, [3, 2, 2], reverse)
        return (outputs, *ends)

    assert gradcheck(f, (parts, weight, bias, *state))
    assert gradgradcheck(f, (parts, weight, bias, *state))


@EVERY_CELL
def test_through_time_works_under_torch_func(cell):
    parts, state, weight, bias = through_time_arguments(cell, [3, 2], 2, True)

    def loss(w):
        return through_time(cell, parts, state, w, bias, [3, 2])[0].square().sum()

    want = torch.autograd.grad(loss(weight), weight)[0]
    torch.testing.assert_close(torch.func.grad(loss)(weight.detach()), want)
    second = torch.func.grad(lambda w: torch.func.grad(loss)(w).square().sum())(weight.detach())
    (first,) = torch.autograd.grad(loss(weight), weight, create_graph=True)
    torch.testing.assert_close(second, torch.autograd.grad(first.square().sum(), weight)[0])


@pytest.mark.parametrize("cell", [_cells.LstmCell, _cells.GruCell], ids=lambda cell: cell.__name__)
def test_through_time_stays_finite_where_an_exponential_overflows(cell):
    parts, state, weight, bias = through_time_arguments(cell, [2, 2], 3, True)
    huge = (parts.detach() * 1e4).requires_grad_()
    outputs, _ = through_time(cell, huge, state, weight, bias, [2, 2])
    (first,) = torch.autograd.grad(outputs.sum(), weight, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), weight)
    for tensor in (outputs, first, second):
        assert torch.isfinite(tensor).all()


@EVERY_CELL
def test_through_time_gives_the_same_numbers_recorded_or_not(cell):
    """What is computed in place and what the functions of the course compute are one formula."""
    parts, state, weight, bias = through_time_arguments(cell, [3, 2], 2, True)
    got, _ = through_time(cell, parts, state, weight, bias, [3, 2])
    want, _ = plain_loop(cell, parts, state, weight, bias, [3, 2], False)
    torch.testing.assert_close(got, want, rtol=1e-15, atol=1e-16)
    tiny = torch.full((1, cell.gates), 1e-9)
    with torch.no_grad():
        value = cell.step(tiny, (torch.zeros(1, 1),) * cell.states, torch.zeros(cell.gates, 1), None)[0][0].item()
    assert value == pytest.approx({1: 1e-9, 4: 0.25e-9, 3: 0.5e-9}[cell.gates], rel=1e-6), "tanh keeps tiny numbers"


@pytest.mark.parametrize("dtype", [*TOLERANCE, torch.float16], ids=str)
def test_unrecorded_squashing_is_as_accurate_as_its_type_allows(dtype):
    sizes = torch.logspace(-7, 5, 400, dtype=torch.float64)
    z = torch.cat([-sizes, torch.tensor([0.0]), sizes, torch.tensor([-math.inf, math.inf])]).to(dtype)
    with torch.no_grad():
        got = {"tanh": _cells._tanh(z.clone()), "sigmoid": _cells._sigmoid(z.clone())}
    step = torch.finfo(dtype).eps
    for name, y in got.items():
        want = getattr(torch, name)(z.double())
        assert y.dtype == dtype
        torch.testing.assert_close(y.double(), want, rtol=4 * step, atol=torch.finfo(dtype).smallest_normal)
        assert y.abs().max() <= 1


@EVERY_CELL
def test_through_time_gives_the_same_gradient_again(cell):
    """The way back writes over nothing that it needs a second time, nor over what it was given."""
    parts, state, weight, bias = through_time_arguments(cell, [3, 2], 2, True)
    outputs, ends = through_time(cell, parts, state, weight, bias, [3, 2])
    given = [torch.ones_like(y) for y in (outputs, *ends)]
    values = [y.detach().clone() for y in (outputs, *ends)]
    leaves = [parts, weight, bias, *state]
    first, second = (torch.autograd.grad((outputs, *ends), leaves, given, retain_graph=True) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    assert all(torch.equal(d, torch.ones_like(d)) for d in given)
    assert all(torch.equal(a, b) for a, b in zip((outputs, *ends), values, strict=True))


def test_last_state_and_outputs_do_not_share_memory():
    parts, state, weight, bias = through_time_arguments(_cells.LstmCell, [2, 2], 2, True)
    with torch.no_grad():
        outputs, (h, _c) = through_time(_cells.LstmCell, parts, state, weight, bias, [2, 2])
        before = h.clone()
        outputs.zero_()
    assert torch.equal(h, before)
