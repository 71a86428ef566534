"""What goes wrong on the whole way forward (exercise 03.2), and what to say about it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from companion.checks.bank import Mistake

Layers = list[Tensor]
Answer = Callable[[Tensor, Layers, Layers], object]


def _walk(bend: Callable[[Tensor, int, int], Tensor], *, bias: bool = True, transposed: bool = True) -> Answer:
    """Return a forward pass with another bend: a function of the sums, the layer's number and how many there are."""

    def forward(x: Tensor, weights: Layers, biases: Layers) -> Layers:
        left = []
        for k, (w, b) in enumerate(zip(weights, biases), 1):
            z = x @ (w.T if transposed else w)
            x = bend(z + b if bias else z, k, len(weights))
            left.append(x)
        return left

    return forward


def _but_the_last(z: Tensor, k: int, n: int) -> Tensor:
    return torch.relu(z) if k < n else z


right = _walk(_but_the_last)


def _before_each_layer(x: Tensor, weights: Layers, biases: Layers) -> Layers:
    left = []
    for w, b in zip(weights, biases):
        x = torch.relu(x) @ w.T + b
        left.append(x)
    return left


def _before_each_layer_in_place(x: Tensor, weights: Layers, biases: Layers) -> Layers:
    left = []
    for w, b in zip(weights, biases):
        x = x.relu_() @ w.T + b
        left.append(x)
    return left


def _records_sums(x: Tensor, weights: Layers, biases: Layers) -> Layers:
    left = []
    for w, b in zip(weights, biases):
        z = x @ w.T + b
        left.append(z)
        x = torch.relu(z)
    return left


def _records_both(x: Tensor, weights: Layers, biases: Layers) -> Layers:
    left = []
    for k, (w, b) in enumerate(zip(weights, biases), 1):
        z = x @ w.T + b
        left.append(z)
        if k < len(weights):
            x = torch.relu(z)
            left.append(x)
    return left


def _input_everywhere(x: Tensor, weights: Layers, biases: Layers) -> Layers:
    sums = [x @ w.T + b for w, b in zip(weights, biases)]
    return [*[torch.relu(z) for z in sums[:-1]], sums[-1]]


def _two_layers(x: Tensor, weights: Layers, biases: Layers) -> Layers:
    h = torch.relu(x @ weights[0].T + biases[0])
    return [h, h @ weights[1].T + biases[1]]


def _shares(z: Tensor, k: int, n: int) -> Tensor:
    return torch.relu(z) if k < n else torch.softmax(z, dim=-1)


_BENDS = (
    Mistake(
        "bends the logits too",
        _walk(lambda z, k, n: torch.relu(z)),
        "The hidden layers are right; in the last entry every negative number came out as 0.",
        "A ReLU stands behind each layer of yours, the last one included. Logits need both signs: a negative one is "
        "evidence against its class.",
        "Do the example on paper as far as the first logit. Which sign has it, and what is left of it in your list?",
    ),
    Mistake(
        "never bends",
        _walk(lambda z, k, n: z),
        "The first entry of your list holds negative numbers; what leaves a hidden layer of ReLUs never does.",
        "Your layers are stacked with nothing between them. Such a stack is one linear layer, however many matrices it "
        "has.",
        "Look at the table of the network on paper: which row comes between the sums of the hidden layer and the first "
        "logit?",
    ),
    Mistake(
        "bends before each layer",
        _before_each_layer,
        "Negative numbers of the input have no effect, and the hidden entries of your list still hold negative numbers.",
        "The bend stands in front of each layer and not behind it. So the input is bent, which the formula does not do, "
        "and what you record has not been bent yet.",
        "Put x = [[-1, -2]] in. Which of its numbers reach the first layer of the formula, and which reach yours?",
    ),
    Mistake(
        "bends its input in place",
        _before_each_layer_in_place,
        "The x that you were given has changed: its negative numbers are 0 after the call.",
        "The bend stands in front of each layer and writes into what it reads. In the first round that is the caller's "
        "x; in the later ones it happens to be what you recorded.",
        "Print x before and after the call. Behind which line of the formula does the bend stand, and does it touch the "
        "input at all?",
    ),
    Mistake(
        "bends once only",
        _walk(lambda z, k, n: torch.relu(z) if k == 1 and n > 1 else z),
        "The network on paper comes out right; with more layers the second entry of your list holds negative numbers.",
        "Only what leaves the first layer is bent. From there on your layers are stacked with nothing between them, and "
        "merge into one.",
        "Count the bends in the formula for a network of five layers, and those that your code makes.",
    ),
    Mistake(
        "bends with a sigmoid",
        _walk(lambda z, k, n: torch.sigmoid(z) if k < n else z),
        "All numbers of your hidden entries lie between 0 and 1.",
        "A sigmoid is a bend too, but another one: it levels off on both sides. The task's network has been given its "
        "weights for ReLUs.",
        "What becomes of the sums 1, 2 and -1.5 of the example, by the formula and in your list?",
    ),
    Mistake(
        "ends in a softmax",
        _walk(_shares),
        "The hidden layers are right; the last entry holds shares, which add up to 1 in each row.",
        "The logits are asked for. Shares come one step later, and the loss of a classifier takes that step itself.",
        "Which two numbers stand in the rows of the logits in the table on paper, and which in the row of the shares?",
    ),
)

_LISTS = (
    Mistake(
        "records the sums",
        _records_sums,
        "The logits are right; the other entries of your list hold negative numbers.",
        "You record the sums and bend them afterwards, for the next layer. What leaves a hidden layer is what comes "
        "behind the bend.",
        "Follow the sum -1.5 of the example: under which name do you keep it, and when does it become 0?",
    ),
    Mistake(
        "records the sums and what leaves the layer",
        _records_both,
        "Your list has two entries for each hidden layer, once with negative numbers and once without.",
        "The sums are a step on the way and stay inside the layer. The caller counts on one entry for each.",
        "How many entries should a network of three layers give, and how many does yours? Which of them leave a layer?",
    ),
    Mistake(
        "lists the input",
        lambda x, weights, biases: [x, *right(x, weights, biases)],  # type: ignore[misc]
        "Your list begins with the input, so that every entry stands one place too late.",
        "The input enters the first layer and leaves none. Whoever looks for what the first layer said finds x there.",
        "Give each entry of your list its name in the formula. Which name has the first one, and which should it have?",
    ),
    Mistake(
        "leaves the logits out",
        lambda x, weights, biases: right(x, weights, biases)[:-1],  # type: ignore[index]
        "The hidden layers are right, and your list ends before the last layer's answer.",
        "The last layer has no bend, but it is a layer: what leaves it are the logits, and they belong to the list.",
        "Count the weights and the entries of your list for the network on paper. Which layer has no entry?",
    ),
    Mistake(
        "returns the logits alone",
        lambda x, weights, biases: right(x, weights, biases)[-1],  # type: ignore[index]
        "The logits are right, and one tensor came back where a list is asked for.",
        "What the hidden layers said is gone after the call. To look into a network one needs it, and in chapter 5 the "
        "way back will.",
        "Where in your loop could each result be put aside before the next layer replaces it?",
    ),
)

_STEPS = (
    Mistake(
        "gives the input to every layer",
        _input_everywhere,
        "The first entry of your list is right; the later layers do not depend on it, or their product stops.",
        "Every layer of yours reads x. In a network a layer reads what the one before it hands on, so that each can build "
        "on what was found.",
        "Change the first layer's weights and look at the last entry. Should it change? Which name stands in your product?",
    ),
    Mistake(
        "leaves out the biases",
        _walk(_but_the_last, bias=False),
        "Your numbers do not change with `biases`: what you bend are the products alone.",
        "Without biases all boundaries of the first layer pass through the origin, and the network answers 0 for the "
        "input 0.",
        "Put x = 0 in. What leaves the first layer by the formula, and what leaves yours?",
    ),
    Mistake(
        "does not transpose the weights",
        _walk(_but_the_last, transposed=False),
        "Where all layers are as wide as the input your numbers are wrong; elsewhere the product stops.",
        "Rows of examples meet the columns of the weights in your product. A neuron's own weights stand in a row.",
        "Write the shapes of x and of the first weights of the network on paper behind each other. Which axes meet?",
    ),
    Mistake(
        "always takes two layers",
        _two_layers,
        "The network on paper comes out right; the third layer and all behind it are never used.",
        "Your code names the first and the second entry of the lists. The lists may have any length, and one layer is "
        "also a network.",
        "Which lines of yours would you have to write again for a third layer? What do they have in common?",
    ),
    Mistake(
        "leaves out the biases, and bends the logits too",
        _walk(lambda z, k, n: torch.relu(z), bias=False),
        "Your numbers do not change with `biases`, and no entry of your list ever falls below 0.",
        "Two steps differ from the formula: nothing is added to the products, and the last layer is bent like the hidden "
        "ones.",
        "Compare your loop with the two formulas, the one for the hidden layers and the one for the last. What does each "
        "of them have that yours lacks?",
    ),
    Mistake(
        "leaves out the biases, and never bends",
        _walk(lambda z, k, n: z, bias=False),
        "Double the input, and every number of your list doubles: your network is a product of matrices.",
        "Neither bias nor bend is in it. What is left is one matrix, the product of all of them.",
        "Which two steps turn a product into what leaves a hidden layer? The table of the network on paper has a row for "
        "each.",
    ),
)

MISTAKES = (*_BENDS, *_LISTS, *_STEPS)
