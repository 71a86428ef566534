"""Chapter 10: answers in other forms than those that are kept: right ones pass, known mistakes are named all the same."""

from __future__ import annotations

import copy
import math
import os
import pickle
import random
import tempfile
from collections import defaultdict

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from companion.checks import bank, diagnose


def told(id, answer):
    exercise = bank.get(id)
    answer.__name__ = exercise.functions[0]
    return diagnose.assess(exercise, {exercise.functions[0]: answer})


# -- 10.1 ----------------------------------------------------------------------------------------------


def by_sets(persons, classes, shares, generator):
    people = defaultdict(set)
    for person, label in zip(persons, classes):
        people[label].add(person)
    val, test = set(), set()
    for label in sorted(people):
        everybody = sorted(people[label])
        order = [everybody[i] for i in torch.randperm(len(everybody), generator=generator)]
        n_val, n_test = round(shares[0] * len(order)), round(shares[1] * len(order))
        val |= set(order[:n_val])
        test |= set(order[n_val : n_val + n_test])
    rows = range(len(persons))
    return (
        [i for i in rows if persons[i] not in val | test],
        [i for i in rows if persons[i] in val],
        [i for i in rows if persons[i] in test],
    )


def by_numpy(persons, classes, shares, generator):
    persons, classes = np.array(persons), np.array(classes)
    chance = np.random.default_rng(int(torch.randint(2**31, (1,), generator=generator)))
    parts = [[], [], []]
    for label in np.unique(classes):
        who = np.unique(persons[classes == label])
        chance.shuffle(who)
        n_val, n_test = (int(np.round(s * len(who))) for s in shares)
        for part, its in zip(parts, np.split(who, [n_val, n_val + n_test])):
            part.append(np.flatnonzero(np.isin(persons, its)))
    val, test, train = (np.concatenate(part) for part in parts)
    return train, val, test


def in_lists_of_numpy(persons, classes, shares, generator):
    return tuple(list(part) for part in by_numpy(persons, classes, shares, generator))


def rows_of_each_class(persons, classes, shares, generator):
    classes = torch.tensor(classes)
    parts = [], [], []
    for label in classes.unique():
        rows = (classes == label).nonzero().flatten()
        rows = rows[torch.randperm(len(rows), generator=generator)]
        n_val, n_test = round(shares[0] * len(rows)), round(shares[1] * len(rows))
        for part, its in zip(parts, (rows[n_val + n_test :], rows[:n_val], rows[n_val : n_val + n_test])):
            part.extend(its.tolist())
    return parts


def persons_without_classes(persons, classes, shares, generator):
    everybody = sorted(set(persons))
    order = torch.randperm(len(everybody), generator=generator).tolist()
    n_val, n_test = (round(s * len(everybody)) for s in shares)
    part = {everybody[k]: 1 if i < n_val else 2 if i < n_val + n_test else 0 for i, k in enumerate(order)}
    return tuple([i for i, p in enumerate(persons) if part[p] == which] for which in range(3))


def with_random(persons, classes, shares, generator):
    random.seed(generator.initial_seed())
    people = {c: sorted({p for p, k in zip(persons, classes) if k == c}) for c in set(classes)}
    part = {}
    for everybody in people.values():
        random.shuffle(everybody)
        n_val, n_test = (round(s * len(everybody)) for s in shares)
        part |= {p: 1 if i < n_val else 2 if i < n_val + n_test else 0 for i, p in enumerate(everybody)}
    return tuple([i for i, p in enumerate(persons) if part[p] == which] for which in range(3))


def never_more_than_the_rows(persons, classes, shares, generator):
    rows_of = defaultdict(list)
    for row, person in enumerate(persons):
        rows_of[person].append(row)
    parts = [], [], []
    for label in sorted(set(classes)):
        people = sorted({p for p, its in zip(persons, classes) if its == label})
        room = [0.0, *(share * classes.count(label) for share in shares)]
        for k in torch.randperm(len(people), generator=generator).tolist():
            its = rows_of[people[k]]
            part = next((n for n in (1, 2) if len(its) <= room[n]), 0)
            room[part] -= len(its)
            parts[part].extend(its)
    return parts


def the_companion(persons, classes, shares, generator):
    from companion.data import train_val_test_split

    return train_val_test_split(len(persons), groups=torch.tensor(persons), generator=generator)


# -- 10.2 ----------------------------------------------------------------------------------------------


class Plain:
    def __init__(self):
        self.mean = self.scale = None

    def fit(self, X):
        self.mean = torch.mean(X, 0)
        self.scale = torch.std(X, 0, unbiased=False)
        self.scale[self.scale == 0] = 1
        return self

    def check(self):
        if self.mean is None:
            raise RuntimeError("not fitted")

    def transform(self, X):
        self.check()
        return (X - self.mean) / self.scale

    def inverse_transform(self, Z):
        self.check()
        return self.mean + self.scale * Z


class ByValueError(Plain):
    def check(self):
        if self.mean is None:
            raise ValueError("not fitted")


class Unbiased(Plain):
    def fit(self, X):
        super().fit(X)
        self.scale = X.std(0)
        self.scale[self.scale == 0] = 1.0
        return self


class Refits(Plain):
    def transform(self, X):
        self.mean, self.scale = X.mean(0), X.std(0, unbiased=False)
        self.scale[self.scale == 0] = 1
        return (X - self.mean) / self.scale


class Eps(Plain):
    def transform(self, X):
        self.check()
        return (X - self.mean) / (X.new_tensor(1e-8) + self.std)

    def fit(self, X):
        self.mean, self.std = X.mean(0), X.std(0, unbiased=False)
        self.scale = self.std + 1e-8
        return self

    def inverse_transform(self, Z):
        self.check()
        return Z * self.scale + self.mean


class OfTheTable(Plain):
    def fit(self, X):
        self.mean, self.scale = torch.mean(X), torch.std(X, correction=0)
        return self


class NotAsked(Plain):
    def check(self):
        pass


class NoneBack(Plain):
    def fit(self, X):
        super().fit(X)


# -- 10.3 ----------------------------------------------------------------------------------------------


@torch.inference_mode()
def with_a_softmax_for_the_answer(net, batches):
    training, net = net.training, net.eval()
    n = loss = right = 0
    for x, y in batches:
        p = net(x).softmax(1)
        loss = loss - p[range(len(y)), y].log().sum()
        right += (p.argmax(1) == y).sum()
        n += y.size(0)
    net.train(training)
    return loss / n, right / n


def by_a_copy(net, batches):
    judge = copy.deepcopy(net).eval()
    losses, hits = [], []
    with torch.no_grad():
        for x, y in batches:
            scores = judge(x)
            losses += F.cross_entropy(scores, y, reduction="none").tolist()
            hits += (scores.argmax(1) == y).tolist()
    return np.mean(losses), np.mean(hits)


def in_a_list(net, batches):
    net.eval()
    losses, hits = [], []
    with torch.no_grad():
        for x, y in batches:
            scores = net(x)
            losses.append(F.cross_entropy(scores, y).item())
            hits.append((scores.argmax(1) == y).float().mean().item())
    net.train()
    return sum(losses) / len(losses), sum(hits) / len(hits)


def forgets_everything(net, batches):
    total = correct = n = 0
    for x, y in batches:
        scores = net(x)
        total += F.cross_entropy(scores, y).item() * len(y)
        correct += (scores.argmax(1) == y).sum().item()
        n += len(y)
    return total / n, correct / n


def never_goes_back(net, batches):
    net.eval()
    total = correct = n = 0
    with torch.no_grad():
        for x, y in batches:
            scores = net(x)
            total += F.cross_entropy(scores, y, reduction="sum").item()
            correct += (scores.argmax(1) == y).sum().item()
            n += len(y)
    return total / n, correct / n


def held_and_averaged(net, batches):
    before = net.training
    net.eval()
    total = batches_seen = correct = n = 0
    for x, y in batches:
        scores = net(x)
        total = total + F.cross_entropy(scores, y)
        batches_seen += 1
        correct += (scores.argmax(1) == y).sum()
        n += len(y)
    net.train(before)
    return total / batches_seen, correct / n


# -- 10.4 ----------------------------------------------------------------------------------------------


def with_zero_grad_last(net, optimizer, schedule, batches, limit):
    net.train()
    optimizer.zero_grad()
    seen = []
    for x, y in batches:
        loss = F.cross_entropy(net(x), y)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), limit)
        optimizer.step()
        optimizer.zero_grad(set_to_none=False)
        schedule.step()
        seen += [float(loss)] * len(y)
    return sum(seen) / len(seen)


def by_a_closure(net, optimizer, schedule, batches, limit):
    net.train()
    total = n = 0
    for x, y in batches:

        def closure(x=x, y=y):
            optimizer.zero_grad()
            loss = F.cross_entropy(net(x), y)
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), limit)
            return loss

        loss = optimizer.step(closure)
        schedule.step()
        total, n = total + loss.item() * len(y), n + len(y)
    return total / n


def no_zero(net, optimizer, schedule, batches, limit):
    net.train()
    total = n = 0
    for x, y in batches:
        loss = F.cross_entropy(net(x), y)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), limit)
        optimizer.step()
        schedule.step()
        total, n = total + loss.item() * len(y), n + len(y)
    return total / n


def late_clip(net, optimizer, schedule, batches, limit):
    net.train()
    total = n = 0
    for x, y in batches:
        net.zero_grad()
        loss = F.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
        nn.utils.clip_grad_norm_(net.parameters(), limit)
        schedule.step()
        total, n = total + loss.item() * len(y), n + len(y)
    return total / n


def by_value(net, optimizer, schedule, batches, limit):
    net.train()
    total = n = 0
    for x, y in batches:
        optimizer.zero_grad()
        loss = F.cross_entropy(net(x), y)
        loss.backward()
        nn.utils.clip_grad_value_(net.parameters(), limit)
        optimizer.step()
        schedule.step()
        total, n = total + loss.item() * len(y), n + len(y)
    return total / n


def holds_on(net, optimizer, schedule, batches, limit):
    net.train()
    total, n = 0, 0
    for x, y in batches:
        optimizer.zero_grad()
        loss = F.cross_entropy(net(x), y)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), limit)
        optimizer.step()
        schedule.step()
        total += loss * len(y)
        n += len(y)
    return (total / n).item()


def per_epoch(net, optimizer, schedule, batches, limit):
    net.train()
    losses = []
    for x, y in batches:
        optimizer.zero_grad()
        loss = F.cross_entropy(net(x), y)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), limit)
        optimizer.step()
        losses += [loss.item()] * len(y)
    schedule.step()
    return np.mean(losses)


def by_added_lengths(net, optimizer, schedule, batches, limit):
    net.train()
    total = n = 0
    for x, y in batches:
        optimizer.zero_grad()
        loss = F.cross_entropy(net(x), y)
        loss.backward()
        length = sum(p.grad.norm() for p in net.parameters())
        for p in net.parameters():
            p.grad *= min(1.0, limit / length)
        optimizer.step()
        schedule.step()
        total, n = total + loss.item() * len(y), n + len(y)
    return total / n


def asks_afterwards(net, optimizer, schedule, batches, limit):
    net.train()
    total = n = 0
    for x, y in batches:
        optimizer.zero_grad()
        F.cross_entropy(net(x), y).backward()
        nn.utils.clip_grad_norm_(net.parameters(), limit)
        optimizer.step()
        schedule.step()
        with torch.no_grad():
            total, n = total + F.cross_entropy(net(x), y).item() * len(y), n + len(y)
    return total / n


def never_handed_over(net, optimizer, schedule, batches, limit):
    net.train()
    optimizer.zero_grad()
    seen = []
    for x, y in batches:
        losses = F.cross_entropy(net(x), y, reduction="none")
        torch.autograd.grad(losses.mean(), list(net.parameters()))
        nn.utils.clip_grad_norm_(net.parameters(), limit)
        optimizer.step()
        schedule.step()
        seen += losses.tolist()
    return sum(seen) / len(seen)


# -- 10.5 ----------------------------------------------------------------------------------------------


class ByTempfile:
    def __init__(self, path):
        self.path = path

    def save(self, net, optimizer, schedule, generator, progress):
        handle, name = tempfile.mkstemp(dir=os.path.dirname(self.path))
        state = dict(
            model=net.state_dict(),
            opt=optimizer.state_dict(),
            sched=schedule.state_dict(),
            rng=(generator.get_state(), torch.get_rng_state()),
            progress=progress,
        )
        with os.fdopen(handle, "wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, self.path)

    def load(self, net, optimizer, schedule, generator):
        state = torch.load(self.path, weights_only=True)
        net.load_state_dict(state["model"])
        optimizer.load_state_dict(state["opt"])
        schedule.load_state_dict(state["sched"])
        generator.set_state(state["rng"][0])
        torch.set_rng_state(state["rng"][1])
        return state["progress"]


class Tutorial:
    def __init__(self, path):
        self.path = path

    def save(self, net, optimizer, schedule, generator, progress):
        torch.save(
            {"net": net.state_dict(), "optimizer": optimizer.state_dict(), "progress": progress},
            self.path,
        )

    def load(self, net, optimizer, schedule, generator):
        state = torch.load(self.path)
        net.load_state_dict(state["net"])
        optimizer.load_state_dict(state["optimizer"])
        return state["progress"]


class WholeObjects:
    def __init__(self, path):
        self.path = path

    def save(self, net, optimizer, schedule, generator, progress):
        with open(self.path + ".tmp", "wb") as file:
            pickle.dump((net, optimizer, schedule, generator.get_state(), torch.get_rng_state(), progress), file)
        os.replace(self.path + ".tmp", self.path)

    def load(self, net, optimizer, schedule, generator):
        with open(self.path, "rb") as file:
            *_, own, shared, progress = pickle.load(file)  # other objects than those of the caller
        generator.set_state(own)
        torch.set_rng_state(shared)
        return progress


class BoundToNames(ByTempfile):
    def load(self, net, optimizer, schedule, generator):
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        schedule = torch.optim.lr_scheduler.StepLR(optimizer, 10)
        state = torch.load(self.path)
        net.load_state_dict(state["model"])
        optimizer.state.update(state["opt"]["state"])
        schedule.last_epoch = state["sched"]["last_epoch"]
        generator.set_state(state["rng"][0])
        torch.set_rng_state(state["rng"][1])
        return state["progress"]


class BothGeneratorsMissing(ByTempfile):
    def load(self, net, optimizer, schedule, generator):
        own, shared = generator.get_state(), torch.get_rng_state()
        progress = super().load(net, optimizer, schedule, generator)
        generator.set_state(own)
        torch.set_rng_state(shared)
        return progress


class InTheObject:
    def __init__(self, path):
        self.path = path

    def save(self, *things):
        self.state = copy.deepcopy(things)

    def load(self, net, optimizer, schedule, generator):
        return self.state[-1]


# -- 10.7 ----------------------------------------------------------------------------------------------


def by_normal(mean, std, best, margin):
    normal = torch.distributions.Normal(0.0, 1.0)
    gain = best - mean - margin
    z = gain / torch.clamp(std, min=1e-9)
    value = gain * normal.cdf(z) + std * torch.exp(normal.log_prob(z))
    return torch.where(std == 0, torch.clamp(gain, min=0.0), value)


def naive(mean, std, best, margin):
    gain = best - margin - mean
    z = gain / std
    return gain * 0.5 * (1 + torch.erf(z / math.sqrt(2))) + std * torch.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)


def zeroed(mean, std, best, margin):
    return torch.where(std > 0, naive(mean, std, best, margin), torch.zeros_like(mean))


def maximising(mean, std, best, margin):
    gain = mean - best - margin
    s = torch.where(std > 0, std, torch.ones_like(std))
    z = gain / s
    ei = gain * torch.special.ndtr(z) + s * torch.exp(-z * z / 2) / (2 * torch.pi) ** 0.5
    return torch.where(std > 0, ei, torch.relu(gain))


def of_the_companion(mean, std, best, margin):
    from companion.search import expected_improvement

    return expected_improvement(mean, std, best, margin=margin).to(mean.dtype)


RIGHT = [
    ("10.1", by_sets),
    ("10.1", by_numpy),
    ("10.1", in_lists_of_numpy),
    ("10.2", Plain),
    ("10.3", with_a_softmax_for_the_answer),
    ("10.3", by_a_copy),
    ("10.4", with_zero_grad_last),
    ("10.4", by_a_closure),
    ("10.5", ByTempfile),
    ("10.7", by_normal),
]
NAMED = [
    ("10.1", rows_of_each_class, "draws rows and not persons"),
    ("10.1", persons_without_classes, "forgets the classes"),
    ("10.1", with_random, "makes a generator of its own"),
    ("10.1", never_more_than_the_rows, "counts rows for the shares"),
    ("10.2", ByValueError, "raises another error"),
    ("10.2", Unbiased, "divides by N - 1"),
    ("10.2", Refits, "measures anew in transform"),
    ("10.2", Eps, "adds a little to every scale"),
    ("10.2", OfTheTable, "has one mean for all columns, and has one scale for all columns"),
    ("10.2", NotAsked, "stops by accident before fit"),
    ("10.2", NoneBack, "returns nothing from fit"),
    ("10.3", in_a_list, "averages losses and accuracies of batches"),
    ("10.3", forgets_everything, "evaluates in training mode, and records for gradients"),
    ("10.3", never_goes_back, "leaves the network in evaluation"),
    ("10.3", held_and_averaged, "averages the losses of batches, and records for gradients"),
    ("10.4", by_added_lengths, "adds the lengths of the tensors up"),
    ("10.4", asks_afterwards, "takes the loss after the step"),
    ("10.4", never_handed_over, "clears between backward and step"),
    ("10.4", no_zero, "never clears the slopes"),
    ("10.4", late_clip, "clips after the step"),
    ("10.4", by_value, "clips entry by entry"),
    ("10.4", holds_on, "adds losses up with their records"),
    ("10.4", per_epoch, "moves the schedule once an epoch"),
    ("10.5", Tutorial, "keeps weights, optimizer and progress, and writes over the old file"),
    ("10.5", WholeObjects, "loads into other objects"),
    ("10.5", BoundToNames, "keeps neither optimizer nor schedule"),
    ("10.5", BothGeneratorsMissing, "forgets all chance"),
    ("10.7", naive, "divides by a standard deviation of 0"),
    ("10.7", zeroed, "says that a known candidate is worth nothing"),
    ("10.7", maximising, "looks for the highest"),
]
REFUSED = [
    ("10.1", the_companion, "forbidden"),
    ("10.5", InTheObject, "crash"),
    ("10.7", of_the_companion, "forbidden"),
]


def ids(rows):
    return [f"{row[0]}-{row[1].__name__}" for row in rows]


@pytest.mark.parametrize(("id", "answer"), RIGHT, ids=ids(RIGHT))
def test_right_answer_in_another_form_is_right(id, answer):
    result = told(id, answer)
    assert result.status == "right", result


@pytest.mark.parametrize(("id", "answer", "mistake"), NAMED, ids=ids(NAMED))
def test_known_mistake_in_another_form_is_named(id, answer, mistake):
    result = told(id, answer)
    assert result.mistake == mistake, result


@pytest.mark.parametrize(("id", "answer", "kind"), REFUSED, ids=ids(REFUSED))
def test_what_is_ready_made_or_done_otherwise_is_refused(id, answer, kind):
    result = told(id, answer)
    assert (result.status, result.kind) == ("wrong", kind), result
