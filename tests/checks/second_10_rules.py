"""Chapter 10, exercises 1 to 4: a split without a leak, a scaler, the mean of an epoch, and the order of the loop."""

from __future__ import annotations

from second_wrong import Wrong

RIGHT = {
    "10.1": """
def split(persons, classes, shares, generator):
    # every person draws a lot; in each class the lowest lots go to validation, and the next ones to test
    class_of = dict(zip(persons, classes))
    drawn = torch.rand(len(class_of), generator=generator, dtype=torch.float64).tolist()
    lot = dict(zip(class_of, drawn))
    part_of = {}
    for c in sorted(set(classes)):
        queue = sorted((p for p in class_of if class_of[p] == c), key=lot.get)
        first, second = (round(share * len(queue)) for share in shares)
        for place, person in enumerate(queue):
            part_of[person] = 1 if place < first else 2 if place < first + second else 0
    rows = [[], [], []]
    for row, person in enumerate(persons):
        rows[part_of[person]].append(row)
    return tuple(rows)
""",
    "10.2": """
class Scaler:
    def __init__(self):
        self.mean = self.scale = None

    def fit(self, X):
        # measured in units of each column's range, so that no square is too small to be held
        lowest, reach = X.amin(dim=0), X.amax(dim=0) - X.amin(dim=0)
        varies = reach > 0
        unit = torch.where(varies, reach, torch.ones_like(reach))
        inside = (X - lowest) / unit
        self.mean = lowest + unit * inside.mean(dim=0)
        spread = torch.linalg.vector_norm(inside - inside.mean(dim=0), dim=0) / len(X) ** 0.5
        self.scale = torch.where(varies, unit * spread, unit)
        return self

    def measured(self):
        if self.mean is None:
            raise RuntimeError("fit comes first: nothing has been measured")
        return self.mean, self.scale

    def transform(self, X):
        mean, scale = self.measured()
        return (X - mean).div(scale).to(X.dtype)

    def inverse_transform(self, Z):
        mean, scale = self.measured()
        return torch.addcmul(mean, Z, scale).to(Z.dtype)
""",
    "10.3": """
def evaluate(net, batches):
    modes = [(part, part.training) for part in net.modules()]
    net.eval()
    try:
        with torch.inference_mode():
            asked = [(net(x), y) for x, y in batches]
    finally:
        for part, mode in modes:
            part.training = mode
    scores, y = (torch.cat(column) for column in zip(*asked))
    own = scores.gather(1, y[:, None]).squeeze(1)
    losses = scores.logsumexp(dim=1) - own
    return losses.mean().item(), (scores.max(dim=1).indices == y).double().mean().item()
""",
    "10.4": """
def train_epoch(net, optimizer, schedule, batches, limit):
    net.train()
    weights = [w for w in net.parameters() if w.requires_grad]
    sizes, losses = [], []
    for x, y in batches:
        losses_of_batch = torch.nn.functional.cross_entropy(net(x), y, reduction="none")
        # slopes are asked for, not gathered: nothing of before can be in them
        slopes = torch.autograd.grad(losses_of_batch.mean(), weights)
        length = torch.stack([s.square().sum() for s in slopes]).sum().sqrt().item()
        shrink = limit / length if length > limit else 1.0
        for w, s in zip(weights, slopes):
            w.grad = s * shrink
        optimizer.step()
        schedule.step()
        losses.extend(losses_of_batch.tolist())
    return sum(losses) / len(losses)
""",
}

WRONG = {
    "10.1": [
        Wrong(
            "stratifies the rows and forgets the persons",
            """
def split(persons, classes, shares, generator):
    classes = torch.tensor(classes)
    train, val, test = [], [], []
    for c in classes.unique():
        rows = (classes == c).nonzero().flatten()
        rows = rows[torch.randperm(len(rows), generator=generator)]
        n_val = round(shares[0] * len(rows))
        n_test = round(shares[1] * len(rows))
        val.append(rows[:n_val])
        test.append(rows[n_val:n_val + n_test])
        train.append(rows[n_val + n_test:])
    return torch.cat(train), torch.cat(val), torch.cat(test)
""",
            "rows of one person land in two parts: persons are drawn, and all their rows go along",
        ),
        Wrong(
            "draws persons from all classes together",
            """
def split(persons, classes, shares, generator):
    people = torch.tensor(persons).unique()
    people = people[torch.randperm(len(people), generator=generator)]
    n_val, n_test = [round(s * len(people)) for s in shares]
    val_people = people[:n_val]
    test_people = people[n_val:n_val + n_test]
    p = torch.tensor(persons)
    in_val, in_test = torch.isin(p, val_people), torch.isin(p, test_people)
    rows = torch.arange(len(p))
    return rows[~in_val & ~in_test], rows[in_val], rows[in_test]
""",
            "a rare class may miss in a part: draw within each class",
        ),
        Wrong(
            "believes that a generator is its seed, and makes one of its own from it",
            """
import random

def split(persons, classes, shares, generator):
    rng = random.Random(generator.initial_seed())
    by_class = {}
    for p, c in zip(persons, classes):
        by_class.setdefault(c, [])
        if p not in by_class[c]:
            by_class[c].append(p)
    val, test = set(), set()
    for people in by_class.values():
        rng.shuffle(people)
        a, b = round(shares[0] * len(people)), round(shares[1] * len(people))
        val.update(people[:a])
        test.update(people[a:a + b])
    train_rows = [i for i, p in enumerate(persons) if p not in val and p not in test]
    return train_rows, [i for i, p in enumerate(persons) if p in val], [i for i, p in enumerate(persons) if p in test]
""",
            "the seed is where it began: a second call with the same generator has to give a new split",
        ),
        Wrong(
            "fills the parts until they hold their share of the rows",
            """
def split(persons, classes, shares, generator):
    rows_of = {}
    class_of = {}
    for i, (p, c) in enumerate(zip(persons, classes)):
        rows_of.setdefault(p, []).append(i)
        class_of[p] = c
    parts = [[], [], []]
    for c in set(classes):
        people = [p for p in rows_of if class_of[p] == c]
        n = sum(len(rows_of[p]) for p in people)
        order = torch.randperm(len(people), generator=generator).tolist()
        taken = [0, 0]
        for k in order:
            rows = rows_of[people[k]]
            if taken[0] < round(shares[0] * n):
                parts[1] += rows
                taken[0] += len(rows)
            elif taken[1] < round(shares[1] * n):
                parts[2] += rows
                taken[1] += len(rows)
            else:
                parts[0] += rows
    return tuple(torch.tensor(part, dtype=torch.long) for part in parts)
""",
            "the share is one of the persons of a class, not of its rows",
        ),
        Wrong(
            "takes it that the rows of a person stand side by side",
            """
def split(persons, classes, shares, generator):
    persons, classes = torch.tensor(persons), torch.tensor(classes)
    _, block = torch.unique_consecutive(persons, return_inverse=True)
    part = torch.zeros(len(persons), dtype=torch.long)
    for c in classes.unique():
        blocks = block[classes == c].unique()
        blocks = blocks[torch.randperm(len(blocks), generator=generator)]
        n_val, n_test = round(shares[0] * len(blocks)), round(shares[1] * len(blocks))
        part[torch.isin(block, blocks[:n_val])] = 1
        part[torch.isin(block, blocks[n_val:n_val + n_test])] = 2
    rows = torch.arange(len(persons))
    return rows[part == 0], rows[part == 1], rows[part == 2]
""",
            "a person who comes back later is a second block: right in the example, a leak elsewhere",
        ),
        Wrong(
            "splits twice, the second time by a share of what is left, and cuts numbers off",
            """
def cut(people, share, generator):
    order = [people[i] for i in torch.randperm(len(people), generator=generator)]
    n = int(share * len(people))
    return order[n:], order[:n]

def split(persons, classes, shares, generator):
    val, test = [], []
    for c in sorted(set(classes)):
        people = sorted({p for p, k in zip(persons, classes) if k == c})
        rest, chosen = cut(people, shares[0], generator)
        val += chosen
        rest, chosen = cut(rest, shares[1], generator)
        test += chosen
    where = {p: 1 for p in val} | {p: 2 for p in test}
    return tuple([i for i, p in enumerate(persons) if where.get(p, 0) == k] for k in range(3))
""",
            "both shares are of all n persons of the class; and rounded to the nearest number, not down",
        ),
    ],
    "10.2": [
        Wrong(
            "takes the spread as torch computes it by itself",
            """
class Scaler:
    def __init__(self):
        self.mean = None
        self.scale = None

    def fit(self, X):
        self.mean = X.mean(dim=0)
        self.scale = X.std(dim=0)
        constant = (X == X[0]).all(dim=0)
        self.scale[constant] = 1
        return self

    def transform(self, X):
        if self.mean is None:
            raise RuntimeError("call fit first")
        return (X - self.mean) / self.scale

    def inverse_transform(self, Z):
        if self.mean is None:
            raise RuntimeError("call fit first")
        return Z * self.scale + self.mean
""",
            "std divides by N - 1: asked for is the mean squared distance, divided by N",
        ),
        Wrong(
            "measures anew whatever it is handed",
            """
class Scaler:
    def __init__(self):
        self.fitted = False

    def fit(self, X):
        self.mean = X.mean(dim=0)
        self.scale = X.std(dim=0, unbiased=False)
        self.scale[X.max(dim=0).values == X.min(dim=0).values] = 1.0
        self.fitted = True
        return self

    def transform(self, X):
        if not self.fitted:
            raise RuntimeError("not fitted")
        self.fit(X)
        return (X - self.mean) / self.scale

    def inverse_transform(self, Z):
        if not self.fitted:
            raise RuntimeError("not fitted")
        return Z * self.scale + self.mean
""",
            "transform uses the numbers of the training rows, and measures nothing",
        ),
        Wrong(
            "takes every small spread for none",
            """
class Scaler:
    def __init__(self):
        self.mean = self.scale = None

    def fit(self, X):
        self.mean = X.mean(0)
        std = ((X - self.mean) ** 2).mean(0).sqrt()
        self.scale = torch.where(std < 1e-6, torch.ones_like(std), std)
        return self

    def transform(self, X):
        if self.scale is None:
            raise RuntimeError("Scaler is not fitted yet")
        return (X - self.mean) / self.scale

    def inverse_transform(self, Z):
        if self.scale is None:
            raise RuntimeError("Scaler is not fitted yet")
        return Z * self.scale + self.mean
""",
            "a column in a small unit has a small spread and is not constant: ask whether its numbers are equal",
        ),
        Wrong(
            "does not let a second fit change anything, as a guard against leaks",
            """
class Scaler:
    def __init__(self):
        self.mean, self.scale = None, None

    def fit(self, X):
        if self.mean is None:
            self.mean = X.mean(dim=0)
            spread = (X - self.mean).pow(2).mean(dim=0).sqrt()
            same = X.eq(X[:1]).all(dim=0)
            self.scale = spread.masked_fill(same, 1.0)
        return self

    def transform(self, X):
        self.check()
        return (X - self.mean) / self.scale

    def inverse_transform(self, Z):
        self.check()
        return Z * self.scale + self.mean

    def check(self):
        if self.mean is None:
            raise RuntimeError("fit first")
""",
            "a second fit begins anew: the numbers are those of the rows that it was handed last",
        ),
        Wrong(
            "asks whether the spread is exactly 0",
            """
class Scaler:
    def __init__(self):
        self.mean = None

    def fit(self, X):
        self.mean = torch.mean(X, dim=0)
        self.scale = torch.sqrt(torch.mean((X - self.mean) ** 2, dim=0))
        self.scale[self.scale == 0] = 1
        return self

    def transform(self, X):
        if self.mean is None:
            raise RuntimeError("fit has not been called")
        return (X - self.mean) / self.scale

    def inverse_transform(self, Z):
        if self.mean is None:
            raise RuntimeError("fit has not been called")
        return Z * self.scale + self.mean
""",
            "rounding leaves a tiny spread in a constant column: compare the numbers themselves",
        ),
        Wrong(
            "adds a little to every spread, and adds the mean before it multiplies",
            """
class Scaler:
    def __init__(self):
        self.mean = None
        self.scale = None

    def fit(self, X):
        self.mean = X.mean(dim=0)
        self.scale = X.std(dim=0, unbiased=False) + 1e-8
        return self

    def transform(self, X):
        if self.mean is None:
            raise RuntimeError("call fit before transform")
        return (X - self.mean) / self.scale

    def inverse_transform(self, Z):
        if self.mean is None:
            raise RuntimeError("call fit before inverse_transform")
        return (Z + self.mean) * self.scale
""",
            "a constant column has the scale 1; and back leads: times the scale first, then the mean",
        ),
    ],
    "10.3": [
        Wrong(
            "averages the means of the batches",
            """
def evaluate(net, batches):
    was_training = net.training
    net.eval()
    losses, accs = [], []
    with torch.no_grad():
        for x, y in batches:
            out = net(x)
            losses.append(torch.nn.functional.cross_entropy(out, y).item())
            accs.append((out.argmax(dim=1) == y).float().mean().item())
    net.train(was_training)
    return sum(losses) / len(losses), sum(accs) / len(accs)
""",
            "the last batch is smaller, and its examples would weigh more: weigh by the number of examples",
        ),
        Wrong(
            "takes no_grad for evaluation",
            """
@torch.no_grad()
def evaluate(net, batches):
    loss_fn = torch.nn.CrossEntropyLoss(reduction="sum")
    total, right, n = 0.0, 0, 0
    for x, y in batches:
        out = net(x)
        total += loss_fn(out, y).item()
        right += (out.argmax(1) == y).sum().item()
        n += len(y)
    return total / n, right / n
""",
            "no_grad makes no record; dropout and batch normalisation go by net.eval()",
        ),
        Wrong(
            "leaves the network in evaluation",
            """
import torch.nn.functional as F

def evaluate(net, batches):
    net.eval()
    total_loss = 0.0
    correct = 0
    count = 0
    with torch.no_grad():
        for x, y in batches:
            scores = net(x)
            total_loss += F.cross_entropy(scores, y, reduction="sum").item()
            correct += int((scores.argmax(dim=1) == y).sum())
            count += x.shape[0]
    return total_loss / count, correct / count
""",
            "afterwards the network is in the mode in which it came",
        ),
        Wrong(
            "turns the scores into probabilities before the loss",
            """
import torch.nn.functional as F

def evaluate(net, batches):
    mode = net.training
    net.eval()
    loss = hits = n = 0
    with torch.no_grad():
        for x, y in batches:
            probs = F.softmax(net(x), dim=1)
            loss += F.cross_entropy(probs, y).item() * len(y)
            hits += (probs.argmax(dim=1) == y).sum().item()
            n += len(y)
    net.train(mode)
    return loss / n, hits / n
""",
            "cross_entropy takes a softmax itself: twice is once too much",
        ),
        Wrong(
            "puts the network into training mode at the end, however it came",
            """
def evaluate(net, batches):
    net.eval()
    loss_sum, n_right, n = 0.0, 0, 0
    with torch.no_grad():
        for x, y in batches:
            logits = net(x)
            loss_sum += torch.nn.functional.cross_entropy(logits, y).item() * y.size(0)
            n_right += (logits.argmax(-1) == y).sum().item()
            n += y.size(0)
    net.train()
    return loss_sum / n, n_right / n
""",
            "who hands in a network in evaluation gets it back in training: remember net.training",
        ),
        Wrong(
            "makes a record of every batch, and averages the accuracies of the batches",
            """
def evaluate(net, batches):
    before = net.training
    net.eval()
    criterion = torch.nn.CrossEntropyLoss()
    total, seen = 0, 0
    accuracies = []
    for x, y in batches:
        out = net(x)
        total += criterion(out, y) * len(x)
        seen += len(x)
        accuracies.append((out.argmax(1) == y).float().mean())
    net.train(before)
    return total / seen, torch.stack(accuracies).mean()
""",
            "torch.no_grad, or each record is held; and the accuracy too is one of all examples",
        ),
    ],
    "10.4": [
        Wrong(
            "clears the slopes once, at the start of the epoch",
            """
def train_epoch(net, optimizer, schedule, batches, limit):
    net.train()
    optimizer.zero_grad()
    total, n = 0.0, 0
    for x, y in batches:
        loss = torch.nn.functional.cross_entropy(net(x), y)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), limit)
        optimizer.step()
        schedule.step()
        total += loss.item() * len(y)
        n += len(y)
    return total / n
""",
            "backward adds to what is there: clear before each batch",
        ),
        Wrong(
            "clips after the step",
            """
def train_epoch(net, optimizer, schedule, batches, limit):
    net.train()
    criterion = torch.nn.CrossEntropyLoss()
    running, count = 0.0, 0
    for x, y in batches:
        optimizer.zero_grad()
        loss = criterion(net(x), y)
        loss.backward()
        optimizer.step()
        torch.nn.utils.clip_grad_norm_(net.parameters(), limit)
        schedule.step()
        running += loss.item() * x.size(0)
        count += x.size(0)
    return running / count
""",
            "after the step the slopes have been used: clip between backward and step",
        ),
        Wrong(
            "moves the schedule on once in an epoch, as with schedules of other programs",
            """
def train_epoch(net, optimizer, schedule, batches, limit):
    net.train()
    loss_sum = 0.0
    examples = 0
    for x, y in batches:
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(net(x), y)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), limit)
        optimizer.step()
        loss_sum += loss.item() * len(x)
        examples += len(x)
    schedule.step()
    return loss_sum / examples
""",
            "this schedule counts steps, not epochs",
        ),
        Wrong(
            "shortens the slopes of each tensor by themselves",
            """
def train_epoch(net, optimizer, schedule, batches, limit):
    net.train()
    total, n = 0.0, 0
    for x, y in batches:
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(net(x), y)
        loss.backward()
        for p in net.parameters():
            torch.nn.utils.clip_grad_norm_([p], limit)
        optimizer.step()
        schedule.step()
        total += loss.item() * len(y)
        n += len(y)
    return total / n
""",
            "all slopes together are one vector: one length, one factor",
        ),
        Wrong(
            "clears the slopes after each step, and not before the first",
            """
def train_epoch(net, optimizer, schedule, batches, limit):
    net.train()
    losses, sizes = [], []
    for x, y in batches:
        loss = torch.nn.functional.cross_entropy(net(x), y)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), limit)
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
        losses.append(loss.item() * len(y))
        sizes.append(len(y))
    return sum(losses) / sum(sizes)
""",
            "what the weights hold when you are called goes into the first step",
        ),
        Wrong(
            "moves the schedule on before the step, and adds up losses with their records",
            """
def train_epoch(net, optimizer, schedule, batches, limit):
    net.train()
    total, n = 0, 0
    for x, y in batches:
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(net(x), y)
        total = total + loss * len(y)
        n += len(y)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), limit)
        schedule.step()
        optimizer.step()
    return (total / n).item()
""",
            "the first step would already be taken at the second rate; and the sum holds every record: loss.item()",
        ),
    ],
}
