"""Each of the commonest errors is provoked for real, and gets the sentence that belongs to it."""

from __future__ import annotations

import pytest
import torch

from companion.checks import check
from companion.checks.crashes import COMMON, OTHER, advice
from companion.checks.trace import Crash

# code of a learner's function with the arguments z and threshold; the entry of COMMON that should answer, by its `why`
PROVOKED = {
    "add two lengths": ("return torch.zeros(3, 7) + torch.zeros(2, 7)", "Two shapes do not fit"),
    "multiply two tables": ("return torch.zeros(3, 7) @ torch.zeros(2, 7)", "Two shapes do not fit"),
    "table times vector": ("return torch.zeros(3, 7) @ torch.zeros(2)", "Two shapes do not fit"),
    "concatenate": ("return torch.cat([torch.zeros(3, 7), torch.zeros(2, 6)])", "Two shapes do not fit"),
    "einsum": ("return torch.einsum('ij,jk->ik', torch.zeros(3, 7), torch.zeros(2, 6))", "Two shapes do not fit"),
    "reshape": ("return torch.zeros(3, 7).reshape(4, 5)", "does not hold as many numbers"),
    "view of a transpose": ("return torch.zeros(3, 7).T.view(21)", "does not hold as many numbers"),
    "axis that is not there": ("return torch.zeros(3).sum(dim=1)", "This axis does not exist"),
    "index too many": ("return torch.zeros(3)[0, 0]", "This axis does not exist"),
    "if on many": ("if torch.zeros(3) >= 0: return z", "one truth value"),
    "two dtypes": ("return torch.zeros(3, 3) @ torch.zeros(3, dtype=torch.float64)", "different precision"),
    "in-place dtype": ("x = torch.zeros(3, dtype=torch.int64); x += 0.5; return x", "different precision"),
    "mean of whole numbers": ("return torch.zeros(3, dtype=torch.int64).mean()", "needs decimal numbers"),
    "gradient of whole numbers": ("return torch.zeros(3, dtype=torch.int64).requires_grad_()", "needs decimal numbers"),
    "two devices": ("return torch.zeros(3, device='meta') + torch.zeros(3)", "different devices"),
    "overwritten leaf": (
        "w = torch.zeros(3, requires_grad=True); w += 1; return w",
        "the gradient still needs was overwritten",
    ),
    "overwritten before backward": (
        "w = torch.ones(3, requires_grad=True); y = w.exp(); y += 1; y.sum().backward(); return w.grad",
        "the gradient still needs was overwritten",
    ),
    "backward twice": (
        "w = torch.ones(3, requires_grad=True); y = (w * w).sum(); y.backward(); y.backward(); return w.grad",
        "used up by an earlier backward pass",
    ),
    "backward of a constant": ("torch.zeros(()).backward(); return z", "Nothing here is connected"),
    "backward of several": (
        "w = torch.ones(3, requires_grad=True); (w * w).backward(); return w.grad",
        "one number to start from",
    ),
    "numpy of a gradient": ("return torch.ones(3, requires_grad=True).numpy()", "numpy cannot record gradients"),
    "item of many": ("return torch.zeros(3).item()", "One number is wanted"),
    "float of many": ("return float(torch.zeros(3))", "One number is wanted"),
    "list for a tensor": ("return torch.exp([1.0, 2.0])", "plain Python number or list"),
    "method of a list": ("return [1.0].mean()", "plain Python number or list"),
    "method of a float": ("return (1.0).exp()", "plain Python number or list"),
    "values and indices": ("return z - torch.zeros(3, 2).max(dim=1, keepdim=True)", "return two things"),
    "nothing returned": ("return None + z", "Something here is None"),
    "attribute of nothing": ("return torch.zeros(3).grad.sum()", "Something here is None"),
    "call of a tensor": ("return torch.zeros(3)(2)", "no function"),
    "too few arguments": ("return (lambda a, b: a)(z)", "other arguments than it takes"),
    "unknown keyword": ("return dict(z=1).get(key='z', standard=2)", "A function in this line was given"),
    "unpacking": ("a, b = torch.zeros(3); return a", "As many names as values"),
    "name on one path": ("if False: y = z\n    return y", "only on some paths"),
    "unknown name": ("return zz", "does not know this name"),
    "index outside": ("return torch.zeros(3)[9]", "lies outside"),
    "unknown key": ("return {}['w']", "not in the dictionary"),
    "endless recursion": ("return fires(z, threshold)", "calls itself"),
    "division by zero": ("return 1 / (z.numel() - z.numel())", "divide by is 0"),
    "no such attribute": ("return torch.zeros(3).fire()", "no such attribute"),
    "too large": ("return torch.zeros(10**13)", "larger than the memory"),
    "missing module": ("import a_module_nobody_has", "not installed"),
    "wrong type": ("return torch.zeros('a')", "given something it does not take"),
    "wrong value": ("return int('a')", "given a value it cannot use"),
}


def fires(code):
    namespace = {"torch": torch}
    exec(f"def fires(z, threshold):\n    {code}", namespace)
    return namespace["fires"]


@pytest.mark.parametrize("which", PROVOKED)
def test_error_gets_its_own_sentence(which):
    code, why = PROVOKED[which]
    result = check("01.2", fires(code))
    assert result.kind == "crash"
    assert why in result.why, f"{result.message} -> {result.why}"
    assert result.next


def test_every_entry_is_provoked():
    answered = {check("01.2", fires(code)).why for code, _ in PROVOKED.values()}
    assert {a.why for a in COMMON} <= answered
    assert len(COMMON) >= 20


def test_an_error_that_nobody_foresaw_gets_the_general_sentence():
    assert advice(Crash("raised", "OddError", "something")) is OTHER
    assert check("01.2", fires("raise StopIteration")).why == OTHER.why
