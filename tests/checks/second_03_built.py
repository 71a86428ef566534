"""Chapter 3, exercises 3 and 4: a bump and a folded interval, from weights written down."""

from __future__ import annotations

from second_wrong import Wrong

RIGHT = {
    "03.3": """
def bump_network(left, right, height, steepness):
    W1 = torch.tensor([[float(steepness)], [-float(steepness)]])
    b1 = torch.tensor([-float(steepness) * left, float(steepness) * right])
    W2 = torch.full((1, 2), float(height))
    b2 = torch.tensor([-float(height)])
    return W1, b1, W2, b2
""",
    "03.4": """
def folds(depth):
    into = torch.tensor([[2.0], [4.0]])
    out = torch.tensor([[1.0, -1.0]])
    weights = [into] + [into @ out for _ in range(depth - 1)] + [out]
    biases = [torch.tensor([0.0, -2.0]) for _ in range(depth)] + [torch.zeros(1)]
    return weights, biases
""",
}

WRONG = {
    "03.3": [
        Wrong(
            "takes the place of a step for its bias",
            """
def bump_network(left, right, height, steepness):
    W1 = torch.tensor([[steepness], [steepness]], dtype=torch.float32)
    b1 = torch.tensor([-left, -right], dtype=torch.float32)
    W2 = torch.tensor([[height, -height]], dtype=torch.float32)
    b2 = torch.zeros(1)
    return W1, b1, W2, b2
""",
            "s (x - l) = s x - s l: the bias needs the steepness",
        ),
        Wrong(
            "forgets the minus of the biases",
            """
def bump_network(left, right, height, steepness):
    W1 = torch.full((2, 1), float(steepness))
    b1 = steepness * torch.tensor([float(left), float(right)])
    W2 = torch.tensor([[float(height), -float(height)]])
    b2 = torch.zeros(1)
    return W1, b1, W2, b2
""",
            "the steps go up at -left and -right: the bump stands on the other side of 0",
        ),
        Wrong(
            "lays the weights out as (inputs, units)",
            """
def bump_network(left, right, height, steepness):
    s, h = float(steepness), float(height)
    W1 = torch.tensor([[s, s]])
    b1 = torch.tensor([-s * left, -s * right])
    W2 = torch.tensor([[h], [-h]])
    b2 = torch.tensor([0.0])
    return W1, b1, W2, b2
""",
            "one row for each unit: W1 is (2, 1) and W2 (1, 2)",
        ),
        Wrong(
            "lets the second step go down and does not take the height off again",
            """
def bump_network(left, right, height, steepness):
    s, h = float(steepness), float(height)
    W1 = torch.tensor([[s], [-s]])
    b1 = torch.tensor([-s * left, s * right])
    W2 = torch.tensor([[h, h]])
    b2 = torch.tensor([0.0])
    return W1, b1, W2, b2
""",
            "outside one step is up, inside both are: the curve lies too high by the height, b2 has to be -h",
        ),
        Wrong(
            "takes the steepness of the example for all bumps",
            """
def bump_network(left, right, height, steepness):
    W1 = torch.tensor([[10.0], [10.0]])
    b1 = torch.tensor([-10.0 * left, -10.0 * right])
    W2 = torch.tensor([[float(height), -float(height)]])
    b2 = torch.zeros(1)
    return W1, b1, W2, b2
""",
            "another steepness changes nothing: the argument is not used",
        ),
        Wrong(
            "leaves the steepness out of the biases, and adds the second step",
            """
def bump_network(left, right, height, steepness):
    W1 = torch.tensor([[float(steepness)], [float(steepness)]])
    b1 = torch.tensor([-float(left), -float(right)])
    W2 = torch.tensor([[float(height), float(height)]])
    b2 = torch.zeros(1)
    return W1, b1, W2, b2
""",
            "biases without steepness; the second step is to be taken away",
        ),
    ],
    "03.4": [
        Wrong(
            "puts whole tents in a row, each with its own output",
            """
def folds(depth):
    weights, biases = [], []
    for _ in range(depth):
        weights.append(torch.tensor([[1.0], [1.0]]))
        biases.append(torch.tensor([0.0, -0.5]))
        weights.append(torch.tensor([[2.0, -4.0]]))
        biases.append(torch.zeros(1))
    return weights, biases
""",
            "the answers are right; between two tents there is a layer of one unit too many",
        ),
        Wrong(
            "gives the 2 to the first unit and the -4 to the second",
            """
def folds(depth):
    weights = [torch.tensor([[1.0], [1.0]])]
    biases = [torch.tensor([0.0, -0.5])]
    for _ in range(depth - 1):
        weights.append(torch.tensor([[2.0, 2.0], [-4.0, -4.0]]))
        biases.append(torch.tensor([0.0, -0.5]))
    weights.append(torch.tensor([[2.0, -4.0]]))
    biases.append(torch.tensor([0.0]))
    return weights, biases
""",
            "rows and columns of the inner weights are swapped: each unit needs the whole tent, 2 and -4 in its row",
        ),
        Wrong(
            "adds an inner layer for each fold, the first fold too",
            """
def folds(depth):
    weights = [torch.ones(2, 1)]
    biases = [torch.tensor([0.0, -0.5])]
    for k in range(depth):
        weights.append(torch.tensor([[2.0, -4.0], [2.0, -4.0]]))
        biases.append(torch.tensor([0.0, -0.5]))
    weights.append(torch.tensor([[2.0, -4.0]]))
    biases.append(torch.zeros(1))
    return weights, biases
""",
            "one hidden layer too many: it folds once more than asked",
        ),
        Wrong(
            "lays the weights out as (inputs, units)",
            """
def folds(depth):
    weights = [torch.tensor([[1.0, 1.0]])]
    biases = [torch.tensor([0.0, -0.5])]
    for _ in range(depth - 1):
        weights.append(torch.tensor([[2.0, 2.0], [-4.0, -4.0]]))
        biases.append(torch.tensor([0.0, -0.5]))
    weights.append(torch.tensor([[2.0], [-4.0]]))
    biases.append(torch.tensor([0.0]))
    return weights, biases
""",
            "one row for each unit: the tables are all transposed",
        ),
        Wrong(
            "halves the place of the bend from fold to fold",
            """
def folds(depth):
    weights = [torch.tensor([[1.0], [1.0]])]
    weights += [torch.tensor([[2.0, -4.0], [2.0, -4.0]]) for _ in range(depth - 1)]
    weights += [torch.tensor([[2.0, -4.0]])]
    biases = [torch.tensor([0.0, -(0.5 ** (k + 1))]) for k in range(depth)] + [torch.zeros(1)]
    return weights, biases
""",
            "each tent gets numbers from 0 to 1 again: the bend is at one half in every layer",
        ),
        Wrong(
            "lets the tent only level off, and gives the bias to the first layer only",
            """
def folds(depth):
    weights = [torch.tensor([[1.0], [1.0]])]
    biases = [torch.tensor([0.0, -0.5])]
    for _ in range(depth - 1):
        weights.append(torch.tensor([[2.0, -2.0], [2.0, -2.0]]))
        biases.append(torch.zeros(2))
    weights.append(torch.tensor([[2.0, -2.0]]))
    biases.append(torch.zeros(1))
    return weights, biases
""",
            "-2 only stops the rise, -4 turns it; the inner layers have no bend at one half",
        ),
    ],
}
