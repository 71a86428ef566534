"""What the commonest errors mean, in plain sentences: why they arise and what to look at."""

from __future__ import annotations

import re
from typing import NamedTuple

from companion.checks.trace import Crash


class Advice(NamedTuple):
    """Why an error arises and what to do about it, recognised by a pattern in its type and text."""

    sign: str
    why: str
    next: str


_SHAPES = "Print the shape of each tensor in this line just above it, and write the shape you expect beside it."
COMMON = (
    Advice(
        r"size of tensor|shape mismatch|shapes cannot be multiplied|size mismatch|inconsistent tensor size|"
        r"same number of dimensions|vector @|subscript .* has size|Sizes of tensors must match|could not be broadcast",
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
        "Choose entry by entry with torch.where, or combine the many to one with .any() or .all().",
    ),
    Advice(
        r"same dtype|expected scalar type|Found dtype|dtype .* but found|result type .* can't be cast",
        "Two tensors of different precision meet, and torch does not convert here.",
        "Print the dtype of both; make new tensors with the dtype of the argument.",
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
        r"modified by an inplace operation|leaf Variable that requires grad|view .* is being modified inplace",
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
        "Nothing here is connected to a parameter any more, so there is nothing to differentiate.",
        "Look for detach, item, numpy, no_grad or torch.tensor(...) between the parameters and this line.",
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
        r"cannot be converted to Scalar|only one element tensors|only length-1 arrays|a Tensor with \d+ elements",
        "One number is wanted, and the tensor holds several.",
        "Print its shape. Which reduction or index leaves a single number?",
    ),
    Advice(
        r"argument 'input' .* must be Tensor|must be Tensor, not|list' object has no attribute|float' object has no attribute|"
        r"int' object has no attribute",
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
        r"UnboundLocalError|cannot access local variable",
        "This name gets its value only on some paths through the function.",
        "Give it a value before the branch or the loop.",
    ),
    Advice(
        r"NameError",
        "Python does not know this name here.",
        "Is it spelt as where it was made, and has that cell been run?",
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
OTHER = Advice("", "Python could not go on at this line.", "Print the shapes and values that go into it.")


def advice(crash: Crash) -> Advice:
    """Return what to say about a learner's error: the first that fits, from special to general."""
    text = f"{crash.type}: {crash.text}"
    return next((a for a in COMMON if re.search(a.sign, text)), OTHER)
