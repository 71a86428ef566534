"""Chapter 8: answers in other forms than those that are kept: right ones pass, known mistakes are named all the same."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from companion.checks import bank, diagnose


def told(id, answer):
    exercise = bank.get(id)
    return diagnose.assess(exercise, exercise.answer(answer))


# -- 08.1 and 08.2 -------------------------------------------------------------------------------------


def by_recursion(first, widths, spreads, activation):
    q = (widths[0] * spreads[0] ** 2 * first).reshape(1)
    if len(spreads) == 1:
        return q
    entering = float(q) * (0.5 if activation == "relu" else 1)
    return torch.cat([q, by_recursion(entering, widths[1:], spreads[1:], activation)])


def by_drawing_nothing(first, widths, spreads, activation):
    out = torch.empty_like(spreads)
    m = first
    for i in range(len(spreads)):
        out[i] = widths[i] * spreads[i].pow(2) * m
        m = float(out[i]) * {"relu": 0.5, "linear": 1.0}[activation]
    return out


def fan_out_by_index(first, widths, spreads, activation):
    m, found = first, []
    for i in range(1, len(widths)):
        found.append(widths[i] * float(spreads[i - 1]) ** 2 * m)
        m = found[-1] / 2 if activation == "relu" else found[-1]
    return torch.tensor(found, dtype=spreads.dtype)


def by_the_functions_of_torch(shape, rule):
    w = torch.empty(*shape)
    fan_in, fan_out = nn.init._calculate_fan_in_and_fan_out(w)
    std = (
        math.sqrt(2.0 / (fan_in + fan_out)) if rule == "xavier" else nn.init.calculate_gain("relu") / math.sqrt(fan_in)
    )
    return torch.tensor(std), torch.tensor(math.sqrt(3.0) * std)


def six_over_n(shape, rule):
    k = math.prod(shape[2:])
    n = (shape[0] + shape[1]) * k / 2 if rule == "xavier" else shape[1] * k
    return (2 / n) ** 0.5 if rule == "he" else n**-0.5, 6 / n if rule == "he" else 3 / n


# -- 08.3 ----------------------------------------------------------------------------------------------


def with_backward(weights, x, y, share):
    weights = [nn.Parameter(w.clone()) for w in weights]
    return on_the_tables_themselves(weights, x, y, share)


def on_the_tables_themselves(weights, x, y, share):
    for w in weights:
        w.requires_grad_()
    h = x
    for i, w in enumerate(weights):
        h = h @ w.t()
        if i + 1 < len(weights):
            h = h.sigmoid()
    nn.CrossEntropyLoss()(h, y).backward()
    norms = torch.stack([w.grad.norm() for w in weights])
    found = 0
    for number in range(len(weights), 0, -1):
        if norms[number - 1] < share * norms[-1]:
            found = number
            break
    return norms, found


def on_the_tables_with_slopes_that_are_emptied(weights, x, y, share):
    for w in weights:
        w.grad = None
    return on_the_tables_themselves(weights, x, y, share)


def from_the_first(weights, x, y, share):
    norms, _ = with_backward(weights, x, y, share)
    return norms, next((n for n, g in enumerate(norms, 1) if g < share * norms[-1]), 0)


# -- 08.4 ----------------------------------------------------------------------------------------------


class Written(nn.Module):
    """A right block in one go, with the zeros set through `data`."""

    def __init__(self, inputs, hidden, outputs):
        super().__init__()
        self.first = nn.Linear(inputs, hidden)
        self.last = nn.Linear(hidden, outputs)
        if inputs != outputs:
            self.shortcut = nn.Linear(inputs, outputs, bias=False)
        self.last.weight.data *= 0
        self.last.bias.data *= 0

    def forward(self, x):
        """Return the sum."""
        out = self.last(nn.functional.relu(self.first(x)))
        out = out + (self.shortcut(x) if hasattr(self, "shortcut") else x)
        return out


class OnlyTheWeight(Written):
    """A block whose last bias is drawn."""

    def __init__(self, inputs, hidden, outputs):
        super().__init__(inputs, hidden, outputs)
        nn.init.uniform_(self.last.bias)


class SmallAtTheStart(Written):
    """A block whose last layer is small, and not 0."""

    def __init__(self, inputs, hidden, outputs):
        super().__init__(inputs, hidden, outputs)
        nn.init.normal_(self.last.weight, std=0.01)


class ReluBehindTheSum(Written):
    """A block as in the first residual networks."""

    def forward(self, x):
        """Return the sum, cut at 0."""
        return nn.functional.relu(super().forward(x))


class InPlace(Written):
    """A block that writes into what came in."""

    def forward(self, x):
        """Return the sum."""
        if hasattr(self, "shortcut"):
            return super().forward(x)
        return x.add_(self.last(torch.relu(self.first(x))))


class OtherNames(nn.Module):
    """A block whose layers bear other names."""

    def __init__(self, inputs, hidden, outputs):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(inputs, hidden), nn.Linear(hidden, outputs)

    def forward(self, x):
        """Return the layers alone."""
        return self.fc2(torch.relu(self.fc1(x)))


class NoModule:
    """A plain class."""

    def __init__(self, inputs, hidden, outputs):
        self.first = nn.Linear(inputs, hidden)


# -- 08.6 ----------------------------------------------------------------------------------------------


def by_numpy(predictions, truth, noise):
    p, t = predictions.double().numpy(), truth.double().numpy()
    bias2, variance = ((p.mean(axis=0) - t) ** 2).mean(), p.var(axis=0).mean()
    return bias2, variance, bias2 + variance + noise**2


def numpy_unbiased(predictions, truth, noise):
    p, t = predictions.double().numpy(), truth.double().numpy()
    bias2, variance = ((p.mean(axis=0) - t) ** 2).mean(), torch.tensor(p).var(dim=0).mean().item()
    return bias2, variance, bias2 + variance + noise**2


RIGHT = {
    "growth, by recursion": ("08.1", by_recursion),
    "growth, into an empty tensor": ("08.1", by_drawing_nothing),
    "starts, by torch's own count": ("08.2", by_the_functions_of_torch),
    "norms, by backward": ("08.3", with_backward),
    "norms, by backward on the tables that came in, their slopes emptied first": (
        "08.3",
        on_the_tables_with_slopes_that_are_emptied,
    ),
    "block, zeros through data": ("08.4", Written),
    "bias and variance, by NumPy": ("08.6", by_numpy),
}

FORMS = {
    "units by index": ("08.1", fan_out_by_index, "takes the number of units for the number of inputs"),
    "six over n": ("08.2", six_over_n, "forgets the root of the bound"),
    "backward on the tables that came in": (
        "08.3",
        on_the_tables_themselves,
        "adds to the slopes of an earlier call",
    ),
    "first from the input": ("08.3", from_the_first, "counts from the input"),
    "a bias that is drawn": ("08.4", OnlyTheWeight, "forgets the bias of the last layer"),
    "a small last layer": ("08.4", SmallAtTheStart, "does not begin as the identity"),
    "ReLU behind the sum": ("08.4", ReluBehindTheSum, "puts a ReLU behind the sum"),
    "add_": ("08.4", InPlace, "writes into what came in"),
    "unbiased, by NumPy": ("08.6", numpy_unbiased, "divides by M - 1"),
}


@pytest.mark.parametrize("which", RIGHT)
def test_right_answer_in_another_form_is_right(which):
    id, answer = RIGHT[which]
    result = told(id, answer)
    assert result.status == "right", result


@pytest.mark.parametrize("which", FORMS)
def test_known_mistake_in_another_form_is_named(which):
    id, answer, name = FORMS[which]
    result = told(id, answer)
    assert (result.status, result.mistake) == ("wrong", name)


def test_block_with_other_names_is_told_which_it_has():
    result = told("08.4", OtherNames)
    assert result.kind == "crash"
    assert "the module has no parameter `first.weight`; it has fc1.weight" in result.message
    assert "by the names and shapes" in result.why


def test_block_that_is_no_module_is_told_so():
    result = told("08.4", NoModule)
    assert "should be a torch.nn.Module" in result.message
    assert "brackets" in result.next


# -- 08.7: whatever is learned from held-out rows is told, also where no known mistake does exactly that ----


def leaking(scaled, chosen, asked="held out"):
    """Return an evaluation whose parts see these rows."""

    def accuracy(X, y, patients, train, k):
        held_out = ~torch.isin(patients, patients[train])
        rows = {"train": train, "used": train | held_out, "outside": ~train, "held out": held_out}
        S = X[rows[scaled]]
        X = (X - S.mean(dim=0)) / S.std(dim=0)
        C, c = X[rows[chosen]], y[rows[chosen]]
        kept = (C[c == 1].mean(dim=0) - C[c == 0].mean(dim=0)).abs().topk(k).indices
        near = torch.cdist(X[rows[asked]][:, kept], X[train][:, kept]).argmin(dim=1)
        return (y[train][near] == y[rows[asked]]).double().mean()

    return accuracy


@pytest.mark.parametrize("rows", ["used", "outside", "held out"])
def test_scale_that_sees_held_out_rows_is_told_as_learned_from_measurements(rows):
    result = told("08.7", leaking(rows, "train"))
    assert (result.status, result.kind) == ("wrong", "property")
    assert "far away from all others" in result.message


def test_columns_chosen_with_all_rows_but_those_of_known_patients_are_told():
    result = told("08.7", leaking("train", "used"))
    assert (result.status, result.kind) == ("wrong", "property")
    assert "learned from" in result.why


def test_clean_evaluation_of_the_same_kind_is_right():
    assert told("08.7", leaking("train", "train")).status == "right"


def test_spread_that_divides_by_n_is_as_good():
    def accuracy(X, y, patients, train, k):
        held_out = torch.tensor([p not in set(patients[train].tolist()) for p in patients.tolist()])
        X = X / X[train].std(dim=0, correction=0)
        A, a = X[train], y[train]
        kept = (A[a == 1].mean(dim=0) - A[a == 0].mean(dim=0)).abs().argsort(descending=True)[:k]
        near = (X[held_out][:, None, kept] - A[None, :, kept]).square().sum(dim=-1).argmin(dim=1)
        return float((a[near] == y[held_out]).float().mean())

    assert told("08.7", accuracy).status == "right"
