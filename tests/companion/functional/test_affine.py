"""The affine map against PyTorch's."""

import pytest
import torch
import torch.nn.functional as oracle
from torch.autograd import gradcheck, gradgradcheck

from companion import functional as F

# PyTorch's own forward mode scripts its rules on first use and warns about that
FORWARD_MODE = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")
TOLERANCE = {torch.float64: 1e-12, torch.float32: 1e-5, torch.bfloat16: 5e-2}


def draw(*shape, dtype=torch.float64, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


@pytest.mark.parametrize("shape", [(3,), (5, 3), (2, 4, 3), (0, 3)], ids=str)
@pytest.mark.parametrize("with_bias", [True, False])
@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
def test_linear_agrees_with_torch_in_value_and_every_gradient(shape, with_bias, dtype, device):
    inputs = [draw(*shape, dtype=dtype), draw(2, 3, dtype=dtype, seed=1), draw(2, dtype=dtype, seed=2)]
    inputs = [t.to(device).requires_grad_() for t in inputs][: 2 + with_bias]
    results = []
    for f in (F.linear, oracle.linear):
        y = f(*inputs)
        results.append([y, *torch.autograd.grad(y, inputs, torch.ones_like(y))])
    for got, want in zip(*results):
        torch.testing.assert_close(got, want, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])


def test_linear_equals_what_one_computes_by_hand():
    x = torch.tensor([[1.0, 2.0], [0.0, -1.0]])
    weight = torch.tensor([[1.0, 10.0], [-1.0, 0.5], [2.0, 0.0]])
    y = F.linear(x, weight, torch.tensor([0.0, 1.0, 2.0]))
    assert y.tolist() == [[21.0, 1.0, 4.0], [-10.0, 0.5, 2.0]]


@FORWARD_MODE
def test_linear_passes_gradcheck_twice():
    inputs = [draw(4, 3).requires_grad_(), draw(2, 3).requires_grad_(), draw(2).requires_grad_()]
    assert gradcheck(F.linear, inputs, check_forward_ad=True, check_batched_grad=True)
    assert gradgradcheck(F.linear, inputs)


def test_linear_handles_strided_views_and_leaves_its_arguments_alone():
    x, weight, bias = draw(3, 8), draw(6, 2), draw(4)
    kept = [t.clone() for t in (x, weight, bias)]
    got = F.linear(x.T[::2], weight[::2].T.reshape(2, 3), bias[::2])
    torch.testing.assert_close(got, oracle.linear(x.T[::2], weight[::2].T.reshape(2, 3), bias[::2]))
    assert all(torch.equal(a, b) for a, b in zip((x, weight, bias), kept))


def test_linear_lets_infinity_and_nan_through():
    y = F.linear(torch.tensor([[float("inf"), 0.0], [float("nan"), 0.0]]), torch.tensor([[1.0, 1.0]]))
    assert y[0].item() == float("inf")
    assert torch.isnan(y[1]).all()


@FORWARD_MODE
def test_linear_works_under_torch_func_for_a_batch_of_networks():
    x, weights = draw(5, 3), draw(7, 2, 3)
    got = torch.func.vmap(F.linear, in_dims=(None, 0))(x, weights)
    torch.testing.assert_close(got, torch.einsum("ni,koi->kno", x, weights))
    jacobian = torch.func.jacrev(F.linear)(x[0], weights[0])
    torch.testing.assert_close(jacobian, weights[0])


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([1.0], torch.ones(1, 1)), TypeError, "linear: x expected a tensor, got list; torch.as_tensor(x) makes one"),
        ((torch.ones(2, dtype=torch.int64), torch.ones(1, 2)), ValueError, "linear: x expected a float tensor, got torch.int64; x.float() converts it"),
        ((torch.ones(2), [[1.0, 1.0]]), TypeError, "linear: weight expected a tensor, got list; torch.as_tensor(weight) makes one"),
        ((torch.ones(2), torch.ones(2)), ValueError, "linear: weight expected two axes, (out, in), got (2,)"),
        ((torch.ones(4, 3), torch.ones(5, 2)), ValueError, "linear: x expected shape (..., 2), got (4, 3); the last axis holds the features"),
        ((torch.tensor(1.0), torch.ones(1, 1)), ValueError, "linear: x expected shape (..., 1), got (); the last axis holds the features"),
        ((torch.ones(2), torch.ones(3, 2), torch.ones(1)), ValueError, "linear: bias expected shape (3,), got (1,)"),
        ((torch.ones(2), torch.ones(3, 2), 0.5), TypeError, "linear: bias expected a tensor, got float; torch.as_tensor(bias) makes one"),
    ],
)  # fmt: skip
def test_linear_refuses_what_does_not_fit(arguments, error, message):
    with pytest.raises(error) as caught:
        F.linear(*arguments)
    assert str(caught.value) == message


def test_linear_under_autocast_has_the_type_and_values_of_torch():
    x, weight, bias = torch.randn(4, 3), torch.randn(2, 3), torch.randn(2)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        ours, theirs = F.linear(x, weight, bias), torch.nn.functional.linear(x, weight, bias)
        deeper = F.linear(ours, torch.randn(5, 2), torch.randn(5))
    assert ours.dtype == theirs.dtype == deeper.dtype == torch.bfloat16
    torch.testing.assert_close(ours, theirs, rtol=2e-2, atol=2e-2)


@pytest.mark.parametrize(
    ("x", "weight", "message"),
    [
        (torch.float64, torch.float32, "linear: x expected float32 like the weights, got float64; x.float(), or net.double()"),
        (torch.float32, torch.float64, "linear: x expected float64 like the weights, got float32; x.double(), or net.float()"),
        (torch.float16, torch.bfloat16, "linear: x expected bfloat16 like the weights, got float16; x.bfloat16(), or net.half()"),
    ],
)  # fmt: skip
def test_linear_says_which_float_types_meet_and_what_to_do(x, weight, message):
    inputs = torch.ones(4, 3, dtype=x), torch.ones(2, 3, dtype=weight), torch.ones(2, dtype=weight)
    with pytest.raises(TypeError) as caught:
        F.linear(*inputs)
    assert str(caught.value) == message
    with pytest.raises(TypeError) as caught:
        torch.func.vmap(F.linear, in_dims=(0, None))(*inputs[:2])
    assert str(caught.value) == message


@pytest.mark.skipif(
    torch.__version__ < "2.13", reason="the compiler before PyTorch 2.13 cannot read whether autocast is on"
)
def test_linear_leaves_mixed_types_to_autocast_also_where_it_is_compiled():
    x, weight, bias = torch.randn(4, 3).bfloat16(), torch.randn(2, 3), torch.randn(2)
    compiled = torch.compile(F.linear, backend="eager", fullgraph=True)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        for f in (F.linear, compiled):
            torch.testing.assert_close(
                f(x, weight, bias), torch.nn.functional.linear(x, weight, bias), rtol=2e-2, atol=2e-2
            )
