"""The optimizers against PyTorch's: 200 steps on three problems for every argument set, and exchange of states."""

import copy
import inspect
import itertools
import pickle

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from companion import nn, optim
from companion.optim import base


def grid(**choices):
    return [dict(zip(choices, values)) for values in itertools.product(*choices.values())]


SETS = {
    "SGD": [
        s for s in grid(momentum=[0, 0.9], dampening=[0, 0.3], weight_decay=[0, 0.1], nesterov=[False, True], maximize=[False, True])
        if not s["nesterov"] or (s["momentum"] and not s["dampening"])
    ],
    "Adagrad": [{"eps": 1e-3}, *grid(lr_decay=[0, 0.1], weight_decay=[0, 0.1], initial_accumulator_value=[0, 0.5], maximize=[False, True])],
    "RMSprop": grid(alpha=[0.99, 0.5], weight_decay=[0, 0.1], momentum=[0, 0.9], centered=[False, True], maximize=[False, True]),
    "Adam": [
        {"eps": 1e-2}, {"eps": 1e-2, "amsgrad": True},
        *grid(betas=[(0.9, 0.999), (0.5, 0.9)], weight_decay=[0, 0.1], amsgrad=[False, True], maximize=[False, True]),
    ],
    "AdamW": grid(betas=[(0.9, 0.999), (0.0, 0.9)], weight_decay=[0, 0.1], amsgrad=[False, True], maximize=[False, True]),
}  # fmt: skip
RATE = {"SGD": 2e-3, "Adagrad": 0.1, "RMSprop": 2e-3, "Adam": 0.02, "AdamW": 0.02}
CASES = [pytest.param(name, options, id=f"{name}-{i}") for name, sets in SETS.items() for i, options in enumerate(sets)]
EVERY = pytest.mark.parametrize("name", SETS)


def draw(*shape, seed=0, dtype=torch.float64):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def valley(a, b):
    """Gradients of a narrow quadratic bowl, scales from 1 to 100."""
    scales = torch.logspace(0, 2, a.numel(), dtype=a.dtype).reshape(a.shape)
    return scales * (a - 1), b - a.sum()


def banana(a, b):
    """Gradients of Rosenbrock's function between neighbouring entries, tamed by a hundredth."""
    x = a.flatten()
    g = torch.zeros_like(x)
    gap = x[1:] - x[:-1] ** 2
    g[1:] += gap
    g[:-1] -= 2 * x[:-1] * gap + 0.02 * (1 - x[:-1])
    return g.reshape(a.shape).clamp(-10, 10), b**3


FLOWERS, LABELS = draw(20, 6, seed=5), (draw(20, seed=6) > 0).double()


def regression(a, b):
    """Gradients of logistic regression with six weights and a bias spread over four entries."""
    X = FLOWERS.to(a.dtype)
    error = 1 / (1 + torch.exp(-(X @ a.flatten() + b.mean()))) - LABELS.to(a.dtype)
    return (X.T @ error / 20).reshape(a.shape), error.mean().expand(4) / 4


def start(dtype=torch.float64):
    """Parameters of two shapes, one that never gets a gradient and one that gets it at every third step."""
    shapes = [(3, 2), (4,), (2,), (5,)]
    return [torch.nn.Parameter(draw(*shape, seed=i, dtype=dtype)) for i, shape in enumerate(shapes)]


def go(optimizer, params, problem, steps, first=0):
    """Run some steps, of one problem or of several at once, and return where they led."""
    sign = -1 if optimizer.param_groups[0]["maximize"] else 1
    problems = problem if isinstance(problem, list) else [problem]
    path = []
    for t in range(first, first + steps):
        optimizer.zero_grad()
        for i, gradients in enumerate(problems):
            a, b, _, rare = params[4 * i : 4 * i + 4]
            a.grad, b.grad = (sign * g for g in gradients(a.detach(), b.detach()))
            rare.grad = sign * (rare.detach() - 2) if t % 3 == 0 else None
        optimizer.step()
        path.append(torch.cat([p.detach().flatten() for p in params]))
    return torch.stack(path)


@pytest.mark.parametrize(("name", "options"), CASES)
def test_optimizer_goes_the_way_of_torch_for_200_steps_on_three_problems(name, options):
    paths = []
    for module in (optim, torch.optim):
        params = [p for _ in range(3) for p in start()]
        optimizer = getattr(module, name)(params, lr=RATE[name], **options)
        path = go(optimizer, params, [valley, banana, regression], 200)
        paths.append(path.reshape(200, 3, 17))  # steps, problems, entries
    ours, theirs = paths
    assert torch.isfinite(ours).all()
    assert ((ours[-1] - ours[0]).abs().amax(1) > 1e-2).all(), "it did not move"
    torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)
    assert torch.equal(ours[:, :, 10:12], ours[:1, :, 10:12].expand(200, 3, 2)), "it moved what has no gradient"


@EVERY
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_optimizer_agrees_with_torch_in_fewer_digits(name, dtype):
    paths = []
    for module in (optim, torch.optim):
        params = start(dtype)
        paths.append(go(getattr(module, name)(params, lr=RATE[name]), params, valley, 20))
    tolerance = 1e-4 if dtype == torch.float32 else 0.05
    assert paths[0].dtype == dtype
    torch.testing.assert_close(*paths, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(
    ("make", "first", "second"),
    [
        (lambda p: optim.SGD(p, lr=0.1, momentum=0.5), 0.8, 0.54),  # v = 2, then 0.5 * 2 + 1.6
        (lambda p: optim.SGD(p, lr=0.1, momentum=0.5, nesterov=True), 0.7, 0.44),  # 2 + 0.5 * 2; then 1.4 + 0.5 * 2.4
        (lambda p: optim.Adagrad(p, lr=0.1), 0.9, 0.9 - 0.18 / (4 + 3.24) ** 0.5),
        (lambda p: optim.RMSprop(p, lr=0.1, alpha=0.75), 0.8, 0.8 - 0.16 / (0.75 + 0.25 * 2.56) ** 0.5),
        (lambda p: optim.Adam(p, lr=0.1, betas=(0.5, 0.5), eps=0), 0.9, 0.9 - 0.1 * (1.4 / 0.75) / ((1 + 1.62) / 0.75) ** 0.5),
        (lambda p: optim.AdamW(p, lr=0.1, weight_decay=1.0), 0.8, None),
    ],
)  # fmt: skip
def test_two_steps_down_the_parabola_equal_what_one_computes_by_hand(make, first, second):
    x = torch.nn.Parameter(torch.tensor([1.0], dtype=torch.float64))
    optimizer = make([x])
    for expected in (first, second):
        x.grad = 2 * x.detach()
        optimizer.step()
        if expected is not None:
            assert x.item() == pytest.approx(expected, abs=1e-7)


# -- exchange --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "options"), [(n, {}) for n in SETS] + [(n, s[-2]) for n, s in SETS.items()])
@pytest.mark.parametrize("direction", ["to ours", "to torch"])
def test_state_goes_over_from_one_to_the_other(name, options, direction):
    ends = []
    for switch in (False, True):
        modules = (torch.optim, optim) if direction == "to ours" else (optim, torch.optim)
        params = start()
        first = getattr(modules[0], name)(params, lr=RATE[name], **options)
        go(first, params, banana, 10)
        if switch:
            second = getattr(modules[1], name)(params, lr=123.0)
            second.load_state_dict(pickle.loads(pickle.dumps(first.state_dict())))
            first = second
        ends.append(go(first, params, banana, 10, first=10))
    torch.testing.assert_close(*ends, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(("name", "options"), CASES)
def test_state_has_the_keys_of_torch(name, options):
    states = []
    for module in (optim, torch.optim):
        params = start()
        optimizer = getattr(module, name)(params, lr=RATE[name], **options)
        before = optimizer.state_dict()
        go(optimizer, params, valley, 1)
        states.append((before, optimizer.state_dict()))
    for ours, theirs in zip(*states):
        assert ours["param_groups"] == theirs["param_groups"]
        assert ours["state"].keys() == theirs["state"].keys()
        for p in ours["state"]:
            filled = {k for k, v in theirs["state"][p].items() if v is not None}
            assert ours["state"][p].keys() == filled
            for key in filled:
                torch.testing.assert_close(ours["state"][p][key], theirs["state"][p][key])


@EVERY
def test_ten_steps_and_ten_more_equal_twenty_bit_for_bit(name, tmp_path):
    options = SETS[name][-1]
    params = start()
    whole = go(getattr(optim, name)(params, lr=RATE[name], **options), params, banana, 20)[10:]
    params = start()
    first = getattr(optim, name)(params, lr=RATE[name], **options)
    go(first, params, banana, 10)
    torch.save({"params": params, "optimizer": first.state_dict()}, tmp_path / "checkpoint.pt")
    saved = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    second = getattr(optim, name)(saved["params"], lr=9.0)
    second.load_state_dict(saved["optimizer"])
    assert torch.equal(go(second, saved["params"], banana, 10, first=10), whole)


@EVERY
def test_optimizer_survives_copy_and_pickle(name):
    for again in (copy.deepcopy, lambda pair: pickle.loads(pickle.dumps(pair))):
        params = start()
        optimizer = getattr(optim, name)(params, lr=RATE[name])
        go(optimizer, params, valley, 3)
        other, others = again((optimizer, params))
        assert torch.equal(go(optimizer, params, valley, 3), go(other, others, valley, 3))


@EVERY
def test_signature_is_torchs_without_the_switches(name):
    theirs = inspect.signature(getattr(torch.optim, name)).parameters
    ours = inspect.signature(getattr(optim, name)).parameters
    switches = {"foreach", "fused", "capturable", "differentiable", "decoupled_weight_decay"}
    assert set(ours) == set(theirs) - switches
    assert {n: p.default for n, p in ours.items()} == {n: theirs[n].default for n in ours}
    positional = [n for n, p in ours.items() if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert positional == list(theirs)[: len(positional)]


# -- the books -------------------------------------------------------------------------------------


@EVERY
def test_algorithm_is_not_inherited_from_torch(name):
    kinds = getattr(optim, name).__mro__
    assert kinds[kinds.index(optim.Optimizer) + 1 :][0] is torch.optim.Optimizer
    assert not any(k.__module__.startswith("torch.optim.") and k is not torch.optim.Optimizer for k in kinds)


class Spy(TorchDispatchMode):
    seen = frozenset()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.seen = self.seen | {func.overloadpacket.__name__}
        return func(*args, **(kwargs or {}))


@EVERY
def test_no_fused_step_is_called(name):
    params = start()
    optimizer = getattr(optim, name)(params, lr=RATE[name])
    with Spy() as spy:
        go(optimizer, params, valley, 1)
    assert any("_foreach" in n for n in spy.seen)
    assert not any("fused" in n for n in spy.seen)


@EVERY
def test_optimizer_steps_on_a_pretended_gpu(name):
    with FakeTensorMode() as pretended:
        params = [
            torch.nn.Parameter(torch.empty(3, 2, device="cuda")),
            torch.nn.Parameter(torch.empty(4, device="cuda")),
        ]
        for p in params:
            p.grad = torch.empty_like(p)
    # outside the mode, as the steps are counted by a real number
    optimizer = getattr(optim, name)(params, **SETS[name][-1])
    optimizer.step()
    optimizer.step()
    memories = [v for state in optimizer.state.values() for k, v in state.items() if k != "step"]
    assert len(memories) >= 2
    assert {v.device.type for v in memories} == {"cuda"}
    with pretended:
        assert optim.clip_grad_norm_(params, 1.0).device.type == "cuda"


@EVERY
def test_optimizer_steps_on_every_device_present(name, device):
    ends = []
    for place in ("cpu", device):
        x = torch.nn.Parameter(torch.linspace(-1, 1, 6).to(place))
        optimizer = getattr(optim, name)([x], lr=0.01)
        for _ in range(3):
            x.grad = 3 * x.detach()
            optimizer.step()
        ends.append(x.detach().cpu())
    torch.testing.assert_close(*ends)


def test_groups_have_their_own_options_and_can_be_added_later():
    a, b, c = (torch.nn.Parameter(torch.ones(2)) for _ in range(3))
    optimizer = optim.SGD([{"params": [a], "lr": 0.5}, {"params": b}], lr=0.1)
    optimizer.add_param_group({"params": [c], "lr": 0.25})
    for p in (a, b, c):
        p.grad = torch.ones(2)
    optimizer.step()
    assert [p[0].item() for p in (a, b, c)] == pytest.approx([0.5, 0.9, 0.75])
    assert torch.equal(a.grad, torch.ones(2)), "a gradient was changed"


def test_parameters_added_later_start_adagrad_from_its_initial_value():
    a, b = (torch.nn.Parameter(torch.ones(2)) for _ in range(2))
    optimizer = optim.Adagrad([a], initial_accumulator_value=0.5)
    optimizer.add_param_group({"params": [b], "initial_accumulator_value": 0.25})
    assert optimizer.state[a]["sum"].tolist() == [0.5, 0.5]
    assert optimizer.state[b]["sum"].tolist() == [0.25, 0.25]


@EVERY
def test_no_gradient_is_changed_by_a_step(name):
    for options in SETS[name]:
        params = start()
        optimizer = getattr(optim, name)(params, lr=RATE[name], **options)
        for p in params:
            p.grad = torch.ones_like(p)
        optimizer.step()
        optimizer.step()
        assert all(torch.equal(p.grad, torch.ones_like(p)) for p in params), options


def test_named_parameters_keep_their_names():
    optimizer = optim.Adam(nn.Linear(3, 2).named_parameters())
    assert optimizer.state_dict()["param_groups"][0]["param_names"] == ["weight", "bias"]


def test_closure_runs_with_gradients_and_its_loss_comes_back():
    x = torch.nn.Parameter(torch.tensor([3.0]))
    optimizer = optim.SGD([x], lr=0.1)

    def closure():
        optimizer.zero_grad()
        loss = (x * x).sum()
        loss.backward()
        return loss

    with torch.no_grad():
        assert optimizer.step(closure).item() == 9.0
    assert x.item() == pytest.approx(2.4)
    assert optimizer.step() is None


def test_zero_grad_takes_gradients_away_or_fills_them_with_zeros():
    x = torch.nn.Parameter(torch.ones(2))
    optimizer = optim.SGD([x])
    x.grad = torch.ones(2)
    optimizer.zero_grad(set_to_none=False)
    assert x.grad.tolist() == [0.0, 0.0]
    optimizer.zero_grad()
    assert x.grad is None
    optimizer.step()
    assert x.tolist() == [1.0, 1.0]


def test_parameters_of_several_types_and_sizes_step_together():
    torch.manual_seed(0)
    shapes = [(3,), (200, 200), (5,), (7,), (150, 150), (1,), ()]
    types = [torch.float32, torch.float32, torch.float64, torch.float32, torch.float32, torch.float64, torch.float32]
    ends = []
    for module in (optim, torch.optim):
        params = [torch.nn.Parameter(draw(*s, seed=i, dtype=d)) for i, (s, d) in enumerate(zip(shapes, types))]
        optimizer = module.Adam(params, lr=0.1)
        for _ in range(3):
            for p in params:
                p.grad = p.detach() ** 3
            optimizer.step()
        ends.append(params)
    torch.testing.assert_close(*ends)


def test_small_parameters_are_bundled_and_large_ones_stand_alone():
    sizes = [10, 20, base._TOGETHER, base._TOGETHER + 1, 1]
    bundles = list(base._bundles(torch.empty(n) for n in sizes))
    assert [[p.numel() for p in bundle] for bundle in bundles] == [[base._TOGETHER + 1], [10, 20, base._TOGETHER, 1]]
    mixed = [torch.empty(1), torch.empty(1).double(), torch.empty(1, device="meta"), torch.empty(10**6, device="meta")]
    assert [len(bundle) for bundle in base._bundles(mixed)] == [1, 1, 2]
    assert list(base._bundles([])) == []


@EVERY
def test_schedules_and_scaler_of_torch_accept_it(name):
    model = nn.Linear(3, 1)
    optimizer = getattr(optim, name)(model.parameters(), lr=0.5)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.5)
    scaler = torch.amp.GradScaler("cpu", init_scale=8.0)
    scaler.scale(model(torch.ones(2, 3)).sum()).backward()
    assert model.bias.grad.item() == 16.0
    before = model.bias.item()
    scaler.unscale_(optimizer)
    assert model.bias.grad.item() == 2.0
    scaler.step(optimizer)
    scaler.update()
    schedule.step()
    assert model.bias.item() < before
    assert optimizer.param_groups[0]["lr"] == 0.25


def test_scaler_of_torch_skips_a_step_that_overflowed():
    x = torch.nn.Parameter(torch.ones(2))
    optimizer, scaler = optim.SGD([x], lr=0.1), torch.amp.GradScaler("cpu")
    scaler.scale((x * torch.inf).sum()).backward()
    scaler.step(optimizer)
    assert x.tolist() == [1.0, 1.0]


P = [torch.nn.Parameter(torch.ones(2))]
REFUSED = [
    (optim.SGD, (P,), {"lr": -1}, ValueError, "SGD: lr expected 0 or more, got -1"),
    (optim.SGD, (P,), {"lr": "fast"}, TypeError, "SGD: lr expected a finite number, got str"),
    (optim.SGD, (P,), {"momentum": -0.1}, ValueError, "SGD: momentum expected 0 or more, got -0.1"),
    (optim.SGD, (P,), {"dampening": float("nan")}, ValueError, "SGD: dampening expected a finite number, got nan"),
    (optim.SGD, (P,), {"weight_decay": -1}, ValueError, "SGD: weight_decay expected 0 or more, got -1"),
    (optim.SGD, (P,), {"nesterov": True}, ValueError, "SGD: nesterov expected momentum above 0 and no dampening beside it, got momentum 0 and dampening 0"),
    (optim.SGD, (P,), {"nesterov": True, "momentum": 0.9, "dampening": 0.1}, ValueError, "SGD: nesterov expected momentum above 0 and no dampening beside it, got momentum 0.9 and dampening 0.1"),
    (optim.Adam, ([],), {}, ValueError, "Adam: params expected one parameter or more, got none; an iterator such as model.parameters() can be used up only once"),
    (optim.Adam, (P[0],), {}, TypeError, "Adam: params expected an iterable of tensors or of groups, got Parameter; put it into a list"),
    (optim.Adam, (P,), {"betas": (0.9, 1.0)}, ValueError, "Adam: betas[1] expected 0 or more and below 1, got 1.0"),
    (optim.AdamW, (P,), {"betas": (-0.1, 0.9)}, ValueError, "AdamW: betas[0] expected 0 or more and below 1, got -0.1"),
    (optim.Adam, (P,), {"betas": 0.9}, TypeError, "Adam: betas expected two numbers, got float"),
    (optim.AdamW, (P,), {"eps": -1e-8}, ValueError, "AdamW: eps expected 0 or more, got -1e-08"),
    (optim.Adagrad, (P,), {"lr_decay": -1}, ValueError, "Adagrad: lr_decay expected 0 or more, got -1"),
    (optim.Adagrad, (P,), {"initial_accumulator_value": -1}, ValueError, "Adagrad: initial_accumulator_value expected 0 or more, got -1"),
    (optim.RMSprop, (P,), {"alpha": -1}, ValueError, "RMSprop: alpha expected 0 or more, got -1"),
    (optim.Adam, (P,), {"betas": (0.9, 0.99, 0.999)}, ValueError, "Adam: betas expected two numbers, got 3 of them"),
    (optim.SGD, (nn.Linear(2, 1),), {}, TypeError, "SGD: params expected an iterable of tensors or of groups, got Linear; model.parameters() gives those of a module"),
    (optim.SGD, (torch.nn.Sequential(nn.Linear(2, 1)),), {}, TypeError, "SGD: params expected an iterable of tensors or of groups, got Sequential; model.parameters() gives those of a module"),
    (optim.SGD, (None,), {}, TypeError, "SGD: params expected an iterable of tensors or of groups, got NoneType"),
    (optim.SGD, ([{"lr": 0.1}],), {}, ValueError, "SGD: group 0 expected a dictionary with 'params', got one with lr"),
    (optim.SGD, ([{"params": nn.Linear(2, 1)}],), {}, TypeError, "SGD: params of group 0 expected tensors, got Linear; model.parameters() gives those of a module"),
    (optim.SGD, ([{"params": None}],), {}, TypeError, "SGD: params of group 0 expected tensors, got NoneType"),
    (optim.SGD, ([{"params": [torch.zeros(1)]}, {"params": P, "lr": -1}],), {}, ValueError, "SGD: lr of group 1 expected 0 or more, got -1"),
    (optim.SGD, ([{"params": P, "nesterov": True}],), {}, ValueError, "SGD: nesterov of group 0 expected momentum above 0 and no dampening beside it, got momentum 0 and dampening 0"),
    (optim.Adagrad, ([{"params": P, "eps": -1}],), {}, ValueError, "Adagrad: eps of group 0 expected 0 or more, got -1"),
    (optim.RMSprop, ([{"params": P, "alpha": -1}],), {}, ValueError, "RMSprop: alpha of group 0 expected 0 or more, got -1"),
    (optim.AdamW, ([{"params": P, "betas": (0.9, 1.0)}],), {}, ValueError, "AdamW: betas[1] of group 0 expected 0 or more and below 1, got 1.0"),
    (optim.SGD, ([{"params": P, "lr": 0.1, "weightdecay": 0.1}],), {}, ValueError, "SGD: options of group 0 expected some of lr, momentum, dampening, weight_decay, nesterov, maximize, got weightdecay"),
    (optim.SGD, ([torch.zeros(2, dtype=torch.long)],), {}, ValueError, "SGD: params of group 0 expected float tensors, got torch.int64; whole numbers have no gradient"),
    (optim.Adam, ([("count", torch.zeros(2, dtype=torch.int32))],), {}, ValueError, "Adam: params of group 0 expected float tensors, got torch.int32; whole numbers have no gradient"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "arguments", "options", "error", "message"), REFUSED)
def test_optimizer_refuses_what_does_not_fit(kind, arguments, options, error, message):
    with pytest.raises(error) as caught:
        kind(*arguments, **options)
    assert str(caught.value) == message


def test_a_group_added_later_is_looked_at_too_and_leaves_nothing_behind_when_refused():
    optimizer = optim.SGD([torch.zeros(1)])
    for group, message in [
        ([P], "SGD: group 1 expected a dictionary with 'params', got list"),
        ({"params": P, "momentun": 0.9}, "SGD: options of group 1 expected some of lr, momentum, dampening, weight_decay, nesterov, maximize, got momentun"),
        ({"params": P[0].long()}, "SGD: params of group 1 expected float tensors, got torch.int64; whole numbers have no gradient"),
    ]:  # fmt: skip
        with pytest.raises((TypeError, ValueError)) as caught:
            optimizer.add_param_group(group)
        assert str(caught.value) == message
    assert len(optimizer.param_groups) == 1


@EVERY
def test_groups_that_another_optimizer_and_its_schedules_wrote_are_taken(name):
    theirs = getattr(torch.optim, name)([{"params": [torch.nn.Parameter(torch.ones(2))], "lr": 0.25, "name": "head"}])
    torch.optim.lr_scheduler.OneCycleLR(
        theirs, 0.5, total_steps=3, cycle_momentum="Ada" not in name and name != "RMSprop"
    )
    groups = [{k: v for k, v in group.items()} for group in theirs.param_groups]
    ours = getattr(optim, name)(groups)
    assert ours.param_groups[0]["initial_lr"] == theirs.param_groups[0]["initial_lr"] == 0.02
    assert ours.param_groups[0]["name"] == "head"


def state_like(kind, *shapes):
    params = [torch.nn.Parameter(torch.ones(shape)) for shape in shapes]
    optimizer = kind(params, lr=0.1)
    for p in params:
        p.grad = torch.ones_like(p)
    optimizer.step()
    return optimizer.state_dict()


@pytest.mark.parametrize(
    ("kind", "state", "error", "message"),
    [
        (optim.Adam, state_like(optim.SGD, (2,)), ValueError, "Adam: state_dict expected one of Adam, got one without amsgrad, betas, eps; nothing was loaded"),
        (optim.Adam, state_like(torch.optim.SGD, (2,)), ValueError, "Adam: state_dict expected one of Adam, got one without amsgrad, betas, eps; nothing was loaded"),
        (optim.SGD, state_like(optim.Adam, (2,)), ValueError, "SGD: state_dict expected one of SGD, got one without dampening, momentum, nesterov; nothing was loaded"),
        (optim.Adam, state_like(optim.Adam, (3,)), ValueError, "Adam: state_dict expected exp_avg of parameter 0 in shape (2,), got (3,); nothing was loaded"),
        (optim.Adagrad, state_like(torch.optim.Adagrad, (1,)), ValueError, "Adagrad: state_dict expected sum of parameter 0 in shape (2,), got (1,); nothing was loaded"),
        (lambda p: optim.SGD(p, momentum=0.9), state_like(lambda p, lr: optim.SGD(p, lr, 0.9), (2, 1)), ValueError, "SGD: state_dict expected momentum_buffer of parameter 0 in shape (2,), got (2, 1); nothing was loaded"),
        (optim.Adam, {}, ValueError, "Adam: state_dict expected one of Adam, got one without param_groups, state"),
        (optim.Adam, None, TypeError, "Adam: state_dict expected what state_dict() returned, got NoneType"),
    ],
)  # fmt: skip
def test_a_state_that_does_not_fit_is_refused_and_loads_nothing(kind, state, error, message):
    optimizer = kind([torch.nn.Parameter(torch.ones(2))])
    before = copy.deepcopy(optimizer.state_dict())
    with pytest.raises(error) as caught:
        optimizer.load_state_dict(state)
    assert str(caught.value) == message
    assert str(optimizer.state_dict()) == str(before)


@EVERY
def test_a_state_that_an_older_torch_wrote_without_some_switches_is_loaded_and_stepped(name):
    state = state_like(getattr(torch.optim, name), (2,))
    for key in base._SWITCHES:
        state["param_groups"][0].pop(key, None)
    state["param_groups"][0]["of its own"] = 1
    ends = []
    for stored in (state, state_like(getattr(torch.optim, name), (2,))):
        x = torch.nn.Parameter(torch.ones(2))
        optimizer = getattr(optim, name)([x])
        optimizer.load_state_dict(stored)
        x.grad = torch.ones(2)
        optimizer.step()
        ends.append(x.tolist())
    assert ends[0] == ends[1] != [1.0, 1.0]


def test_sparse_gradients_are_refused():
    with pytest.raises(ValueError, match=r"^SGD: params expected dense gradients, got a sparse one; use sparse=False$"):
        optim.SGD(sparse()).step()


# -- clipping --------------------------------------------------------------------------------------


def with_gradients(*values):
    params = [torch.nn.Parameter(torch.zeros(v.shape, dtype=v.dtype)) for v in values]
    for p, value in zip(params, values):
        p.grad = value.clone()
    return [*params, torch.nn.Parameter(torch.zeros(2))]  # the last has no gradient


@pytest.mark.parametrize("norm_type", [2.0, 1, 3.5, 0.5, float("inf")])
@pytest.mark.parametrize("max_norm", [0, 0.1, 1.0, 1e6, float("inf")])
def test_clip_by_norm_agrees_with_torch(norm_type, max_norm):
    values = [draw(3, 4), draw(5, seed=1), draw(1, seed=2)]
    ours, theirs = with_gradients(*values), with_gradients(*values)
    got = optim.clip_grad_norm_(ours, max_norm, norm_type)
    want = torch.nn.utils.clip_grad_norm_(theirs, max_norm, norm_type)
    torch.testing.assert_close(got, want)
    for a, b in zip(ours[:-1], theirs):
        torch.testing.assert_close(a.grad, b.grad, rtol=1e-12, atol=1e-14)
    assert ours[-1].grad is None


def test_clip_by_norm_leaves_short_gradients_and_keeps_directions():
    (x, _) = with_gradients(torch.tensor([3.0, 4.0]))
    assert optim.clip_grad_norm_(x, 10.0).item() == 5.0
    assert x.grad.tolist() == [3.0, 4.0]
    assert optim.clip_grad_norm_((p for p in [x]), 1.0).item() == 5.0
    assert x.grad.tolist() == pytest.approx([0.6, 0.8], abs=1e-6)
    assert optim.clip_grad_norm_([torch.nn.Parameter(torch.ones(2))], 1.0).item() == 0


def test_clip_by_norm_refuses_what_is_not_finite_before_it_changes_anything():
    params = with_gradients(torch.tensor([1.0, float("nan")]), torch.tensor([7.0]))
    with pytest.raises(ValueError) as caught:
        optim.clip_grad_norm_(params, 1.0, error_if_nonfinite=True)
    assert str(caught.value) == (
        "clip_grad_norm_: parameters expected gradients of finite length, got nan; "
        "a loss of nan or inf came before; error_if_nonfinite=False clips all the same"
    )
    assert params[1].grad.item() == 7.0
    assert torch.isnan(optim.clip_grad_norm_(params, 1.0))


def sparse():
    table = torch.nn.Embedding(5, 2, sparse=True)
    table(torch.tensor([1])).sum().backward()
    return table.parameters()


@pytest.mark.parametrize("value", [3.0, float("inf"), float("nan")])
def test_clip_by_an_infinite_norm_measures_as_torch_does(value):
    ours, theirs = with_gradients(torch.tensor([value, 4.0])), with_gradients(torch.tensor([value, 4.0]))
    got = optim.clip_grad_norm_(ours, float("inf"))
    torch.testing.assert_close(got, torch.nn.utils.clip_grad_norm_(theirs, float("inf")), equal_nan=True)
    torch.testing.assert_close(ours[0].grad, theirs[0].grad, rtol=0, atol=0, equal_nan=True)
    if value == 3.0:
        assert got.item() == 5.0
        assert ours[0].grad.tolist() == [3.0, 4.0]


@pytest.mark.parametrize("clip_value", [0, 0.5, 100])
def test_clip_by_value_agrees_with_torch(clip_value):
    ours, theirs = with_gradients(draw(3, 4), draw(5, seed=1)), with_gradients(draw(3, 4), draw(5, seed=1))
    assert optim.clip_grad_value_(ours, clip_value) is None
    torch.nn.utils.clip_grad_value_(theirs, clip_value)
    for a, b in zip(ours[:-1], theirs):
        assert torch.equal(a.grad, b.grad)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: optim.clip_grad_norm_(P, -1), ValueError, "clip_grad_norm_: max_norm expected 0 or more, got -1"),
        (lambda: optim.clip_grad_norm_(P, "1"), TypeError, "clip_grad_norm_: max_norm expected a finite number, got str"),
        (lambda: optim.clip_grad_norm_(P, 1, norm_type=0), ValueError, "clip_grad_norm_: norm_type expected a finite number above 0, got 0"),
        (lambda: optim.clip_grad_norm_([1.0], 1), TypeError, "clip_grad_norm_: parameters expected a tensor, got float; torch.as_tensor(parameters) makes one"),
        (lambda: optim.clip_grad_norm_(P, -float("inf")), ValueError, "clip_grad_norm_: max_norm expected a finite number, got -inf"),
        (lambda: optim.clip_grad_norm_(P, float("nan")), ValueError, "clip_grad_norm_: max_norm expected a finite number, got nan"),
        (lambda: optim.clip_grad_value_(P, float("inf")), ValueError, "clip_grad_value_: clip_value expected a finite number, got inf"),
        (lambda: optim.clip_grad_norm_(nn.Linear(2, 1), 1), TypeError, "clip_grad_norm_: parameters expected a tensor or an iterable of tensors, got Linear; model.parameters() gives those of a module"),
        (lambda: optim.clip_grad_value_(torch.nn.Sequential(), 1), TypeError, "clip_grad_value_: parameters expected a tensor or an iterable of tensors, got Sequential; model.parameters() gives those of a module"),
        (lambda: optim.clip_grad_norm_(None, 1), TypeError, "clip_grad_norm_: parameters expected a tensor or an iterable of tensors, got NoneType"),
        (lambda: optim.clip_grad_norm_(sparse(), 1), ValueError, "clip_grad_norm_: parameters expected dense gradients, got a sparse one; use sparse=False"),
        (lambda: optim.clip_grad_value_(sparse(), 1), ValueError, "clip_grad_value_: parameters expected dense gradients, got a sparse one; use sparse=False"),
        (lambda: optim.clip_grad_value_(P, -1), ValueError, "clip_grad_value_: clip_value expected 0 or more, got -1"),
    ],
)  # fmt: skip
def test_clipping_refuses_what_does_not_fit(call, error, message):
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == message
