"""The figures of chapter 08 in the browser: slopes of random networks against the companion's."""

from __future__ import annotations

import math
from itertools import product

import pytest

from companion import figures
from companion.figures.challenges import STARTS, TIMES, WIDTHS, Net, measured, predicted, share_of_first

pytestmark = pytest.mark.browser


def put(page, name, **values):
    """Set controls by their names."""
    labels = {key: control.label for key, control in getattr(figures, name)().controls.items()}
    for key, value in values.items():
        page.evaluate("([name, label, v]) => put(name, label, v)", [name, labels[key], value])


# ---- where a slope vanishes

READ = """([grid, labels]) => grid.map((state) => { const n = "gradient_flow";
  labels.forEach((label, i) => { if (ctl(n, label).value !== String(state[i])) put(n, label, state[i]); });
  return [".nfig-told", ".nfig-found"].map((k) => fig(n).querySelector(k).dataset.v.split(" ").map(Number)); })"""


def flowed(page, grid):
    """Return the predicted and the measured line for each activation, start, factor, depth, width, kind and network."""
    labels = [control.label for control in figures.gradient_flow().controls.values()]
    return page.evaluate(READ, [[list(state) for state in grid], labels])


def chaotic(net):
    """Say whether a difference in the last digit grows on its way, so that two machines end in two networks."""
    return net.activation == "tanh" and net.std**2 * net.width > 1.6 and net.depth > 5


def test_gradient_flow_agrees_with_the_companion_over_the_grid_of_all_controls(open_page):
    cases = [
        (activation, start, times, depth, width, seed)
        for activation, start, times, (depth, width) in product(
            ("sigmoid", "tanh", "relu", "linear"), STARTS, (0, 5, 8, 12), ((2, 2), (5, 2), (40, 0), (23, 1))
        )
        for seed in ((1, 20) if width < 2 else (3,))
    ]
    kinds = ("weights", "sums", "forward")
    grid = [(*case[:5], kinds[i % 3], case[5]) for i, case in enumerate(cases)]
    strict = 0
    for (activation, start, times, depth, width, kind, seed), (told, found) in zip(grid, flowed(open_page(), grid)):
        net = Net(activation, start, TIMES[times], depth, WIDTHS[width])
        assert told == pytest.approx(getattr(predicted(net), kind), rel=1e-6, abs=0), net
        own = getattr(measured(net, seed), kind)
        if chaotic(net):
            apart = [abs(math.log10(a / b)) for a, b in zip(found, own)]
            assert max(apart) < 3, net
            continue
        strict += 1
        assert found == pytest.approx(own, rel=1e-6, abs=0), (net, seed, kind)
    assert strict > 400


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({}, "20 layers of 100, sigmoid, Xavier: layer 1 has 2.1e−12 of the last layer's slope by its weights"),
        ({}, "On the way back a layer multiplies the slope by 0.23 (predicted 0.23)."),
        ({}, "changes it by 1.1e−14: float32 rounds that away, and the layer stands still."),
        ({"activation": "relu", "start": "he"}, "a step at the rate 0.1 changes it by"),
        ({"activation": "relu", "start": "large"}, "a step at the rate 0.1 would throw them about."),
        ({"activation": "relu", "start": "torch", "shown": "forward"}, "the sums of layer 20 have 4.9e−15 of the mean square of layer 1, predicted 1.6e−15"),
        ({"shown": "sums"}, "of the last layer's slope by its sums"),
        ({"times": 8}, "Xavier times 2: layer 1"),
    ],
)  # fmt: skip
def test_gradient_flow_says_in_words_what_arrives(open_page, state, said):
    page = open_page()
    put(page, "gradient_flow", **state)
    assert said in page.evaluate("say('gradient_flow')")


@pytest.mark.parametrize(
    ("state", "head", "shaded"),
    [
        ({}, "slopes vanish", 0),
        ({"activation": "tanh"}, "slopes arrive", 0),
        ({"activation": "relu", "start": "large"}, "slopes explode", 0),
        ({"activation": "tanh", "start": "small", "depth": 40, "shown": "forward"}, "slopes vanish", 1),
    ],
)
def test_gradient_flow_names_the_case_and_shades_what_float32_cannot_hold(open_page, state, head, shaded):
    page = open_page()
    put(page, "gradient_flow", **state)
    assert page.locator("[data-nfig=gradient_flow] .nfig-big").inner_text() == head
    assert page.locator("[data-nfig=gradient_flow] svg rect.nfig-side-b").count() == shaded


def test_gradient_flow_task_is_solved_in_the_figure(open_page):
    figure, page = figures.gradient_flow(), open_page()
    seen = {}
    for depth in range(2, 41):
        put(page, "gradient_flow", depth=depth)
        seen[depth] = page.evaluate("num('gradient_flow', '.nfig-share')")
    first = next(depth for depth, share in seen.items() if share <= 1e-6)
    assert figure.guesses[figure.right] == f"at about {first} layers"
    assert seen[20] == pytest.approx(share_of_first(measured(Net(), 1)))
