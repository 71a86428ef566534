"""Chapter 7, exercises 1 to 4: momentum, the look ahead, a rate for every weight, and Adam."""

from __future__ import annotations

from second_wrong import Wrong

RIGHT = {
    "07.1": """
def momentum_step(weights, slopes, velocity, lr, momentum):
    def flat(tensors):
        return torch.cat([t.reshape(-1) for t in tensors])

    def apart(vector):
        pieces = vector.split([w.numel() for w in weights])
        return [piece.reshape(w.shape).clone() for piece, w in zip(pieces, weights)]

    v = torch.add(flat(slopes), flat(velocity), alpha=momentum)
    return apart(flat(weights).sub(v, alpha=lr)), apart(v)
""",
    "07.2": """
def nesterov_step(weights, slopes, velocity, lr, momentum):
    # the new velocity put into the second formula: g + mu (mu v + g)
    new_weights = [w - lr * ((1 + momentum) * g + momentum**2 * v) for w, g, v in zip(weights, slopes, velocity)]
    new_velocity = [momentum * v + g for v, g in zip(velocity, slopes)]
    return new_weights, new_velocity
""",
    "07.3": """
class Remembers:
    def __init__(self):
        self.past = []                  # the squares of all steps: one list for each step

    def step(self, weights, slopes):
        self.past.append([g.square() for g in slopes])
        new = []
        for i, (w, g) in enumerate(zip(weights, slopes)):
            s = self.memory(torch.stack([squares[i] for squares in self.past]))
            new.append(w - self.lr * g / (s.sqrt() + self.eps))
        return new

class Adagrad(Remembers):
    def __init__(self, lr, eps):
        super().__init__()
        self.lr, self.eps = lr, eps

    def memory(self, squares):
        return squares.sum(dim=0)

class RMSProp(Remembers):
    def __init__(self, lr, alpha, eps):
        super().__init__()
        self.lr, self.alpha, self.eps = lr, alpha, eps

    def memory(self, squares):
        age = range(len(squares) - 1, -1, -1)
        shares = torch.tensor([(1 - self.alpha) * self.alpha**k for k in age], dtype=squares.dtype)
        return torch.tensordot(shares, squares, dims=1)
""",
    "07.4": """
class Adam:
    def __init__(self, lr, betas, eps):
        self.lr, self.betas, self.eps = lr, betas, eps
        self.k = 0
        self.means = None

    def step(self, weights, slopes):
        # the means with hats, kept as weighted means: a new slope has the share (1 - beta) / (1 - beta^k)
        self.k += 1
        if self.means is None:
            self.means = [(torch.zeros_like(g), torch.zeros_like(g)) for g in slopes]
        first, second = ((1 - beta) / (1 - beta**self.k) for beta in self.betas)
        self.means = [(m.lerp(g, first), s.lerp(g * g, second)) for (m, s), g in zip(self.means, slopes)]
        return [w - self.lr * m / (s**0.5 + self.eps) for w, (m, s) in zip(weights, self.means)]
""",
}

WRONG = {
    "07.1": [
        Wrong(
            "takes the velocity for a running mean of the slopes",
            """
def momentum_step(weights, slopes, velocity, lr, momentum):
    new_v = [momentum * v + (1 - momentum) * g for v, g in zip(velocity, slopes)]
    new_w = [w - lr * v for w, v in zip(weights, new_v)]
    return new_w, new_v
""",
            "the slope goes in whole: no 1 - momentum in front of it",
        ),
        Wrong(
            "copies the lines of an optimizer that writes into its buffer",
            """
def momentum_step(weights, slopes, velocity, lr, momentum):
    new = []
    for w, g, buf in zip(weights, slopes, velocity):
        buf.mul_(momentum).add_(g)
        new.append(w - lr * buf)
    return new, velocity
""",
            "mul_ and add_ write into the velocity that came in",
        ),
        Wrong(
            "keeps the step in the velocity, with the rate in it and its sign",
            """
def momentum_step(weights, slopes, velocity, lr, momentum):
    velocity = [momentum * v - lr * g for v, g in zip(velocity, slopes)]
    weights = [w + v for w, v in zip(weights, velocity)]
    return weights, velocity
""",
            "that is the form of other libraries: here the rate stays outside of the velocity",
        ),
        Wrong(
            "moves the weights before the velocity is renewed",
            """
def momentum_step(weights, slopes, velocity, lr, momentum):
    new_w, new_v = [], []
    for w, g, v in zip(weights, slopes, velocity):
        new_w.append(w - lr * v)
        new_v.append(momentum * v + g)
    return new_w, new_v
""",
            "the weights go along the new velocity; with the old one the slope acts a step too late",
        ),
        Wrong(
            "takes momentum for the friction, the part that is lost",
            """
def momentum_step(weights, slopes, velocity, lr, momentum):
    new_v = [v - momentum * v + g for v, g in zip(velocity, slopes)]
    new_w = [w - lr * v for w, v in zip(weights, new_v)]
    return new_w, new_v
""",
            "momentum is the part that stays; at 0.5, as in the example, both are the same",
        ),
        Wrong(
            "returns the velocity first, and multiplies by the rate twice",
            """
def momentum_step(weights, slopes, velocity, lr, momentum):
    velocity = [momentum * v + lr * g for v, g in zip(velocity, slopes)]
    weights = [w - lr * v for w, v in zip(weights, velocity)]
    return velocity, weights
""",
            "weights come first; and the rate stands outside of the velocity, once",
        ),
    ],
    "07.2": [
        Wrong(
            "looks ahead with the velocity that came in",
            """
def nesterov_step(weights, slopes, velocity, lr, momentum):
    new_w, new_v = [], []
    for w, g, v in zip(weights, slopes, velocity):
        new_v.append(momentum * v + g)
        new_w.append(w - lr * (g + momentum * v))
    return new_w, new_v
""",
            "g + mu v with the old v is the new velocity: that is momentum without a look ahead",
        ),
        Wrong(
            "adds the velocity's part to the velocity and not to the slope",
            """
def nesterov_step(weights, slopes, velocity, lr, momentum):
    velocity = [momentum * v + g for v, g in zip(velocity, slopes)]
    weights = [w - lr * (v + momentum * v) for w, v in zip(weights, velocity)]
    return weights, velocity
""",
            "the weights take g + mu v: the slope once, and not the whole velocity beside it",
        ),
        Wrong(
            "moves the weights ahead first, as in the textbook, and steps from there",
            """
def nesterov_step(weights, slopes, velocity, lr, momentum):
    ahead = [w - lr * momentum * v for w, v in zip(weights, velocity)]
    velocity = [momentum * v + g for v, g in zip(velocity, slopes)]
    weights = [w - lr * v for w, v in zip(ahead, velocity)]
    return weights, velocity
""",
            "the old velocity's move is taken twice: start from the weights that came in",
        ),
        Wrong(
            "hands back the direction of the step as the velocity",
            """
def nesterov_step(weights, slopes, velocity, lr, momentum):
    new_w, new_v = [], []
    for w, g, v in zip(weights, slopes, velocity):
        v = momentum * v + g
        v = g + momentum * v
        new_w.append(w - lr * v)
        new_v.append(v)
    return new_w, new_v
""",
            "the velocity after the step is mu v + g; the look ahead is for the weights alone",
        ),
        Wrong(
            "works with one long vector, and cuts it up without giving the pieces their shapes",
            """
def nesterov_step(weights, slopes, velocity, lr, momentum):
    sizes = [w.numel() for w in weights]
    w, g, v = (torch.cat([t.flatten() for t in ts]) for ts in (weights, slopes, velocity))
    v = momentum * v + g
    w = w - lr * (g + momentum * v)
    return list(w.split(sizes)), list(v.split(sizes))
""",
            "a table comes back as a row of numbers: each tensor keeps its shape",
        ),
        Wrong(
            "takes the textbook's velocity with the rate in it, and writes it into the velocity that came in",
            """
def nesterov_step(weights, slopes, velocity, lr, momentum):
    new = []
    for x, dx, v in zip(weights, slopes, velocity):
        v_prev = v.clone()
        v *= momentum
        v -= lr * dx
        new.append(x - momentum * v_prev + (1 + momentum) * v)
    return new, velocity
""",
            "the rate stays outside of the velocity; v *= and v -= change the caller's tensor",
        ),
    ],
    "07.3": [
        Wrong(
            "adds eps under the root",
            """
class Adagrad:
    def __init__(self, lr, eps):
        self.lr, self.eps, self.s = lr, eps, None

    def step(self, weights, slopes):
        if self.s is None:
            self.s = [torch.zeros_like(w) for w in weights]
        self.s = [s + g**2 for s, g in zip(self.s, slopes)]
        return [w - self.lr * g / torch.sqrt(s + self.eps) for w, g, s in zip(weights, slopes, self.s)]

class RMSProp:
    def __init__(self, lr, alpha, eps):
        self.lr, self.alpha, self.eps, self.s = lr, alpha, eps, None

    def step(self, weights, slopes):
        if self.s is None:
            self.s = [torch.zeros_like(w) for w in weights]
        self.s = [self.alpha * s + (1 - self.alpha) * g**2 for s, g in zip(self.s, slopes)]
        return [w - self.lr * g / torch.sqrt(s + self.eps) for w, g, s in zip(weights, slopes, self.s)]
""",
            "eps is added to the root, not under it",
        ),
        Wrong(
            "begins the memory with the first squares, so that there is nothing to begin at 0",
            """
class Adagrad:
    def __init__(self, lr, eps):
        self.lr = lr
        self.eps = eps
        self.s = None

    def step(self, weights, slopes):
        if self.s is None:
            self.s = [g * g for g in slopes]
        else:
            self.s = [s + g * g for s, g in zip(self.s, slopes)]
        return [w - self.lr * g / (s.sqrt() + self.eps) for w, g, s in zip(weights, slopes, self.s)]

class RMSProp:
    def __init__(self, lr, alpha, eps):
        self.lr = lr
        self.alpha = alpha
        self.eps = eps
        self.s = None

    def step(self, weights, slopes):
        if self.s is None:
            self.s = [g * g for g in slopes]
        else:
            self.s = [self.alpha * s + (1 - self.alpha) * g * g for s, g in zip(self.s, slopes)]
        return [w - self.lr * g / (s.sqrt() + self.eps) for w, g, s in zip(weights, slopes, self.s)]
""",
            "the mean of RMSProp begins at 0: after the first step it is (1 - alpha) times the square",
        ),
        Wrong(
            "keeps the memory in the class, where all objects share it",
            """
class Adagrad:
    memory = {}

    def __init__(self, lr, eps):
        self.lr, self.eps = lr, eps

    def step(self, weights, slopes):
        out = []
        for i, (w, g) in enumerate(zip(weights, slopes)):
            self.memory[i] = self.memory.get(i, 0) + g ** 2
            out.append(w - self.lr * g / (self.memory[i].sqrt() + self.eps))
        return out

class RMSProp:
    memory = {}

    def __init__(self, lr, alpha, eps):
        self.lr, self.alpha, self.eps = lr, alpha, eps

    def step(self, weights, slopes):
        out = []
        for i, (w, g) in enumerate(zip(weights, slopes)):
            self.memory[i] = self.alpha * self.memory.get(i, 0) + (1 - self.alpha) * g ** 2
            out.append(w - self.lr * g / (self.memory[i].sqrt() + self.eps))
        return out
""",
            "a second object goes on with the sums of the first: the memory belongs into __init__, on self",
        ),
        Wrong(
            "divides each tensor by the length of its slopes, one number for the whole tensor",
            """
class Adagrad:
    def __init__(self, lr, eps):
        self.lr, self.eps, self.s = lr, eps, None

    def step(self, weights, slopes):
        self.s = self.s or [0.0] * len(weights)
        self.s = [s + torch.sum(g ** 2) for s, g in zip(self.s, slopes)]
        return [w - self.lr * g / (s ** 0.5 + self.eps) for w, g, s in zip(weights, slopes, self.s)]

class RMSProp:
    def __init__(self, lr, alpha, eps):
        self.lr, self.alpha, self.eps, self.s = lr, alpha, eps, None

    def step(self, weights, slopes):
        self.s = self.s or [0.0] * len(weights)
        self.s = [self.alpha * s + (1 - self.alpha) * torch.sum(g ** 2) for s, g in zip(self.s, slopes)]
        return [w - self.lr * g / (s ** 0.5 + self.eps) for w, g, s in zip(weights, slopes, self.s)]
""",
            "every weight has an s of its own: entry by entry, no sum over the tensor",
        ),
        Wrong(
            "has one memory for all tensors of the list",
            """
class Adagrad:
    def __init__(self, lr, eps):
        self.lr, self.eps = lr, eps
        self.s = 0

    def step(self, weights, slopes):
        new = []
        for w, g in zip(weights, slopes):
            self.s = self.s + g * g
            new.append(w - self.lr * g / (torch.sqrt(self.s) + self.eps))
        return new

class RMSProp:
    def __init__(self, lr, alpha, eps):
        self.lr, self.alpha, self.eps = lr, alpha, eps
        self.s = 0

    def step(self, weights, slopes):
        new = []
        for w, g in zip(weights, slopes):
            self.s = self.alpha * self.s + (1 - self.alpha) * g * g
            new.append(w - self.lr * g / (torch.sqrt(self.s) + self.eps))
        return new
""",
            "each tensor has an s of its own; with one tensor, as in the example, nobody sees it",
        ),
        Wrong(
            "gives alpha to the new squares, and writes into the weights",
            """
class Adagrad:
    def __init__(self, lr, eps):
        self.lr, self.eps, self.s = lr, eps, None

    def step(self, weights, slopes):
        if self.s is None:
            self.s = [torch.zeros_like(g) for g in slopes]
        for w, g, s in zip(weights, slopes, self.s):
            s += g ** 2
            w -= self.lr * g / (s.sqrt() + self.eps)
        return weights

class RMSProp:
    def __init__(self, lr, alpha, eps):
        self.lr, self.alpha, self.eps, self.s = lr, alpha, eps, None

    def step(self, weights, slopes):
        if self.s is None:
            self.s = [torch.zeros_like(g) for g in slopes]
        for w, g, s in zip(weights, slopes, self.s):
            s.mul_(1 - self.alpha).add_(self.alpha * g ** 2)
            w -= self.lr * g / (s.sqrt() + self.eps)
        return weights
""",
            "alpha is the share that stays; and w -= changes the weights that came in",
        ),
    ],
    "07.4": [
        Wrong(
            "leaves the hats out",
            """
class Adam:
    def __init__(self, lr, betas, eps):
        self.lr, self.eps = lr, eps
        self.b1, self.b2 = betas
        self.m = self.s = None

    def step(self, weights, slopes):
        if self.m is None:
            self.m = [torch.zeros_like(g) for g in slopes]
            self.s = [torch.zeros_like(g) for g in slopes]
        self.m = [self.b1 * m + (1 - self.b1) * g for m, g in zip(self.m, slopes)]
        self.s = [self.b2 * s + (1 - self.b2) * g * g for s, g in zip(self.s, slopes)]
        return [w - self.lr * m / (s.sqrt() + self.eps) for w, m, s in zip(weights, self.m, self.s)]
""",
            "both means began at 0 and are too small at first: divide by 1 - beta^k",
        ),
        Wrong(
            "keeps the corrected means and goes on with them",
            """
class Adam:
    def __init__(self, lr, betas, eps):
        self.lr, self.eps = lr, eps
        self.b1, self.b2 = betas
        self.k = 0

    def step(self, weights, slopes):
        self.k += 1
        if self.k == 1:
            self.m = [torch.zeros_like(g) for g in slopes]
            self.s = [torch.zeros_like(g) for g in slopes]
        new = []
        for i, (w, g) in enumerate(zip(weights, slopes)):
            self.m[i] = self.b1 * self.m[i] + (1 - self.b1) * g
            self.s[i] = self.b2 * self.s[i] + (1 - self.b2) * g ** 2
            self.m[i] = self.m[i] / (1 - self.b1 ** self.k)
            self.s[i] = self.s[i] / (1 - self.b2 ** self.k)
            new.append(w - self.lr * self.m[i] / (torch.sqrt(self.s[i]) + self.eps))
        return new
""",
            "what is remembered are m and s without hats; the hats are for this step alone",
        ),
        Wrong(
            "divides by 1 - beta in every step, not by 1 - beta to the k",
            """
class Adam:
    def __init__(self, lr, betas, eps):
        self.lr, self.betas, self.eps = lr, betas, eps
        self.m, self.s = {}, {}

    def step(self, weights, slopes):
        b1, b2 = self.betas
        new = []
        for i, (w, g) in enumerate(zip(weights, slopes)):
            self.m[i] = b1 * self.m.get(i, 0) + (1 - b1) * g
            self.s[i] = b2 * self.s.get(i, 0) + (1 - b2) * g ** 2
            m_hat = self.m[i] / (1 - b1)
            s_hat = self.s[i] / (1 - b2)
            new.append(w - self.lr * m_hat / (s_hat.sqrt() + self.eps))
        return new
""",
            "the correction fades: beta to the power of k, with k counted up in each step",
        ),
        Wrong(
            "keeps the weights of the first step and goes on from its own",
            """
class Adam:
    def __init__(self, lr, betas, eps):
        self.lr, self.betas, self.eps = lr, betas, eps
        self.w = None
        self.k = 0

    def step(self, weights, slopes):
        b1, b2 = self.betas
        if self.w is None:
            self.w = [w.clone() for w in weights]
            self.m = [torch.zeros_like(w) for w in weights]
            self.s = [torch.zeros_like(w) for w in weights]
        self.k += 1
        for i, g in enumerate(slopes):
            self.m[i] = b1 * self.m[i] + (1 - b1) * g
            self.s[i] = b2 * self.s[i] + (1 - b2) * g ** 2
            m_hat = self.m[i] / (1 - b1 ** self.k)
            s_hat = self.s[i] / (1 - b2 ** self.k)
            self.w[i] = self.w[i] - self.lr * m_hat / (s_hat.sqrt() + self.eps)
        return list(self.w)
""",
            "step starts from the weights that it is given, in every step",
        ),
        Wrong(
            "counts a step for each tensor",
            """
class Adam:
    def __init__(self, lr, betas, eps):
        self.lr, self.betas, self.eps = lr, betas, eps
        self.k = 0
        self.m = None

    def step(self, weights, slopes):
        b1, b2 = self.betas
        if self.m is None:
            self.m = [torch.zeros_like(w) for w in weights]
            self.s = [torch.zeros_like(w) for w in weights]
        new = []
        for i in range(len(weights)):
            self.k += 1
            self.m[i] = b1 * self.m[i] + (1 - b1) * slopes[i]
            self.s[i] = b2 * self.s[i] + (1 - b2) * slopes[i] ** 2
            m_hat = self.m[i] / (1 - b1 ** self.k)
            s_hat = self.s[i] / (1 - b2 ** self.k)
            new.append(weights[i] - self.lr * m_hat / (s_hat.sqrt() + self.eps))
        return new
""",
            "k counts steps, not tensors: raise it before the loop; with one tensor both are the same",
        ),
        Wrong(
            "exchanges the two betas, and adds eps under the root",
            """
class Adam:
    def __init__(self, lr, betas, eps):
        self.lr, self.eps = lr, eps
        self.b2, self.b1 = betas
        self.k = 0
        self.m = None

    def step(self, weights, slopes):
        if self.m is None:
            self.m = [torch.zeros_like(w) for w in weights]
            self.s = [torch.zeros_like(w) for w in weights]
        self.k += 1
        new = []
        for i in range(len(weights)):
            self.m[i] = self.b1 * self.m[i] + (1 - self.b1) * slopes[i]
            self.s[i] = self.b2 * self.s[i] + (1 - self.b2) * slopes[i] ** 2
            m_hat = self.m[i] / (1 - self.b1 ** self.k)
            s_hat = self.s[i] / (1 - self.b2 ** self.k)
            new.append(weights[i] - self.lr * m_hat / torch.sqrt(s_hat + self.eps))
        return new
""",
            "the first beta is for the slopes, the second for their squares; eps stands outside of the root",
        ),
    ],
}
