"""The figures of chapter 04 in the browser: their numbers against the companion's over a grid, and what is theirs alone."""

from __future__ import annotations

from itertools import product

import pytest
import torch

from companion import figures
from companion.figures import losses

pytestmark = pytest.mark.browser


def test_two_humps_agrees_with_the_companion_over_the_grid(open_page):
    controls = figures.two_humps().controls
    grid = list(product(("twins", "unequal", "near"), controls["middle"].stops(9), controls["spread"].stops(7)))
    seen = open_page().evaluate(
        """(grid) => grid.map(([target, m, s]) => { const n = "two_humps";
          put(n, "p", target); put(n, "middle of q", m); put(n, "spread of q", s);
          return [".nfig-forward", ".nfig-reverse", ".nfig-cross"].map((k) => num(n, k)); })""",
        grid,
    )
    for (target, middle, spread), (forward, reverse, cross) in zip(grid, seen):
        p, q = losses.humps(target), losses.bell(middle, spread)
        assert forward == pytest.approx(losses.divergence(p, q).item(), abs=1e-6, rel=1e-9)
        assert reverse == pytest.approx(losses.divergence(q, p).item(), abs=1e-6, rel=1e-9)
        log_q = q.clamp(min=1e-300).log()
        assert cross == pytest.approx(-(p * log_q).sum().item(), abs=1e-6, rel=1e-9)


def test_two_humps_divergence_is_pytorchs():
    p, q = losses.humps("twins"), losses.bell(0.3, 1.4)
    expected = torch.nn.functional.kl_div(q.log(), p, reduction="sum")
    torch.testing.assert_close(losses.divergence(p, q), expected, atol=1e-12, rtol=0)


def test_two_humps_best_bell_by_forward_kl_has_the_mean_and_the_spread_of_both():
    for name in ("twins", "unequal", "near"):
        p, x = losses.humps(name), losses.places()
        mean = (p * x).sum()
        spread = (p * (x - mean) ** 2).sum().sqrt()
        assert losses.best(name, True) == pytest.approx((mean.item(), spread.item()), abs=0.026)


def test_two_humps_answer_holds_in_the_figure(open_page):
    page = open_page()
    figure = figures.two_humps()
    (middle, spread), (between, wide) = losses.best("twins", False), losses.best("twins", True)
    at = page.evaluate(
        """(settings) => settings.map(([m, s]) => { const n = "two_humps"; put(n, "middle of q", m); put(n, "spread of q", s);
          return [num(n, ".nfig-forward"), num(n, ".nfig-reverse"), say(n)]; })""",
        [(middle, spread), (between, wide), (4, 0.2)],
    )
    assert at[0][1] < at[1][1], "on a hump KL(q, p) is smaller"
    assert at[1][0] < at[0][0], "between them KL(p, q) is smaller"
    assert "leaves out places where p has something" in at[0][2]
    assert "stands where p has nothing" in at[1][2]
    assert f"{at[0][1]:.3f}" in figure.answer
    assert (figure.right, abs(middle)) == (1, 2.0)
