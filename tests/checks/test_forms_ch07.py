"""Chapter 7: right answers in other forms are right, and known mistakes in other forms are named all the same."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from companion.checks import bank, check, diagnose


def told(id, *answer, variant=0):
    """Return what a learner is told; of several functions those that are not given are right."""
    exercise = bank.get(id, variant)
    if len(exercise.functions) == 1:
        return diagnose.assess(exercise, exercise.answer(answer[0]))
    right = dict(zip(exercise.functions, exercise.reference))
    return diagnose.assess(exercise, right | {a.__name__: a for a in answer}, ours=True)


# -- right in other forms ----------------------------------------------------------------------------


def momentum_by_numpy(weights, slopes, velocity, lr, momentum):
    speeds = [momentum * v.numpy() + g.numpy() for v, g in zip(velocity, slopes)]
    moved = [w.numpy() - lr * v for w, v in zip(weights, speeds)]
    return [torch.tensor(w) for w in moved], [torch.tensor(v) for v in speeds]


def momentum_as_parameters(weights, slopes, velocity, lr, momentum):
    moved, speeds = [], []
    for w, g, v in zip(weights, slopes, velocity):
        v = v.mul(momentum).add(g)
        moved.append(torch.nn.Parameter(w - lr * v))
        speeds.append(v)
    return moved, speeds


def nesterov_by_velocity_once_more(weights, slopes, velocity, lr, momentum):
    def rule(v, g):
        return momentum * v + g

    speeds = [rule(v, g) for v, g in zip(velocity, slopes)]
    return [w - lr * rule(v, g) for w, v, g in zip(weights, speeds, slopes)], speeds


class AdamOfModules(torch.nn.Module):
    """Keep the means in buffers, and the power of each beta beside them."""

    def __init__(self, lr, betas, eps):
        super().__init__()
        self.lr, self.eps = lr, eps
        self.b1, self.b2 = betas
        self.t = 0

    @torch.no_grad()
    def step(self, weights, slopes):
        self.t += 1
        new = []
        for i in range(len(weights)):
            g = slopes[i]
            if self.t == 1:
                self.register_buffer(f"m{i}", torch.zeros_like(g))
                self.register_buffer(f"s{i}", torch.zeros_like(g))
            m, s = getattr(self, f"m{i}"), getattr(self, f"s{i}")
            m.mul_(self.b1).add_(g, alpha=1 - self.b1)
            s.mul_(self.b2).addcmul_(g, g, value=1 - self.b2)
            denominator = s.sqrt() / math.sqrt(1 - self.b2**self.t) + self.eps
            new.append(torch.addcdiv(weights[i], m, denominator, value=-self.lr / (1 - self.b1**self.t)))
        return new


class AdamInFloat64:
    """Compute in float64, whatever comes in."""

    def __init__(self, lr, betas, eps):
        self.lr, self.betas, self.eps, self.state, self.k = lr, betas, eps, None, 0

    def step(self, weights, slopes):
        self.k += 1
        slopes = [g.double() for g in slopes]
        self.state = self.state or [(g * 0, g * 0) for g in slopes]
        (b1, b2), new = self.betas, []
        self.state = [(m * b1 + g * (1 - b1), s * b2 + g**2 * (1 - b2)) for (m, s), g in zip(self.state, slopes)]
        for w, (m, s) in zip(weights, self.state):
            step = self.lr * (m / (1 - b1**self.k)) / ((s / (1 - b2**self.k)) ** 0.5 + self.eps)
            new.append((w - step).to(w.dtype))
        return new


def clip_by_one_loop(slopes, max_norm):
    total = 0.0
    for g in slopes:
        total += float((g**2).sum())
    norm = math.sqrt(total)
    return [g.clone() if norm <= max_norm else g * max_norm / norm for g in slopes], norm


def rate_by_numpy(step, lr, warm, total):
    if step < warm:
        return np.float64(lr) / warm * (step + 1)
    if step >= total:
        return np.float64(0)
    return 0.5 * lr * (1 + np.cos(np.pi * (step - warm) / (total - warm)))


RIGHT = {
    "momentum by numpy": ("07.1", momentum_by_numpy),
    "momentum as parameters": ("07.1", momentum_as_parameters),
    "the rule of the velocity once more": ("07.2", nesterov_by_velocity_once_more),
    "as torch writes it": ("07.4", AdamOfModules),
    "in float64": ("07.4", AdamInFloat64),
    "numpy's cosine": ("07.6", rate_by_numpy),
    "in one loop, copies of short slopes": ("07.7", clip_by_one_loop),
}


@pytest.mark.parametrize("which", RIGHT)
def test_right_answer_in_another_form_is_right(which):
    id, answer = RIGHT[which]
    for seed in (0, 4):
        exercise = bank.get(id)
        result = diagnose.assess(exercise, exercise.answer(answer), seed=seed)
        assert result.status == "right", result


# -- wrong in other forms ------------------------------------------------------------------------------


def dampened(weights, slopes, velocity, lr, momentum):
    new = [torch.lerp(g, v, momentum) for v, g in zip(velocity, slopes)]
    return [torch.sub(w, v, alpha=lr) for w, v in zip(weights, new)], new


def rate_in_the_velocity(weights, slopes, velocity, lr, momentum):
    speeds, moved = [], []
    for w, g, v in zip(weights, slopes, velocity):
        speeds.append(v * momentum + g.mul(lr))
        moved.append(w.sub(speeds[-1]))
    return moved, speeds


def list_replaced(weights, slopes, velocity, lr, momentum):
    for k in range(len(weights)):
        velocity[k] = momentum * velocity[k] + slopes[k]
    return [w - lr * v for w, v in zip(weights, velocity)], velocity


def by_the_old_velocity(weights, slopes, velocity, lr, momentum):
    ahead = [g + momentum * v for g, v in zip(slopes, velocity)]
    return [w - lr * a for w, a in zip(weights, ahead)], ahead


def slopes_become_the_bracket(weights, slopes, velocity, lr, momentum):
    velocity = [momentum * v + g for v, g in zip(velocity, slopes)]
    for g, v in zip(slopes, velocity):
        g += momentum * v
    return [w - lr * g for w, g in zip(weights, slopes)], velocity


def as_in_keras(weights, slopes, velocity, lr, momentum):
    new = [momentum * v - lr * g for v, g in zip(velocity, slopes)]
    return [w + (momentum * v - lr * g) for w, v, g in zip(weights, new, slopes)], new


def ahead_and_then_down(weights, slopes, velocity, lr, momentum):
    weights = [w - lr * momentum * v for w, v in zip(weights, velocity)]
    velocity = [momentum * v + g for v, g in zip(velocity, slopes)]
    return [w - lr * v for w, v in zip(weights, velocity)], velocity


class Adagrad:
    """Look the sums up by the tensor of weights, as torch's own optimizers do with its parameters."""

    def __init__(self, lr, eps):
        self.lr, self.eps, self.state = lr, eps, {}

    def step(self, weights, slopes):
        new = []
        for w, g in zip(weights, slopes):
            self.state[w] = self.state.get(w, 0) + g**2
            new.append(w - self.lr / (torch.sqrt(self.state[w]) + self.eps) * g)
        return new


class RMSProp:
    """Put eps inside, as some libraries do."""

    def __init__(self, lr, alpha, eps):
        self.lr, self.alpha, self.eps, self.v = lr, alpha, eps, None

    def step(self, weights, slopes):
        if self.v is None:
            self.v = [torch.zeros_like(w) for w in weights]
        for k, g in enumerate(slopes):
            self.v[k] = self.alpha * self.v[k] + (1 - self.alpha) * g * g
        return [w - self.lr * g * torch.rsqrt(v + self.eps) for w, g, v in zip(weights, slopes, self.v)]


def adam(body):
    """Return an Adam whose method ``step`` goes through the tensors with this function of it, a place, and the two tensors."""

    class Adam:
        def __init__(self, lr, betas, eps):
            self.lr, (self.b1, self.b2), self.eps = lr, betas, eps
            self.m, self.v, self.t = {}, {}, 0

        def step(self, weights, slopes):
            self.t += 1
            return [body(self, n, w, g) for n, (w, g) in enumerate(zip(weights, slopes))]

    return Adam


def taken_in(self, key, g):
    self.m[key] = self.b1 * self.m.get(key, 0 * g) + (1 - self.b1) * g
    self.v[key] = self.b2 * self.v.get(key, 0 * g) + (1 - self.b2) * g * g


def in_place_correction(self, n, w, g):
    taken_in(self, n, g)
    self.m[n] /= 1 - self.b1**self.t
    self.v[n] /= 1 - self.b2**self.t
    return w - self.lr * self.m[n] / (self.v[n].sqrt() + self.eps)


def eps_hat(self, n, w, g):
    taken_in(self, n, g)
    lr = self.lr * math.sqrt(1 - self.b2**self.t) / (1 - self.b1**self.t)
    return w - lr * self.m[n] / (torch.sqrt(self.v[n]) + self.eps)


def counted_in_the_loop(self, n, w, g):
    self.t += n > 0  # the first was counted by step
    taken_in(self, n, g)
    m_hat, v_hat = self.m[n] / (1 - self.b1**self.t), self.v[n] / (1 - self.b2**self.t)
    return w - self.lr * m_hat / (v_hat.sqrt() + self.eps)


def without_a_correction(self, n, w, g):
    taken_in(self, n, g)
    return torch.addcdiv(w, self.m[n], self.v[n].sqrt().add(self.eps), value=-self.lr)


def without_brackets(self, n, w, g):
    taken_in(self, n, g)
    m_hat, v_hat = self.m[n] / (1 - self.b1**self.t), self.v[n] / (1 - self.b2**self.t)
    return w - self.lr * m_hat / v_hat.sqrt() + self.eps


class AdamOfOneList:
    def __init__(self, lr, betas, eps):
        self.lr, (self.b1, self.b2), self.eps, self.t = lr, betas, eps, 0
        self.m = self.v = []

    def step(self, weights, slopes):
        self.t += 1
        if not self.m:
            self.m.extend(torch.zeros_like(w) for w in weights)
        new = []
        for n, (w, g) in enumerate(zip(weights, slopes)):
            self.m[n] = self.b1 * self.m[n] + (1 - self.b1) * g
            self.v[n] = self.b2 * self.v[n] + (1 - self.b2) * g**2
            m_hat, v_hat = self.m[n] / (1 - self.b1**self.t), self.v[n] / (1 - self.b2**self.t)
            new.append(w - self.lr * m_hat / (v_hat.sqrt() + self.eps))
        return new


class AdamByTensor:
    """Look means and count up by the tensor of weights."""

    def __init__(self, lr, betas, eps):
        self.settings, self.state = (lr, *betas, eps), {}

    def step(self, weights, slopes):
        lr, b1, b2, eps = self.settings
        new = []
        for w, g in zip(weights, slopes):
            m, v, t = self.state.get(w, (0 * g, 0 * g, 0))
            m, v, t = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g, t + 1
            self.state[w] = m, v, t
            new.append(w - lr * (m / (1 - b1**t)) / ((v / (1 - b2**t)).sqrt() + eps))
        return new


def adamw(decayed, after=None, of=lambda self, g, w, flag: g):
    """Return an AdamW with another decay: of the weights before the step, after it, or in the slopes."""

    class AdamW:
        def __init__(self, lr, betas, eps, decay, decays):
            self.lr, (self.b1, self.b2), self.eps, self.decay, self.decays = lr, betas, eps, decay, decays
            self.m, self.v, self.t = {}, {}, 0

        def step(self, weights, slopes):
            self.t += 1
            new = []
            for n, (w, g, flag) in enumerate(zip(weights, slopes, self.decays)):
                taken_in(self, n, of(self, g, w, flag))
                w = decayed(self, w, flag)
                m_hat, v_hat = self.m[n] / (1 - self.b1**self.t), self.v[n] / (1 - self.b2**self.t)
                w = w - self.lr * m_hat / (v_hat.sqrt() + self.eps)
                new.append(after(self, w, flag) if after else w)
            return new

    return AdamW


def shrunk(self, w, flag):
    return w - self.lr * self.decay * w if flag else w


def same(self, w, flag):
    return w


def clip_by_value(slopes, max_norm):
    norm = torch.cat([g.flatten() for g in slopes]).norm()
    return [torch.maximum(torch.minimum(g, torch.full_like(g, max_norm)), -torch.full_like(g, max_norm)) for g in slopes], norm  # fmt: skip


def clip_one_by_one(slopes, max_norm):
    norms = [torch.linalg.vector_norm(g) for g in slopes]
    new = [g / torch.clamp(n / max_norm, min=1) for g, n in zip(slopes, norms)]
    return new, torch.stack(norms).norm()


def clip_always(slopes, max_norm):
    norm = torch.stack([g.norm() for g in slopes]).norm()
    return [g / norm * max_norm for g in slopes], norm


def clip_by_plain_numbers(slopes, max_norm):
    norm = math.sqrt(sum(float((g**2).sum()) for g in slopes))
    factor = min(1, max_norm / norm)
    return [g * factor for g in slopes], norm


def clip_always_with_a_little_more(slopes, max_norm):
    norm = torch.stack([g.norm() for g in slopes]).norm()
    return [g * max_norm / (norm + 1e-6) for g in slopes], norm


def clip_and_tell_the_new_norm(slopes, max_norm):
    norm = torch.stack([g.norm() for g in slopes]).norm()
    return [g * min(1.0, max_norm / max(norm.item(), 1e-12)) for g in slopes], norm.clamp(max=max_norm)


def clip_in_place(slopes, max_norm):
    norm = math.sqrt(sum(float(g.square().sum()) for g in slopes))
    if norm > max_norm:
        for g in slopes:
            g *= max_norm / norm
    return slopes, norm


def in_degrees(step, lr, warm, total):
    if step < warm:
        return (step + 1) / warm * lr
    return lr * 0.5 * (1 + np.cos(180 * (step - warm) / (total - warm))) if step < total else 0


def one_step_more(step, lr, warm, total):
    if step <= warm:
        return lr * (step + 1) / warm
    return lr * (1 + math.cos(math.pi * (step - warm) / (total - warm))) / 2 if step < total else 0


def never_ending(step, lr, warm, total):
    if step < warm:
        return lr * (step + 1) / warm
    return lr / 2 * (1 + math.cos((step - warm) * math.pi / (total - warm)))


def always_divided(step, lr, warm, total):
    up = min(1, (step + 1) / warm)
    if step < warm:
        return up * lr
    return lr * math.cos(math.pi / 2 * (step - warm) / (total - warm)) ** 2 if step < total else 0


def kept_at_floor(step, lr, floor, warm, total):
    if step < warm:
        return lr * step / warm
    p = min(1, (step - warm) / max(total - warm, 1)) if step < total else 1
    return max(lr * (1 + math.cos(math.pi * p)) / 2, floor)


def per_batch(step, lr, warm, total, per_epoch):
    if step < warm:
        return lr * (step + 1) / warm
    return 0 if step >= total else lr * (1 + math.cos(math.pi * (step - warm) / (total - warm))) / 2


FORMS = {
    "lerp": ("07.1", dampened, "weighs the slope by what is left of 1"),
    "rate inside": ("07.1", rate_in_the_velocity, "puts the rate into the velocity"),
    "list replaced": ("07.1", list_replaced, "writes into the velocity that came in"),
    "the bracket kept": ("07.2", by_the_old_velocity, "takes the plain step of momentum"),
    "into the slopes": ("07.2", slopes_become_the_bracket, "writes into the slopes that came in"),
    "Keras": ("07.2", as_in_keras, "keeps a velocity of steps"),
    "half of the textbook": ("07.2", ahead_and_then_down, "goes ahead and takes the plain step from there"),
    "sums by tensor": ("07.3", Adagrad, "forgets in Adagrad what came before"),
    "rsqrt": ("07.3", RMSProp, "puts eps inside the root of RMSProp"),
    "in place": ("07.4", adam(in_place_correction), "corrects what it keeps"),
    "eps of the paper's second form": ("07.4", adam(eps_hat), "adds eps to the root before it is corrected"),
    "count in the loop": ("07.4", adam(counted_in_the_loop), "counts a step for each tensor"),
    "no correction": ("07.4", adam(without_a_correction), "leaves out the correction"),
    "one list": ("07.4", AdamOfOneList, "keeps both means in one list"),
    "without brackets": ("07.4", adam(without_brackets), "adds eps behind the fraction"),
    "means by tensor": ("07.4", AdamByTensor, "remembers nothing from step to step"),
    "L2": (
        "07.5",
        adamw(same, of=lambda self, g, w, flag: g + self.decay * flag * w),
        "adds the decay to the slopes",
    ),
    "behind the step": ("07.5", adamw(same, shrunk), "decays after the step"),
    "everything": ("07.5", adamw(lambda self, w, flag: shrunk(self, w, True)), "decays every tensor"),
    "without the rate": (
        "07.5",
        adamw(lambda self, w, flag: w.sub(w, alpha=self.decay * flag)),
        "does not multiply the decay by the rate",
    ),
    "tables only": (
        "07.5",
        adamw(lambda self, w, flag: shrunk(self, w, w.ndim >= 2)),
        "goes by the number of axes",
    ),
    "one step more": ("07.6", one_step_more, "warms up one step too long"),
    "degrees": ("07.6", in_degrees, "counts the angle in degrees"),
    "no end": ("07.6", never_ending, "does not stop at the end"),
    "no warm-up": ("07.6", always_divided, "divides by the length of a warm-up that is not there"),
    "by value": ("07.7", clip_by_value, "cuts every entry by itself"),
    "one by one": ("07.7", clip_one_by_one, "takes a norm for each tensor"),
    "plain numbers": ("07.7", clip_by_plain_numbers, "stops where all slopes are 0"),
    "a little more": ("07.7", clip_always_with_a_little_more, "makes short slopes longer"),
    "the new norm": ("07.7", clip_and_tell_the_new_norm, "tells the norm after the clipping"),
    "clipped in place": ("07.7", clip_in_place, "writes into the slopes that came in"),
}


@pytest.mark.parametrize("which", FORMS)
def test_known_mistake_in_another_form_is_named(which):
    id, answer, name = FORMS[which]
    result = told(id, answer)
    assert (result.status, result.mistake) == ("wrong", name), result


@pytest.mark.parametrize(
    ("variant", "answer", "name"),
    [(1, kept_at_floor, "cuts off at the floor"), (2, per_batch, "takes steps for epochs")],
    ids=["max", "per batch"],
)
def test_known_mistake_of_another_schedule_is_named(variant, answer, name):
    assert told("07.6", answer, variant=variant).mistake == name


def test_clipping_of_short_slopes_to_the_limit_is_wrong_and_so_is_nan_at_0():
    result = told("07.7", clip_always)
    assert result.status == "wrong"
    assert "longer" in result.message or "nan" in result.message


# -- tensors of the caller that are handed back ---------------------------------------------------------


def clip_unless_short(short):
    def clip(slopes, max_norm):
        norm = torch.stack([g.norm() for g in slopes]).norm()
        return (short(slopes), norm) if norm <= max_norm else ([g * max_norm / norm for g in slopes], norm)

    return clip


HANDED_BACK = {
    "the list": lambda slopes: slopes,
    "a copy of the list": list,
    "a slice": lambda slopes: slopes[:],
    "views": lambda slopes: tuple(g.view_as(g) for g in slopes),
    "detached": lambda slopes: [g.detach() for g in slopes],
    "nothing to convert": lambda slopes: [g.to(g.dtype) for g in slopes],
    "one of them": lambda slopes: [*[g.clone() for g in slopes[:-1]], slopes[-1]],
}


@pytest.mark.parametrize("how", HANDED_BACK)
def test_slopes_of_the_caller_that_come_back_are_refused(how):
    result = told("07.7", clip_unless_short(HANDED_BACK[how]))
    assert (result.status, result.kind, result.mistake) == ("wrong", "handed back", "")
    assert "those of `slopes`" in result.message
    assert "clone" in result.next
    assert all(40 <= len(part) <= 220 for part in (result.message, result.why, result.next))


@pytest.mark.parametrize(
    "copy", [torch.clone, torch.Tensor.contiguous, lambda g: g + 0.0], ids=["clone", "contiguous", "plus 0"]
)
def test_copies_of_short_slopes_are_right_and_contiguous_makes_none(copy):
    result = told("07.7", clip_unless_short(lambda slopes: [copy(g) for g in slopes]))
    assert result.status == ("wrong" if copy is torch.Tensor.contiguous else "right"), result


def test_wrong_values_are_told_before_what_is_handed_back():
    result = told("07.7", lambda slopes, max_norm: (slopes, torch.stack([g.norm() for g in slopes]).norm()))
    assert result.kind == "property"
    assert "longer than `max_norm`" in result.message


class StandsStillAtZero(AdamInFloat64):
    """Hand back the weights of a tensor as they came in where all its slopes are 0."""

    def step(self, weights, slopes):
        moved = super().step(weights, slopes)
        return [w if torch.equal(w, new) else new for w, new in zip(weights, moved)]


def plain_first_step(weights, slopes, velocity, lr, momentum):
    new = slopes if all(not v.any() for v in velocity) else [momentum * v + g for v, g in zip(velocity, slopes)]
    return [w - lr * v for w, v in zip(weights, new)], new


def test_tensors_of_the_caller_are_refused_in_steps_too():
    for id, answer, name in (("07.4", StandsStillAtZero, "weights"), ("07.1", plain_first_step, "slopes")):
        result = told(id, answer)
        assert (result.kind, f"those of `{name}`" in result.message) == ("handed back", True), result


# -- what is no value ----------------------------------------------------------------------------------


class Shared:
    """Keep the sums in a list of the class."""

    sums = []  # noqa: RUF012

    def __init__(self, lr, eps):
        self.lr, self.eps = lr, eps

    def step(self, weights, slopes):
        if not self.sums or [s.shape for s in self.sums] != [g.shape for g in slopes]:
            self.sums[:] = [torch.zeros_like(g) for g in slopes]
        self.sums[:] = [s + g * g for s, g in zip(self.sums, slopes)]
        return [w - self.lr * g / (s.sqrt() + self.eps) for w, g, s in zip(weights, slopes, self.sums)]


def test_memory_that_all_objects_share_is_told_as_such():
    result = told("07.3", type("Adagrad", (Shared,), {"sums": []}))
    assert (result.status, result.kind) == ("wrong", "property")
    assert result.message.startswith("A new object of your class does not begin at 0")


class ReturnsNothing:
    def __init__(self, lr, betas, eps):
        self.right = bank.get("07.4").reference[0](lr, betas, eps)

    def step(self, weights, slopes):
        for w, new in zip(weights, self.right.step(weights, slopes)):
            w.copy_(new)


def test_step_that_returns_nothing_is_told_before_anything_else():
    result = told("07.4", ReturnsNothing)
    assert (result.kind, "came back as None" in result.message) == ("type", True)


class TakesOne:
    def __init__(self, lr, betas, eps):
        self.lr = lr

    def step(self, slopes):
        return slopes


class TakesNoEps(TakesOne):
    def __init__(self, lr, betas):
        self.lr = lr


class HasNoStep:
    def __init__(self, lr, betas, eps):
        self.lr = lr


def test_call_that_is_not_accepted_is_told_as_it_was():
    assert told("07.4", TakesOne).message == "`step` is called with (weights, slopes), but yours takes (slopes)."
    assert told("07.4", TakesNoEps).message == "`Adam` is called with (lr, betas, eps), but yours takes (lr, betas)."
    assert told("07.4", HasNoStep).message == "`Adam` has no `step`."


def test_weights_without_a_velocity_are_told_by_a_property():
    result = told("07.1", lambda weights, slopes, velocity, lr, momentum: [w - lr * g for w, g in zip(weights, slopes)])
    assert result.kind == "property"
    assert result.message.startswith("Two lists should come back")


class ByTorch:
    def __init__(self, lr, betas, eps):
        self.settings, self.leaves = {"lr": lr, "betas": betas, "eps": eps}, []

    def step(self, weights, slopes):
        if not self.leaves:
            self.leaves = [w.clone().requires_grad_() for w in weights]
            self.optimizer = torch.optim.Adam(self.leaves, **self.settings)
        for leaf, w, g in zip(self.leaves, weights, slopes):
            leaf.data.copy_(w)
            leaf.grad = g
        self.optimizer.step()
        return [leaf.detach().clone() for leaf in self.leaves]


def test_optimizer_of_torch_does_not_count_as_an_answer():
    result = check("07.4", ByTorch)
    assert (result.status, result.kind) == ("wrong", "forbidden")
    assert "It holds Adam ready-made." in result.why


def by_torch(slopes, max_norm):
    leaves = [torch.zeros_like(g) for g in slopes]
    for leaf, g in zip(leaves, slopes):
        leaf.grad = g.clone()
    norm = torch.nn.utils.clip_grad_norm_(leaves, max_norm)
    return [leaf.grad for leaf in leaves], norm


def test_clipping_of_torch_does_not_count_as_an_answer():
    result = check("07.7", by_torch)
    assert (result.status, result.kind) == ("wrong", "forbidden")


def test_shrinking_in_place_is_told_though_the_result_is_a_new_tensor():
    def shrinks(self, w, flag):
        return w.mul_(1 - self.lr * self.decay) if flag else w

    result = told("07.5", adamw(shrinks))
    assert result.status == "wrong"
    assert "`weights` has changed" in result.message or result.mistake == "writes into the weights that came in"
