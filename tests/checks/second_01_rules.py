"""Chapter 1, exercises 1 to 3: a sum, a threshold, one step of the perceptron rule."""

from __future__ import annotations

from second_wrong import Wrong

RIGHT = {
    "01.1": """
def weighted_sum(x, weight, bias):
    return torch.einsum("bd,d->b", x, weight) + bias
""",
    "01.2": """
def fires(z, threshold):
    return torch.where(z < threshold, torch.zeros_like(z), torch.ones_like(z))
""",
    "01.3": """
def perceptron_update(x, target, weight, bias, lr):
    fired = 1.0 if float((x * weight).sum() + bias) >= 0 else 0.0
    step = lr * (target - fired)
    return weight + step * x, bias + step
""",
}

WRONG = {
    "01.1": [
        Wrong(
            "adds the bias inside the loop, once for each input",
            """
def weighted_sum(x, weight, bias):
    z = 0
    for d in range(x.shape[1]):
        z = z + x[:, d] * weight[d] + bias
    return z
""",
            "the bias comes in D times, it belongs behind the loop",
        ),
        Wrong(
            "makes the weight a column and leaves the result as one, as in most matrix code",
            """
def weighted_sum(x, weight, bias):
    w = weight.reshape(-1, 1)
    return x @ w + bias
""",
            "(B, 1) came, (B,) is wanted: one axis too many at the end",
        ),
        Wrong(
            "thinks that a neuron's answer is a 0 or a 1 and puts the step behind the sum",
            """
def weighted_sum(x, weight, bias):
    z = (x * weight).sum(dim=1) + bias
    return (z >= 0).to(x.dtype)
""",
            "the step is not part of the weighted sum",
        ),
        Wrong(
            "sums over axis 0, because the examples lie along it",
            """
def weighted_sum(x, weight, bias):
    products = x * weight
    return products.sum(dim=0) + bias
""",
            "the sum runs over the examples instead of the inputs",
        ),
        Wrong(
            "writes out the two products of the example and stops there",
            """
def weighted_sum(x, weight, bias):
    x1, x2 = x[:, 0], x[:, 1]
    w1, w2 = weight[0], weight[1]
    return x1 * w1 + x2 * w2 + bias
""",
            "only the first two inputs count; there may be more than two",
        ),
        Wrong(
            "takes the mean for the sum, and subtracts the bias as if it were a threshold",
            """
def weighted_sum(x, weight, bias):
    return torch.mean(x * weight, dim=1) - bias
""",
            "mean instead of sum (a factor 1/D); the bias has the wrong sign",
        ),
    ],
    "01.2": [
        Wrong(
            "hands over the comparison itself",
            """
def fires(z, threshold):
    return z >= threshold
""",
            "True and False came, numbers in the dtype of z are wanted",
        ),
        Wrong(
            "writes an if, as for one number",
            """
def fires(z, threshold):
    if z >= threshold:
        return torch.ones_like(z)
    else:
        return torch.zeros_like(z)
""",
            "an if cannot decide for each entry; choose entry by entry",
        ),
        Wrong(
            "builds the step from the sign, which is 0 at the threshold itself",
            """
def fires(z, threshold):
    return (torch.sign(z - threshold) + 1) / 2
""",
            "exactly at the threshold one half comes out; sign(0) is 0",
        ),
        Wrong(
            "lets z through where it reaches the threshold, like a valve",
            """
def fires(z, threshold):
    return torch.where(z >= threshold, z, torch.zeros_like(z))
""",
            "the values of z come out instead of ones",
        ),
        Wrong(
            "overwrites a copy in two passes, the second of which reads what the first wrote",
            """
def fires(z, threshold):
    out = z.clone()
    out[out < threshold] = 0
    out[out >= threshold] = 1
    return out
""",
            "for a threshold of 0 or less the zeros just written become ones; compare z, not the copy",
        ),
        Wrong(
            "takes > for >=, and .float() for the dtype of z",
            """
def fires(z, threshold):
    fired = z > threshold
    return fired.float()
""",
            "does not fire exactly at the threshold; float32 for a float64 z",
        ),
    ],
    "01.3": [
        Wrong(
            "takes the error the other way round, as in a gradient, and still adds",
            """
def perceptron_update(x, target, weight, bias, lr):
    z = torch.dot(weight, x) + bias
    y_hat = (z >= 0).to(x.dtype)
    error = y_hat - target
    return weight + lr * error * x, bias + lr * error
""",
            "the step goes away from the target: prediction and target are swapped",
        ),
        Wrong(
            "compares the sum itself with the target, without a step",
            """
def perceptron_update(x, target, weight, bias, lr):
    y_hat = x @ weight + bias
    error = target - y_hat
    new_weight = weight + lr * error * x
    new_bias = bias + lr * error
    return new_weight, new_bias
""",
            "the prediction has to be 0 or 1: the threshold is missing",
        ),
        Wrong(
            "uses += on the arguments",
            """
def perceptron_update(x, target, weight, bias, lr):
    y_hat = 1.0 if (weight @ x + bias) >= 0 else 0.0
    weight += lr * (target - y_hat) * x
    bias += lr * (target - y_hat)
    return weight, bias
""",
            "the caller's weight is changed: += writes in place",
        ),
        Wrong(
            "copies the line of the weight for the bias, with its x",
            """
def perceptron_update(x, target, weight, bias, lr):
    y_hat = (x @ weight + bias >= 0).to(weight.dtype)
    weight = weight + lr * (target - y_hat) * x
    bias = bias + lr * (target - y_hat) * x
    return weight, bias
""",
            "the bias has got a shape (D,): no x belongs to it",
        ),
        Wrong(
            "knows the rule for labels -1 and +1 and counts a sum of 0 as wrong for both",
            """
def perceptron_update(x, target, weight, bias, lr):
    label = 2 * target - 1
    if label * (x @ weight + bias) <= 0:
        weight = weight + lr * label * x
        bias = bias + lr * label
    return weight, bias
""",
            "at a sum of exactly 0 with target 1 the neuron fires rightly, and this moves",
        ),
        Wrong(
            "leaves out the learning rate, and the bias in the prediction",
            """
def perceptron_update(x, target, weight, bias, lr):
    y_hat = (x @ weight >= 0).to(x.dtype)
    error = target - y_hat
    return weight + error * x, bias + error
""",
            "lr has no effect; the prediction ignores the bias",
        ),
    ],
}
