"""The figures of chapter 11 in the browser: every number against the companion, and what a hand can do with them."""

from __future__ import annotations

from itertools import product

import pytest
from built import put

from companion import figures
from companion.figures.scores import (
    GRAIN,
    NAMES,
    by_formula,
    cheapest,
    cost,
    counted,
    judged,
    measured,
    one_in,
    scores,
)

pytestmark = pytest.mark.browser

# ---- a line through the scores

LINE = """([grid, labels, keys]) => grid.map((state) => { const n = "threshold_metrics";
  labels.forEach((label, i) => { if (ctl(n, label).value !== String(state[i])) put(n, label, state[i]); });
  return [num(n, ".nfig-big"), ...keys.map((k) => num(n, `.nfig-of-${k}`))]; })"""


def test_threshold_metrics_agrees_with_the_companion_over_a_grid_of_all_controls(open_page):
    labels = [control.label for control in figures.threshold_metrics().controls.values()]
    grid = list(product((0, 0.09, 0.16, 0.5, 0.725, 0.985, 1), (1, 10, 50), range(len(one_in()))))
    keys = ["tp", "fn", "fp", "tn", *NAMES, "best", "formula"]
    for state, found in zip(grid, open_page().evaluate(LINE, [[list(one) for one in grid], labels, keys])):
        line, missed, prevalence = round(GRAIN * state[0]), state[1], 1 / one_in()[state[2]]
        now = judged(line, prevalence)
        due = [cost(line, prevalence, missed), *counted(line, prevalence), *(now[name] for name in NAMES)]
        due += [cheapest(prevalence, missed) / GRAIN, by_formula(prevalence, missed)]
        assert found == pytest.approx(due, abs=1e-9), state


@pytest.mark.parametrize("line", [0, 0.16, 0.5, 1])
def test_threshold_metrics_rings_who_is_called_wrongly(open_page, line):
    page = open_page()
    put(page, "threshold_metrics", line=line)
    crowd = page.locator("[data-nfig=threshold_metrics] svg.nfig-svg").first
    ill, healthy = scores()
    below, above = sum(v < GRAIN * line for v in ill), sum(v >= GRAIN * line for v in healthy)
    assert crowd.locator(".nfig-wrong").count() == below + above
    assert crowd.locator(".nfig-dot-b").count() == len(ill)
    assert crowd.locator(".nfig-dot-a").count() == len(healthy)
    assert crowd.get_attribute("aria-label").endswith(f": {below} ill below the line, {above} healthy above")


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({}, "Line at 0.5, 1 in 2.7 ill. Of 1,000 people 374 are ill: 251 are found, 123 missed; 82 of the healthy are alarmed. Of those called ill 0.75 are. At 10 : 1 this costs 1.31 a person; the least is 0.33, at 0.16."),
        ({"line": 0.16}, "no line costs less."),
        ({"line": 1}, "Nobody is called ill, so precision is 0/0, by agreement 0."),
        ({"line": 0}, "374 are found, 0 missed; 626 of the healthy are alarmed."),
        ({"missed": 1}, "At 1 : 1 this costs"),
        ({"place": 3}, "Where it was measured: accuracy 0.80, precision 0.75, F1 0.71, Matthews 0.56, average precision 0.80; the others are the same."),
        ({"place": 0}, "Of 1,000 people 1 are ill: 0.7 are found, 0.3 missed;"),
    ],
)  # fmt: skip
def test_threshold_metrics_says_in_words_what_comes_of_it(open_page, state, said):
    page = open_page()
    put(page, "threshold_metrics", **state)
    assert said in page.evaluate("say('threshold_metrics')")


def test_threshold_metrics_shows_what_moved_and_what_it_was(open_page):
    page = open_page()
    shown = {name: page.locator(f"[data-nfig=threshold_metrics] .nfig-of-{name}") for name in NAMES}
    assert not any("was" in one.inner_text() for one in shown.values())
    put(page, "threshold_metrics", place=3)
    assert {name for name, one in shown.items() if "was" in one.inner_text()} == set(list(NAMES)[4:])
    put(page, "threshold_metrics", line=1)
    assert shown["precision"].inner_text() == "0/0"
    assert page.locator("[data-nfig=threshold_metrics] svg.nfig-svg").nth(3).locator(".nfig-dot-b").count() == 0


def test_threshold_metrics_presets_set_what_they_say(open_page):
    page = open_page()
    press = "(text) => press('threshold_metrics', text)"
    page.evaluate(press, "Cheapest line")
    assert page.evaluate("+ctl('threshold_metrics', 'threshold').value") == cheapest(measured(), 10) / GRAIN
    page.evaluate(press, "Screening")
    assert one_in()[page.evaluate("+ctl('threshold_metrics', 'prevalence').value")] == 100
    assert page.evaluate("+ctl('threshold_metrics', 'threshold').value") == cheapest(measured(), 10) / GRAIN
    page.evaluate(press, "Line at 0.5")
    assert page.evaluate("+ctl('threshold_metrics', 'threshold').value") == 0.5


@pytest.mark.parametrize("which", [0, 1])
def test_threshold_metrics_line_follows_the_pointer(open_page, which):
    page = open_page()
    svg = page.locator("[data-nfig=threshold_metrics] svg.nfig-svg").nth(which)
    svg.scroll_into_view_if_needed()
    box = svg.bounding_box()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 34 + 0.8 * (box["width"] - 42), box["y"] + 0.5 * box["height"], steps=3)
    page.mouse.up()
    assert page.evaluate("+ctl('threshold_metrics', 'threshold').value") == pytest.approx(0.806, abs=0.01)


def test_threshold_metrics_task_is_solved_in_the_figure(open_page):
    figure, page = figures.threshold_metrics(), open_page()
    best = "num('threshold_metrics', '.nfig-of-best')"
    assert page.evaluate(best) == cheapest(measured(), 10) / GRAIN
    put(page, "threshold_metrics", place=one_in().index(100))
    up = page.evaluate(best)
    assert figure.guesses[figure.right] == "far up, above 0.5"
    assert f"Far up, at {up:g}." in figure.answer
    costs = []
    for line in (0.16, up):
        put(page, "threshold_metrics", line=line)
        costs.append(page.evaluate("num('threshold_metrics', '.nfig-big')"))
    assert costs[0] > 4 * costs[1]
