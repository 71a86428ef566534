"""The figures of chapter 07 in the browser: six paths against PyTorch's and the companion's, schedules by the lines that they show."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from built import put

from companion import figures, lr_scheduler, optim
from companion.figures.optimizers import (
    GROUNDS,
    METHODS,
    RACE,
    RATES,
    SCHEDULES,
    SHARES,
    Plan,
    best_constant,
    best_rate,
    expected,
    left_at,
    loss_on,
    noisy,
    race_path,
    rates_of,
)

pytestmark = pytest.mark.browser
SHOWN = ("optimizer_race", "schedule_designer")

START = (-3.4, 1.4)


# ---- six optimizers from one start

READ = """([grid, labels, methods]) => grid.map((state) => { const n = "optimizer_race";
  labels.forEach((label, i) => { if (ctl(n, label).value !== String(state[i])) put(n, label, state[i]); });
  return methods.map((m) => { const d = fig(n).querySelector(`.nfig-${m}`).dataset; return [+d.v, ...d.w.split(" ").map(Number), +d.rate, +d.gone]; }); })"""


def raced(page, grid):
    """Return loss, place, rate and the step of running away of each method, for each surface, rates, rate, mu, start and step."""
    controls = figures.optimizer_race().controls
    labels = [controls[key].label for key in ("surface", "rates", "rate", "mu", "w1", "w2", "step")]
    return page.evaluate(READ, [grid, labels, list(METHODS)])


def test_optimizer_race_agrees_with_the_companion_over_the_grid_of_all_controls(open_page):
    starts = ((-4.0, -3.0), START, (2.0, 0.3))
    grid = [
        (kind, "same", rate, mu, *start, step)
        for kind, rate, mu, start, step in product(GROUNDS, (0, 9, 14, 20), (0.0, 0.5, 0.95), starts, (0, 1, 30, RACE))
    ]
    gone = set()
    for (kind, _, rate, mu, *start, step), seen in zip(grid, raced(open_page(), grid)):
        for method, (loss, *w, lr, left) in zip(METHODS, seen):
            path = race_path(kind, tuple(start), method, lr=RATES[rate], momentum=mu)
            k = min(step, len(path) - 1)
            case = (kind, method, RATES[rate], mu, start, step)
            assert w == pytest.approx(path[k], abs=1e-6, rel=1e-6), case
            assert loss == pytest.approx(max(0, loss_on(kind, *path[k])), abs=1e-6, rel=1e-6), case
            assert (lr, left) == (RATES[rate], left_at(path[: k + 1])), case
            gone.add(left > 0)
    assert gone == {False, True}
    assert len(grid) == 5 * 4 * 3 * 3 * 4


@pytest.mark.parametrize("library", [torch.optim, optim])
def test_optimizer_race_walks_as_the_librarys_optimizers(open_page, library):
    made = {
        "sgd": lambda w, lr: library.SGD(w, lr=lr),
        "momentum": lambda w, lr: library.SGD(w, lr=lr, momentum=0.9),
        "nesterov": lambda w, lr: library.SGD(w, lr=lr, momentum=0.9, nesterov=True),
        "adagrad": lambda w, lr: library.Adagrad(w, lr=lr),
        "rmsprop": lambda w, lr: library.RMSprop(w, lr=lr),
        "adam": lambda w, lr: library.Adam(w, lr=lr),
    }
    cases = list(product(GROUNDS, (6, 14)))
    steps = range(RACE + 1)
    seen = raced(open_page(), [(kind, "same", rate, 0.9, *START, k) for kind, rate in cases for k in steps])
    for i, (kind, rate) in enumerate(cases):
        shown = torch.tensor(seen[i * len(steps) : (i + 1) * len(steps)], dtype=torch.float64)[:, :, 1:3]
        for m, method in enumerate(METHODS):
            w = torch.tensor(START, dtype=torch.float64, requires_grad=True)
            by = made[method]([w], RATES[rate])
            for k in steps:
                torch.testing.assert_close(shown[k, m], w.detach(), atol=1e-6, rtol=0)
                by.zero_grad()
                loss_on(kind, w[0], w[1]).backward()
                by.step()


def test_optimizer_race_finds_the_companions_best_rate_for_each(open_page):
    starts = (START, (3.0, -2.0))
    grid = [(kind, "best", 14, mu, *start, RACE) for kind, mu, start in product(GROUNDS, (0.3, 0.9), starts)]
    for (kind, _, _, mu, *start, _), seen in zip(grid, raced(open_page(), grid)):
        rates = [best_rate(kind, tuple(start), method, mu) for method in METHODS]
        assert [lr for *_, lr, _ in seen] == rates, (kind, mu, start)


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({}, "after 30 steps at η = 0.2: RMSProp 2.46e−23, Nesterov 0.010, Momentum 0.031, Adam 0.061, SGD 0.172"),
        ({"step": 0}, "From (−3.4, 1.4), where the loss is 2.538, no step is taken yet."),
        ({"step": 1}, "after 1 step at"),
        (
            {"rate": 20, "step": 12},
            "SGD runs away at step 2. Momentum runs away at step 2. Nesterov runs away at step 1.",
        ),
        ({"surface": "turned"}, "SGD 0.171, Adagrad 0.472."),
        ({"surface": "plateau", "step": 60}, "SGD 1.991."),
        ({"rates": "best", "step": 60}, "after 60 steps each at the best of 21 rates for 60 steps: RMSProp (η = 2)"),
    ],
)
def test_optimizer_race_says_in_words_who_is_where(open_page, state, said):
    page = open_page()
    put(page, "optimizer_race", **state)
    assert said in page.evaluate("say('optimizer_race')")


def test_optimizer_race_shows_and_names_only_those_that_are_ticked(open_page):
    page = open_page()
    head, box = page.locator("[data-nfig=optimizer_race] .nfig-big"), page.locator("[data-nfig=optimizer_race]")
    paths = "fig('optimizer_race').querySelector('svg svg').querySelectorAll('path[style*=dasharray]').length"
    assert (head.inner_text(), page.evaluate(paths)) == ("RMSProp is ahead", 6)
    box.get_by_role("checkbox", name="RMSProp").uncheck()
    assert (head.inner_text(), page.evaluate(paths)) == ("Nesterov is ahead", 5)
    assert "RMSProp" not in page.evaluate("say('optimizer_race')")
    for name in ("SGD", "Momentum", "Nesterov", "Adagrad", "Adam"):
        box.get_by_role("checkbox", name=name, exact=True).uncheck()
    assert (head.inner_text(), page.evaluate(paths)) == ("no method is chosen", 0)


def test_optimizer_race_tells_methods_apart_without_colour(open_page):
    page = open_page()
    looks = page.evaluate(
        """() => [...fig("optimizer_race").querySelectorAll("label svg")].map((svg) => { const [line, mark] = svg.children;
          return [line.style.strokeDasharray, mark.getAttribute("d"), getComputedStyle(line).stroke]; })"""
    )
    assert len(looks) == 6
    assert [len(set(column)) for column in zip(*looks)] == [6, 6, 6]


def test_optimizer_race_rate_rests_where_each_has_its_best(open_page):
    page = open_page()
    assert not page.evaluate("ctl('optimizer_race', 'learning rate').disabled")
    put(page, "optimizer_race", rates="best")
    assert page.evaluate("ctl('optimizer_race', 'learning rate').disabled")


def test_optimizer_race_start_is_dragged_and_moved_by_keys(open_page):
    page = open_page()
    svg = page.locator("[data-nfig=optimizer_race] svg.nfig-svg").first
    svg.scroll_into_view_if_needed()
    ball = page.locator("[data-nfig=optimizer_race] .nfig-handle circle").last.bounding_box()
    x, y = ball["x"] + ball["width"] / 2, ball["y"] + ball["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 40, y + 30, steps=3)
    page.mouse.up()
    read = "['w₁', 'w₂'].map((w) => +ctl('optimizer_race', `start ${w}`).value)"
    w1, w2 = page.evaluate(read)
    assert -3.1 < w1 < -1.8
    assert 0.4 < w2 < 1.1
    svg.focus()
    for key in ("ArrowRight", "ArrowUp", "ArrowDown", "ArrowDown", "ArrowLeft", "ArrowLeft"):
        page.keyboard.press(key)
    assert page.evaluate(read) == pytest.approx([w1 - 0.1, w2 - 0.1])


def test_optimizer_race_answer_holds_in_the_figure(open_page):
    figure, page = figures.optimizer_race(), open_page()
    seen = []
    for kind in ("valley", "turned"):
        put(page, "optimizer_race", surface=kind)
        seen.append(
            page.evaluate(
                f"{list(METHODS)}.map((m) => fig('optimizer_race').querySelector(`.nfig-${{m}}`).textContent)"
            )
        )
    for label, before, after in zip(METHODS.values(), *seen):
        assert f"{label} from {before} to {after}" in figure.answer


# ---- a rate over time


def drawn(page, plans):
    """Return rates, the two parts of the loss at the end, that of a constant rate, the best constant rate, and the line of code."""
    keys = ("kind", "base", "steps", "warm", "drops", "share")
    labels = [figures.schedule_designer().controls[key].label for key in keys]
    states = [[*plan[:-1], SHARES.index(plan.share)] for plan in plans]
    return page.evaluate(
        """([states, labels]) => states.map((state) => { const n = "schedule_designer";
          labels.forEach((label, i) => { if (ctl(n, label).value !== String(state[i])) put(n, label, state[i]); });
          return [fig(n).querySelector(".nfig-rates").dataset.v.split(" ").map(Number), ["way", "cloud", "still", "best"].map((k) => num(n, `.nfig-${k}`)),
            fig(n).querySelector("code").textContent]; })""",
        [states, labels],
    )


PLANS = [
    Plan(kind, base, steps, warm, drops, share)
    for kind, base, steps, warm, (drops, share) in product(
        SCHEDULES, (0.05, 0.5, 2.4), (40, 180, 400), (0, 0.15, 0.5), ((1, 0.001), (4, 0.05), (6, 1.0))
    )
]


def test_schedule_designer_agrees_with_the_companion_over_the_grid_of_all_controls(open_page):
    for plan, (rates, numbers, _) in zip(PLANS, drawn(open_page(), PLANS)):
        assert rates == pytest.approx(rates_of(plan), abs=1e-6), plan
        still = sum(expected([plan.base] * plan.steps)[-1])
        wanted = [*expected(rates_of(plan))[-1], still, best_constant(plan.steps)[1]]
        assert numbers == pytest.approx(wanted, abs=1e-6, rel=1e-6), plan


@pytest.mark.filterwarnings("ignore:The epoch parameter in `scheduler.step:UserWarning")
def test_schedule_designer_shows_the_line_that_makes_its_rates(open_page):
    seen = drawn(open_page(), PLANS)
    for library, (plan, (rates, _, line)) in product((torch.optim.lr_scheduler, lr_scheduler), zip(PLANS, seen)):
        if line.startswith("no schedule"):
            assert line == f"no schedule: SGD(parameters, lr={plan.base:g})"
            assert set(rates) == {plan.base}
            continue
        optimizer, after, found = torch.optim.SGD([torch.zeros(1)], lr=plan.base), noisy(), []
        schedule = eval(line, {**vars(library), "optimizer": optimizer})
        for _ in range(plan.steps):
            found.append(optimizer.param_groups[0]["lr"])
            loss = sum(after(found[-1]))
            optimizer.step()
            if len(found) < plan.steps:
                schedule.step(loss) if plan.kind == "plateau" else schedule.step()
        assert rates == pytest.approx(found, abs=1e-6), line
    assert len({line for _, _, line in seen}) > 200


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (
            {},
            "Step: the rate rises for 20 steps to 0.50 and ends with 0.005. After 200 steps the expected loss is 0.0210.",
        ),
        ({}, "More of it is noise than is left of the way. A constant 0.15 ends lower, at 0.0204."),
        ({"kind": "cosine"}, "No constant rate ends as low: the best, 0.15, ends at 0.0204."),
        (
            {"kind": "constant", "warm": 0, "base": 0.05},
            "More of it is left of the way than is noise: the rate is small too early",
        ),
        ({"kind": "constant", "warm": 0, "base": 0.15}, "A constant 0.15 ends as low, at 0.0204."),
        (
            {"kind": "cosine", "base": 2.2},
            "For 38 steps the rate is above 2/λmax = 2, where the steepest direction grows.",
        ),
    ],
)
def test_schedule_designer_says_in_words_what_the_schedule_does(open_page, state, said):
    page = open_page()
    put(page, "schedule_designer", **state)
    assert said in page.evaluate("say('schedule_designer')")


def test_schedule_designer_marks_the_limit_where_it_is_near_and_rests_what_has_no_part(open_page):
    page = open_page()
    limit = "fig('schedule_designer').querySelectorAll('svg .nfig-wrong').length"
    for base, count in ((0.5, 0), (1.9, 1), (2.4, 1)):
        put(page, "schedule_designer", base=base)
        assert page.evaluate(limit) == count
    rests = "['number of drops', 'last rate', 'warm-up'].map((l) => ctl('schedule_designer', l).disabled)"
    for kind, wanted in (
        ("step", [False, False, False]),
        ("cosine", [True, False, False]),
        ("constant", [True, True, False]),
        ("plateau", [False, False, True]),
    ):
        put(page, "schedule_designer", kind=kind)
        assert page.evaluate(rests) == wanted


def test_schedule_designer_answer_holds_in_the_figure(open_page):
    figure, page = figures.schedule_designer(), open_page()
    ends = {}
    for kind, name in SCHEDULES.items():
        put(page, "schedule_designer", kind=kind)
        ends[name] = page.locator("[data-nfig=schedule_designer] .nfig-big").inner_text().removeprefix("ends at ")
        noise = page.evaluate("num('schedule_designer', '.nfig-cloud')")
        assert f"{name} {ends[name]}, of which {noise:.4f} noise" in figure.answer
    assert min(ends, key=ends.get) in figure.guesses[figure.right]
