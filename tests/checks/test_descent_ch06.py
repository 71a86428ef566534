"""The exercises of chapter 6 but the last: what they hand out, their examples, and answers that look otherwise than ours."""

from __future__ import annotations

import dataclasses
import itertools
import math
import random

import numpy as np
import pytest
import torch

from companion.checks import bank, check, diagnose
from companion.checks.ch06_gradient_descent.e3_batches_of_an_epoch import batches
from companion.checks.ch06_gradient_descent.e3_mistakes import EPOCHS, FEW, UNEVEN
from companion.checks.ch06_gradient_descent.e4_how_noisy_is_a_batch import batch_noise
from companion.checks.ch06_gradient_descent.e5_mistakes import EXAMPLE, REGIMES
from companion.checks.counted import Product
from companion.checks.written import NotReadable, Number

# -- 06.1, a step -------------------------------------------------------------------------------------


def putting_new_ones_into_the_list(weights, slopes, lr):
    for k in range(len(weights)):
        weights[k] = weights[k] - lr * slopes[k]
    return weights


def putting_new_ones_into_the_slopes(weights, slopes, lr):
    for k in range(len(weights)):
        slopes[k] *= -lr
        slopes[k] += weights[k]
    return slopes


def test_step_that_replaces_tensors_in_the_list_is_told_like_one_that_writes_into_them():
    assert check("06.1", putting_new_ones_into_the_list).mistake == "writes into the lists that came in"


def test_step_that_writes_into_the_slopes_is_refused():
    result = check("06.1", putting_new_ones_into_the_slopes)
    assert (result.status, result.mistake) == ("wrong", "writes into the slopes")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda weights, slopes, lr: [w.clone() for w in weights], "Some weights have a slope that is not 0"),
        (lambda weights, slopes, lr: [w - lr for w in weights], "Some weights move the way in which the loss grows."),
        (
            lambda weights, slopes, lr: [(w - lr * g).flatten() for w, g in zip(weights, slopes)],
            "The list should hold one tensor for each",
        ),
    ],
    ids=["no step", "the rate alone", "flattened"],
)
def test_step_of_another_kind_is_told_by_a_property(answer, message):
    result = check("06.1", answer)
    assert (result.status, result.kind) == ("wrong", "property")
    assert result.message.startswith(message)


# -- 06.2, rates --------------------------------------------------------------------------------------


def moved(rate, hessian, steps):
    """Return by what the last of many steps multiplied the distance from the minimum, and that distance."""
    w = torch.ones(len(hessian), dtype=torch.float64)
    for _ in range(steps):
        before, w = w, w - rate * hessian @ w
    return (w.norm() / before.norm()).item(), w.norm().item()


def test_rates_are_what_the_steps_themselves_show():
    hessian = torch.tensor([[5.0, 2.0], [2.0, 2.0]], dtype=torch.float64)
    limit, best, factor = (number.item() for number in bank.get("06.2").reference[0](hessian))
    assert (round(limit, 4), round(best, 4), round(factor, 4)) == (0.3333, 0.2857, 0.7143)
    assert moved(0.99 * limit, hessian, 600)[1] < 0.01 < 100 < moved(1.01 * limit, hessian, 600)[1]
    assert moved(best, hessian, 80)[0] == pytest.approx(factor, abs=1e-6)
    assert all(moved(scale * best, hessian, 80)[0] > factor + 0.005 for scale in (0.97, 1.03))


def of_eigenvalues_as_they_come(flat, steep):
    def rates(hessian):
        found = torch.linalg.eigvals(hessian)
        low, high = found[flat], found[steep]
        return 2 / high, 2 / (low + high), (high - low) / (high + low)

    return rates


@pytest.mark.parametrize(("flat", "steep"), [(0, -1), (-1, 0)])
def test_eigenvalues_without_an_order_are_named_even_if_they_stay_complex(flat, steep):
    assert check("06.2", of_eigenvalues_as_they_come(flat, steep)).mistake == "takes the eigenvalues as they come"


def test_error_of_torch_that_something_is_not_implemented_is_not_taken_for_an_empty_function():
    def rates(hessian):
        found = torch.linalg.eigvals(hessian)  # complex, and complex numbers have no largest
        return 2 / found.max(), 2 / (found.min() + found.max()), found.max() / found.min()

    def later(hessian):
        raise NotImplementedError

    result = check("06.2", rates)
    assert (result.status, result.kind) == ("wrong", "crash")
    assert "NotImplementedError" in result.message
    assert check("06.2", later).status == "not attempted"


# -- 06.3, batches ------------------------------------------------------------------------------------


def shuffled(n, g):
    return torch.randperm(n, generator=g)


def whole_pieces(n, size, g):
    pieces = torch.arange(n).split(size)
    return [pieces[k] for k in shuffled(len(pieces), g)]


def with_a_floor(n, size, g):
    order = shuffled(n, g)
    return [order[k * size : (k + 1) * size] for k in range(n // size)]


def set_back(n, size, g):
    g.manual_seed(g.initial_seed())
    return list(shuffled(n, g).split(size))


def with_a_seed(n, size, g):
    torch.manual_seed(0)
    return list(torch.randperm(n).split(size))


def by_python(n, size, g):
    rows = list(range(n))
    random.shuffle(rows)
    return [torch.tensor(rows[k : k + size]) for k in range(0, n, size)]


def drawn_one_by_one(n, size, g):
    return [torch.randint(n, (min(size, n - k),), generator=g) for k in range(0, n, size)]


def always_full(n, size, g):
    return [shuffled(n, g)[:size] for _ in range(0, n, size)]


@pytest.mark.parametrize(
    ("answer", "mistake"),
    [
        (whole_pieces, "mixes whole batches only"),
        (with_a_floor, "drops the last short batch"),
        (set_back, "gives the same order at each call"),
        (with_a_seed, "gives the same order at each call"),
        (by_python, "does not draw from the generator"),
        (drawn_one_by_one, "draws with replacement"),
        (always_full, "draws a new order for each batch"),
        (lambda n, size, g: list(shuffled(n, g).chunk(size)), "makes as many batches as the size says"),
        (lambda n, size, g: list(shuffled(n, g).tensor_split(-(-n // size))), "deals the rows out evenly"),
    ],
)
def test_mistake_with_batches_in_another_form_is_named(answer, mistake):
    assert check("06.3", answer).mistake == mistake


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda n, size, g: list(torch.arange(n).flip(0).split(size)), "the rows of your batches are not mixed well"),
        (lambda n, size, g: [shuffled(n, g)], "every one but the last should have 3 rows"),
        (lambda n, size, g: [b.float() for b in shuffled(n, g).split(size)], "Each batch should be a tensor"),
        (lambda n, size, g: [b.tolist() for b in shuffled(n, g).split(size)], "Each batch should be a tensor"),
    ],
    ids=["backwards", "one batch", "decimal numbers", "plain lists"],
)
def test_batches_that_are_wrong_in_a_way_of_their_own_are_told_what_is_missing(answer, message):
    result = check("06.3", answer)
    assert (result.status, result.kind) == ("wrong", "value")
    assert message in result.message


def fixed(n):
    return torch.randperm(n, generator=torch.Generator().manual_seed(7))


def drawn_below(n, g):
    return int(torch.randint(n, (1,), generator=g))


def same_rows_together(n, size, g):
    pieces = fixed(n).split(size)
    return [pieces[k] for k in shuffled(n // size, g)] + list(pieces[n // size :])


def same_rows_in_another_order_within(n, size, g):
    return [piece[shuffled(len(piece), g)] for piece in fixed(n).split(size)]


def rolled(n, size, g):
    order, start = fixed(n).tolist(), drawn_below(n, g)
    order = order[start:] + order[:start]
    return [torch.tensor(order[k : k + size]) for k in range(0, n, size)]


def in_steps_of_one_length(n, size, g):
    few = n < 40  # with more rows a short step is refused as not mixed
    steps = [k for k in range(1, n + 1) if math.gcd(k, n) == 1 and (few or 6 < k < n - 6)]
    order = torch.arange(n) * steps[drawn_below(len(steps), g)] + drawn_below(n, g)
    return list((order % n).split(size))


def last_row_last(n, size, g):
    return list(torch.nn.functional.pad(shuffled(n - 1, g), (0, 1), value=n - 1).split(size))


def rest_set_aside(n, size, g):
    whole = n // size * size
    return [*shuffled(whole, g).split(size)] * (whole > 0) + [torch.arange(whole, n)] * (whole < n)


def exchanged(n, size, g, most, least=0):
    rows = torch.arange(n)
    for k in range(least, n):
        other = drawn_below(most(k, n), g)
        rows[k], rows[other] = rows[other].item(), rows[k].item()
    return list(rows.split(size))


@pytest.mark.parametrize(
    ("answer", "mistake"),
    [
        (same_rows_together, "draws the order of the batches only"),
        (same_rows_in_another_order_within, "draws the order of the batches only"),
        (rolled, "turns one order round"),
        (lambda n, size, g: list(torch.arange(n).roll(drawn_below(n, g)).split(size)), "turns one order round"),
        (in_steps_of_one_length, "goes through the rows in steps of one length"),
        (last_row_last, "leaves a row in its place"),
        (rest_set_aside, "leaves a row in its place"),
        (lambda n, size, g: exchanged(n, size, g, lambda k, n: k, 1), "lets no row stay in its place"),
        (lambda n, size, g: exchanged(n, size, g, lambda k, n: n), "prefers some orders"),
    ],
)
def test_epochs_that_are_right_one_by_one_and_not_drawn_alike_are_named(answer, mistake):
    exercise = bank.get("06.3")
    for seed in range(3):
        result = diagnose.assess(exercise, {"batches": answer}, seed=seed)
        assert (result.status, result.mistake) == ("wrong", mistake)


def test_half_of_the_orders_is_told_by_what_is_seen():
    def even(n, size, g):  # an even number of exchanges
        rows = shuffled(n, g)
        exchanges = sum(int((rows[:k] > rows[k]).sum()) for k in range(n)) if n < 40 else 0
        return list((rows[[1, 0, *range(2, n)]] if n > 1 and exchanges % 2 else rows).split(size))

    result = check("06.3", even)
    assert (result.status, result.kind, result.mistake) == ("wrong", "value", "")
    assert result.message.startswith(
        "With 6000 epochs of five rows in batches of two, some orders of the rows never come"
    )


def test_epoch_that_is_wrong_now_and_then_is_refused():
    def with_equal_keys(n, size, g):  # the place of each key among them: equal keys share one
        keys = torch.randint(1000, (n,), generator=g)
        return list((keys[:, None] > keys).sum(dim=1).split(size)) if n == 5 else batches(n, size, g)

    result = diagnose.assess(bank.get("06.3"), {"batches": with_equal_keys}, ours=True)
    assert (result.status, result.kind) == ("wrong", "value")
    assert "exactly once, and yours does not" in result.message


def test_order_drawn_by_chance_is_never_taken_for_one_that_is_not():
    # The check cannot know how an answer draws: what it calls mixed has to hold for every draw.
    exercise = bank.get("06.3")
    short = dataclasses.replace(exercise, cases=lambda seed: [c for c in exercise.cases(seed) if c.args["n"] != 5])
    for seed in range(100):
        assert diagnose.assess(short, {"batches": batches}, seed=seed, ours=True).status == "right"


def by_random_keys(n, size, g):
    keys = torch.randint(2**40, (n,), generator=g).tolist()
    return list(torch.tensor(sorted(range(n), key=keys.__getitem__)).split(size))


RIGHT_DRAWS = {"by random keys": by_random_keys, "by randperm": batches} | {
    name: functions[0] for name, functions in bank.get("06.3").alternatives.items()
}


@pytest.mark.parametrize("which", RIGHT_DRAWS)
def test_orders_that_come_alike_are_right_on_any_seed(which):
    exercise = bank.get("06.3")
    for seed in range(3):
        result = diagnose.assess(exercise, {"batches": RIGHT_DRAWS[which]}, seed=seed, ours=True)
        assert result.status == "right", result


def chance_above(limit, freedom):
    """Return the chance that a sum of squares of an odd number of normal numbers is above a limit."""
    term, total = math.sqrt(2 * limit / math.pi) * math.exp(-limit / 2), math.erfc(math.sqrt(limit / 2))
    for k in range(3, freedom + 1, 2):
        total, term = total + term, term * limit / k
    return total


def test_limit_for_uneven_orders_refuses_no_right_answer():
    assert chance_above(3.841, 1) == pytest.approx(0.05, abs=1e-4)
    assert chance_above(7.815, 3) == pytest.approx(0.05, abs=1e-4)
    assert chance_above(UNEVEN, math.factorial(FEW[0]) - 1) == pytest.approx(5.3e-15, rel=0.02)
    assert math.factorial(FEW[0]) * 50 == EPOCHS


# -- 06.4, noise --------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 3, 5, 6])
def test_noise_is_the_mean_over_all_batches_that_can_be_drawn(size):
    gradients = torch.randn(6, 4, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    means = [gradients[list(rows)].mean(dim=0) for rows in itertools.combinations(range(6), size)]
    apart = torch.stack(means) - gradients.mean(dim=0)
    torch.testing.assert_close(batch_noise(gradients, size), apart.square().sum(dim=1).mean().sqrt())


def test_noise_that_is_measured_by_draws_is_refused():
    def drawn(gradients, size):
        means = [gradients[torch.randperm(len(gradients))[:size]].mean(dim=0) for _ in range(500)]
        return (torch.stack(means) - gradients.mean(dim=0)).square().sum(dim=1).mean().sqrt()

    assert (check("06.4", drawn).status, check("06.4", drawn).kind) == ("wrong", "touched")


# -- 06.5, steps --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", REGIMES)
def test_number_of_steps_is_that_of_a_loop(name):
    regime, steps = REGIMES[name], 0
    w = regime.start
    while abs(w) <= regime.times * regime.start if regime.runs_away else abs(w) >= regime.start / regime.times:
        w, steps = w - regime.rate * regime.curvature * w, steps + 1
    assert steps == regime.steps()
    exact = regime.exactly(regime.factor)
    assert 0.05 < exact - math.floor(exact) < 0.95  # no rounding decides


@pytest.mark.parametrize("variant", range(len(REGIMES)))
def test_number_of_the_example_is_named(variant):
    exercise = bank.get("06.5", variant)
    assert f"`answer_06_5 = {EXAMPLE}`" in exercise.statement
    assert check("06.5", EXAMPLE, variant=variant).mistake == "hands in the number of the example"
    assert check("06.5", str(EXAMPLE), variant=variant).mistake == "hands in the number of the example"


@pytest.mark.parametrize(
    "answer",
    [
        torch.tensor(40),
        torch.tensor(39.6).ceil(),
        torch.tensor(39.6, requires_grad=True).ceil(),
        (torch.tensor(40), ""),
        np.float64(40),
        np.array(40),
    ],
    ids=str,
)
def test_number_in_a_tensor_or_an_array_without_axes_is_read(answer):
    assert check("06.5", answer).status == "right"


def test_number_in_a_tensor_is_read_by_every_exercise_of_this_kind():
    timed = Number(12.5, "ms", {"s": 1000.0})
    for answer in ((torch.tensor(12.5), "ms"), [torch.tensor(0.0125, dtype=torch.float64), "s"], ("12.5", "ms")):
        assert timed.read(answer).tensors["answer"].item() == 12.5
    with pytest.raises(NotReadable, match="give the unit too, one of ms, s"):
        timed.read(torch.tensor(12.5))


def test_number_in_a_tensor_that_is_not_rounded_is_told_so():
    assert check("06.5", torch.tensor(39.6)).mistake == "does not round"


@pytest.mark.parametrize(
    "answer",
    [torch.tensor([40]), torch.tensor(True), torch.tensor(40 + 0j), torch.tensor(40.0, device="meta"), np.array("x")],
    ids=["with an axis", "truth value", "complex", "meta", "word"],
)
def test_tensor_that_is_no_number_cannot_be_read(answer):
    result = check("06.5", answer)
    assert (result.status, result.kind) == ("wrong", "unreadable")
    assert "a number is wanted, such as 3.7" in result.message


@pytest.mark.parametrize("answer", ["40 steps", (40, "steps"), (torch.tensor(40), "steps")], ids=str)
def test_unit_where_there_is_none_is_told_in_a_whole_sentence(answer):
    result = check("06.5", answer)
    assert (result.status, result.kind) == ("wrong", "unreadable")
    assert result.message == (
        "It cannot be read as an answer: this question has no units, and the number alone is wanted, without 'steps'."
    )


def test_variants_are_in_the_regime_that_they_are_called():
    assert {n: round(r.factor, 3) for n, r in REGIMES.items()} == {
        "swinging": -0.84,
        "creeping": 0.97,
        "diverging": -1.15,
        "right": 0.4,
    }


# -- 06.6, sharpness ----------------------------------------------------------------------------------


def test_product_counts_its_calls_and_refuses_a_table():
    times = Product(torch.tensor([[1.0, 2.0], [2.0, -3.0]]))
    assert times(torch.tensor([1.0, 1.0], dtype=torch.float64)).tolist() == [3.0, -1.0]
    assert times.asked()["calls"] == 1
    for wrong in (torch.eye(2), torch.tensor([1, 2]), None, [1.0, 2.0]):
        with pytest.raises(ValueError, match=r"times: v expected a vector of shape \(2,\)"):
            times(wrong)
    assert times.asked()["calls"] == 1


def iterated(product, n, steps, g):
    v = torch.randn(n, generator=g)
    for _ in range(steps):
        v = product(v)
        v = v / v.norm()
    return v


def by_the_quotient(times, n, steps, g):
    v = iterated(times, n, steps, g)
    size = (v @ times(v)).abs()
    v = iterated(lambda u: times(u) + size * u, n, steps, g)
    return (v @ times(v)).item()


def without_sign(times, n, steps, g):
    v = iterated(times, n, steps, g)
    return (v @ times(v)).abs()


def one_long_round(times, n, steps, g):
    v = torch.randn(n, generator=g)
    for _ in range(steps):
        v = times(v)
    return v @ times(v) / (v @ v)


def column_by_column(times, n, steps, g):
    table = torch.zeros(n, n)
    for k in range(n):
        unit = torch.zeros(n)
        unit[k] = 1
        table[:, k] = times(unit)
    return torch.linalg.eigvalsh(table).max()


def from_the_shared_generator(times, n, steps, g):
    return by_the_quotient(times, n, steps, torch.default_generator)


@pytest.mark.parametrize(
    ("answer", "mistake"),
    [
        (without_sign, "returns the size"),
        (one_long_round, "never makes the vector short again"),
        (column_by_column, "builds the whole table"),
        (from_the_shared_generator, "does not draw from the generator"),
    ],
)
def test_mistake_with_sharpness_in_another_form_is_named(answer, mistake):
    assert check("06.6", answer).mistake == mistake


def test_sharpness_by_the_quotient_is_right_on_any_seed():
    assert check("06.6", by_the_quotient).status == "right"
    exercise = bank.get("06.6")
    for seed in range(20):
        assert diagnose.assess(exercise, {"sharpness": by_the_quotient}, seed=seed).status == "right"


def test_a_table_in_place_of_a_vector_is_told_with_the_line():
    result = check("06.6", lambda times, n, steps, generator: times(torch.eye(n)))
    assert result.kind == "crash"
    assert (
        "times: v expected a vector of shape (2,) with decimal numbers, got a tensor of shape (2, 2)" in result.message
    )


@pytest.mark.parametrize("answer", [float("inf"), float("nan")], ids=str)
@pytest.mark.parametrize("variant", range(4))
def test_number_that_is_not_finite_is_refused_and_told_so(answer, variant):
    result = check("06.5", answer, variant=variant)
    assert result.status == "wrong"
    assert "infinite, or no number at all" in result.message
    assert check("06.5", -float("inf"), variant=variant).status == "wrong"
