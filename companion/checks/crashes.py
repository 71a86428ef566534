"""What the commonest errors mean, in plain sentences: why they arise and what to look at."""

from __future__ import annotations

import re
from typing import NamedTuple

from companion.checks.trace import Crash


class Advice(NamedTuple):
    """Why an error arises and what to do about it, recognised by a pattern in its type and text.

    ``{name}`` stands for what the group of that name has found; ``line`` is a second pattern, in the line that stopped.
    """

    sign: str
    why: str
    next: str
    line: str = ""


IMPORTS = {
    "torch": "import torch",
    "nn": "from torch import nn",
    "F": "import torch.nn.functional as F",
    "np": "import numpy as np",
    "numpy": "import numpy",
    "math": "import math",
    "random": "import random",
    "plt": "import matplotlib.pyplot as plt",
    "pd": "import pandas as pd",
    "time": "import time",
}
"""Names that everybody writes for a library, and the line that makes them known."""
OF_TORCH = (
    *("tensor", "Tensor", "zeros", "ones", "zeros_like", "ones_like", "arange", "linspace", "rand", "randn", "stack"),
    *("cat", "where", "exp", "log", "sqrt", "tanh", "sigmoid", "relu", "softmax", "matmul", "mean", "sign", "clamp"),
    *("maximum", "minimum", "no_grad", "manual_seed", "float32", "float64"),
)
"""Names of torch that are written without it."""
_SHAPES = "Print the shape of each tensor in this line just above it, and write the shape you expect beside it."
_NUMPY = (
    "NumPy and torch meet in this line, and the two do not mix: an array is no tensor, and a function of `np` takes none.",
    "Take torch's function instead of the one of `np`, or make a tensor of the array first: `torch.from_numpy(...)`.",
)
COMMON = (
    Advice(
        r"return (the trained|a) network",
        "What your function returns is kept and asked about rows that it has never seen. Numbers cannot be asked.",
        "Look at the last line of your function: does it return what was trained, or what that says of the training rows?",
    ),
    Advice(
        r"the (module has no parameter|parameter `.*` should have the shape)",
        "The check puts numbers of its own into your layers, and finds them by the names and shapes that the task gives.",
        "Print `[(name, p.shape) for name, p in block.named_parameters()]` and compare with the task, name by name.",
    ),
    Advice(
        r"before Module\.__init__\(\) call",
        "The module is not ready to take a layer or a parameter: the list in which it keeps them is made by torch's own `__init__`.",
        "Write `super().__init__()` as the first line of your `__init__`, with the parentheses, above the first `self.`.",
    ),
    Advice(
        r"the class should be a torch\.nn\.Module",
        "A module knows its layers, and the check asks it for them. A plain class has no list of parameters.",
        "Look at the line with `class`: what stands in its brackets? And is `super().__init__()` called before the first layer?",
    ),
    Advice(
        r"f got a tensor of shape",
        "`f` takes a tensor of the shape of `x`. Yours was handed something else: a flattened point, a row or a single entry.",
        "Bring the point back into its shape before you hand it to f: `reshape(x.shape)`.",
    ),
    Advice(
        r"(Subtraction|Negation), the `-` operator, .*bool tensor",
        "A comparison such as `z >= 0` answers with True and False, and torch does not subtract these.",
        "Turn the answers into 1.0 and 0.0 first: put the comparison in brackets and `.float()` behind them, or "
        "`.to(x.dtype)`, which gives them the dtype of x.",
    ),
    Advice(
        r"1D tensors expected, but got",
        "`dot` multiplies a vector by a vector, and here one of the two has more axes.",
        "Write `@` instead: it multiplies a table by a vector too, row by row.",
    ),
    Advice(
        r"mat2 must be a matrix|matrices expected, got|must be a 3D tensor",
        "`mm` multiplies a table by a table, `bmm` a stack of them, and here one of the two has other axes.",
        "Write `@` instead: it takes vectors and tables alike.",
    ),
    Advice(
        r"shapes cannot be multiplied|size mismatch, got|inconsistent tensor size|vector @",
        "Two shapes do not fit together. In a product with `@` the order counts: the last axis on the left must be as "
        "long as the first axis on the right, as in (3, 2) @ (2,). The other way round, (2,) @ (3, 2), they do not meet.",
        "Write the two shapes side by side, in the order of your line. Do the inner numbers agree, or would they in the "
        "other order?",
    ),
    Advice(
        r"size of tensor|shape mismatch|size mismatch|"
        r"same number of dimensions|subscript .* has size|Sizes of tensors must match|could not be broadcast",
        "Two shapes do not fit together.",
        _SHAPES,
    ),
    Advice(
        r"invalid for input of size|view size is not compatible|shape .* is invalid",
        "The new shape does not hold as many numbers as the old one, or they do not lie in that order in memory.",
        "Print `x.shape` before the line and multiply the sizes out; after a transpose, `reshape` copies where `view` cannot.",
    ),
    Advice(
        r"Dimension out of range|too many indices",
        "This axis does not exist: the tensor has fewer axes than the line assumes.",
        "Print the shape; count axes from the right with -1, -2 where the number of axes may vary.",
    ),
    Advice(
        r"Boolean value of Tensor|truth value of an array",
        "An `if`, `and`, `or` or `not` needs one truth value, and this tensor holds many.",
        "Choose entry by entry with torch.where, or combine the many to one with .any() or .all(). To ask whether there is "
        "a tensor at all, write `is not None`.",
    ),
    Advice(
        r"same dtype|expected scalar type|Found dtype|dtype .* but found|result type .* can't be cast|expected b?float\d+ like",
        "Two tensors of different precision meet, and torch does not convert here. Float is float32, Double is float64, "
        "Long holds whole numbers.",
        "Give the tensor that you made the dtype of the argument: `torch.zeros_like(x)`, `torch.zeros(3, dtype=x.dtype)`, "
        "or `.to(x.dtype)` behind it.",
    ),
    Advice(
        r"could not infer output dtype|not implemented for '(Long|Int|Bool)'|only Tensors of floating point",
        "This operation needs decimal numbers, and the tensor holds whole ones.",
        "Print the dtype; where do the whole numbers come from, and who should convert them?",
    ),
    Advice(
        r"same device|on device|two devices|device type",
        "Two tensors live on different devices, and no operation reaches across.",
        "Print `.device` of each; new tensors should be made on the device of the argument.",
    ),
    Advice(
        r"leaf Variable that requires grad",
        "This tensor was made with `requires_grad=True`: torch records what is done with it, and `+=`, `-=` or `w[...] =` "
        "would write into it in place.",
        "Make a new tensor, `w = w - ...` instead of `w -= ...`; where it is the step of a training, keep the `-=` and "
        "put it under `with torch.no_grad():`.",
    ),
    Advice(
        r"modified by an inplace operation|view .* is being modified inplace",
        "A tensor that the gradient still needs was overwritten.",
        "Which line writes into a tensor (+=, x[...] =, or a name ending in _)? Make a new tensor there.",
    ),
    Advice(
        r"backward through the graph a second time",
        "The record of the forward pass was used up by an earlier backward pass.",
        "Compute the forward pass anew before each backward, or collect the losses and go back once.",
    ),
    Advice(
        r"does not require grad|does not have a grad_fn",
        "Nothing here is connected to a tensor that records what is done with it, so there is nothing to differentiate.",
        "Does anything record from the start, a parameter or a tensor after `requires_grad_()`? If so, look for detach, item, "
        "numpy, no_grad or torch.tensor(...) on the way to this line.",
    ),
    Advice(
        r"can be implicitly created only for scalar",
        "backward needs one number to start from, and this tensor holds several.",
        "Reduce the loss to one number first: by its sum or by its mean?",
    ),
    Advice(
        r"Can't call numpy\(\) on Tensor that requires grad|numpy\(\) on Tensor",
        "numpy cannot record gradients, so torch refuses to hand over a tensor that does.",
        "Stay with torch here; leave numpy for what is only shown.",
    ),
    Advice(
        r"np\.ndarray|numpy\.ndarray|for NumPy arrays|not numpy|__array__",
        *_NUMPY,
    ),
    Advice(
        r"TypeError",
        *_NUMPY,
        line=r"\b(np|numpy)\.",
    ),
    Advice(
        r"only one element tensors|cannot be converted to Scalar|expected Tensor as element|zero-dimensional tensor",
        "A list of tensors, a list of numbers and a single number are put together in different ways.",
        "`torch.stack` makes one tensor of a list of tensors, `torch.tensor` one of a list of plain numbers, `torch.cat` "
        "joins tensors that have an axis. What does your list hold?",
        line=r"torch\.(tensor|stack|cat)\(",
    ),
    Advice(
        r"cannot be converted to Scalar|only one element tensors|only length-1 arrays|a Tensor with \d+ elements",
        "One number is wanted, and the tensor holds several.",
        "Print its shape. Which reduction or index leaves a single number?",
    ),
    Advice(
        r"argument 'input' .* must be Tensor|must be Tensor, not|list' object has no attribute|float' object has no attribute|"
        r"int' object has no attribute|can only concatenate list|expected Tensor as element",
        "A plain Python number or list came where a tensor is needed.",
        "Print the type just above this line; torch.tensor(...) or torch.stack(...) makes a tensor of it.",
    ),
    Advice(
        r"return_types",
        "With an axis, max, min, sort and topk return two things, the values and their indices.",
        "Print what came back. Which of the two do you want, and by what name is it taken?",
    ),
    Advice(
        r"NoneType",
        "Something here is None: most often a function without `return`, or a gradient that was never computed.",
        "Print each part of the line; the one that shows None was not given a value.",
    ),
    Advice(
        r"'(int|float)' object is not iterable|iteration over a 0-d tensor",
        "A `for` goes through the entries of something, and a single number has none.",
        "To go through the numbers 0, 1, 2 and so on, write `for i in range(n):`. Which number is n here?",
    ),
    Advice(
        r"only integer tensors of a single element|object cannot be interpreted as an integer",
        "A whole number is needed here, as in `range(3)` or `x[3]`, and something else came.",
        "The number of rows is `len(x)`, that of columns `x.shape[1]`. Print what stands in the brackets.",
    ),
    Advice(
        r"valid indices \(got|indices must be integers|tensors used as indices must be",
        "An index is a whole number (or a slice, or truth values), and this one is something else.",
        "Print the index and its type. A division gives a decimal number; `//` gives a whole one.",
    ),
    Advice(
        r"builtin_function_or_method|'method'",
        "A method without its parentheses is the method itself, not what it gives.",
        "Put `()` behind its name, as in `x.sum()`.",
    ),
    Advice(
        r"'torch\.Size' object is not callable",
        "`x.shape` is a value and not a method: it stands there without parentheses.",
        "Write `x.shape`, or `x.shape[0]` for the first axis.",
    ),
    Advice(
        r"'Tensor' object has no attribute 'append'",
        "A tensor keeps the length that it was made with; only a list can grow.",
        "Collect what comes in a list, `results = []` and `results.append(...)`, and make a tensor of it at the end.",
    ),
    Advice(
        r"object is not callable",
        "Parentheses follow something that is no function, often a variable with the name of one.",
        "Print the type of what stands before the parentheses. Is a name used twice?",
    ),
    Advice(
        r"missing \d+ required|takes \d+ positional|unexpected keyword|got multiple values",
        "A function is called with other arguments than it takes.",
        "Compare the call with the function's `def` line, argument by argument.",
    ),
    Advice(
        r"values to unpack",
        "As many names as values are needed on the left of the =, and the numbers differ.",
        "Print the right side: how many things does it hold?",
    ),
    Advice(
        r"(local|free) variable '(?P<name>\w+)'",
        "`{name}` is read here before this function has given it a value: the line that does so comes later, or is "
        "reached only on some paths.",
        "Give `{name}` a first value above this line, before the branch or the loop. A value from outside does not "
        "count: a name that a function assigns to belongs to that function.",
    ),
    Advice(
        rf"NameError: name '(?P<name>{'|'.join(IMPORTS)})' is not defined",
        "`{name}` is a library, and this notebook has not imported it.",
        "Run `{import}` in a cell of its own, then the cell of your function again. Most exercises need torch alone.",
    ),
    Advice(
        rf"NameError: name '(?P<name>{'|'.join(OF_TORCH)})' is not defined",
        "Python does not know this name by itself: it belongs to torch.",
        "Write `torch.{name}`.",
    ),
    Advice(
        r"NameError: name '(?P<name>\w+)' is not defined",
        "Python does not know this name here: nothing called `{name}` has been made.",
        "Is it spelt as where it was made, and has that cell been run? Names made inside another function stay there.",
    ),
    Advice(
        r"IndexError",
        "An index lies outside the tensor or list.",
        "Print the shape and the index; counting starts at 0.",
    ),
    Advice(r"KeyError", "This key is not in the dictionary.", "Print its keys."),
    Advice(
        r"RecursionError",
        "The function calls itself without an end.",
        "Which case should return without another call?",
    ),
    Advice(r"ZeroDivisionError", "Something you divide by is 0 here.", "What should the answer be in that case?"),
    Advice(
        r"AttributeError",
        "This object has no such attribute.",
        "Print its type; is the name spelt as in torch's documentation?",
    ),
    Advice(
        r"MemoryError|not enough memory|allocate memory",
        "The tensor asked for is larger than the memory.",
        "Print the shapes that go in: does broadcasting make an N by N table of what should be N numbers?",
    ),
    Advice(r"ModuleNotFoundError|ImportError", "This module is not installed.", "The exercise needs torch alone."),
    Advice(
        r"TypeError",
        "A function in this line was given something it does not take.",
        "Print the types of what goes in.",
    ),
    Advice(r"ValueError", "A function in this line was given a value it cannot use.", "Print the values that go in."),
)
OTHER = Advice(
    "",
    "Python could not go on at this line. Its own words for it stand above, behind the name of the error.",
    "Print the shapes and values that go into the line, just above it: which of them is not what you expect?",
)


def advice(crash: Crash) -> Advice:
    """Return what to say about a learner's error: the first that fits, from special to general."""
    text = f"{crash.type}: {crash.text}"
    for said in COMMON:
        found = re.search(said.sign, text)
        if found and re.search(said.line, crash.line):
            return _filled(said, found.groupdict().get("name") or "", crash.like)
    return OTHER


def _filled(said: Advice, name: str, like: str) -> Advice:
    """Return the advice with its names in place, and with a name that was perhaps meant."""
    why, next = (t.replace("{name}", name).replace("{import}", IMPORTS.get(name, "")) for t in (said.why, said.next))
    meant = f"There is a name `{like}`: is that the one you mean? " if like and "nothing called" in why else ""
    return said._replace(why=why, next=meant + next)
