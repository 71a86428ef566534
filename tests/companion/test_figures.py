"""Figures as data: what a notebook stores, what a page gets, what follows the numbers."""

from __future__ import annotations

import html
import json
import math
import re
import subprocess
import sys
from itertools import pairwise

import pytest
import torch

from companion import figures
from companion.figures import Figure
from companion.figures import forward as forward_figures
from companion.figures import neurons as neuron_figures
from companion.figures.controls import Choice, Slider, Steps, Text, Toggle
from companion.figures.figure import minus
from companion.figures.svg import Picture, segment

MAKERS = {name: entry.make for name, entry in figures.GALLERY.items()}
AIDS = {
    "quiz": lambda: figures.quiz(
        [
            {
                "id": "q",
                "question": "Q?",
                "options": [{"text": "a", "correct": True, "why": "w"}, {"text": "b", "why": "v"}],
            }
        ]
    ),
    "flashcards": lambda: figures.flashcards([{"front": "f", "back": "b"}]),
    "dialogue": lambda: figures.dialogue("t", [{"who": "Student", "text": "x"}, {"who": "Teacher", "text": "y"}]),
    "tabs": lambda: figures.tabs([{"title": "Quick", "html": "<p>q</p>"}], caption="Summary"),
    "objectives": lambda: figures.objectives(
        [{"id": "o", "text": "t", "exercises": [], "questions": []}], chapter="01"
    ),
    "matching": lambda: figures.matching([{"term": t, "definition": f"what {t} is"} for t in "ab"]),
    "profile": lambda: figures.profile(
        [{"id": "01", "title": "T", "page": "01_t", "objectives": ["o"], "questions": 1, "cards": ["c"]}]
    ),
    "listener": lambda: figures.listener("01"),
}


def tiny(**changes) -> Figure:
    options = {"alt": "seen", "caption": "found"} | changes
    return Figure("tabs", options.pop("state", {"tabs": []}), **options)


@pytest.mark.parametrize("name", [*MAKERS, *AIDS])
def test_every_module_has_a_maker_and_says_itself_in_words(name):
    figure = (MAKERS | AIDS)[name]()
    assert figure.name == name
    assert figure.text.startswith(f"Interactive figure: {figure.caption}\n{figure.alt}")
    assert figure.fallback
    assert repr(figure) == figure.text
    assert json.loads(json.dumps(figure.state))


def test_no_module_is_left_without_a_maker():
    assert set(figures.modules()) == set(MAKERS) | set(AIDS)


@pytest.mark.parametrize("name", MAKERS)
def test_figures_carry_task_answer_and_numbers(name):
    figure = MAKERS[name]()
    assert f"\nTask: {figure.task}\n   - {figure.guesses[0]}" in figure.text
    assert len(figure.guesses) >= 3
    assert 0 <= figure.right < len(figure.guesses)
    assert figure.controls
    assert re.search(r"\d", figure.alt)
    assert re.search(r"\d", figure.answer)
    assert not re.search(r"(?<![\w-])-\d", figure.alt + figure.answer), "hyphen in place of a minus sign"
    assert len(figure.html) < 20_000


@pytest.mark.parametrize("name", MAKERS)
def test_words_remain_where_scripts_styles_and_attributes_are_taken_out(name):
    figure = MAKERS[name]()
    bare = re.sub(r"<script.*?</script>|<style.*?</style>", "", figure.html, flags=re.S)
    bare = re.sub(r"<([\w/]+)[^>]*>", r"<\1>", bare)
    places = [bare.find(html.escape(text)) for text in (figure.task, *figure.guesses, figure.answer, figure.caption)]
    assert -1 not in places
    assert places == sorted(places)


@pytest.mark.parametrize("name", MAKERS)
def test_words_and_page_are_the_same_each_time(name):
    assert MAKERS[name]().text == MAKERS[name]().text
    assert MAKERS[name]().html == MAKERS[name]().html


@pytest.mark.parametrize(
    ("control", "told"),
    [
        (Slider("w", 0, 1, 0.1, 2), "starts at 2, outside of its range 0 to 1"),
        (Slider("w", 0, 1, 0.3, 0.5), "starts at 0.5, between two of its steps"),
        (Slider("w", 1, 1, 0.1, 1), "range 1 to 1 in steps of 0.1 is empty"),
        (Slider("w", 0, math.nan, 0.1, 0), "not all finite"),
        (Steps("w", 8, 9), "starts at 9 of 8 steps"),
        (Steps("w", 0), "starts at 0 of 0 steps"),
        (Steps("w", 8, 5, now=4), "it has 4 of 8 steps now"),
        (Steps("w", 8, now=9), "it has 9 of 8 steps now"),
        (Text("w", "x", "write", ("y",)), "starts with 'x', which is none of its examples"),
        (Text("w", "", "write", ("",)), "starts with ''"),
        (Text("w", "x", "write", ("x", "y" * 61)), "has more than 60 characters"),
        (Choice("w", {"a": "A"}, "b"), "starts with 'b', which is none of a"),
    ],
)
def test_control_outside_of_its_range_is_named(control, told):
    with pytest.raises(ValueError, match=r"Figure tabs: control 'w' expected a start") as caught:
        tiny(controls={"w": control})
    assert told in str(caught.value)


def test_names_and_labels_of_controls_must_be_told_apart():
    with pytest.raises(ValueError, match="a label of its own for each control, got on, on"):
        tiny(controls={"a": Toggle("on"), "b": Toggle("on")})
    for name in ("figure", "two words", "1st"):
        with pytest.raises(ValueError, match="names of letters, digits and _"):
            tiny(controls={name: Toggle("on")})


@pytest.mark.parametrize(("guesses", "right"), [(("a", "b"), 2), (("a", "b"), -1), (("a", "a"), 0)])
def test_guesses_need_a_right_one_and_differ(guesses, right):
    with pytest.raises(ValueError, match="right expected the place of one of 2 different guesses"):
        tiny(task="t", guesses=guesses, right=right)


def test_state_leaves_the_fields_of_the_kit_alone():
    with pytest.raises(ValueError, match="no field of this name, which the kit sets, got controls"):
        tiny(state={"tabs": [], "controls": []})


def test_stops_run_over_the_whole_range():
    assert Slider("w", -2, 2, 0.1, 0).stops() == [-2, -1, 0, 1, 2]
    assert Slider("s", 1, 3, 1, 1).stops() == [1, 2, 3]
    assert Steps("k", 48).stops() == [0, 12, 24, 36, 48]
    assert Steps("k", 48, now=8).stops() == [0, 2, 4, 6, 8]
    assert Text("t", "a", "write", ("a", "b")).stops() == ["a", "b"]
    assert Toggle("t").stops() == [False, True]
    assert Choice("c", {"a": "A", "b": "B"}, "a").stops() == ["a", "b"]


def test_alt_text_follows_the_data(monkeypatch):
    before = figures.neuron_boundary().alt
    flowers = neuron_figures._flowers()
    moved = flowers.X.clone()
    moved[60:65] -= 3
    monkeypatch.setattr(
        neuron_figures,
        "_points",
        lambda data: [[round(a, 1), round(b, 1), int(t)] for (a, b), t in zip(moved.tolist(), flowers.y.tolist())],
    )
    assert figures.neuron_boundary().alt != before


def test_neuron_boundary_counts_hold_by_hand():
    figure = figures.neuron_boundary()
    table = torch.tensor(figure.state["points"])
    called = table[:, 0] + table[:, 1] - 5 >= 0
    assert f"{int((called != table[:, 2].bool()).sum())} mistakes out of 100" in figure.alt
    assert "makes 0 mistakes" in figure.answer
    rings = figure.fallback.count('r="8"')
    assert f": {rings} mistakes out of 100" in figure.alt
    assert figures.perceptron_steps().fallback.count('r="8"') == 0, "the last line makes no mistake"


def test_perceptron_steps_are_chained_and_end_without_mistake():
    steps = figures.perceptron_steps().state["steps"]
    for earlier, later in pairwise(steps):
        assert later["before"] == {"w": earlier["w"], "b": earlier["b"]}
    for step in steps:
        x1, x2, target = figures.perceptron_steps().state["points"][step["i"]]
        z = step["before"]["w"][0] * x1 + step["before"]["w"][1] * x2 + step["before"]["b"]
        assert step["z"] == pytest.approx(z, abs=1e-6)
        assert step["prediction"] == (z >= 0)
        error = target - step["prediction"]
        wanted = [step["before"]["w"][0] + error * x1, step["before"]["w"][1] + error * x2]
        assert step["w"] == pytest.approx(wanted, abs=1e-6)
        assert step["b"] == step["before"]["b"] + error
    assert steps[-1]["mistakes"] == 0


def test_xor_answer_names_both_kinds_of_move():
    told = figures.xor_network().answer
    assert "OR raised to 0.0 breaks 1 row;" in told
    assert "AND lowered to −2.1 breaks 1 row." in told
    assert "OR lowered to −1.1 breaks 2 rows" in told
    assert "AND raised to −1.0 breaks 2 rows" in told


def test_activation_ranges_come_from_the_functions():
    ranges = {f["name"]: f["range"] for f in figures.activation_explorer().state["functions"]}
    assert ranges["gelu"] == "[−0.17, ∞)"
    assert ranges["silu"] == "[−0.28, ∞)"


def test_state_may_hold_text_that_would_end_a_script():
    state = {"tabs": [{"title": "a", "html": "</script><script>alert(1)</script><!-- & \u2028 ü"}]}
    page = tiny(state=state).html
    data = re.search(r'<script type="application/json">(.*?)</script>', page, re.S)[1]
    assert "<" not in data
    assert json.loads(data) == state
    assert page.count("</script>") == 1


def test_words_are_escaped_in_the_page():
    figure = tiny(alt='a "quoted" <b>', caption="x < y & z", task="<i>", answer="<u>")
    for escaped in ("a &quot;quoted&quot; &lt;b&gt;", "x &lt; y &amp; z", "&lt;i&gt;", "&lt;u&gt;"):
        assert escaped in figure.html
    assert "x < y & z" in figure.text


def test_task_and_answer_are_left_out_when_empty():
    assert "nfig-task" not in tiny().html
    assert "<details" not in tiny().html
    assert tiny().text == "Interactive figure: found\nseen"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), torch.tensor(1.0), {1}])
def test_state_that_json_cannot_hold_is_refused(value):
    with pytest.raises(ValueError, match=r"Figure: state expected finite numbers.*\.tolist\(\)"):
        tiny(state={"v": value})


def test_unknown_module_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"Figure: name expected one of activation_explorer, .*got 'nope'"):
        Figure("nope", {}, alt="", caption="")


def test_quiz_wants_exactly_one_correct_option():
    item = {"id": "q", "question": "Q?", "options": [{"text": "a", "why": "w"}, {"text": "b", "why": "v"}]}
    with pytest.raises(ValueError, match="quiz: item 'q' expected exactly one correct option, got 0"):
        figures.quiz([item])


def test_site_gets_page_and_words_only(monkeypatch):
    monkeypatch.setenv("NEURONS_SITE", "1")
    assert set(tiny()._repr_mimebundle_()) == {"text/html", "text/plain"}


def test_notebook_gets_a_live_view_as_well(monkeypatch):
    monkeypatch.delenv("NEURONS_SITE", raising=False)
    figure = figures.xor_network()
    shown = figure._repr_mimebundle_()
    assert set(shown) >= {"text/html", "text/plain", "application/vnd.jupyter.widget-view+json"}
    assert shown["text/plain"] == figure.text


def test_widget_holds_state_shell_and_one_self_contained_module():
    figure = figures.xor_network()
    widget = figure.widget()
    assert widget.state == json.loads(json.dumps(figure.state))
    assert "data-nfig" not in widget.shell
    assert figure.caption in widget.shell
    assert "export default kit.framed(" in widget._esm
    assert "import {" not in widget._esm


def test_importing_and_making_figures_loads_no_widget_library():
    code = (
        "import sys; from companion import figures; figures.xor_network().html; figures.page_files();"
        "print([m for m in ('anywidget', 'ipywidgets', 'IPython', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_files_of_a_page_are_classic_scripts_within_their_budget():
    files = figures.page_files()
    assert set(files) == {"kit.js", "figures.css", *(f"{name}.js" for name in figures.modules())}
    for name, text in files.items():
        assert not re.search(r"^\s*(import|export)\b", text, re.M), name
        assert "http://" not in text.replace("http://www.w3.org/2000/svg", ""), name
        assert "https://" not in text, name
        assert len(text.encode()) < {
            "kit.js": 36_000,
            "figures.css": 20_000,
            "backprop_graph.js": 18_000,
            "flashcards.js": 50_000,
            "listener.js": 22_000,
            "search_race.js": 12_500,  # a Gaussian process is in it
        }.get(name, 9_000), name
    assert "url(" not in files["figures.css"]


def test_what_a_module_takes_from_the_library_is_there():
    kit = figures.page_files()["kit.js"]
    given = set(re.search(r"\nreturn \{ ([\w, ]+) \};\n\}\)\(\)", kit)[1].split(", "))
    for name in figures.modules():
        taken = re.search(r"^const \{ ([\w, ]+),? \} = kit;", figures.page_files()[f"{name}.js"], re.M)
        assert set(taken[1].split(", ")) <= given, name


def test_stray_import_is_refused(monkeypatch, tmp_path):
    (tmp_path / "odd.js").write_text('import x from "elsewhere";\nexport default { x };\n')
    monkeypatch.setattr(figures.figure, "_JS", tmp_path)
    with pytest.raises(ValueError, match=r"odd\.js expected imports of names from \./kit\.js.*elsewhere"):
        figures.figure._plain("odd")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("b = -0.5", "b = −0.5"),
        ("(-1, -2)", "(−1, −2)"),
        ("2-2-1 and hand-set", "2-2-1 and hand-set"),
        ("1e-07", "1e−07"),
    ],
)
def test_minus_touches_numbers_only(text, expected):
    assert minus(text) == expected


def test_segment_lies_on_the_line_and_inside():
    (x0, y0), (x1, y1) = segment((0, 4), (0, 2), (1.0, 1.0), -3.0)
    assert (x0 + y0, x1 + y1) == (3.0, 3.0)
    assert segment((0, 4), (0, 2), (1.0, 1.0), 9.0) == []
    assert segment((0, 4), (0, 2), (0.0, 0.0), 1.0) == []
    assert segment((0, 4), (0, 2), (1.0, 0.0), -2.0) == [(2.0, 0), (2.0, 2)]


def test_picture_is_well_formed_and_escapes_labels():
    from xml.etree import ElementTree

    picture = Picture((0, 1), (0, 1), xlabel="a < b", ticks=((0, 1), (0, 1)))
    picture.line([(0, 0), (1, 1), (2, 2)], dash="3 3")
    picture.mark((0.5, 0.5), 1)
    picture.ring((0.5, 0.5))
    picture.bar(0.1, 0.3, 0.5)
    tree = ElementTree.fromstring(picture.svg('say "this" & that'))
    assert tree.attrib["aria-label"] == 'say "this" & that'
    assert len(tree.find("polyline").attrib["points"].split()) == 2, "points outside are left out"


@pytest.mark.parametrize("name", MAKERS)
def test_fallbacks_are_well_formed(name):
    from xml.etree import ElementTree

    assert len(ElementTree.fromstring(f"<div>{MAKERS[name]().fallback}</div>")) > 0


def test_one_layer_of_the_folded_paper_beats_corners_at_equal_distances():
    x = (torch.arange(2048, dtype=torch.float64) + 0.5) / 2048
    wanted = forward_figures.folded(x, 3)
    for units in range(2, 8):
        at = torch.arange(units, dtype=torch.float64) / units
        ramps = torch.cat([torch.ones_like(x)[:, None], (x[:, None] - at).clamp(min=0)], dim=1)
        best = torch.linalg.lstsq(ramps, wanted[:, None]).solution
        even = (ramps @ best - wanted[:, None]).square().mean().item()
        assert forward_figures.squared_gap(3, units) < even


def test_folded_paper_is_a_network_with_as_many_numbers_as_it_says():
    figure = figures.folded_paper()
    assert "64 units and 193 parameters" in figure.caption
    assert "16 straight pieces on [0, 1], made by 4 layers of two ReLUs with 25 parameters" in figure.alt
    assert [forward_figures.pieces_of(depth) for depth in range(1, 9)] == [2**depth for depth in range(1, 9)]
    x = torch.linspace(0, 1, 101, dtype=torch.float64)
    torch.testing.assert_close(forward_figures.folded(x, 1), 2 * torch.minimum(x, 1 - x))


def test_paper_network_of_the_trace_holds_by_hand():
    numbers = forward_figures.traced(torch.tensor([2.0, 1.0]))
    assert numbers[:13] == [0, 1, -0.5, 1, 1, 2, 1, 2, 2, -2, 0.5, -1.5, 0]
    assert numbers[13:-1] == [1, -2, 0, -0.5, 0.5, 2, 0, 1.5]
    assert numbers[-1] == pytest.approx(1 / (1 + math.exp(-2)), abs=1e-12)


def test_bumps_miss_half_of_a_jump_and_halve_their_error_on_a_wave():
    for kind in ("bumps", "corners"):
        assert min(forward_figures.largest_error("jump", kind, n, 50) for n in range(1, 61)) >= 0.8
    ratio = forward_figures.largest_error("wave", "bumps", 20, 20) / forward_figures.largest_error(
        "wave", "bumps", 40, 20
    )
    assert ratio == pytest.approx(2, abs=0.1)
