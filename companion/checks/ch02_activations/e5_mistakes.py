"""What goes wrong in merging two linear layers (exercise 02.5), and what to say about it."""

from __future__ import annotations

import torch
from torch import Tensor

from companion.checks.bank import Mistake


def _last_hidden_unit_only(W1: Tensor, b1: Tensor, W2: Tensor, b2: Tensor) -> tuple[Tensor, Tensor]:
    return torch.outer(W2[:, -1], W1[-1]), W2 @ b1 + b2


def _last_hidden_unit_in_both(W1: Tensor, b1: Tensor, W2: Tensor, b2: Tensor) -> tuple[Tensor, Tensor]:
    return torch.outer(W2[:, -1], W1[-1]), W2[:, -1] * b1[-1] + b2


_WEIGHT = (
    Mistake(
        "multiplies in the wrong order",
        lambda W1, b1, W2, b2: (W1 @ W2, W2 @ b1 + b2),
        "b is right and W is that of the other order; with layers of different widths your product stops.",
        "A matrix acts on what stands to its right. In W1 W2 x the input would meet the second layer first; matrix "
        "products do not commute, and square ones do not complain.",
        "Write y = W2 (W1 x + b1) + b2 with the shape under each letter. Which of the two matrices stands next to x?",
    ),
    Mistake(
        "returns the transpose",
        lambda W1, b1, W2, b2: ((W2 @ W1).T, W2 @ b1 + b2),
        "b is right, and the rows and columns of W are exchanged: compare its upper right with its lower left entry.",
        "That is the W for row vectors, x W. PyTorch stores a weight with a row for each output and multiplies rows x by "
        "its transpose.",
        "For 3 inputs and 2 outputs: which shape of W does the statement ask for, and which one comes out of your code?",
    ),
    Mistake(
        "multiplies entry by entry",
        lambda W1, b1, W2, b2: (W2 * W1, W2 @ b1 + b2),
        "b is right; each entry of W is the product of the two entries that stand in the same place.",
        "`*` multiplies tables entry by entry. When one layer follows another, each output sums over all hidden units: "
        "that is a matrix product.",
        "Take 3 inputs, 4 hidden units and 2 outputs: do the two tables fit on each other at all? Over which of the three "
        "must be summed?",
    ),
    Mistake(
        "adds the two matrices",
        lambda W1, b1, W2, b2: (W2 + W1, b1 + b2),
        "Each entry of W is the sum of the two entries in the same place, and b is the sum of the biases.",
        "Adding is for layers that stand side by side and whose results are added. One after another they act like "
        "rates of exchange: twice and then three times is not five times.",
        "Merge 3 (2x + 1) + 5 with plain numbers. Then write W1, b1, W2 and b2 in the places of the four numbers.",
    ),
    Mistake(
        "adds the two matrices, beside the right bias",
        lambda W1, b1, W2, b2: (W2 + W1, W2 @ b1 + b2),
        "b is right; each entry of W is the sum of the two entries in the same place.",
        "x is multiplied by W1, and what comes out is multiplied by W2: the two follow each other, as 2 times and then "
        "3 times is 6 times. Adding would make it 5 times. Your b goes through W2 already.",
        "Work out 3 (2x + 1) + 5 with plain numbers. What stands before x, and which operation has made it of 3 and 2?",
    ),
    Mistake(
        "applies the second layer first",
        lambda W1, b1, W2, b2: (W1 @ W2, W1 @ b2 + b1),
        "Both W and b belong to the other order: as if x went through the second layer and then through the first.",
        "Every step of yours is right for the wrong composition. Two maps in a row are read from the inside: h is made "
        "first, and what makes h stands innermost.",
        "Which of the two formulas in the statement contains x, and which contains h? Begin with the one that contains x.",
    ),
)

_SUMS = (
    Mistake(
        "keeps the last hidden unit only",
        _last_hidden_unit_only,
        "b is right; W is what the last hidden unit alone hands on. With one hidden unit there is no difference.",
        "`=` replaces what an entry held, so each round of your loop wipes out the one before. An output sums over all "
        "hidden units: what each hands on has to be added to what is there.",
        "Print one entry of W in each round of the innermost loop, for two hidden units. What is left of the first round "
        "at the end?",
    ),
    Mistake(
        "keeps the last hidden unit only, in W and in b",
        _last_hidden_unit_in_both,
        "W and b hold what the last hidden unit alone hands on, with b2 on top; with one hidden unit both are right.",
        "Each round of your loop writes its product over that of the round before. What the hidden units hand on has to "
        "be added up, in the matrix and in the bias.",
        "Print b at the end of each round, for two hidden units. Which of its parts should stay from round to round?",
    ),
)

_BIAS = (
    Mistake(
        "multiplies the first bias by the merged matrix",
        lambda W1, b1, W2, b2: (W2 @ W1, W2 @ W1 @ b1 + b2),
        "W is right, b is not: in it b1 has been multiplied by W1 as well. With other widths the product stops.",
        "By the line of b, the name W2 may stand for the product already, if that was stored under it. b1 is added after "
        "W1 x, so only the second layer's own matrix meets it.",
        "Print the shape of the matrix that meets b1, just before it does, for 3 inputs, 4 hidden units and 2 outputs. "
        "Is it W2 as it was handed in?",
    ),
    Mistake(
        "sends the first bias through its own layer",
        lambda W1, b1, W2, b2: (W2 @ W1, W1 @ b1 + b2),
        "W is right, b is not: in it b1 has been multiplied by W1. With other widths the product stops.",
        "b1 is added after x has met W1, so W1 never touches it. The next matrix on its way is that of the second layer.",
        "Draw the way of b1 as an arrow through the two layers: where does it begin, and which matrix does it meet from "
        "there on?",
    ),
    Mistake(
        "multiplies the bias entry by entry",
        lambda W1, b1, W2, b2: (W2 @ W1, W2 * b1 + b2),
        "W is right, and your b is a table: a product for each weight of the second layer, not yet added up.",
        "`*` multiplies entry by entry and stops there. What an output gets from b1 is a sum over the hidden units, as it "
        "is for x.",
        "Print the shape of the product with b1, for 3 inputs, 4 hidden units and 2 outputs. Which axis should be gone?",
    ),
    Mistake(
        "adds the same sum of products to every output",
        lambda W1, b1, W2, b2: (W2 @ W1, (W2 * b1).sum() + b2),
        "W is right; in b every entry of b2 has grown by one and the same number.",
        "A sum without an axis runs over the whole table of products, so all outputs share one total. Each output has "
        "weights of its own and sums over the hidden units only.",
        "Print the shape of your sum. How many sums does a layer with two outputs need, and which axis of W2 holds the "
        "hidden units?",
    ),
    Mistake(
        "adds the two biases",
        lambda W1, b1, W2, b2: (W2 @ W1, b1 + b2),
        "W is right, b is not: yours is the plain sum of the two biases.",
        "You treat b1 as if it were added at the very end. It is added inside, and whatever leaves the first layer, its "
        "bias included, goes through the second.",
        "Send x = 0 through both layers by hand: what comes out of the first, and what does the second do with it?",
    ),
    Mistake(
        "puts the bias on the wrong side",
        lambda W1, b1, W2, b2: (W2 @ W1, b1 @ W2 + b2),
        "W is right, b is not, and with layers of different widths the product with b1 stops.",
        "A vector on the left of W2 is summed over the rows of W2: that is the transposed matrix at work. Here a row of "
        "a weight belongs to one output.",
        "Write the shapes of W2 and b1 side by side in both orders. Which inner numbers must agree, and what is left over?",
    ),
    Mistake(
        "sends the second bias through the second layer",
        lambda W1, b1, W2, b2: (W2 @ W1, W2 @ (b1 + b2)),
        "W is right, b is not: in it the second bias has been multiplied by W2 as well.",
        "A layer adds its bias after the product. Only what comes into the second layer meets its matrix, and b2 does "
        "not come in, it is put on top.",
        "Set b1 and x to zero on paper: what do the two layers give then, and what does your b give?",
    ),
    Mistake(
        "drops the first bias",
        lambda W1, b1, W2, b2: (W2 @ W1, b2.clone()),
        "W is right, and your b is b2 as it was: nothing of b1 has come through.",
        "A bias does not vanish in a product. b1 leaves the first layer as a part of h; you merged the matrices and kept "
        "only the last bias.",
        "Call your function with b1 = 0 and with b1 = 100. Should b change, and through which layer does the change pass?",
    ),
    Mistake(
        "drops the second bias",
        lambda W1, b1, W2, b2: (W2 @ W1, W2 @ b1),
        "W is right; b is what becomes of b1 on its way, and b2 is nowhere in it.",
        "You followed b1 through the second layer and stopped there. That layer adds a bias of its own at the end, "
        "whatever came in.",
        "Set b2 to 100 and call your function again: should your b stay as it is?",
    ),
    Mistake(
        "turns the bias into a table",
        lambda W1, b1, W2, b2: (W2 @ W1, W2 @ b1[:, None] + b2),
        "W is right, and your b has two axes: it is a table where a vector is due.",
        "A column of shape (O, 1) and a vector of shape (O,) are broadcast to (O, O): each entry of one is added to every "
        "entry of the other, without an error.",
        "Print the shape of each term of your b before they are added. Does a matrix need an extra axis to meet a vector?",
    ),
    Mistake(
        "returns b first",
        lambda W1, b1, W2, b2: (W2 @ b1 + b2, W2 @ W1),
        "What came back under the name W is the bias, and under the name b the matrix.",
        "Results are unpacked by their position. Whoever writes `W, b = merge_linear(...)` gets the first thing as W, "
        "whatever it is called inside your function.",
        "Read in the statement in which order the two are to be returned, and compare your `return` line.",
    ),
)

_PAIRS = (
    Mistake(
        "returns the transpose, and drops the first bias",
        lambda W1, b1, W2, b2: ((W2 @ W1).T, b2.clone()),
        "The rows and columns of W are exchanged, and your b is b2 as it was.",
        "You merged for row vectors, x W, and kept the last bias alone. In PyTorch's weights a row belongs to an output; "
        "and b1 leaves the first layer as a part of h, so it goes through the second.",
        "Mend the shape first: 3 inputs and 2 outputs, which W does the statement ask for? Then send x = 0 through both "
        "layers by hand.",
    ),
    Mistake(
        "multiplies in the wrong order, and adds the two biases",
        lambda W1, b1, W2, b2: (W1 @ W2, b1 + b2),
        "Neither W nor b is right: W is the product in the other order, b the plain sum of the biases.",
        "x meets W1 first, so W1 has to stand next to it. And b1, which leaves the first layer together with W1 x, goes "
        "through the second layer like it.",
        "Put h = W1 x + b1 into the second formula on paper and multiply out. Underline what stands before x and what "
        "stands without it.",
    ),
    Mistake(
        "multiplies in the wrong order, and puts the bias on the wrong side",
        lambda W1, b1, W2, b2: (W1 @ W2, b1 @ W2 + b2),
        "Neither W nor b is right here, though both would be for weights that have a row for each input.",
        "You merged for row vectors, x W1 W2, as textbooks with a row for each input do. In PyTorch's weights a row "
        "belongs to an output, so every product is turned round.",
        "Write down the shape of W1 for 3 inputs and 4 hidden units, as the statement has it. On which side of it can an "
        "x of 3 numbers stand?",
    ),
)

MISTAKES = (*_PAIRS, *_WEIGHT, *_SUMS, *_BIAS)
