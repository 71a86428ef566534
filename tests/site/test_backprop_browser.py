"""The figures of chapter 05 in the browser: their numbers against the companion's over a grid, and what is theirs alone."""

from __future__ import annotations

from itertools import product

import pytest
import torch

from companion import figures
from companion.figures import backprop

pytestmark = pytest.mark.browser


# ---- slopes that come back


def test_backprop_graph_agrees_with_the_companion_at_every_step(open_page):
    controls = figures.backprop_graph().controls
    grid = list(product(backprop.GRAPHS, controls["w"].stops(5), controls["x"].stops(5)))
    seen = open_page().evaluate(
        """(grid) => grid.map(([graph, w, x]) => { const n = "backprop_graph";
          put(n, "graph", graph); put(n, "w", w); put(n, "x", x);
          const big = [...Array(11).keys()].slice(1).map((k) => { put(n, "step", k); return num(n, ".nfig-big"); });
          return [big, num(n, ".nfig-byw"), num(n, ".nfig-ways")]; })""",
        grid,
    )
    for (graph, w, x), (big, slope, ways) in zip(grid, seen):
        at = backprop.swept(graph, w, x)
        made = [node.name for node in backprop.GRAPHS[graph] if node.parents]
        expected = [at[name]["value"] for name in made] + [at[name]["gradient"] for name in reversed(made)]
        assert big == pytest.approx(expected, abs=1e-6)
        assert slope == pytest.approx(at["w"]["gradient"], abs=1e-6)
        assert ways == backprop.ways(graph)


def test_backprop_graph_shows_a_slope_only_when_it_has_arrived_and_says_when_it_is_not_whole(open_page):
    page = open_page()
    shown = page.evaluate(
        """() => { const n = "backprop_graph"; put(n, "graph", "skip");
          return [...Array(11).keys()].map((k) => { put(n, "step", k);
            const texts = [...fig(n).querySelectorAll(".nfig-right")].map((t) => t.textContent).filter(Boolean);
            return [texts.length, texts.filter((t) => t.includes("…")).length, fig(n).querySelectorAll(".nfig-inhand").length]; }); }"""
    )
    # L; then e; then s and t; then h and u, which waits for h; then u is whole; then w and x
    assert shown[5:] == [[1, 0, 1], [2, 0, 1], [4, 0, 2], [6, 1, 2], [6, 0, 1], [8, 0, 2]]
    assert [count for count, _, _ in shown[:5]] == [0] * 5


def test_backprop_graph_answer_holds_in_the_figure(open_page):
    page = open_page()
    figure = figures.backprop_graph()
    page.evaluate(
        """() => { const n = "backprop_graph"; put(n, "graph", "skip"); put(n, "w", -1); put(n, "x", 2); put(n, "step", 10); }"""
    )
    slope = page.evaluate("num('backprop_graph', '.nfig-byw')")
    assert (figure.right, slope) == (1, -12.0)
    assert "gets −12" in figure.answer
    assert "that of w is −12" in page.evaluate("say('backprop_graph')")


@pytest.mark.parametrize(
    ("graph", "w", "x"), [("neuron", 0.5, 2.0), ("meet", -1.25, 0.5), ("skip", -1.0, 2.0), ("double", 0.75, -1.5)]
)
def test_graphs_of_the_figure_are_pytorchs(graph, w, x):
    leaves = {"w": w, "x": x, "b": 0.0, "t": 1.0}
    values = {name: torch.tensor(v, dtype=torch.float64, requires_grad=True) for name, v in leaves.items()}
    for node in backprop.GRAPHS[graph]:
        if node.parents:
            a, *b = [values[p] for p in node.parents]
            made = {"tanh": torch.tanh, "relu": torch.relu, "²": torch.square}.get(node.operation)
            values[node.name] = made(a) if made else {"+": a.add, "−": a.sub, "·": a.mul}[node.operation](*b)
    (slope,) = torch.autograd.grad(values["L"], values["w"])
    assert backprop.swept(graph, w, x)["w"]["gradient"] == pytest.approx(slope.item(), abs=1e-12)


# ---- a small change that goes forward


def test_small_change_agrees_with_the_companion_over_the_grid(open_page):
    controls = figures.small_change().controls
    grid = list(product(("w", "a", "k"), controls["delta"].stops(9), controls["x"].stops(5)))
    seen = open_page().evaluate(
        """(grid) => grid.map(([turned, d, x]) => { const n = "small_change";
          put(n, "turned", turned); put(n, "turned by δ", d); put(n, "input x", x);
          return [".nfig-true", ".nfig-told", ".nfig-missed"].map((k) => num(n, k)); })""",
        grid,
    )
    for (turned, delta, x), (true, told, missed) in zip(grid, seen):
        by, predicted = backprop.changed(turned, x, delta)["L"], backprop.predicted(turned, x, delta)["L"]
        assert (true, told, missed) == pytest.approx((by, predicted, by - predicted), abs=1e-6)


def test_small_change_says_who_does_not_feel_it(open_page):
    page = open_page()
    page.evaluate("put('small_change', 'turned', 'a')")
    assert "u, s and h2 do not feel it" in page.evaluate("say('small_change')")
    idle = page.locator("[data-nfig=small_change] .nfig-wire.nfig-idle")
    assert idle.count() == 6  # of eight lines those from h1 to y and from y to the loss feel it


def test_small_change_is_dragged_and_moved_by_keys(open_page):
    page = open_page()
    handle = page.locator("[data-nfig=small_change] [role=slider]")
    handle.focus()
    before = page.evaluate("+ctl('small_change', 'turned by δ').value")
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("+ctl('small_change', 'turned by δ').value") == pytest.approx(before - 0.05)
    page.keyboard.press("End")
    assert page.evaluate("+ctl('small_change', 'turned by δ').value") == 1


def test_small_change_answer_holds(open_page):
    page = open_page()
    missed = page.evaluate(
        """() => [0.4, 0.2].map((d) => { put("small_change", "turned by δ", d); return Math.abs(num("small_change", ".nfig-missed")); })"""
    )
    assert 3 < missed[0] / missed[1] < 5
    assert figures.small_change().right == 1
    assert f"{missed[1]:.4f}" in figures.small_change().answer
