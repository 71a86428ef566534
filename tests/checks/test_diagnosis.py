"""What is said and in which order, how the case that is shown is made small, and what is watched around the learner's code."""

from __future__ import annotations

import dataclasses
import random
import re

import numpy as np
import pytest
import samples
import torch

import companion.functional as F
from companion.checks import bank, check, diagnose, guards
from companion.checks.bank import Mistake
from companion.checks.cases import draw
from companion.checks.mutate import OPERATORS, mutants, wrong_version
from companion.checks.relations import relation
from companion.checks.shrink import shrink
from companion.checks.trace import Case, Trace
from companion.checks.watch import ready_made

T = torch.tensor


# -- guards ------------------------------------------------------------------------------------------


def softmax(z, dim):
    e = torch.exp(z - z.amax(dim=dim, keepdim=True))
    return e / e.sum(dim=dim, keepdim=True)


def seeding(z, dim):
    torch.manual_seed(0)
    return softmax(z, dim)


def deciding_dtype(z, dim):
    torch.set_default_dtype(torch.float64)
    return softmax(z, dim)


def switching_off(z, dim):
    torch.set_grad_enabled(False)
    return softmax(z, dim)


def drawing(z, dim):
    return softmax(z + 0 * torch.rand(1).to(z.dtype), dim)


def drawing_from_numpy(z, dim):
    return softmax(z + 0 * np.random.rand(), dim)


def drawing_from_python(z, dim):
    return softmax(z + 0 * random.random(), dim)


def elsewhere(z, dim):
    return softmax(z, dim).to("meta")


@pytest.mark.parametrize(
    ("function", "kind", "words"),
    [
        (seeding, "touched", "changes the seed of torch"),
        (deciding_dtype, "touched", "changes torch's default dtype"),
        (switching_off, "gradient", "No gradient reaches"),
        (drawing, "touched", "draws random numbers (from torch)"),
        (drawing_from_numpy, "touched", "draws random numbers (from numpy)"),
        (drawing_from_python, "touched", "draws random numbers (from random)"),
        (elsewhere, "device", "on meta"),
    ],
)
def test_what_everybody_shares_is_guarded(function, kind, words):
    result = check("02.3", function)
    assert (result.status, result.kind) == ("wrong", kind)
    assert words in result.message
    assert result.why
    assert result.next


def test_seed_is_taken_from_a_training_and_put_back():
    def train(X, y):
        seeds.append((torch.initial_seed(), float(np.random.rand())))
        np.random.seed(0)
        torch.manual_seed(0)
        return bank.get("05.7").reference[0](X, y)

    seeds = []
    np.random.seed(5)
    torch.manual_seed(5)
    state, place = torch.get_rng_state(), np.random.get_state()[1:3]
    result = diagnose.assess(bank.get("05.7"), {"train_by_hand": train}, ours=True)
    assert result.status == "right"
    assert len(set(seeds)) == 3  # one case finds nothing of what another has set
    assert torch.equal(torch.get_rng_state(), state)
    assert np.random.get_state()[2] == place[1]


@pytest.mark.parametrize("id", ["01.7", "02.7", "03.7", "04.7", "05.7"])
def test_training_that_draws_may_set_its_seed_and_nothing_else(id):
    exercise = bank.get(id)
    case = exercise.cases(0)[0]
    for touched, kind in (("the seed of torch", None), ("the seed of torch, torch's default dtype", "touched")):
        mine = Trace({}, {"touched": touched, "drew": "torch, numpy"})
        failure = guards._surroundings(exercise, case, mine, Trace({}, {}))
        assert (failure and failure.kind) == kind
        assert failure is None or failure.seen.startswith("Your code changes torch's default dtype, for everything")


def test_a_check_leaves_the_settings_as_they_were():
    state = torch.get_rng_state()
    check("02.3", deciding_dtype)
    check("02.3", switching_off)
    check("02.3", seeding)
    assert torch.get_default_dtype() == torch.float32
    assert torch.is_grad_enabled()
    assert torch.equal(torch.get_rng_state(), state)


def from_the_companion(z, dim):
    return F.softmax(z, dim=dim)


def from_the_solution(z, dim):
    from companion.checks.ch02_activations.e3_stable_softmax import softmax as right

    return right(z, dim)


def from_scipy(z, dim):
    from scipy.special import softmax as right

    return torch.as_tensor(right(z.detach().numpy(), axis=dim))


def through_a_helper(z, dim):
    return from_the_companion(z, dim)


@pytest.mark.parametrize("function", [from_the_companion, from_the_solution, from_scipy, through_a_helper, F.softmax])
def test_a_ready_made_answer_is_refused(function):
    result = check("02.3", function)
    assert result.status == "wrong"
    assert result.kind in ("forbidden", "signature")


def test_the_bank_s_own_answer_handed_in_is_refused():
    result = check("02.3", bank.get("02.3").reference[0])
    assert result.kind == "forbidden"
    assert result.why == "It is the solution's own function."


def test_only_what_is_allowed_may_be_used():
    from companion import random as ours

    assert ready_made(lambda shape: ours.normal(shape)) == "companion.random.normal"
    assert ready_made(lambda shape: ours.normal(shape), ("companion.random",)) == ""
    assert ready_made(lambda z: torch.softmax(z, 0)) == ""  # torch is watched while it runs
    assert ready_made(len) == ""
    clipped = lambda slopes: torch.nn.utils.clip_grad_norm_(slopes, 1.0)  # noqa: E731
    assert ready_made(clipped, (), ("nn.utils",)).startswith("torch.nn.utils.")
    assert ready_made(clipped, (), ("nn.utils.nothing", "norm")) == ""

    class Learners:
        def forward(self, z):
            return F.softmax(z, dim=0)

    assert ready_made(Learners) == "companion.functional.shares.softmax"


# -- order -------------------------------------------------------------------------------------------


def test_a_changed_argument_is_told_before_a_known_mistake_in_the_values():
    def both(train, test):  # learns from all rows, and writes into train
        rows = torch.cat([train, test])
        train -= rows.mean(0)
        return train / rows.std(0), (test - rows.mean(0)) / rows.std(0)

    result = check("90.5", both)
    assert (result.kind, result.mistake) == ("mutated", "")
    assert result.message == "`train` has changed: your code writes into its argument."


def test_a_declared_pair_is_recognised_and_an_undeclared_one_gets_the_first_guard():
    exercise = samples_exercise = bank.get("90.5")

    def both(train, test):
        both_rows = torch.cat([train, test])
        return (train - both_rows.mean()) / both_rows.std(), (test - both_rows.mean()) / both_rows.std()

    name = "learns from all rows, and takes one mean for all columns"
    pair = Mistake(name, both, "Both.", "Two things.", "One after the other.")
    declared = dataclasses.replace(exercise, mistakes=(*exercise.mistakes, pair))
    assert diagnose.assess(declared, {"prepare": both}).mistake == name
    undeclared = diagnose.assess(samples_exercise, {"prepare": both})
    assert undeclared.mistake == ""
    assert undeclared.kind == "property"
    assert "only the held-out rows change" in undeclared.message


def test_a_property_speaks_when_no_mistake_is_known():
    bare = dataclasses.replace(bank.get("90.6"), mistakes=())
    make = bank.get("90.6").mistakes[0].answer
    result = diagnose.assess(bare, {"make_model": make}, ours=True)
    assert result.kind == "property"
    assert "inputs after it change" in result.message


# -- relations ---------------------------------------------------------------------------------------

RIGHT = [T([[1.0, 2.0, 4.0], [0.5, 3.0, 0.25]]), T([[0.1, 0.7], [0.3, 0.6], [0.2, 0.9]])]
SQUARE = [T([[1.0, 2.0], [3.0, 4.0]]), T([[5.0, 2.0], [0.3, 4.5]])]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda x: -x, "wrong sign"),
        (lambda x: 2 * x, "too large by one and the same factor, with every input"),
        (lambda x: x / 3, "too small by one and the same factor, with every input"),
        (lambda x: x * len(x), "the number of rows"),
        (lambda x: x / x.shape[1], "the number of columns"),
        (lambda x: x * x.sum(), "changes from input to input"),
        (lambda x: x.flip(0), "in reversed order"),
        (lambda x: 1 - x, "missing from the right one to 1"),
        (lambda x: x.log(), "logarithm"),
        (lambda x: x.exp(), "exponential"),
        (lambda x: x.square(), "square"),
        (lambda x: x.sqrt(), "square"),
        (lambda x: x + x.sum(), "off by one and the same amount"),
    ],
)
def test_relation_of_wrong_to_right_is_named(change, words):
    found = relation([(change(x), x) for x in RIGHT])
    assert found is not None
    assert words in found.seen


def test_transposed_square_is_named():
    assert "exchanged" in relation([(x.T, x) for x in SQUARE]).seen


@pytest.mark.parametrize(
    "pairs",
    [
        [],
        [(T([1.0]), T([2.0]))],  # one number stands in every relation to another
        [(T([2.0, 2.0]), T([1.0, 1.0]))],
        [(T([1.0, 5.0, 2.0]), T([3.0, 1.0, 4.0]))],
        [(T([0.0, 0.0]), T([3.0, 1.0]))],
        [(T([1.0, 2.0]), T([1.0, 2.0, 3.0]))],
        [(T([float("nan"), 2.0]), T([1.0, 2.0]))],
    ],
)
def test_no_relation_is_claimed_where_there_is_none(pairs):
    assert relation(pairs) is None


def test_relation_is_told_and_gives_no_number_away():
    result = check("02.3", lambda z, dim: 2 * softmax(z, dim))
    assert result.message == "All numbers are too large by one and the same factor, with every input." or result.mistake


# -- cases -------------------------------------------------------------------------------------------


def test_drawn_cases_are_asymmetric_seeded_and_laid_out_as_asked():
    case = draw("drawn", {"x": "N D", "w": "D", "b": ""}, 3, strided=True)
    assert {n: tuple(a.shape) for n, a in case.args.items()} == {"x": (3, 5), "w": (5,), "b": ()}
    assert not case.args["x"].is_contiguous()
    assert torch.equal(case.args["x"], draw("again", {"x": "N D"}, 3).args["x"])
    assert not torch.equal(case.args["x"], draw("other", {"x": "N D"}, 4).args["x"])
    assert draw("f", {"x": "N"}, 0, dtype=torch.float32, sizes={"N": 1}).args["x"].dtype == torch.float32


def test_smallest_case_still_shows_the_fault_and_its_axes_go_on_fitting():
    case = draw("large", {"x": "N D", "w": "D"}, 0, sizes={"N": 9, "D": 8})

    def shows(c):
        return bool((c.args["x"] @ c.args["w"] > 0).any()) and len(c.args["w"]) >= 2

    small = shrink(case, shows, limit=5)
    assert small.args["x"].shape == (1, 2)
    assert small.args["w"].shape == (2,)
    assert shows(small)
    assert torch.equal(small.args["x"], small.args["x"].round())
    assert case.args["x"].shape == (9, 8)


def test_shrinking_ends_when_its_time_is_up_and_leaves_cases_without_axes_alone():
    case = draw("large", {"x": "N D"}, 0, sizes={"N": 9, "D": 8})
    assert shrink(case, lambda c: True, limit=0) is case
    plain = Case("plain", {"x": torch.ones(4)})
    assert shrink(plain, lambda c: True) is plain


def test_the_case_shown_is_the_smallest_that_shows_it():
    exercise = dataclasses.replace(
        bank.get("90.1"), mistakes=(), cases=lambda seed: [draw("many", {"z": "N D"}, seed, sizes={"N": 9, "D": 8})]
    )
    result = diagnose.assess(exercise, {"softplus_and_slope": lambda z: (z.clamp(min=0), torch.sigmoid(z))})
    assert result.status == "wrong"
    shown = dict(result.shown)["input"]
    assert shown.count(",") <= 1, shown


# -- faults planted in a right answer ----------------------------------------------------------------


def test_each_operator_plants_something_and_never_twice_the_same():
    source = """
def f(x, y, n):
    total = 0
    if n > 3 and y is not None:
        total += x.sum(dim=1, keepdim=True).T * 2 - y
    z = torch.where(x > 0, torch.exp(x), -y / n) if n else x.shape[0]
    return total + z
"""
    found = mutants(source)
    assert {m.operator for m in found} == set(OPERATORS)
    assert len({m.source for m in found}) == len(found)
    assert all(callable(m.functions("f")[0]) for m in found)


def test_wrong_version_is_a_mistake_to_declare():
    assert torch.equal(samples.WRONG_SIGN(T([0.0]))[1], T([0.5]))
    assert samples.WRONG_SIGN(T([1.0]))[1] < 0.5
    with pytest.raises(
        ValueError, match=r"wrong_version: before expected a place for 'drop a term', got 'x \+ 1'; there are: "
    ):
        wrong_version(samples.softplus_and_slope, "drop a term", "x + 1")


# -- answers without code ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("id", "answer", "kind", "words"),
    [
        ("90.8", "fast", "unreadable", "a number is wanted"),
        ("90.8", 12.5, "unreadable", "give the unit too"),
        ("90.8", "12.5 furlongs", "unreadable", "'furlongs' is not one of ms, s, us"),
        ("90.8", "125 ms", "value", "power of ten"),
        ("90.8", "-12.5 ms", "value", "sign"),
        ("90.8", "40 ms", "value", "too large"),
        ("90.8", "2 ms", "value", "too small"),
        ("90.8", True, "unreadable", "a number is wanted"),
        ("90.9", "f", "unreadable", "one of the letters a, b, c, d, e"),
        ("90.9", "the second of them", "unreadable", "one of the letters"),
        ("90.9", 2, "unreadable", "one of the letters"),
        ("90.10", "dcaz", "unreadable", "the letters a, b, c, d, e in order"),
        ("90.10", "dcabb", "unreadable", "at most once"),
        ("90.10", [1, 2], "unreadable", "the letters"),
        ("90.10", "dab", "value", "Line c is missing"),
    ],
)
def test_written_answer_gets_a_sentence(id, answer, kind, words):
    result = check(id, answer)
    assert (result.status, result.kind) == ("wrong", kind)
    assert words in result.message
    assert "12.5 ms" not in result.message


def test_written_answer_that_is_empty_is_not_attempted():
    assert check("90.8", ...).status == "not attempted"
    assert repr(check("90.8")) == '90.8 not attempted: pass your answer too: check("90.8", answer_90_8).'


def test_every_option_but_the_right_one_has_its_explanation():
    result = check("90.9", "a")
    assert (result.mistake, result.message, result.why, result.next) == (
        "It grows.", "It does not grow.", "You took the sum.", "Count the terms."
    )  # fmt: skip


# -- classes -----------------------------------------------------------------------------------------


def test_class_is_asked_for_where_it_is_due():
    assert "pass the class itself" in check("90.3", lambda params, lr, momentum: None).message
    assert "pass the class itself" in check("90.3", samples.Momentum([], 0.1, 0.9)).message


def test_method_that_is_missing_is_named():
    class Momentum:
        def __init__(self, params, lr, momentum):
            self.params = params

    result = check("90.3", Momentum)
    assert (result.kind, result.message) == ("missing", "`Momentum` has no `step`.")


def test_empty_class_is_not_attempted():
    stub = bank.defined(bank.get("90.3").stub(), ["Momentum"])
    assert check("90.3", *stub.values()).status == "not attempted"


# -- where wrong values are wrong --------------------------------------------------------------------


def step(z, threshold):
    return (z >= threshold).to(z.dtype)


def ignores_the_last_column(x, weight, bias):
    return x[:, 0] * weight[0] + x[:, 1] * weight[1] + bias


def wrong_at_equality(z, threshold):
    return torch.heaviside(z - threshold, T(0.25).to(z.dtype))


def wrong_bias_only(W1, b1, W2, b2):
    return W2 @ W1, 0.3 * b1.sum() + b2


def no_rate(x, target, weight, bias, lr):
    error = 0.37 * (target - step(x @ weight + bias, 0))
    return weight + error * x, bias + error


def one_epoch_more(X, y, max_epochs):
    (train,) = written_out("01.4")
    return train(X, y, max_epochs + 1)


def written_out(id):
    return tuple(bank.defined(bank.get(id).source(), bank.get(id).functions).values())


@pytest.mark.parametrize(
    ("id", "answer", "seen"),
    [
        ("01.1", ignores_the_last_column, "Your result does not change when the last column of `x` changes."),
        ("01.2", wrong_at_equality, "Your result is wrong exactly where `z` equals `threshold`."),
        ("01.3", no_rate, "Your result does not change when `lr` changes."),
        ("01.4", one_epoch_more, "`mistakes` is too long: it has 2 entries."),
        ("02.5", wrong_bias_only, "`W` is right; `b` is not."),
    ],
)
def test_place_of_the_fault_is_told_when_no_mistake_is_known(id, answer, seen):
    exercise = dataclasses.replace(bank.get(id), mistakes=())
    result = diagnose.assess(exercise, exercise.answer(answer), ours=True)
    assert (result.kind, result.message) == ("value", seen)
    assert result.why
    assert result.next


def test_result_that_alone_is_wrong_is_told_in_words_that_name_it():
    exercise = dataclasses.replace(bank.get("02.5"), mistakes=())
    result = diagnose.assess(exercise, exercise.answer(wrong_bias_only), ours=True)
    assert result.why == (
        "So the lines that make `W` need no change. The mistake is in a line that is there for `b` alone."
    )
    assert "gives `b` a value" in result.next


def test_relation_or_place_is_claimed_only_if_it_holds_in_every_case():
    floor = lambda z, threshold: (z // threshold).clamp(0, 1)  # noqa: E731  # right for every threshold above 0
    exercise = dataclasses.replace(bank.get("01.2"), mistakes=())
    assert "missing from the right one to 1" not in diagnose.assess(exercise, {"fires": floor}).message

    def whole_epoch(X, y, max_epochs):
        weight, bias, history = torch.zeros_like(X[0]), torch.zeros_like(y[0]), []
        for _ in range(max_epochs):
            errors = y - step(X @ weight + bias, 0)
            weight, bias = weight + errors @ X, bias + errors.sum()
            history.append(int((errors != 0).sum()))
            if history[-1] == 0:
                break
        return weight, bias, history

    exercise = dataclasses.replace(bank.get("01.4"), mistakes=())
    assert "exactly where" not in diagnose.assess(exercise, exercise.answer(whole_epoch)).message


def test_no_effect_is_claimed_only_if_it_holds_in_every_case():
    def sometimes(x, target, weight, bias, lr):  # the rate is used, but only for larger steps
        error = target - step(x @ weight + bias, 0)
        rate = lr if abs(lr) > 0.3 else 0.77
        return weight + rate * error * x, bias + rate * error

    exercise = dataclasses.replace(bank.get("01.3"), mistakes=())
    result = diagnose.assess(exercise, exercise.answer(sometimes))
    assert result.status == "wrong"
    assert "does not change" not in result.message


def test_cases_that_are_right_are_named_when_nothing_else_can_be_said():
    def odd(z, dim):
        y = softmax(z, dim)
        return y if z.dim() < 3 else y + 0.01 * torch.randn(y.shape, generator=torch.Generator().manual_seed(0)).to(y)

    result = check("02.3", odd)
    assert result.kind == "value"
    assert result.why.startswith("It is right with ")


def test_no_message_gives_the_right_values_away():
    for id in ("01.1", "02.3", "02.5"):
        exercise = bank.get(id)
        right = diagnose.run(exercise, dict(zip(exercise.functions, exercise.reference)), exercise.cases(0), 60)
        shown = {
            diagnose.show(t) for trace in right for n, t in trace.tensors.items() if "." not in n and t.numel() > 1
        }
        for m in exercise.mistakes:
            result = diagnose.assess(exercise, exercise.answer(m.answer), ours=True)
            yours = dict(result.shown).get("yours", "")
            told = repr(result).replace(yours, "")
            assert not any(s in told for s in shown), m.name


def test_line_that_was_running_when_time_was_up_is_named():
    def softmax(z, dim):
        while z.sum() * 0 == 0:
            z = z + 0
        return z

    result = diagnose.assess(bank.get("02.3"), {"softmax": softmax}, timeout=0.3)
    assert result.kind == "timeout"
    assert "it was at line" in result.message
    assert "`while z.sum() * 0 == 0:`" in result.message or "`z = z + 0`" in result.message


def test_nan_is_explained_in_words_that_deny_it_a_value():
    result = check("02.1", lambda z, negative_slope=0.01: torch.where(z > 0, z, negative_slope * z) * float("nan"))
    assert result.kind == "finite"
    assert "have no value, and neither has the logarithm" in result.why


@pytest.mark.parametrize(
    ("maximum", "total", "named"),
    [
        (lambda z, d: z.max(d)[0], lambda e, d: e.sum(dim=d, keepdim=True), "drops the axis of the maximum"),
        (lambda z, d: z.max(dim=d).values, lambda e, d: e.sum(d, True), "drops the axis of the maximum"),
        (lambda z, d: z.max(d)[0], lambda e, d: e.sum(dim=d), "drops the axis of the maximum as well"),
        (
            lambda z, d: z.max(),
            lambda e, d: e.sum(dim=d),
            "shifts by the maximum of everything, and drops the summed axis",
        ),
        (lambda z, d: z.max(), lambda e, d: e.sum(dim=d, keepdim=True), "shifts by the maximum of everything"),
    ],
)
def test_axis_that_is_lost_is_named_in_the_maximum_as_in_the_sum(maximum, total, named):
    def softmax(z, dim):
        e = torch.exp(z - maximum(z, dim))
        return e / total(e, dim)

    assert check("02.3", softmax).mistake == named


# -- which case is shown -----------------------------------------------------------------------------


def test_plain_numbers_come_before_odd_ones_and_the_example_before_all():
    plain = Case("plain", {"z": T([[1.0, 0.0, 2.0], [0.0, 0.5, 2.0]])})
    odd = [
        Case("tiny", {"z": T([[1e-12, 0.0], [0.0, 0.0]])}),
        Case("large", {"z": T([1000.0])}),
        Case("drawn", {"z": torch.randn(4, 3, generator=bank.rng(0))}),
        Case("alike", {"z": T([2.0, 2.0])}),
        Case("an argument at 0", {"z": T([-2.0, 3.0, 1.0]), "slope": 0.0}),
        Case("in float64", {"z": T([1.0, 2.0, 3.0, 4.0], dtype=torch.float64)}),
        Case("without a number", {"z": T([float("nan")])}),
        Case("empty", {"z": torch.zeros(0)}),
    ]
    assert [case.name for case in odd if not plain.oddness < case.oddness] == []
    assert dataclasses.replace(odd[0], example=True).oddness < plain.oddness
    assert Case("one number", {"bias": T(0.5)}).oddness < Case("two numbers", {"bias": T([0.5, 1.0])}).oddness
    assert Case("whole", {"n": torch.tensor([7, 7])}).oddness == (True, 2)


@pytest.mark.parametrize(
    ("id", "mistake", "shown"),
    [
        ("01.4", "never sets the count back", "X = [[0, 0], [0, 1], [1, 0], [1, 1]], y = [0, 1, 1, 1], max_epochs = 8"),
        ("01.6", "forgets the biases", "sizes = [2, 1], bias = True"),
        ("02.1", "always uses the default slope", "z = [-2, 3], negative_slope = 0.5"),
        ("02.1", "builds a new tensor out of plain numbers", "z = [-2, 3], negative_slope = 0.5"),
        ("02.2", "turns the sign", "z = [8, -8]"),
        ("02.3", "does not shift", "z = [[100, 99, 0]], dim = -1"),
        ("02.3", "does not divide", "z = [[0, 1], [5, 1]], dim = -1"),
        ("02.4", "returns the sigmoid itself", "z = [-2, 0, 0.5]"),
        ("02.6", "counts zeros", "activations = [[1, 0, 0], [0, 0, 2]]"),
        ("02.6", "takes small activations for zero", "activations = [[1e-12, 0], [0, 0]]"),
    ],
)
def test_mistake_is_shown_on_the_example_or_on_plain_numbers(id, mistake, shown):
    exercise = bank.get(id)
    answer = next(m.answer for m in exercise.mistakes if m.name == mistake)
    assert dict(diagnose.assess(exercise, exercise.answer(answer), ours=True).shown)["input"] == shown


def test_case_that_is_called_the_example_stands_in_the_statement():
    found = [(e, c) for i in bank.ids() for e in bank.variants(i) for c in e.cases(0) if c.example]
    assert len({e.id for e, _ in found}) >= 6
    for exercise, case in found:
        for value in case.args.values():
            if isinstance(value, torch.Tensor | list) and diagnose.show(value).startswith("["):
                assert diagnose.show(value) in re.sub(r"\.0(?!\d)", "", exercise.statement), exercise.id


def test_single_number_is_made_plain_too():
    small = shrink(Case("one", {"x": T([[2.067]])}, axes={"x": ("N", "D")}), lambda c: True, limit=5)
    assert small.args["x"].tolist() == [[2.0]]
    nothing_left = shrink(Case("one", {"x": T([[0.2]])}, axes={"x": ("N", "D")}), lambda c: True, limit=5)
    assert nothing_left.args["x"].item() != 0


def test_known_mistake_is_named_whether_its_number_comes_as_a_tensor_or_as_a_plain_one():
    exercise = bank.get("07.6")
    for mistake in exercise.mistakes:
        if mistake.name != "divides by the length of a warm-up that is not there":
            answer = exercise.answer(lambda *args, wrong=mistake.answer: torch.tensor(wrong(*args)))
            assert diagnose.assess(exercise, answer, ours=True).mistake == mistake.name
