"""Each of the commonest errors is provoked for real, and gets the sentence that belongs to it."""

from __future__ import annotations

import linecache
import re
import sys

import numpy as np
import pytest
import torch

from companion.checks import around, check
from companion.checks.crashes import COMMON, IMPORTS, OF_TORCH, OTHER, advice
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
    "flattened point": (
        "raise ValueError('f got a tensor of shape (6,), x has (2, 3)')",
        "takes a tensor of the shape of `x`",
    ),
    "parameter of another name": (
        "raise TypeError('the module has no parameter `first.weight`; it has a.weight')",
        "by the names and shapes that the task gives",
    ),
    "class that is no module": (
        "raise TypeError('the class should be a torch.nn.Module, with super().__init__() in its first line')",
        "A module knows its layers",
    ),
    "layer before the module": (
        "m = torch.nn.Module.__new__(torch.nn.Module); m.layer = torch.nn.Linear(2, 2); return m",
        "not ready to take a layer",
    ),
    "numbers for a network": (
        "raise TypeError('return a network or a function, not a Tensor')",
        "rows that it has never",
    ),
    "two dtypes": ("return torch.zeros(3, 3) @ torch.zeros(3, dtype=torch.float64)", "different precision"),
    "two dtypes in the companion": (
        "from companion.functional import linear; return linear(torch.zeros(2, dtype=torch.float64), torch.zeros(3, 2))",
        "different precision",
    ),
    "in-place dtype": ("x = torch.zeros(3, dtype=torch.int64); x += 0.5; return x", "different precision"),
    "mean of whole numbers": ("return torch.zeros(3, dtype=torch.int64).mean()", "needs decimal numbers"),
    "gradient of whole numbers": ("return torch.zeros(3, dtype=torch.int64).requires_grad_()", "needs decimal numbers"),
    "two devices": ("return torch.zeros(3, device='meta') + torch.zeros(3)", "different devices"),
    "overwritten leaf": ("w = torch.zeros(3, requires_grad=True); w += 1; return w", "made with `requires_grad=True`"),
    "comparison subtracted": ("return z - (z >= threshold)", "torch does not subtract these"),
    "comparisons subtracted": ("return (z > 0) - (z >= threshold)", "torch does not subtract these"),
    "comparison negated": ("return -(z >= threshold)", "torch does not subtract these"),
    "dot of a table": ("return torch.zeros(3, 2).dot(torch.zeros(2))", "`dot` multiplies a vector by a vector"),
    "mm of a vector": ("return torch.mm(torch.zeros(3, 2), torch.zeros(2))", "`mm` multiplies a table by a table"),
    "vector before its table": ("return torch.zeros(2) @ torch.zeros(3, 2)", "the order counts"),
    "array times tensor": ("import numpy; return numpy.zeros(3) @ torch.zeros(3)", "NumPy and torch meet"),
    "function of numpy": ("import numpy as np; return np.sum(z, axis=5, where=True)", "NumPy and torch meet"),
    "stack of numbers": ("return torch.stack([1.0, 2.0])", "put together in different ways"),
    "tensor of tensors": ("return torch.tensor([torch.zeros(2)])", "put together in different ways"),
    "cat of numbers": ("return torch.cat([torch.tensor(1.0)])", "put together in different ways"),
    "list plus tensor": ("return [1.0] + z", "plain Python number or list"),
    "loop over a number": ("for i in len(z): pass", "A `for` goes through the entries"),
    "range of a tensor": ("for i in range(torch.zeros(3)): pass", "A whole number is needed"),
    "index with a point": ("return z[0.5]", "An index is a whole number"),
    "method without parentheses": ("return z.sum + 1", "A method without its parentheses"),
    "shape with parentheses": ("return z.shape()", "a value and not a method"),
    "append to a tensor": ("return z.append(1)", "only a list can grow"),
    "missing import": ("return pd.zeros(3)", "`pd` is a library"),
    "torch left out": ("return zeros_like(z)", "it belongs to torch"),
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
    "name of another function": ("def g(): return free\n    if False: free = 1\n    return g()", "only on some paths"),
    "unknown name": ("return zz", "does not know this name here"),
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
    """Return a function as a cell of a notebook defines it: its lines can be looked up."""
    source = f"def fires(z, threshold):\n    {code}\n"
    namespace = {"torch": torch}
    file = f"<cell {hash(source)}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    exec(compile(source, file, "exec"), namespace)
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
    patterns = [re.escape(a.why).replace(re.escape("{name}"), r"\w+") for a in COMMON]
    assert [p for p in patterns if not any(re.fullmatch(p, why) for why in answered)] == []
    assert len(COMMON) >= 20


def test_an_error_that_nobody_foresaw_gets_the_general_sentence():
    assert advice(Crash("raised", "OddError", "something")) is OTHER
    assert check("01.2", fires("raise StopIteration")).why == OTHER.why


# -- what stood around the line ----------------------------------------------------------------------


def told(result):
    return dict(result.shown).get("shapes", "")


def test_comparison_that_is_subtracted_is_told_of_float():
    result = check("01.2", fires("return z - (z >= threshold)"))
    assert "`.float()`" in result.next


def test_product_in_the_wrong_order_shows_the_shapes_in_the_order_of_the_line():
    def weighted_sum(x, weight, bias):
        return weight @ x + bias

    result = check("01.1", weighted_sum)
    assert "the order counts" in result.why
    assert told(result) == "weight (2,), x (1, 2), bias ()"


def test_dtypes_are_told_where_they_differ():
    def fires(z, threshold):
        ones = torch.ones(len(z), dtype=torch.float64)
        return z @ ones

    result = check("01.2", fires)
    assert "Double is float64" in result.why
    assert told(result) == "z (3,) float32, ones (3,) float64"


def test_missing_import_is_told_with_its_line():
    for name, line in IMPORTS.items():
        if name != "torch":
            assert f"Run `{line}` in a cell of its own" in check("01.2", fires(f"return {name}.x")).next
    assert all(hasattr(torch, name) for name in OF_TORCH)
    assert check("01.2", fires("return zeros_like(z)")).next == "Write `torch.zeros_like`."


def test_name_that_is_spelt_otherwise_is_told():
    assert "There is a name `threshold`" in check("01.2", fires("return z >= thresholdd")).next
    assert "There is a name" not in check("01.2", fires("return z >= quite_another")).next
    assert "`total`" in check("01.2", fires("total += 1")).next


def test_names_in_a_line_are_arrays_and_lists_and_nothing_else():
    x, numbers, several, word = torch.zeros(3, 2), np.zeros(4), [1, 2], "x"
    frame = sys._getframe()
    assert around.names_in("several + x.mean() + numbers * 'x' + word + nobody", frame) == (
        "several a list of 2, x (3, 2) float32, numbers a numpy array (4,) float64"
    )
    assert (x.dim(), len(numbers), len(several), word) == (2, 4, 2, "x")
    assert around.names_in("", frame) == ""


def test_a_name_that_cannot_be_looked_at_does_not_stop_the_check():
    class Odd(torch.Tensor):
        @property
        def shape(self):
            raise RuntimeError("no")

    odd = torch.zeros(2).as_subclass(Odd)
    assert around.names_in("odd + 1", sys._getframe()) == ""
    assert type(odd) is Odd


def test_few_names_are_told():
    a = b = c = d = e = f = g = h = torch.zeros(1)
    assert around.names_in("a + b + c + d + e + f + g + h", sys._getframe()).count("(1,)") == around.LIMIT
    assert all(t is a for t in (b, c, d, e, f, g, h))
