"""show refuses what says too little, stores what a figure holds, and gives SVG that follows the page."""

import io
import math
import re
import xml.etree.ElementTree as ET

import pytest
import torch

from companion import plotting

CAPTION = "The loss falls from epoch to epoch."
ALT = "One line that falls from 3.0 at epoch 0 to 1.0 at epoch 2."


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plotting.plt.close("all")


def line(values=(3.0, 2.0, 1.0)):
    return plotting.lines(range(len(values)), {"loss": values}, xlabel="epoch", ylabel="loss")


def test_shown_text_holds_caption_alt_text_and_data_and_the_figure_is_closed():
    fig = line()
    shown = plotting.show(fig, caption=f"{CAPTION}\n ", alt=f"  {ALT}")
    assert repr(shown) == f"Figure: {CAPTION}\nAlt text: {ALT}\nData: line 'loss': 3 values, x 0 to 2, y 1 to 3, mean 2"
    assert not plotting.plt.fignum_exists(fig.number)
    bundle = shown._repr_mimebundle_()
    assert set(bundle) == {"text/html", "text/plain"}
    assert bundle["text/plain"] == repr(shown)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"alt": "too short"}, "^show: alt expected a description of at least 40 characters"),
        ({"alt": " " * 60}, "^show: alt expected"),
        ({"caption": "Loss"}, "^show: caption expected a sentence"),
    ],
)
def test_a_figure_that_says_too_little_is_refused(change, said):
    with pytest.raises(ValueError, match=said):
        plotting.show(line(), **{"caption": CAPTION, "alt": ALT, **change})


def test_what_is_no_figure_is_refused():
    with pytest.raises(TypeError, match=r"^show: fig expected a matplotlib figure"):
        plotting.show(line().axes[0], caption=CAPTION, alt=ALT)


def test_a_heavy_figure_is_refused_with_what_to_do():
    fig, ax = plotting.plt.subplots()
    ax.scatter(torch.arange(6000.0), torch.rand(6000, generator=torch.Generator().manual_seed(0)))
    with pytest.raises(ValueError, match=r"^show: fig expected an SVG of at most 150 kB, got .*rasterized=True"):
        plotting.show(fig, caption=CAPTION, alt=ALT)


def test_summary_has_as_many_digits_as_asked_for():
    values = (1.23456, 2.34567)
    assert plotting.summary(line(values), 3).endswith("y 1.23 to 2.35, mean 1.79")
    assert plotting.summary(line(values), 1).endswith("y 1 to 2, mean 2")
    assert plotting.summary(line(values), 0) == "line 'loss': 2 values"


def test_summary_changes_with_the_data_of_every_kind_of_plot():
    def drawn(kind, value):
        fig, ax = plotting.plt.subplots()
        if kind == "line":
            ax.plot([0, 1], [0, value])
        elif kind == "points":
            ax.scatter([0, 1], [0, value])
        elif kind == "bars":
            ax.bar([0, 1], [1, value])
        elif kind == "lying bars":
            ax.barh([0, 1], [1, value])
        elif kind == "area":
            ax.fill_between([0, 1], [0, value])
        else:
            ax.imshow([[0, value]])
        plotting.plt.close(fig)
        return plotting.summary(fig)

    for kind in ("line", "points", "bars", "lying bars", "area", "image"):
        assert drawn(kind, 2.0) == drawn(kind, 2.0), kind
        assert drawn(kind, 2.0) != drawn(kind, 2.5), kind


def test_summary_of_values_that_are_not_finite_and_of_nothing():
    assert plotting.summary(line((1.0, float("nan"), 3.0))).endswith("x 0 to 2, y 1 to 3, mean 2")
    assert plotting.summary(line((float("nan"), float("nan")))) == "line 'loss': 2 values"
    assert plotting.summary(plotting.plt.figure()) == "none"


def test_svg_follows_the_page_and_is_the_same_each_time():
    first, second = (plotting.show(line(), caption=CAPTION, alt=f'{ALT} "<&"').svg for _ in range(2))
    assert first == second
    assert len(first) < plotting.MAX_BYTES
    root = ET.fromstring(first)
    assert root.get("role") == "img"
    assert root.get("aria-label") == f'{ALT} "<&"'
    assert "height" not in root.attrib
    assert "currentColor" in first
    assert f"var(--plot-blue, {plotting.COLORS['blue']})" in first
    assert not re.search(r"(?:stroke|fill): ?#(?:000000|ffffff|cccccc)\b", first)
    assert "<metadata" not in first


def test_a_drawing_is_short_and_says_the_same():
    fig = line((0.123456, 0.654321))
    fig.axes[0].set_xlabel("rate 0.000125")
    fig.axes[0].scatter([0.5], [0.3])
    buffer = io.StringIO()
    fig.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    shown = plotting.show(fig, caption=CAPTION, alt=ALT).svg
    assert len(shown) < 0.8 * len(buffer.getvalue())
    before, after = (
        ["".join(text.itertext()).strip() for text in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]
        for svg in (buffer.getvalue(), shown)
    )
    assert after == before
    assert "rate 0.000125" in after
    ids, used = set(re.findall(r' id="([^"]+)"', shown)), set(re.findall(r'(?:href="#|url\(#)([^")]+)', shown))
    assert ids == used
    assert not re.search(r"\d\.\d{3}", " ".join(re.findall(r' (?:d|x|y)="([^"]*)"', shown)))


def wide(inches, **text):
    fig, ax = plotting.plt.subplots(figsize=(inches, 2))
    ax.set_xlabel("weight", **text)
    return plotting.show(fig, caption=CAPTION, alt=ALT)


def test_a_plot_is_never_so_narrow_that_a_letter_cannot_be_read():
    assert wide(4.8, fontsize=11).width == math.ceil(4.8 * 72 * 9 / 11)
    assert wide(4.8, fontsize=6).width == math.ceil(4.8 * 72 * 9 / 6)
    assert wide(9.6, fontsize=11).width == math.ceil(9.6 * 72 * 9 / 11)


def test_a_plot_that_is_too_wide_for_a_phone_can_be_scrolled_by_keys():
    boxes = [wide(inches)._repr_mimebundle_()["text/html"].split("<svg")[0] for inches in (4.8, 9.6)]
    assert ["tabindex" in box for box in boxes] == [False, True]
    assert all("overflow-x:auto" in box for box in boxes)


def test_formulas_follow_the_mode_and_their_raised_digits_can_be_read():
    fig, ax = plotting.plt.subplots()
    ax.set_xlabel("$10^{8}$")
    shown = plotting.show(fig, caption=CAPTION, alt=ALT)
    assert not re.search(r"<text(?![^>]*fill=)", shown.svg)
    assert shown.width == math.ceil(4.8 * 72 * max(9 / 11, 7 / 7.7))


def test_svg_ids_of_two_figures_do_not_meet():
    ids = [
        set(re.findall(r'\bid="([^"]+)"', plotting.show(line(v), caption=CAPTION, alt=ALT).svg))
        for v in ((1, 2), (2, 1))
    ]
    assert ids[0]
    assert not ids[0] & ids[1]


def test_lines_have_a_second_cue_beside_colour():
    fig = plotting.lines([0, 1], {"a": [0, 1], "b": [1, 0]}, xlabel="x", ylabel="y", markers=True)
    a, b = fig.axes[0].get_lines()
    assert a.get_linestyle() != b.get_linestyle()
    assert a.get_marker() != b.get_marker()
    assert fig.axes[0].get_legend() is not None
    assert line().axes[0].get_legend() is None


def test_boundary_is_where_the_weighted_sum_is_zero():
    _, ax = plotting.plt.subplots()
    plotting.boundary(ax, (2.0, 4.0), -1.0, (0.0, 3.0))
    plotting.boundary(ax, (2.0, 0.0), -1.0, (0.0, 3.0))
    slanted, upright = ax.get_lines()
    for x, y in zip(*slanted.get_data(), strict=True):
        assert 2 * x + 4 * y - 1 == pytest.approx(0)
    assert set(upright.get_xdata()) == {0.5}
    with pytest.raises(ValueError, match=r"^boundary: weight expected at least one weight other than 0"):
        plotting.boundary(ax, (0.0, 0.0), -1.0, (0.0, 3.0))


def test_regions_shade_where_the_answer_is_one():
    fig, ax = plotting.plt.subplots()
    plotting.regions(ax, lambda x: (x[:, 0] > 0.5).float(), (0, 1), (0, 1), steps=11)
    xs = torch.cat([torch.as_tensor(p.vertices) for c in ax.collections for p in c.get_paths()])[:, 0]
    assert xs.min() >= 0.5
    assert xs.max() == 1
    assert "area" in plotting.summary(fig)


def test_network_draws_every_wire_with_its_weight():
    _, ax = plotting.plt.subplots()
    plotting.network(ax, [["x1", "x2"], ["h1", "h2", "h3"]], [[[1, -2], [0.5, 0], [3, 4]]])
    wires = ax.collections[0]
    assert len(wires.get_segments()) == 6
    assert sum(dashes is not None for _, dashes in wires.get_linestyles()) == 1
    assert {t.get_text() for t in ax.texts} == {"x1", "x2", "h1", "h2", "h3", "1", "-2", "0.5", "0", "3", "4"}
    colors = [tuple(color) for color in wires.get_edgecolors()]
    assert [colors.count(color) for color in colors] == [5, 5, 5, 1, 5, 5]  # x2 to h1, the -2, alone is orange


def network_text(layers, weights=None, digits=3):
    fig, ax = plotting.plt.subplots()
    plotting.network(ax, layers, weights)
    return plotting.summary(fig, digits)


def test_network_is_told_shortly_and_by_its_weights():
    two, many = [["a", "b"], ["c"]], [["x"] * 5, ["h"] * 4, ["y"]]
    assert network_text(two, [[[1, -2]]]).startswith("wires '2 to 1': 2, weights 1, -2; points 'a, b': 2 values")
    assert network_text(two, [[[1, -2]]]) != network_text(two, [[[-2, 1]]])
    assert network_text(two, [[[1, -2]]], digits=0).startswith("wires '2 to 1': 2; points")
    assert network_text(many).count(";") == 4
    assert "weights" not in network_text(many)
    ones = [[[1.0] * 5] * 4, [[1.0] * 4]]
    assert "wires '5 to 4': 20, weights 1 to 1, mean 1;" in network_text(many, ones)
    assert network_text(two) != network_text([["a", "b"], ["d"]])


def test_scatter_gives_each_class_its_marker():
    _, ax = plotting.plt.subplots()
    plotting.scatter_classes(
        ax, torch.tensor([[0.0, 1.0], [1.0, 0.0], [2.0, 0.0]]), torch.tensor([0, 1, 1]), ["a", "b"]
    )
    assert [len(c.get_offsets()) for c in ax.collections] == [1, 2]
    assert [c.get_label() for c in ax.collections] == ["a", "b"]


def test_scatter_tells_twelve_classes_apart_by_marker_and_colour():
    _, ax = plotting.plt.subplots()
    y = torch.arange(12)
    plotting.scatter_classes(ax, torch.stack([y, y], 1).float(), y, [str(k) for k in range(12)])
    looks = [
        (tuple(c.get_edgecolor()[0]), len(c.get_facecolor()), c.get_paths()[0].vertices.round(3).tobytes())
        for c in ax.collections
    ]
    assert len({marker for _, _, marker in looks}) == 12
    assert len({(color, filled) for color, filled, _ in looks}) == 12
    assert len({color[:3] for color, _, _ in looks}) == 6
    assert [c.get_offsets().tolist() for c in ax.collections] == [[[k, k]] for k in range(12)]


P = torch.zeros(3, 2)


@pytest.mark.parametrize(
    ("X", "y", "names", "error", "message"),
    [
        (P, torch.tensor([0, 1, 2]), ["a", "b"], ValueError, "y expected class numbers from 0 to 1, as there are 2 names, got 2; each name stands for a number, the first for 0"),
        (P, torch.tensor([-1.0, 1, 0.5]), ["a", "b"], ValueError, "y expected class numbers from 0 to 1, as there are 2 names, got -1, 0.5; each name stands for a number, the first for 0"),
        (P, torch.tensor([0, 1]), ["a", "b"], ValueError, "y expected 3 class numbers, shape (3,), got (2,)"),
        (P[:, :1], torch.tensor([0, 1, 1]), ["a", "b"], ValueError, "X expected two features of each example, shape (N, 2), got (3, 1); X[:, [0, 1]] takes two"),
        (P, torch.tensor([0, 1, 1]), ["a"] * 13, ValueError, "names expected 1 to 12 classes, got 13; more could not be told apart: draw some of them, or several plots"),
        (P, torch.tensor([0, 1, 1]), [], ValueError, "names expected 1 to 12 classes, got 0; more could not be told apart: draw some of them, or several plots"),
        (P, [0, 1, 1], ["a"], TypeError, "y expected a tensor, got list"),
    ],
)  # fmt: skip
def test_scatter_refuses_labels_without_a_name(X, y, names, error, message):
    with pytest.raises(error) as caught:
        plotting.scatter_classes(plotting.plt.figure().gca(), X, y, names)
    assert str(caught.value) == f"scatter_classes: {message}"


@pytest.mark.parametrize(
    "predict",
    [
        lambda x: (x[:, 0] >= 0.5).float(),
        lambda x: (x[:, 0] >= 0.5).long(),
        lambda x: x[:, 0] >= 0.5,
        lambda x: (x[:, :1] >= 0.5).float(),
        lambda x: x[:, 0] - 0.5,
        lambda x: 1000 * (x[:, :1] - 0.5),
        lambda x: 2.0 * (x[:, 0] >= 0.5) - 1,
        lambda x: torch.stack([0 * x[:, 0], x[:, 0] - 0.4999], 1),
    ],
    ids=["decisions", "whole", "bool", "column", "logits", "large logits", "signs", "two logits"],
)
def test_regions_shade_the_same_for_decisions_and_for_logits(predict):
    _, ax = plotting.plt.subplots()
    plotting.regions(ax, predict, (0, 1), (0, 1), steps=11)
    xs = torch.cat([torch.as_tensor(p.vertices) for c in ax.collections for p in c.get_paths()])[:, 0]
    assert xs.min().item() == pytest.approx(0.45)  # half-way between the last 0 and the first 1
    assert xs.max() == 1


HINT = "write lambda x: model(x) >= 0 for logits, >= 0.5 for probabilities, == k for class numbers"


@pytest.mark.parametrize(
    ("predict", "error", "message"),
    [
        (lambda x: x[:, 0], ValueError, f"decisions 0 and 1, or logits, got values from 0 to 1; {HINT}"),
        (lambda x: (3 * x[:, 0]).floor(), ValueError, f"decisions 0 and 1, or logits, got values from 0 to 3; {HINT}"),
        (lambda x: x[:, 0] * float("nan"), ValueError, f"decisions 0 and 1, or logits, got values from nan to nan; {HINT}"),
        (lambda x: torch.zeros(len(x), 3), ValueError, "one decision, or one or two logits, for each point, got (121, 3); lambda x: model(x).argmax(dim=1) == k shades class k"),
        (lambda x: x.tolist(), TypeError, "a function that returns a tensor, got list"),
    ],
)  # fmt: skip
def test_regions_refuse_what_is_neither_a_decision_nor_a_logit(predict, error, message):
    with pytest.raises(error) as caught:
        plotting.regions(plotting.plt.figure().gca(), predict, (0, 1), (0, 1), steps=11)
    assert str(caught.value) == f"regions: predict expected {message}"


def test_questions_stand_from_top_to_bottom_with_their_answers():
    fig, ax = plotting.plt.subplots(figsize=(4.8, 3))
    plotting.questions(ax, {"yes or no?": "a coin", "one of many?": "a die"}, otherwise="a bell")
    shown = plotting.show(fig, caption=CAPTION, alt=ALT)
    found = re.findall(r"<text[^>]*>([^<]+)</text>", shown.svg)
    assert sorted(found) == sorted(
        ["yes or no?", "a coin", "one of many?", "a die", "a bell", "yes", "yes", "no", "no"]
    )
    assert shown.width <= plotting.PHONE
