"""What goes wrong with counting before one runs (exercise 03.6), and what to say about it."""

from __future__ import annotations

from itertools import pairwise

from companion.checks.bank import Mistake


def _weights(sizes: list[int]) -> int:
    return sum(a * b for a, b in pairwise(sizes))


def _units(sizes: list[int]) -> int:
    return sum(sizes[1:])


def _costs(
    sizes: list[int], batch: int, parameters: int | None = None, flops: int | None = None, kept: int | None = None
) -> tuple[int, int, int]:
    """Return the right costs, but for what is given."""
    right = _weights(sizes) + _units(sizes), 2 * batch * _weights(sizes), batch * _units(sizes)
    given = parameters, flops, kept
    first, second, third = (r if g is None else g for g, r in zip(given, right))
    return first, second, third


_PARAMETERS = (
    Mistake(
        "forgets the biases",
        lambda sizes, batch: _costs(sizes, batch, parameters=_weights(sizes)),
        "Your `parameters` are the weights alone, and so many that `flops` is just twice the batch times them.",
        "Biases are left out of the operations, and not out of the parameters: training changes them as well.",
        "Take a single neuron of 2 inputs. Which numbers does it learn, and how many of them does your count hold?",
    ),
    Mistake(
        "gives the inputs biases",
        lambda sizes, batch: _costs(sizes, batch, parameters=_weights(sizes) + sum(sizes)),
        "Your `parameters` are too many, by as many as the network has inputs.",
        "The first of the sizes is no layer: its numbers are handed in, and nothing is computed there that could be moved.",
        "Draw the example and mark every unit that adds something up. Which column has no mark?",
    ),
    Mistake(
        "counts parameters for each example",
        lambda sizes, batch: _costs(sizes, batch, parameters=batch * (_weights(sizes) + _units(sizes))),
        "Your `parameters` grow with the batch; for a single example they are right.",
        "All examples pass through the same weights. That is what makes a batch cheap: the tables are there once.",
        "Would a file with the weights become larger if you showed the network more pictures at a time?",
    ),
    Mistake(
        "exchanges parameters and FLOPs",
        lambda sizes, batch: (2 * batch * _weights(sizes), _weights(sizes) + _units(sizes), batch * _units(sizes)),
        "All three numbers are there, and the first two stand in each other's place.",
        "The check takes them by their place in the tuple: parameters, FLOPs, kept.",
        "Read the last line of your function beside the list in the task.",
    ),
)

_FLOPS = (
    Mistake(
        "counts multiplications only",
        lambda sizes, batch: _costs(sizes, batch, flops=batch * _weights(sizes)),
        "Your `flops` are half of what they should be, in every case.",
        "Each weight is multiplied with its input, and the product is added to the sum. These are two operations.",
        "Write out the sum of one neuron with three inputs, beginning from 0. How many signs of each kind do you need?",
    ),
    Mistake(
        "counts the work for one example",
        lambda sizes, batch: _costs(sizes, batch, flops=2 * _weights(sizes)),
        "Your `flops` are the same for a batch of 1 and a batch of 1000.",
        "Each example goes through all the products by itself. The batch is computed in one call, and not in one go.",
        "How many rows does the product of the first layer have, and what does each of them cost?",
    ),
    Mistake(
        "takes two operations for each parameter",
        lambda sizes, batch: _costs(sizes, batch, flops=2 * batch * (_weights(sizes) + _units(sizes))),
        "Your `flops` are a little too many: the biases are counted as if they were weights.",
        "A bias is added once and multiplied with nothing. By the task's rule even that one addition is left out.",
        "Which of your sums goes into `flops`: the one with `+ 1` in it or the one without?",
    ),
    Mistake(
        "adds the biases to the FLOPs",
        lambda sizes, batch: _costs(sizes, batch, flops=batch * (2 * _weights(sizes) + _units(sizes))),
        "Your `flops` are a little too many: one for each unit and each example.",
        "It is true that a bias costs an addition. The usual count leaves it out, so that numbers from different people "
        "can be compared.",
        "Read the second point of the task again: what is left out?",
    ),
    Mistake(
        "multiplies all sizes",
        lambda sizes, batch: _costs(sizes, batch, flops=2 * batch * _product(sizes)),
        "With one layer your `flops` are right; with each further layer they multiply.",
        "The layers come one after the other, so that their work adds up. Only within a layer every input meets every "
        "unit.",
        "For 3-4-2, how many products does the first layer take for one example, and how many the second?",
    ),
)


def _product(sizes: list[int]) -> int:
    product = 1
    for n in sizes:
        product *= n
    return product


_KEPT = (
    Mistake(
        "keeps the results of one example",
        lambda sizes, batch: _costs(sizes, batch, kept=_units(sizes)),
        "Your `kept` is the same for a batch of 1 and a batch of 1000.",
        "Every example has activations of its own, and the way back needs those of each. This is why a large batch may "
        "not fit into memory.",
        "Which shape has the table that the first hidden layer hands on, for a batch of 5?",
    ),
    Mistake(
        "counts the input among what is kept",
        lambda sizes, batch: _costs(sizes, batch, kept=batch * sum(sizes)),
        "Your `kept` is too large, by the batch times the number of inputs.",
        "The task counts what the layers hand on. The input comes from the caller, who holds it in any case.",
        "Which of the sizes belong to layers that compute something?",
    ),
    Mistake(
        "leaves the output out of what is kept",
        lambda sizes, batch: _costs(sizes, batch, kept=batch * sum(sizes[1:-1])),
        "Your `kept` is too small, by the batch times the number of outputs; for a single neuron it is 0.",
        "The last layer hands on logits, and the loss begins its way back with them.",
        "Read the third point of the task again. Which layers does it name?",
    ),
    Mistake(
        "keeps the sums as well",
        lambda sizes, batch: _costs(sizes, batch, kept=batch * (_units(sizes) + sum(sizes[1:-1]))),
        "Your `kept` has each hidden unit twice, once before and once behind its bend.",
        "With a ReLU the activation tells all: where it is 0 the unit was off. So one number for each unit is enough, and "
        "the task counts one.",
        "How many numbers for each unit does the third point of the task name, and how many do you count?",
    ),
    Mistake(
        "adds the parameters to what is kept",
        lambda sizes, batch: _costs(sizes, batch, kept=batch * _units(sizes) + _weights(sizes) + _units(sizes)),
        "Your `kept` is too large, by the number of parameters.",
        "The parameters are needed on the way back too, but they are there before the forward pass and are counted "
        "already.",
        "What is in memory after the forward pass that was not there before it?",
    ),
    Mistake(
        "counts the work for one example, and keeps the results of one example",
        lambda sizes, batch: _costs(sizes, batch, flops=2 * _weights(sizes), kept=_units(sizes)),
        "None of your three numbers changes with the batch.",
        "Only the parameters are there once for all. Each example goes through all products, and leaves its own "
        "activations behind.",
        "Call your function with a batch of 1 and of 2. Which of the three numbers should double?",
    ),
    Mistake(
        "counts multiplications only, and counts the work for one example",
        lambda sizes, batch: _costs(sizes, batch, flops=_weights(sizes)),
        "Your `flops` are the number of weights, whatever the batch is.",
        "Each weight is used once for each example, and each use is a multiplication and an addition.",
        "Follow one weight through a batch of 5 examples. How often is it multiplied, and how often is something added?",
    ),
)

MISTAKES = (*_PARAMETERS, *_FLOPS, *_KEPT)
