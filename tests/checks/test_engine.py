"""The machinery behind the checks: what it says about crashes, kinds, shapes, purity, and usage."""

from __future__ import annotations

import dataclasses
import random
import time
from functools import partial

import numpy as np
import pytest
import torch

import companion.checks
from companion.checks import bank, check, diagnose, guards, hint, routines
from companion.checks.ch05_backprop import e4_one_sweep_through_a_graph as one_sweep
from companion.checks.drive import drive
from companion.checks.result import Result, show
from companion.checks.trace import Call, Case


def as_a_learner(id, variant=0):
    """Return the right functions as somebody would have written them in a cell."""
    exercise = bank.get(id, variant)
    return tuple(bank.defined(exercise.source(), exercise.functions).values())


def test_right_answer_reads_the_same_everywhere():
    result = check("01.1", lambda x, weight, bias: x @ weight + bias)
    assert repr(result) == "01.1 right: 6 of 6 cases are as they should be."


def test_slopes_left_in_an_argument_show_in_a_second_call():
    def slope(w):
        (w.requires_grad_() ** 2).sum().backward()
        return w.grad.clone()

    def slope_of_a_copy(w):
        return slope(w.clone().detach())

    calls = [Call("slope", (torch.tensor([1.0, 2.0]),), ("w",))]
    for answer, factor in ((slope, 2), (slope_of_a_copy, 1)):
        (trace,) = drive({"slope": answer}, [(calls, 0)], timeout=5)
        torch.testing.assert_close(trace.tensors["again.out"], factor * trace.tensors["out"])


def test_wrong_answer_shows_message_input_and_next_step_but_not_the_answer():
    result = check("01.1", lambda x, weight, bias: x @ weight)
    assert repr(result).splitlines() == [
        "01.1 wrong: Your result is the sum of the products and nothing more: change `bias`, and no number of yours "
        "moves.",
        "  why: The weights alone give 0 for the input 0, whatever they are. The bias is the part of the sum that is "
        "there before any input speaks, and your code leaves it aside.",
        "  next: Call your function twice, with `bias` at 0 and at 100, and compare. Which symbol of the formula has "
        "no counterpart in your code?",
        "  input: x = [[2, 1]], weight = [3, -1], bias = 0.5",
        "  yours: [5]",
        '  hint: hint("01.1")',
    ]


def test_html_says_the_same_and_is_escaped():
    result = Result("01.1", "wrong", "a < b & c", shown=(("yours", "<script>"),))
    text = result._repr_html_()
    assert "a &lt; b &amp; c" in text
    assert "<script>" not in text
    assert 'role="status"' in text


def test_scores_are_kept_out_of_the_text_that_is_compared():
    result = Result("01.7", "right", "3 of 3.", scores="accuracy 0.97")
    assert "0.97" not in repr(result)
    assert "accuracy 0.97" in result._repr_html_()


# -- crashes ---------------------------------------------------------------------------------------


def test_crash_shows_the_learners_line_the_error_and_what_to_look_at():
    def fires(z, threshold):
        limit = threshold
        return z @ torch.ones(99) >= limit

    result = check("01.2", fires)
    first = fires.__code__.co_firstlineno
    assert result.kind == "crash"
    assert (
        f"line {first + 2} of your code, `return z @ torch.ones(99) >= limit`, stops with RuntimeError"
        in result.message
    )
    assert result.why.startswith("Two shapes do not fit together.")
    assert result.next.startswith("Write the two shapes side by side")
    assert "drive.py" not in repr(result)


def test_crash_inside_a_library_points_to_the_line_that_called_it():
    def fires(z, threshold):
        return np.linalg.inv(np.zeros((2, 3)))

    message = check("01.2", fires).message
    assert "`return np.linalg.inv(np.zeros((2, 3)))`" in message
    assert "LinAlgError" in message


def test_exception_whose_text_cannot_be_made_is_named_all_the_same():
    class Mute(Exception):
        def __str__(self):
            raise RuntimeError

    def fires(z, threshold):
        raise Mute

    assert "stops with Mute." in check("01.2", fires).message


def test_not_implemented_counts_as_not_attempted():
    def fires(z, threshold):
        raise NotImplementedError

    assert check("01.2", fires).status == "not attempted"


def test_wrong_number_of_arguments_names_both_lists():
    result = check("01.1", lambda x, weight: x @ weight)
    assert result.message == "`weighted_sum` is called with (x, weight, bias), but yours takes (x, weight)."


def test_renamed_arguments_are_fine():
    assert check("01.1", lambda a, b, c: a @ b + c).status == "right"


def test_failure_of_the_reference_is_never_blamed_on_the_learner():
    import dataclasses

    def broken(x, weight, bias):
        raise ZeroDivisionError

    exercise = dataclasses.replace(bank.get("01.1"), reference=(broken,))
    with pytest.raises(RuntimeError, match=r"the reference of 01\.1 fails"):
        diagnose.assess(exercise, {"weighted_sum": lambda x, w, b: x @ w + b})


# -- first failing property ------------------------------------------------------------------------


def test_missing_return_is_said():
    def weighted_sum(x, weight, bias):
        x @ weight + bias

    assert check("01.1", weighted_sum).message == "It came back as None."


def test_numpy_array_is_named():
    result = check("01.1", lambda x, weight, bias: (x @ weight + bias).detach().numpy())
    assert result.message == "It should be a torch tensor, and is a numpy array."


def test_shape_is_said_when_no_mistake_explains_it():
    result = check("01.1", lambda x, weight, bias: (x @ weight + bias)[None, :])
    assert result.kind == "shape"
    assert "should have the shape (1,)" in result.message
    assert "has (1, 1)" in result.message


def test_dtype_is_said():
    result = check("01.2", lambda z, threshold: (z >= threshold).float())
    assert result.kind == "dtype"
    assert "float64" in result.message


def test_lost_gradient_is_said():
    result = check("01.1", lambda x, weight, bias: x.detach() @ weight + bias)
    assert result.kind == "gradient"
    assert "No gradient reaches `x`" in result.message


def test_zeros_that_hang_on_nothing_are_right_where_every_slope_is_0():
    def drop(h, u, p, training):
        if training and p == 1:
            return torch.zeros_like(h)
        return torch.where(u >= p, h / (1 - p), 0.0) if training else h

    def without_asking(h, u, p, training):
        return torch.where(u >= p, h / (1 - p), 0.0) if training else h

    assert check("09.3", drop).status == "right"
    result = check("09.3", without_asking)
    assert result.kind == "gradient"
    assert "is nan with everything to be dropped" in result.message


def test_wrong_gradient_is_said_when_values_are_right():
    def weighted_sum(x, weight, bias):
        return (2 * x - x.detach()) @ weight + bias

    result = check("01.1", weighted_sum)
    assert result.kind == "gradient"
    assert "gradient by `x` is not right" in result.message


def test_nan_is_said():
    def dead_share(activations):
        return (activations.sum() * 0 / 0).mean()

    result = check("02.6", dead_share)
    assert result.kind == "finite"
    assert "nan" in result.message


def test_changed_argument_is_said_when_no_mistake_explains_it():
    def weighted_sum(x, weight, bias):
        z = x @ weight + bias
        weight.zero_()
        return z

    result = check("01.1", weighted_sum)
    assert result.kind == "mutated"
    assert "`weight` has changed" in result.message


def test_memory_between_calls_is_said():
    calls = []

    def fires(z, threshold):
        calls.append(1)
        return (z >= threshold).to(z.dtype) if len(calls) % 2 else torch.zeros_like(z)

    assert check("01.2", fires).kind == "impure"


@pytest.mark.parametrize(
    ("number", "answer", "used"),
    [
        (
            "02.1",
            lambda z, negative_slope=0.01: torch.nn.functional.leaky_relu(z, negative_slope),
            "leaky_relu",
        ),
        ("02.1", lambda z, negative_slope=0.01: torch.nn.LeakyReLU(negative_slope)(z), "leaky_relu"),
        ("02.2", lambda z: torch.sigmoid(z), "sigmoid"),
        ("02.2", lambda z: z.sigmoid(), "sigmoid"),
        ("02.2", lambda z: torch.special.expit(z), "expit"),
        ("02.3", lambda z, dim: torch.softmax(z, dim), "softmax"),
        ("02.3", lambda z, dim: z.softmax(dim), "softmax"),
        ("02.3", lambda z, dim: torch.nn.functional.softmax(z, dim=dim), "softmax"),
        ("02.3", lambda z, dim: torch.log_softmax(z, dim).exp(), "log_softmax"),
    ],
)
def test_ready_made_function_is_refused(number, answer, used):
    result = check(number, answer)
    assert (result.status, result.kind) == ("wrong", "forbidden")
    assert used in result.message


def test_autograd_is_refused_where_the_formula_is_asked_for():
    def by_autograd(function):
        def grad(z):
            x = z.clone().requires_grad_()
            return torch.autograd.grad(function(x).sum(), x)[0]

        return grad

    result = check("02.4", by_autograd(torch.sigmoid), by_autograd(torch.tanh), by_autograd(torch.relu))
    assert result.kind == "forbidden"
    assert "autograd.grad" in result.message


def test_mistake_is_still_named_when_something_else_is_wrong_as_well():
    def softmax(z, dim):
        e = torch.exp(z)
        e = e / e.sum(dim=dim, keepdim=True)
        z.add_(1)
        return e

    assert check("02.3", softmax).mistake == "does not shift"


def test_two_functions_wrong_names_a_mistake_of_the_first():
    result = check("02.4", lambda z: torch.sigmoid(z), lambda z: 1 - torch.tanh(z), lambda z: (z > 0).to(z.dtype))
    assert result.mistake == "returns the sigmoid itself"


def test_functions_in_another_order_are_sorted_by_name():
    sigmoid_grad, tanh_grad, relu_grad = as_a_learner("02.4")
    assert check("02.4", relu_grad, sigmoid_grad, tanh_grad).status == "right"


def test_one_empty_function_of_three_is_named():
    sigmoid_grad, tanh_grad, _ = as_a_learner("02.4")

    def relu_grad(z):
        """Say nothing."""
        ...

    result = check("02.4", sigmoid_grad, tanh_grad, relu_grad)
    assert repr(result).startswith("02.4 not attempted: write `relu_grad`,")


def test_case_says_its_own_sentence_when_it_fails_first():
    def softmax(z, dim):
        axis = dim if z.dim() < 3 else 0
        e = torch.exp(z - z.amax(dim=axis, keepdim=True))
        return e / e.sum(dim=axis, keepdim=True)

    result = check("02.3", softmax)
    assert result.message == "The result is not right yet with three axes, dim=1."
    assert result.next.startswith("Right for a table; with three axes")


# -- usage -----------------------------------------------------------------------------------------


def test_check_without_anything_says_what_it_needs():
    assert repr(check()) == 'check: it needs the exercise and your function: check("01.1", weighted_sum).'


def test_check_without_an_answer_says_what_it_needs():
    assert repr(check("01.1")) == '01.1 not attempted: pass your function too: check("01.1", weighted_sum).'


@pytest.mark.parametrize(("asked", "nearest"), [("01.9", "01."), ("1.1", "01.1"), ("02.33", "02.3"), ("", "0")])
def test_unknown_exercise_names_the_nearest(asked, nearest):
    text = repr(check(asked, lambda: 0))
    assert text.startswith(f"check: there is no exercise {asked!r}; the nearest is '{nearest}")


def test_unknown_variant_says_which_there_are():
    assert repr(check("01.5", lambda: 0, variant=7)) == "check: exercise 01.5 has the variants 0 to 3, not 7."


def test_class_number_and_network_are_no_functions():
    assert "the class Tensor came instead" in check("01.1", torch.Tensor).message
    assert "an object of type int" in check("01.1", 3).message
    assert "an object of type Linear" in check("02.7", torch.nn.Linear(64, 10)).message
    assert "takes one function" in check("01.1", check, check).message
    assert "takes 3 functions" in check("02.4", check).message


def test_hints_come_one_after_the_other():
    total = len(bank.get("02.3").hints)
    shown = [hint("02.3") for _ in range(total)]
    assert [h.number for h in shown] == [*range(1, total + 1)]
    assert repr(shown[0]).startswith(f"02.3 hint 1 of {total}: ")
    assert hint("02.3", 1).number == 1
    assert repr(hint()) == 'hint: which exercise? For example hint("01.1").'
    assert "nearest" in repr(hint("02.9"))


def test_history_holds_the_results_in_order():
    before = len(companion.checks.history)
    check("01.6", lambda sizes, bias=True: 0)
    check("01.6", *as_a_learner("01.6"))
    assert [r.status for r in companion.checks.history[before:]] == ["wrong", "right"]


def test_show_writes_numbers_shortly():
    assert show(torch.tensor([[0.0, 1.0], [5.0, -0.25]])) == "[[0, 1], [5, -0.25]]"
    assert show(torch.zeros(4, 5)) == "a tensor of shape (4, 5)"
    assert show(torch.zeros(0, 3)) == "an empty tensor of shape (0, 3)"
    assert show(1 / 3) == "0.3333"
    assert show([4, 3, 2]) == "[4, 3, 2]"
    assert show([torch.tensor([1.0, 2.0]), torch.zeros(4, 5)]) == "[[1, 2], a tensor of shape (4, 5)]"


# -- the driver ------------------------------------------------------------------------------------


def test_a_check_leaves_the_random_numbers_as_they_were():
    torch.manual_seed(1)
    np.random.seed(1)
    random.seed(1)
    expected = torch.rand(1).item(), np.random.rand(), random.random()
    torch.manual_seed(1)
    np.random.seed(1)
    random.seed(1)
    check("01.1", lambda x, weight, bias: x @ weight + bias + 0 * torch.rand(()) * np.random.rand())
    assert (torch.rand(1).item(), np.random.rand(), random.random()) == expected


def test_a_check_prints_nothing_of_the_learners(capsys):
    def fires(z, threshold):
        print("here", z)
        return (z >= threshold).to(z.dtype)

    assert check("01.2", fires).status == "right"
    assert capsys.readouterr().out == ""


def test_loop_that_swallows_every_exception_is_stopped(over):
    heard = []

    def deaf():
        while not over.is_set():
            try:
                time.sleep(0.001)
            except:  # noqa: E722
                heard.append(1)

    (trace,) = drive({"deaf": deaf}, [([Call("deaf")], 0)], timeout=0.2)
    assert not over.is_set(), "the check waited for the end of the loop"
    assert trace.crash is not None
    assert trace.crash.kind == "timeout"
    assert len(heard) > 1 or trace.crash.text == "stopped"


def test_call_that_cannot_be_interrupted_is_left_behind(over):
    def sleepy():
        over.wait()

    traces = drive({"sleepy": sleepy}, [([Call("sleepy")], 0)] * 2, timeout=0.1)
    assert not over.is_set(), "the check waited for the end of the call"
    assert [t.crash.kind for t in traces if t.crash] == ["timeout", "not reached"]


def test_drive_names_what_came_back():
    def many():
        return 1, 2.5, [1, 2], np.float64(3), torch.ones(2), "word"

    call = Call("many", returns=("a", "b", "c", "d", "e", "f"))
    (trace,) = drive({"many": many}, [([call], 0)], timeout=5)
    kinds = [trace.facts[f"{n}.type"] for n in "abcdef"]
    assert kinds == ["int", "float", "list", "numpy number", "tensor", "str"]
    assert set(trace.tensors) >= {"a", "b", "c", "d", "e"}
    assert "f" not in trace.tensors


def test_list_of_tensors_reads_as_a_list_of_numbers():
    call = Call("counts", returns=("counts",))
    (trace,) = drive({"counts": lambda: [torch.tensor(2), torch.tensor(0)]}, [([call], 0)], timeout=5)
    assert trace.tensors["counts"].tolist() == [2, 0]


def test_mistakes_counted_in_tensors_are_accepted():
    (train,) = as_a_learner("01.4")

    def counting_in_tensors(X, y, max_epochs):
        weight, bias, counts = train(X, y, max_epochs)
        return weight, bias, [torch.tensor(c) for c in counts]

    assert check("01.4", counting_in_tensors).status == "right"


def test_too_few_results_are_said():
    result = check("01.3", lambda x, target, weight, bias, lr: weight)
    assert result.message == "Return 2 things, weight, bias; it returned one tensor."
    result = check("01.4", lambda X, y, max_epochs: (X[0], y[0]))
    assert result.message == "Return 3 things, weight, bias, mistakes; it returned tuple of 2."


def test_a_variant_follows_its_parameter():
    xnor = as_a_learner("01.5", 1)[0]
    assert check("01.5", xnor, variant=1).status == "right"
    assert check("01.5", xnor).mistake == "computes xnor"


def test_gate_that_is_right_only_at_the_corners_is_told_where_it_flips():
    def gate_network():
        return torch.tensor([[1, 1], [1, 1]]), torch.tensor([-0.95, -1.95]), torch.tensor([1, -1]), -0.5

    result = check("01.5", gate_network)
    assert result.status == "wrong"
    assert "Right at the four corners, wrong nearby: at (" in result.message


def test_gate_with_integers_and_a_plain_number_is_right():
    def gate_network():
        return [[[1, 1], [1, 1]]], [0], [0], 0

    assert check("01.5", gate_network).status == "wrong"

    def with_integers():
        return torch.tensor([[2, 2], [2, 2]]), torch.tensor([-1, -3]), torch.tensor([2, -2]), -1

    assert check("01.5", with_integers).status == "right"


@pytest.mark.parametrize("depth", [6, 8])
def test_open_network_accepts_other_architectures(depth):
    class Residual(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.first = torch.nn.Linear(64, 32)
            self.inner = torch.nn.ModuleList(torch.nn.Linear(32, 32) for _ in range(depth - 1))
            self.last = torch.nn.Linear(32, 10)

        def forward(self, x):
            h = torch.relu(self.first(x))
            for layer in self.inner:
                h = h + torch.relu(layer(h))
            return self.last(h)

    assert check("02.7", lambda: Residual()).status == "right"


def test_open_network_says_what_crashes_inside_it():
    def make_network():
        return torch.nn.Sequential(torch.nn.Linear(64, 32), torch.nn.Linear(16, 10))

    result = check("02.7", make_network)
    assert result.kind == "crash"
    assert "mat1 and mat2" in result.message


def test_checks_import_no_plots_and_no_widgets():
    import subprocess
    import sys

    code = (
        "import sys; from companion.checks import check, bank; [bank.get(i) for i in bank.ids()];"
        "print(sorted({'matplotlib', 'ipywidgets', 'IPython', 'anywidget'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# -- lists of tensors, and what a network holds ------------------------------------------------------


def test_list_of_tensors_is_read_by_number_and_anything_else_stays_as_it_is():
    a, b, c = torch.zeros(2), torch.ones(3, 1), torch.tensor(4.0)
    found = routines.listed([a, [b, c], 5, "x"])
    assert {n: t.tolist() for n, t in found.items()} == {"1": [0, 0], "2.1": [[1], [1], [1]], "2.2": 4}
    assert routines.listed((a,))["1"] is not a
    assert routines.listed(None) is None
    assert routines.listed(a) is a


def test_plain_numbers_in_a_list_are_read_where_that_is_asked_for():
    found = routines.listed(([torch.zeros(2)], 2.5, "x"), True)
    assert {n: t.tolist() for n, t in found.items()} == {"1.1": [0, 0], "2": 2.5}
    assert list(routines.listed([torch.zeros(2), 2.5])) == ["1"]


class Counter:
    def __init__(self, start):
        self.count = start

    def step(self, by):
        self.count += by


@pytest.mark.parametrize(
    ("calls", "line"),
    [
        ([Call("Counter", (1, 2), ("start", "by"), keep="c")], "Counter(start, by)"),
        ([Call("Counter", (1,), keep="c"), Call("$c.step", (), ("by", "often"), returns=())], "step(by, often)"),
        ([Call("Counter", (), keep="c")], ""),
    ],
)
def test_call_that_is_not_accepted_is_kept_where_its_arguments_are_named(calls, line):
    crash = drive({"Counter": Counter}, [(calls, 0)], timeout=5)[0].crash
    assert (crash.kind, crash.line) == ("signature", line)


class Hoard(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(3, 2)
        self.layer.rows = [torch.zeros(5), {"more": torch.zeros(4, 2)}]
        self.twin = self.layer.weight
        self.register_buffer("mean", torch.zeros(3))

    def forward(self, x):
        return self.layer(x)


def test_every_number_that_a_network_holds_is_counted_once():
    assert routines.held(Hoard()).tolist() == [8, 5 + 8 + 3]
    with pytest.raises(TypeError, match=r"return the trained network, a torch\.nn\.Module"):
        routines.held(None)


def reading(number):
    """Return a network whose answer needs 12 numbers from outside, beside the parameters of a network in a list."""
    around, hidden, net = torch.zeros(3), {"more": [torch.zeros(2, 2)]}, torch.nn.Linear(3, 2)

    class Reader(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.nets = [net]
            self.before = partial(torch.add, other=torch.zeros(5))

        def forward(self, x):
            return self.nets[0](self.before(x) + around) if number else [v for v in (1,) if hidden]

    return Reader()


def test_what_a_network_reads_from_outside_is_counted():
    assert routines.held(reading(1)).tolist() == [8, 12]


def drive_listed(answer):
    calls = [Call("f", (), keep="made"), Call("@listed", ("$made",), returns=("made",))]
    return drive({"f": answer}, [(calls, 0)], timeout=5)[0]


def test_listed_result_is_of_the_kind_that_a_list_of_tensors_has():
    exercise = dataclasses.replace(bank.get("01.1"), returns=(bank.Out("made", "tensors"),))
    right = drive_listed(lambda: [torch.zeros(2)])
    assert guards._kinds(exercise, Case("x"), right, right) is None
    for answer, said in ((lambda: [None][0], "came back as None"), (lambda: torch.zeros(2), "list of torch tensors")):
        assert said in guards._kinds(exercise, Case("x"), drive_listed(answer), right).seen


def drive_named(answer, *args):
    """Return the trace of a function whose result is read as a dict of numbers."""
    return drive({"f": answer}, [([Call("f", args, tuple("abc"[: len(args)]), returns=("made",))], 0)], timeout=5)[0]


def test_dict_of_numbers_is_read_by_name_and_is_of_its_own_kind():
    exercise = dataclasses.replace(bank.get("01.1"), returns=(bank.Out("made", "named"),))
    right = drive_named(lambda: {"w": 2, "L": 0.5})
    assert {n: t.item() for n, t in right.tensors.items()} == {"made.w": 2.0, "made.L": 0.5}
    assert guards._kinds(exercise, Case("x"), right, right) is None
    assert diagnose._came(right, "made") == {"w": 2.0, "L": 0.5}
    for answer, said in (
        (lambda: [None][0], "came back as None"),
        (lambda: [1.0], "a dict with a number for each name"),
    ):
        assert said in guards._kinds(exercise, Case("x"), drive_named(answer), right).seen


def test_dict_that_is_handed_over_is_not_the_callers():
    given = {"w": [1.0], "v": []}

    def emptying(parts):
        n = len(parts) + len(parts["w"])
        parts["w"].clear()
        del parts["v"]
        return {"n": n}

    assert drive_named(emptying, given).tensors["made.n"].item() == 3
    assert given == {"w": [1.0], "v": []}


def walks_all_ways(parts, last):
    def ask(name, wanted):
        return 1.0 if name == wanted else sum(s * ask(part, wanted) for part, s in parts[name])

    return {name: ask(last, name) for name in parts}


def test_walk_over_all_ways_is_stopped_and_the_case_says_what_to_count():
    result = check("05.4", walks_all_ways, timeout=1.5)
    assert (result.status, result.kind) == ("wrong", "timeout")
    assert "2 to the 60 ways" in result.message
    assert result.next.startswith("Here you walk every way")
    assert "It should come there once" in result.next


def one_sweep_for_each_name(parts, last):
    slopes = {}
    for wanted in parts:
        by = {}

        def ask(name, wanted=wanted, by=by):
            if name not in by:
                by[name] = 1.0 if name == wanted else sum(s * ask(part) for part, s in parts[name])
            return by[name]

        slopes[wanted] = ask(last)
    return slopes


def as_many_sweeps_as_names(parts, last):
    slopes = dict.fromkeys(parts, 0.0)
    for _ in parts:
        arrived = {name: float(name == last) for name in parts}
        for name, made_from in parts.items():
            for part, slope in made_from:
                arrived[part] += slope * slopes[name]
        slopes = arrived
    return slopes


@pytest.mark.parametrize("answer", [one_sweep_for_each_name, as_many_sweeps_as_names])
def test_sweep_for_each_name_is_stopped_and_the_case_says_what_is_due(answer):
    result = check("05.4", answer, timeout=2.0)
    assert (result.status, result.kind) == ("wrong", "timeout")
    assert "40 layers of 45 values" in result.message
    assert result.next.startswith("One sweep uses every arrow once")


def uses_of_an_arrow(answer):
    """Return how often an answer looks at each arrow of a graph in layers, on average."""
    looked = []

    class Counted(list):
        def __iter__(self):
            looked.append(len(self))
            return super().__iter__()

    graph = one_sweep._layers(8, 10, seed=0)
    parts = {name: Counted(made_from) for name, made_from in graph["parts"].items()}
    answer(parts, graph["last"])
    return sum(looked) / sum(map(len, parts.values()))


@pytest.mark.parametrize("which", ["reference", *bank.get("05.4").alternatives])
def test_right_sweep_uses_an_arrow_a_few_times_and_so_stays_far_from_the_limit(which):
    exercise = bank.get("05.4")
    (answer,) = exercise.alternatives.get(which, exercise.reference)
    assert 0.5 < uses_of_an_arrow(answer) <= 3


@pytest.mark.parametrize("answer", [one_sweep_for_each_name, as_many_sweeps_as_names])
def test_sweep_for_each_name_uses_an_arrow_once_for_each(answer):
    assert uses_of_an_arrow(answer) > 20


# -- arguments that are lists and dicts -------------------------------------------------------------------


def emptying(parts, last):
    right = dict.fromkeys(parts, 0.0) | bank.get("05.4").reference[0](parts, last)
    for made_from in parts.values():
        made_from.clear()
    return right


def test_list_that_is_emptied_within_a_dict_is_told():
    exercise = bank.get("05.4")
    result = diagnose.assess(exercise, {"sweep": emptying}, ours=True)
    assert (result.status, result.kind) == ("wrong", "mutated")
    assert result.message == "`parts` has changed: your code writes into its argument."
    assert result.why.startswith("The caller still holds this dict")


@pytest.mark.parametrize(
    ("spoil", "same"),
    [
        (lambda a: a["w"].append(1), False),
        (lambda a: a.update(w=[("v", 2.0)]), False),
        (lambda a: a.update(u=[]), False),
        (lambda a: a["t"][0].add_(1), False),
        (lambda a: a.update(n=1), False),
        (lambda a: a.update(w=list(a["w"])), True),
        (lambda a: a["t"], True),
    ],
    ids=["grown", "replaced", "a new key", "a tensor within", "another kind", "an equal list", "only read"],
)
def test_what_a_dict_holds_is_compared_down_to_its_entries(spoil, same):
    given = {"w": [("v", 1.0)], "v": [], "t": [torch.tensor([float("nan"), 2.0])], "n": 1.0, "x": float("nan")}

    def answer(a):
        spoil(a)
        return {"made": 1.0}

    trace = drive_named(answer, given)
    assert ("changed" in trace.facts) is not same
    assert trace.facts.get("changed", "a") == "a"
