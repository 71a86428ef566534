"""Chapter 1, exercises 4 and 6: training a perceptron, counting parameters."""

from __future__ import annotations

from second_wrong import Wrong

RIGHT = {
    "01.4": """
def train_perceptron(X, y, max_epochs):
    w, b = X.new_zeros(X.shape[1]), X.new_zeros(())
    mistakes = []
    while len(mistakes) < max_epochs and (not mistakes or mistakes[-1] > 0):
        wrong = 0
        for row, target in zip(X, y):
            error = target - (row @ w + b >= 0).to(X.dtype)
            w, b = w + error * row, b + error
            wrong += int(error != 0)
        mistakes.append(wrong)
    return w, b, mistakes
""",
    "01.6": """
def count_parameters(sizes, bias=True):
    total = 0
    for k in range(1, len(sizes)):
        total += (sizes[k - 1] + (1 if bias else 0)) * sizes[k]
    return total
""",
}

WRONG = {
    "01.4": [
        Wrong(
            "updates once per epoch, with the errors of all rows together",
            """
def train_perceptron(X, y, max_epochs):
    w = torch.zeros(X.shape[1], dtype=X.dtype)
    b = torch.zeros((), dtype=X.dtype)
    mistakes = []
    for epoch in range(max_epochs):
        y_hat = (X @ w + b >= 0).to(X.dtype)
        error = y - y_hat
        w = w + X.T @ error
        b = b + error.sum()
        mistakes.append(int((error != 0).sum()))
        if mistakes[-1] == 0:
            break
    return w, b, mistakes
""",
            "the weights have to change after each row, not once per epoch",
        ),
        Wrong(
            "leaves the loop before the clean epoch is written down",
            """
def train_perceptron(X, y, max_epochs):
    w = torch.zeros(X.shape[1], dtype=X.dtype)
    b = torch.tensor(0.0, dtype=X.dtype)
    mistakes = []
    for _ in range(max_epochs):
        wrong = 0
        for x_i, y_i in zip(X, y):
            y_hat = 1.0 if x_i @ w + b >= 0 else 0.0
            if y_hat != y_i:
                w = w + (y_i - y_hat) * x_i
                b = b + (y_i - y_hat)
                wrong += 1
        if wrong == 0:
            break
        mistakes.append(wrong)
    return w, b, mistakes
""",
            "the last epoch, with 0 mistakes, belongs on the list",
        ),
        Wrong(
            "sets the counter to 0 once, before the epochs",
            """
def train_perceptron(X, y, max_epochs):
    w = torch.zeros(X.shape[1], dtype=X.dtype)
    b = torch.zeros((), dtype=X.dtype)
    history = []
    count = 0
    for epoch in range(max_epochs):
        for i in range(len(X)):
            pred = (torch.dot(w, X[i]) + b >= 0).to(X.dtype)
            if pred != y[i]:
                w = w + (y[i] - pred) * X[i]
                b = b + (y[i] - pred)
                count += 1
        history.append(count)
        if count == 0:
            break
    return w, b, history
""",
            "the count goes on from epoch to epoch: it is to be 0 at the start of each",
        ),
        Wrong(
            "adds up the errors with their signs, so that a 1 and a -1 cancel",
            """
def train_perceptron(X, y, max_epochs):
    w = torch.zeros(X.shape[1], dtype=X.dtype)
    b = torch.zeros((), dtype=X.dtype)
    errors = []
    for epoch in range(max_epochs):
        total = 0
        for xi, yi in zip(X, y):
            update = yi - (xi @ w + b >= 0).to(X.dtype)
            w = w + update * xi
            b = b + update
            total += int(update)
        errors.append(total)
        if total == 0:
            break
    return w, b, errors
""",
            "errors of opposite sign cancel; count how many there are",
        ),
        Wrong(
            "runs one epoch more than max_epochs where the data is not separable",
            """
def train_perceptron(X, y, max_epochs):
    w = torch.zeros(X.shape[1], dtype=X.dtype)
    b = torch.zeros((), dtype=X.dtype)
    mistakes = []
    epoch = 0
    while epoch <= max_epochs:
        n_wrong = 0
        for i in range(X.shape[0]):
            y_hat = (X[i] @ w + b >= 0).to(X.dtype)
            w = w + (y[i] - y_hat) * X[i]
            b = b + (y[i] - y_hat)
            n_wrong += int(y_hat != y[i])
        mistakes.append(n_wrong)
        if n_wrong == 0:
            break
        epoch += 1
    return w, b, mistakes
""",
            "one epoch too many when it never comes to rest: <= counts max_epochs + 1",
        ),
        Wrong(
            "fires only above 0, and takes 0.1 as the learning rate out of habit",
            """
def train_perceptron(X, y, max_epochs):
    lr = 0.1
    w = torch.zeros(X.shape[1], dtype=X.dtype)
    b = torch.zeros((), dtype=X.dtype)
    mistakes = []
    for _ in range(max_epochs):
        m = 0
        for xi, target in zip(X, y):
            prediction = (xi @ w + b > 0).to(X.dtype)
            w = w + lr * (target - prediction) * xi
            b = b + lr * (target - prediction)
            m += int(prediction != target)
        mistakes.append(m)
        if m == 0:
            break
    return w, b, mistakes
""",
            "the learning rate is to be 1; at a sum of 0 the neuron fires",
        ),
    ],
    "01.6": [
        Wrong(
            "gives the inputs biases",
            """
def count_parameters(sizes, bias=True):
    weights = sum(a * b for a, b in zip(sizes[:-1], sizes[1:]))
    biases = sum(sizes) if bias else 0
    return weights + biases
""",
            "too many by the number of inputs: they have no bias",
        ),
        Wrong(
            "never looks at bias",
            """
def count_parameters(sizes, bias=True):
    n = 0
    for n_in, n_out in zip(sizes, sizes[1:]):
        n += n_in * n_out + n_out
    return n
""",
            "bias=False changes nothing",
        ),
        Wrong(
            "takes each layer with the next and forgets that the last has none",
            """
def count_parameters(sizes, bias=True):
    total = 0
    for i in range(len(sizes)):
        total += sizes[i] * sizes[i + 1]
        if bias:
            total += sizes[i + 1]
    return total
""",
            "the index runs one too far: n sizes have n - 1 layers between them",
        ),
        Wrong(
            "returns inside the loop",
            """
def count_parameters(sizes, bias=True):
    total = 0
    for n_in, n_out in zip(sizes, sizes[1:]):
        total += n_in * n_out
        if bias:
            total += n_out
        return total
""",
            "only the first layer is counted: the return is indented too far",
        ),
        Wrong(
            "thinks that a layer has one bias, as a neuron has",
            """
def count_parameters(sizes, bias=True):
    total = 0
    for i in range(len(sizes) - 1):
        total += sizes[i] * sizes[i + 1] + (1 if bias else 0)
    return total
""",
            "one bias per layer instead of one per unit",
        ),
        Wrong(
            "leaves out the last layer, and counts biases for the inputs",
            """
def count_parameters(sizes, bias=True):
    total = 0
    for i in range(len(sizes) - 2):
        total += sizes[i] * sizes[i + 1]
    if bias:
        total += sum(sizes)
    return total
""",
            "the last layer's weights are missing; inputs have no bias",
        ),
    ],
}
