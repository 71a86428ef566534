"""Chapter 1, exercises 5 and 7: XOR by hand, two kinds of iris."""

from __future__ import annotations

from second_wrong import Wrong

RIGHT = {
    "01.5": """
def gate_network():
    hidden_weight = torch.tensor([[2.0, -2.0], [-2.0, 2.0]])
    return hidden_weight, torch.tensor([-1.0, -1.0]), torch.tensor([1.0, 1.0]), torch.tensor(-0.5)
""",
    "01.7": """
def train_neuron(X, y, X_test):
    mean, std = X.mean(dim=0), X.std(dim=0)
    A, B = (X - mean) / std, (X_test - mean) / std
    w, b = torch.zeros(4, dtype=X.dtype), torch.zeros((), dtype=X.dtype)
    for _ in range(300):
        error = torch.sigmoid(A @ w + b) - y
        w, b = w - 0.5 * (A.T @ error) / len(A), b - 0.5 * error.mean()
    return (B @ w + b >= 0).to(X.dtype)
""",
}

WRONG = {
    "01.5": [
        Wrong(
            "joins OR and AND by an OR",
            """
def gate_network():
    hidden_weight = torch.tensor([[1.0, 1.0], [1.0, 1.0]])
    hidden_bias = torch.tensor([-0.5, -1.5])
    out_weight = torch.tensor([1.0, 1.0])
    out_bias = torch.tensor(-0.5)
    return hidden_weight, hidden_bias, out_weight, out_bias
""",
            "(1, 1) fires: it computes OR; the AND unit has to hold back",
        ),
        Wrong(
            "writes one column per hidden unit (OR and NAND, then AND)",
            """
def gate_network():
    # unit 1: OR (weights 1, 1), unit 2: NAND (weights -1, -1)
    hidden_weight = torch.tensor([[1.0, -1.0],
                                  [1.0, -1.0]])
    hidden_bias = torch.tensor([-0.5, 1.5])
    out_weight = torch.tensor([1.0, 1.0])
    out_bias = torch.tensor(-1.5)
    return hidden_weight, hidden_bias, out_weight, out_bias
""",
            "rows are units: the matrix is transposed",
        ),
        Wrong(
            "copies the well-known XOR network for ReLUs",
            """
def gate_network():
    W = torch.tensor([[1.0, 1.0], [1.0, 1.0]])
    c = torch.tensor([0.0, -1.0])
    w = torch.tensor([1.0, -2.0])
    b = torch.tensor(0.0)
    return W, c, w, b
""",
            "with steps a unit with bias 0 fires for (0, 0) too; these weights are for ReLUs",
        ),
        Wrong(
            "gives the output the shapes of torch.nn.Linear(2, 1)",
            """
def gate_network():
    hidden_weight = torch.tensor([[1.0, 1.0], [1.0, 1.0]])
    hidden_bias = torch.tensor([-0.5, -1.5])
    out_weight = torch.tensor([[1.0, -1.0]])
    out_bias = torch.tensor([-0.5])
    return hidden_weight, hidden_bias, out_weight, out_bias
""",
            "out_weight is (1, 2) instead of (2,), out_bias (1,) instead of ()",
        ),
        Wrong(
            "puts the thresholds exactly on the corners",
            """
def gate_network():
    hidden_weight = torch.tensor([[1.0, 1.0], [1.0, 1.0]])
    hidden_bias = torch.tensor([-1.0, -2.0])
    out_weight = torch.tensor([1.0, -1.0])
    out_bias = torch.tensor(-1.0)
    return hidden_weight, hidden_bias, out_weight, out_bias
""",
            "right on the four rows, no room beside them: the thresholds lie on the corners",
        ),
        Wrong(
            "takes same for different, and leaves no room",
            """
def gate_network():
    hidden_weight = torch.tensor([[1.0, 1.0], [-1.0, -1.0]])
    hidden_bias = torch.tensor([-2.0, 0.0])   # both on, both off
    out_weight = torch.tensor([1.0, 1.0])
    out_bias = torch.tensor(-0.5)
    return hidden_weight, hidden_bias, out_weight, out_bias
""",
            "the gate is turned round (1 where the inputs are equal); thresholds without room",
        ),
    ],
    "01.7": [
        Wrong(
            "standardises the training rows and leaves the test rows in cm",
            """
def train_neuron(X, y, X_test):
    X = (X - X.mean(dim=0)) / X.std(dim=0)
    w = torch.zeros(4, dtype=X.dtype)
    b = torch.zeros((), dtype=X.dtype)
    for epoch in range(200):
        p = torch.sigmoid(X @ w + b)
        w = w - 0.5 * X.T @ (p - y) / len(X)
        b = b - 0.5 * (p - y).mean()
    return (X_test @ w + b >= 0).to(X.dtype)
""",
            "the test rows are not prepared as the training rows are",
        ),
        Wrong(
            "subtracts targets (N,) from outputs (N, 1)",
            """
def train_neuron(X, y, X_test):
    mean, std = X.mean(dim=0), X.std(dim=0)
    X, X_test = (X - mean) / std, (X_test - mean) / std
    w = torch.zeros(4, 1, dtype=X.dtype, requires_grad=True)
    b = torch.zeros(1, dtype=X.dtype, requires_grad=True)
    for step in range(500):
        out = torch.sigmoid(X @ w + b)
        loss = ((out - y) ** 2).mean()
        loss.backward()
        with torch.no_grad():
            w -= 1.0 * w.grad
            b -= 1.0 * b.grad
        w.grad = None
        b.grad = None
    return (torch.sigmoid(X_test @ w + b) > 0.5).to(X.dtype).squeeze(1).detach()
""",
            "(N, 1) minus (N,) makes an N by N table: every row is pulled to the mean, all answers are alike",
        ),
        Wrong(
            "uses the textbook rule for labels -1 and +1 on labels 0 and 1",
            """
def train_neuron(X, y, X_test):
    m, s = X.mean(dim=0), X.std(dim=0)
    X = (X - m) / s
    X_test = (X_test - m) / s
    w = torch.zeros(4, dtype=X.dtype)
    b = torch.zeros((), dtype=X.dtype)
    for epoch in range(50):
        for i in range(len(X)):
            if y[i] * (X[i] @ w + b) <= 0:
                w = w + y[i] * X[i]
                b = b + y[i]
    return (X_test @ w + b >= 0).to(X.dtype)
""",
            "rows with target 0 never move anything: y times the sum is 0 for them",
        ),
        Wrong(
            "returns probabilities",
            """
def train_neuron(X, y, X_test):
    mu, sigma = X.mean(dim=0), X.std(dim=0)
    Xs = (X - mu) / sigma
    w = torch.zeros(4, dtype=X.dtype)
    b = torch.zeros((), dtype=X.dtype)
    for _ in range(300):
        p = torch.sigmoid(Xs @ w + b)
        w = w - 0.5 * Xs.T @ (p - y) / len(y)
        b = b - 0.5 * (p - y).mean()
    return torch.sigmoid((X_test - mu) / sigma @ w + b)
""",
            "answers are to be 0 or 1: the decision at one half is missing",
        ),
        Wrong(
            "takes 200 tiny steps on raw centimetres and stops long before the end",
            """
def train_neuron(X, y, X_test):
    w = torch.zeros(4, dtype=X.dtype)
    b = torch.zeros((), dtype=X.dtype)
    lr = 0.001
    for epoch in range(200):
        p = torch.sigmoid(X @ w + b)
        error = p - y
        w = w - lr * X.T @ error / len(X)
        b = b - lr * error.mean()
    return (torch.sigmoid(X_test @ w + b) >= 0.5).to(X.dtype)
""",
            "training has hardly begun: the loss still falls; more or larger steps, inputs on one scale",
        ),
        Wrong(
            "goes up the gradient, and takes a probability above 0 for a yes",
            """
def train_neuron(X, y, X_test):
    mean, std = X.mean(dim=0), X.std(dim=0)
    Xn = (X - mean) / std
    w = torch.zeros(4, dtype=X.dtype)
    b = torch.zeros((), dtype=X.dtype)
    for i in range(100):
        p = torch.sigmoid(Xn @ w + b)
        w = w + 0.1 * Xn.T @ (p - y) / len(X)
        b = b + 0.1 * (p - y).mean()
    p_test = torch.sigmoid((X_test - mean) / std @ w + b)
    return (p_test > 0).to(X.dtype)
""",
            "all answers are 1 (a probability is always above 0); the step goes uphill",
        ),
    ],
}
