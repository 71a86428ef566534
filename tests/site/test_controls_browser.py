"""What all figures have in common, in a real browser: controls, reset, sharing, predictions, and what happens to bad input."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import figure_page
import pytest
import torch
from widgets import mounted

from companion import figures
from companion.figures.convolution import slid

pytestmark = pytest.mark.browser

FIGURES = tuple(figures.GALLERY)
default = figure_page.default

# Move a control as a hand would, by the name of its label, and see picture and words.
MOVE = """([name, label, value]) => { const c = ctl(name, label);
  if (c.type === "checkbox") c.checked = value; else c.value = value;
  c.dispatchEvent(new Event(c.type === "range" ? "input" : "change", { bubbles: true })); }"""
SEEN = """(name) => { const f = fig(name), live = f.querySelector(".nfig-live");
  const picture = [...live.querySelectorAll("svg.nfig-svg")].map((e) => e.innerHTML.replace(/nf\\d+/g, "")).join();
  const read = [...live.querySelectorAll("[data-v]")].filter((e) => !e.closest(".nfig-row")).map((e) => e.dataset.v).join();
  return { picture, words: f.querySelector(".nfig-say").textContent + read,
    values: [...live.querySelectorAll(".nfig-row input, .nfig-row select")].map((c) => (c.type === "checkbox" ? c.checked : c.value)) }; }"""


@pytest.mark.parametrize("name", FIGURES)
def test_every_control_changes_picture_and_words_over_its_whole_range(open_page, name):
    page = open_page(only=name)
    fresh = page.evaluate(SEEN, name)
    for control, described in default(name).controls.items():
        stops = [v for v in described.stops() if v != described.start]
        seen = [fresh]
        for value in stops:
            page.evaluate(MOVE, [name, described.label, value])
            seen.append(page.evaluate(SEEN, name))
        assert len({s["picture"] for s in seen}) == len(seen), f"{control}: the picture stands still"
        assert len({s["words"] for s in seen}) == len(seen), f"{control}: the read-out stands still"
        page.evaluate("(n) => press(n, 'Reset')", name)
        assert page.evaluate(SEEN, name) == fresh, f"{control}: Reset does not bring it back"


@pytest.mark.parametrize("name", FIGURES)
def test_shared_address_opens_the_same_state(open_page, page_with, name):
    above = FIGURES[FIGURES.index(name) - 1]
    page = open_page(url=page_with(above, name))
    for label, value in ((c.label, c.stops()[1]) for c in default(name).controls.values()):
        page.evaluate(MOVE, [name, label, value])
    wanted = page.evaluate(SEEN, name)
    page.evaluate("(n) => press(n, 'Share')", name)
    page.wait_for_function("(n) => fig(n).querySelector('.nfig-note').textContent", arg=name)
    address = page.evaluate("(n) => fig(n).querySelector('.nfig-foot input').value", name)
    assert "address" in page.evaluate("(n) => fig(n).querySelector('.nfig-note').textContent", name)
    query = parse_qs(urlsplit(address).query)
    assert set(query) == {"figure", *default(name).controls}
    assert urlsplit(address).fragment == f"figure-{name}"
    other = open_page(url=address)
    assert other.evaluate(SEEN, name) == wanted
    assert other.evaluate("(n) => fig(n).querySelector('.nfig-note').textContent", name) == ""
    # The page is at the figure, as soon as the figure above it has its height.
    other.wait_for_function(
        "(n) => { const { top } = fig(n).getBoundingClientRect(); return -50 < top && top < 900; }", arg=name
    )
    assert other.evaluate(SEEN, above) == page.evaluate(SEEN, above)


@pytest.mark.parametrize(
    ("query", "note"),
    [
        ("w1=9", "weight w₁ = 9"),
        ("b=", "bias b = "),
        ("w2=one", "weight w₂ = one"),
        ("w1=NaN", "weight w₁ = NaN"),
        ("w1=Infinity", "weight w₁ = Infinity"),
        ("origin=yes", "no bias (b = 0) = yes"),
        ("depth=3", "depth, which this figure does not have"),
        ("w1=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E", "weight w₁ = <img src=x onerror=alert(1)>"),
    ],
)
def test_address_outside_of_the_range_is_left_out_with_a_note(open_page, page_with, query, note):
    fresh = open_page(only="neuron_boundary").evaluate(SEEN, "neuron_boundary")
    page = open_page(url=f"{page_with('neuron_boundary')}?figure=neuron_boundary&{query}")
    told = page.evaluate("fig('neuron_boundary').querySelector('.nfig-note').textContent")
    assert told == f"The link asks for what this figure cannot show, so it was left out: {note}."
    assert page.evaluate(SEEN, "neuron_boundary") == fresh
    page.evaluate("press('neuron_boundary', 'Reset')")
    assert page.evaluate("fig('neuron_boundary').querySelector('.nfig-note').textContent") == ""


def test_address_takes_what_fits_beside_what_does_not(open_page, page_with):
    page = open_page(url=f"{page_with('neuron_boundary')}?figure=neuron_boundary&w1=0.33&b=77")
    assert page.evaluate("+ctl('neuron_boundary', 'weight w₁').value") == pytest.approx(0.3)
    assert page.evaluate("+ctl('neuron_boundary', 'bias').value") == -5
    assert "bias b = 77" in page.evaluate("fig('neuron_boundary').querySelector('.nfig-note').textContent")


def test_address_of_a_figure_that_is_not_here_is_told(open_page, harness):
    page = open_page(url=f"{harness}?figure=%3Cb%3Enobody&w1=1")
    page.wait_for_selector(".nfig-note:not(:empty)")
    assert page.locator("main > .nfig-note").inner_text() == (
        "The link asks for a figure that is not on this page: <b>nobody."
    )


@pytest.mark.parametrize("name", FIGURES)
def test_prediction_is_held_until_the_answer_is_opened(open_page, name):
    figure = default(name)
    page = open_page(only=name)
    box = page.locator(f"[data-nfig={name}]")
    right = figure.guesses[figure.right]
    wrong = next(g for g in figure.guesses if g != right)
    buttons = box.locator(".nfig-guesses button")
    assert buttons.all_inner_texts() == list(figure.guesses)
    said = box.locator(".nfig-guess")
    buttons.get_by_text(wrong, exact=True).click()
    assert said.inner_text() == "Your prediction is noted. Try it in the figure, then open the answer."
    box.locator(".nfig-answer summary").click()
    page.wait_for_function(
        "(n) => fig(n).querySelector('.nfig-guess').textContent.startsWith('You predicted')", arg=name
    )
    assert said.inner_text() == f"You predicted “{wrong}”. It is “{right}”: read why."
    buttons.get_by_text(right, exact=True).press("Enter")
    assert said.inner_text() == f"You predicted “{right}”: so it is."
    assert [b.get_attribute("aria-pressed") for b in buttons.all()] == [str(g == right).lower() for g in figure.guesses]
    assert box.locator(".nfig-answer p").inner_text() == figure.answer


def test_guesses_are_a_list_without_javascript(open_page):
    page = open_page(js=False)
    for name in FIGURES:
        assert page.locator(f"[data-nfig={name}] .nfig-guesses li").all_inner_texts() == list(default(name).guesses)


def test_figure_that_cannot_start_keeps_its_picture_and_says_so(chromium, tmp_path):
    broken = default("neuron_boundary").html.replace('"points":[[', '"points":[null,[')
    page_file = tmp_path / "page.html"
    body = broken + default("softmax_temperature").html
    page_file.write_text(figure_page.document(body, ["neuron_boundary", "softmax_temperature"]), encoding="utf-8")
    page = chromium.new_page()
    page.goto(page_file.as_uri())
    figure_page.start_all(page)
    sorry = page.locator("[data-nfig=neuron_boundary] .nfig-note")
    assert sorry.inner_text().startswith("This figure could not start")
    assert page.locator("[data-nfig=neuron_boundary] .nfig-fallback svg").is_visible()
    assert page.locator("[data-nfig=softmax_temperature] .nfig-live").is_visible()
    page.close()


def test_dragging_the_line_sets_the_bias_so_that_it_passes_under_the_pointer(open_page):
    page = open_page(only="neuron_boundary")
    svg = page.locator("[data-nfig=neuron_boundary] svg.nfig-svg")
    svg.scroll_into_view_if_needed()
    box = svg.bounding_box()
    page.mouse.move(box["x"] + 0.55 * box["width"], box["y"] + 0.75 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.7 * box["height"], steps=3)
    page.mouse.up()
    b = page.evaluate("+ctl('neuron_boundary', 'bias').value")
    assert -4 < b < -1.5
    ends = page.evaluate("fig('neuron_boundary').querySelector('.nfig-line').getAttribute('d')")
    assert ends.startswith("M")
    page.locator("[data-nfig=neuron_boundary] input[type=checkbox]").check()
    page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + 0.8 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.9 * box["width"], box["y"] + 0.9 * box["height"])
    page.mouse.up()
    assert page.evaluate("+ctl('neuron_boundary', 'bias').value") == b, "without a bias there is nothing to drag"


def test_kernel_slides_as_the_companions_convolution(open_page):
    page = open_page(only="kernel_slide")
    figure = default("kernel_slide")
    kernels, pictures = list(figure.state["kernels"]), list(figure.state["pictures"])
    grid = [(pictures[0], k, s, d) for k in kernels for s in (1, 2, 3) for d in (0, 1, 2)]
    grid += [(p, k, 2, 1) for p in pictures[1:] for k in kernels]
    seen = page.evaluate(
        """(grid) => grid.map(([p, k, s, d]) => { const n = "kernel_slide";
          put(n, "picture", p); put(n, "kernel", k); put(n, "stride", s); put(n, "padding", d);
          const last = +ctl(n, "place").max;
          return [...Array(last + 1).keys()].map((at) => { put(n, "place", at); return num(n, ".nfig-z"); }); })""",
        grid,
    )
    for (picture, kernel, stride, padding), values in zip(grid, seen):
        image = torch.tensor(figure.state["pictures"][picture])
        expected = slid(image, kernel, stride, padding).flatten()
        torch.testing.assert_close(torch.tensor(values, dtype=torch.float64), expected, atol=1e-6, rtol=0)


def test_pointing_at_a_cell_of_the_output_moves_the_kernel_there(open_page):
    page = open_page(only="kernel_slide")
    svg = page.locator("[data-nfig=kernel_slide] svg.nfig-svg").nth(1)
    svg.scroll_into_view_if_needed()
    box = svg.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 4.5 / 6, box["y"] + box["height"] * 2.5 / 6)
    assert page.evaluate("+ctl('kernel_slide', 'place').value") == 2 * 6 + 4
    assert page.locator("[data-nfig=kernel_slide] .nfig-products td").count() == 9


def test_choosing_a_neuron_shows_its_map_and_its_own_sliders(open_page):
    page = open_page(only="xor_network")
    box = page.locator("[data-nfig=xor_network]")
    box.get_by_role("button", name="neuron AND").click()
    assert page.evaluate("ctl('xor_network', 'look at').value") == "and"
    assert box.get_by_label("AND: bias").is_visible()
    assert not box.get_by_label("out: bias").is_visible()
    assert "AND: z =" in box.locator(".nfig-sum").inner_text()
    assert box.get_by_role("button", name="neuron AND").get_attribute("aria-pressed") == "true"


def test_two_widgets_on_one_page_share_no_id(open_page):
    page = open_page(only="xor_network")
    for name in ("xor_network", "softmax_temperature"):
        mounted(page, name, default(name).state)
    shared = page.evaluate(
        "(() => { const ids = [...document.querySelectorAll('[id]')].map((e) => e.id); "
        "return ids.filter((id, i) => ids.indexOf(id) !== i); })()"
    )
    assert shared == []
