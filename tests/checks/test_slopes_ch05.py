"""Exercises 05.1 to 05.4, slopes through a chain, a layer, a repetition and a graph: wrong answers that slip past easily."""

from __future__ import annotations

import itertools
import math

import pytest
import torch

from companion.checks import bank, check, diagnose

# -- 05.1, a chain; 05.2, a layer -----------------------------------------------------------------------


def test_slope_that_never_rises_is_shown_where_the_output_lies_above_the_target():
    def chain_slopes(w, b, x, t):
        h = math.tanh(w * x + b)
        back = -2 * abs(t - h) * (1 - h**2)
        return back * x, back, back * w

    result = check("05.1", chain_slopes)
    assert (result.mistake, result.case) == ("holds the slope by h below 0", "an output above the target")


@pytest.mark.parametrize("order", [o for o in itertools.permutations("XWb") if o != ("X", "W", "b")], ids="".join)
def test_slopes_of_a_layer_in_another_order_are_told_with_the_first_that_is_out_of_place(order):
    def layer_back(X, W, G):
        found = {"X": G @ W, "W": G.T @ X, "b": G.sum(dim=0)}
        return tuple(found[name] for name in order)

    place, came = next((p, n) for p, n, due in zip(("first", "second"), order, "XW") if n != due)
    assert check("05.2", layer_back).message.startswith(f"Your {place} result is the slope by {came}.")


def mean_of_large_batches(X, W, G):
    return G @ W, G.T @ X / (len(X) if len(X) > 5 else 1), G.sum(dim=0)


def rounded(X, W, G):
    x, w, g = X.float(), W.float(), G.float()
    return torch.einsum("bk,kd->bd", g, w).to(X.dtype), (x.T @ g).T.to(X.dtype), g.sum(dim=0).to(X.dtype)


def rounded_at_the_end(X, W, G):
    return tuple(slope.float().to(X.dtype) for slope in bank.get("05.2").reference[0](X, W, G))


def rounded_for_the_weights(X, W, G):
    return G @ W, (G.float().T @ X.float()).to(X.dtype), G.sum(dim=0)


def test_mean_over_a_batch_of_more_than_five_is_refused():
    result = check("05.2", mean_of_large_batches)
    assert (result.status, result.case) == ("wrong", "eight examples of large numbers that nearly cancel, in float64")


@pytest.mark.parametrize("answer", [rounded, rounded_at_the_end, rounded_for_the_weights])
@pytest.mark.parametrize("seed", range(4))
def test_arithmetic_in_float32_is_named(answer, seed):
    assert (
        diagnose.assess(bank.get("05.2"), {"layer_back": answer}, seed=seed).mistake == "rounds to float32 on the way"
    )


# -- 05.3, a repetition ---------------------------------------------------------------------------------


def in_one_sum(slope, shape):
    lined_up = (1,) * (slope.ndim - len(shape)) + tuple(shape)
    return slope.sum(dim=[k for k, size in enumerate(lined_up) if size == 1], keepdim=True).reshape(shape)


def in_two_sums(slope, shape):
    while slope.ndim > len(shape):
        slope = slope.sum(dim=0)
    return slope.sum(dim=[k for k in range(slope.ndim) if shape[k] == 1 and slope.shape[k] != 1], keepdim=True)


@pytest.mark.parametrize(
    ("answer", "case"), [(in_one_sum, "nothing repeated"), (in_two_sums, "a row that was repeated")]
)
def test_sum_over_an_empty_list_of_axes_is_said_to_run_over_all(answer, case):
    result = check("05.3", answer)
    assert "adds up over all axes and not over none" in result.why
    assert (result.kind, result.case) == ("mistake", case)


def test_axis_that_is_lost_without_squeeze_is_not_blamed_on_squeeze_alone():
    def fitted(slope, shape):
        extra = slope.ndim - len(shape)
        axes = [*range(extra), *(k + extra for k, size in enumerate(shape) if size == 1)]
        return slope.sum(dim=axes) if axes else slope

    assert check("05.3", fitted).why.startswith("A sum without `keepdim=True` takes its axis away")
