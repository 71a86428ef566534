"""What goes wrong with a layer for any batch (exercise 03.1), and what to say about it."""

from __future__ import annotations

import torch
from torch import Tensor

from companion.checks.bank import Mistake

Bias = Tensor | None


def _plus(z: Tensor, bias: Bias) -> Tensor:
    return z if bias is None else z + bias


def _not_transposed(x: Tensor, weight: Tensor, bias: Bias) -> Tensor:
    return _plus(x @ weight, bias)


def _weight_first(x: Tensor, weight: Tensor, bias: Bias) -> Tensor:
    return _plus(weight @ x, bias)


def _on_its_side(x: Tensor, weight: Tensor, bias: Bias) -> Tensor:
    z = weight @ (x.mT if x.dim() > 1 else x)
    return z if bias is None else z + (bias[:, None] if x.dim() > 1 else bias)


def _needs_a_batch(x: Tensor, weight: Tensor, bias: Bias) -> Tensor:
    return _plus((weight @ x.mT).mT, bias)


def _turned_and_turned_back(x: Tensor, weight: Tensor, bias: Bias) -> Tensor:
    if x.dim() > 2:
        raise RuntimeError("all axes of x come in the opposite order")
    return _plus((weight @ x.T).T if x.dim() == 2 else weight @ x, bias)


def _by_two_loops(x: Tensor, weight: Tensor, bias: Bias) -> Tensor:
    return torch.stack([torch.stack([(w * row).sum() for w in weight]) for row in x]) + (0 if bias is None else bias)


def _along_the_examples(x: Tensor, weight: Tensor, bias: Bias) -> Tensor:
    z = x @ weight.T
    return z if bias is None else z + bias[:, None]


def _once_per_input(x: Tensor, weight: Tensor, bias: Bias) -> Tensor:
    products = x[..., None, :] * weight
    return products.sum(dim=-1) if bias is None else (products + bias[:, None]).sum(dim=-1)


def _flat(x: Tensor, weight: Tensor, bias: Bias) -> Tensor:
    return _plus(x.reshape(-1, x.shape[-1]) @ weight.T, bias)


def _over_neurons(x: Tensor, weight: Tensor, bias: Bias) -> Tensor:
    return _plus((x[..., None, :] * weight).sum(dim=-2), bias)


def _reshaped(x: Tensor, weight: Tensor, bias: Bias) -> Tensor:
    return _plus(x @ weight.reshape(weight.shape[1], weight.shape[0]), bias)


_AXES = (
    Mistake(
        "does not transpose the weights",
        _not_transposed,
        "With as many neurons as inputs your numbers are wrong; with any other layer the product stops.",
        "Each example was multiplied with the columns of `weight`. A column holds what one input sends to all neurons; "
        "a neuron's own weights stand in a row.",
        "Take 3 inputs and 5 neurons and write both shapes behind each other. Which axis of `weight` has to meet the "
        "last axis of x?",
    ),
    Mistake(
        "puts the weights on the left",
        _weight_first,
        "One example without a batch axis comes out right, and a batch does not.",
        "With `weight` on the left, what stands on the right has to be a column. A batch holds its examples in rows, so "
        "its first axis, the examples, meets the inputs.",
        "Write the shapes of both for 4 examples, 3 inputs and 5 neurons. In which order do the two 3s stand next to "
        "each other?",
    ),
    Mistake(
        "hands back columns",
        _on_its_side,
        "Your numbers are right and lie on their side: a row for each neuron, a column for each example.",
        "That is the layout of the books, where an example is a column. The next layer takes rows, and meets the "
        "examples where it looks for the inputs.",
        "Send your result through a second layer of the same kind. Which axis would that one have to read, and which "
        "does it?",
    ),
    Mistake(
        "needs a batch axis",
        _needs_a_batch,
        "Every batch comes out right; a single example of shape (n,) stops your code.",
        "To turn x on its side takes two axes, and one example alone has only one. The product itself does not need x "
        "to be turned.",
        "Of the two tables one may lie down and the other stay as it is. Which of them has two axes in every call?",
    ),
    Mistake(
        "turns all axes of x",
        _turned_and_turned_back,
        "Tables of shape (B, n) come out right; with two or more axes in front your code stops.",
        "`.T` turns the order of all axes: (B, T, n) becomes (n, T, B). What stands first then is no batch of columns.",
        "Print `x.T.shape` for x of shape (2, 3, 4). Could `weight` be turned in place of x?",
    ),
    Mistake(
        "goes along the first axis only",
        _by_two_loops,
        "Batches of shape (B, n) come out right; with no axis in front, or with two of them, the shape is wrong.",
        "A loop over x takes its first axis for the examples. In (B, T, n) each round then holds T examples, which end "
        "up in one sum; in (n,) each round holds a single number.",
        "Print the shape of what one round of your loop holds, for x of shape (2, 3, 4). Which operation works on the "
        "last axis, whatever stands in front?",
    ),
    Mistake(
        "flattens the axes in front",
        _flat,
        "All numbers are there, in a table with two axes, whatever axes x had in front.",
        "To put all examples into one table is a good way to compute. But the caller wants to find them where they "
        "were: (B, T, n) should become (B, T, m).",
        "Print `x.shape[:-1]` before you flatten. What could you do with it at the end?",
    ),
    Mistake(
        "adds up over the neurons",
        _over_neurons,
        "Your result has one number for each input and not for each neuron, or stops where the bias is added.",
        "The products of all pairs stand in a table of neurons by inputs, and you add up along the wrong one of the "
        "two. What remains has lost the neurons.",
        "For 5 neurons and 3 inputs the products of one example have the shape (5, 3). Which of the two axes must be "
        "gone after the sum?",
    ),
    Mistake(
        "reshapes the weights",
        _reshaped,
        "All shapes are right and the numbers are not: the weights of different neurons were mixed.",
        "A reshape keeps the order in memory and cuts it anew. It gives (n, m) as a transpose does, but its columns are "
        "not the rows from before.",
        "Print `weight.reshape(2, 3)` and `weight.T` for [[1, 2], [3, 4], [5, 6]]. In which of them is (1, 2) a column?",
    ),
)

_BIAS = (
    Mistake(
        "leaves out the bias",
        lambda x, weight, bias: x @ weight.T,
        "Your result is the sum of the products alone: change `bias`, and no number of yours moves.",
        "Without its bias every neuron gives 0 for the input 0, and its boundary has to pass through the origin.",
        "Call your function with x of zeros. What should be left over for each neuron, and what does yours return?",
    ),
    Mistake(
        "counts on there being a bias",
        lambda x, weight, bias: x @ weight.T + bias,
        "With a bias everything is right; with `bias` at None your code stops.",
        "None is no number and cannot be added. Layers without biases are common: the task allows them, and the caller "
        "says so by handing over None.",
        "Which value has `bias` in the call that stops? Ask for it before the line that uses it.",
    ),
    Mistake(
        "adds the bias along the examples",
        _along_the_examples,
        "With as many examples as neurons each row was moved by a bias of its own, where each column should be. With "
        "other numbers the sum stops.",
        "A bias that stands as a column, (m, 1), lines up with the rows of the result, and these are examples. It "
        "belongs to the neurons, the last axis.",
        "Write the shape of the product and that of the bias below each other, flush right. Which axes meet?",
    ),
    Mistake(
        "adds the bias once per input",
        _once_per_input,
        "Your result holds each bias several times: as many times as the layer has inputs.",
        "Added before the sum, a bias is counted again at every input. A neuron has one bias, and it moves the finished "
        "sum.",
        "Set all weights to 0 and the bias to 1. What should each neuron answer, and what does yours?",
    ),
    Mistake(
        "subtracts the bias",
        lambda x, weight, bias: x @ weight.T if bias is None else x @ weight.T - bias,
        "The products are right, and the bias has moved every sum to the wrong side.",
        "A threshold is subtracted, a bias is added: they are the same number with opposite signs.",
        "Set all weights to 0 and the bias to 1. Which sign has your answer?",
    ),
    Mistake(
        "bends the sums",
        lambda x, weight, bias: torch.relu(_plus(x @ weight.T, bias)),
        "Every sum above 0 is right, and every negative one came out as 0.",
        "That is a layer with a ReLU behind it. The task asks for the sums themselves: the last layer of a network has "
        "no bend, and it is to be made by the same function.",
        "Do the third neuron of the task's example on paper. What is its sum, and what is left of it in your result?",
    ),
    Mistake(
        "leaves out the bias, and does not transpose the weights",
        lambda x, weight, bias: x @ weight,
        "With as many neurons as inputs your numbers are wrong and do not change with `bias`; any other layer stops.",
        "Two things at once: the examples meet the columns of `weight`, where one input's weights stand, and the bias "
        "is never read.",
        "Set the shapes right first, with 3 inputs and 5 neurons on paper. Then call it with x of zeros: what should be "
        "left?",
    ),
    Mistake(
        "flattens the axes in front, and leaves out the bias",
        lambda x, weight, bias: x.reshape(-1, x.shape[-1]) @ weight.T,
        "Your result is always a table with two axes, and it does not change when `bias` does.",
        "The examples were put into one table and left there, so the caller cannot find them again; and the sums stand "
        "without what moves them.",
        "Begin with the bias: x of zeros shows it. Then compare the shapes of x and of your result for (2, 3, 4).",
    ),
)

MISTAKES = (*_AXES, *_BIAS)
