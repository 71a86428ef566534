"""Each figure and study aid looks as it did: its default state beside a stored picture, in both modes, on a phone and a desk."""

from __future__ import annotations

import figure_page
import numpy as np
import pytest
import shots

pytestmark = pytest.mark.browser

NAMES = sorted(figure_page.names())
FIGURE = "neuron_boundary"


@pytest.fixture(scope="session")
def comparable(chromium):
    """A machine that draws letters and controls as the one that stored the pictures."""
    if why := shots.other_machine(chromium):
        pytest.skip(why)
    return chromium


@pytest.fixture(params=shots.WIDTHS)
def sheet(request, chromium):
    view = shots.view(chromium, request.param)
    yield request.param, view
    view.close()


@pytest.fixture
def phone(chromium):
    view = shots.view(chromium, shots.WIDTHS[0])
    yield view
    view.close()


@pytest.mark.parametrize("mode", shots.MODES)
@pytest.mark.parametrize("name", NAMES)
def test_figure_looks_as_it_did(comparable, sheet, name, mode):
    width, view = sheet
    file = shots.stored(name, mode, width)
    assert file.exists(), f"{name} has no picture yet: run `{shots.COMMAND}`"
    changed = shots.difference(shots.reduced(file.read_bytes()), shots.taken(view, name, mode))
    assert not changed, f"{file.name}: {changed}; if you meant it, run `{shots.COMMAND}` and look at the picture"


def test_every_figure_has_its_pictures_and_no_picture_is_left_over():
    wanted = {shots.stored(n, m, w).name for n in NAMES for m in shots.MODES for w in shots.WIDTHS} | {"machine.json"}
    there = {p.name for p in shots.FOLDER.iterdir()}
    assert there == wanted, f"run `{shots.COMMAND}`"
    assert figure_page.unseen() == []


def test_pictures_together_stay_small():
    sizes = [p.stat().st_size for p in shots.FOLDER.iterdir()]
    assert sum(sizes) <= shots.MEAN_BYTES * len(sizes)


PLANTS = {
    "an axis without its line": ".nfig-axes path { display: none; }",
    "the colour of the first class": ".nfig { --nf-a: #6b3fa0 !important; } html[data-theme=dark] .nfig { --nf-a: #c9a4f5 !important; }",
    "larger letters": ".nfig-svg text { font-size: 13.5px !important; }",
    "a boundary without its line": ".nfig-line { stroke: none !important; }",
}


@pytest.mark.parametrize("mode", shots.MODES)
@pytest.mark.parametrize("plant", PLANTS)
def test_comparison_sees_what_is_planted(phone, plant, mode):
    before = shots.taken(phone, FIGURE, mode)
    assert "changed" in shots.difference(before, shots.taken(phone, FIGURE, mode, PLANTS[plant]))


def test_comparison_sees_nothing_when_nothing_changed(phone):
    first, second = (shots.taken(phone, FIGURE, "light") for _ in range(2))
    assert shots.difference(first, second) == ""
    assert np.array_equal(shots.reduced(shots.packed(first)), first)


def test_comparison_lets_a_speck_pass_and_names_the_place_of_more():
    blank = np.full((200, 300, 3), 255, dtype=np.uint8)
    speck, spot, edge = blank.copy(), blank.copy(), blank - shots.LEVELS
    speck[10, :10] = 0
    spot[10:14, 20:30] = 0
    assert shots.difference(blank, speck) == ""
    assert shots.difference(blank, edge) == ""
    assert shots.difference(blank, spot) == "40 pixels (0.07 %) changed, within x 20 to 29, y 10 to 13"
    assert shots.difference(blank, blank[:, :290]) == "it was 300 x 200 pixels and is 290 x 200"


def test_another_machine_is_told_so_in_one_sentence(chromium, tmp_path, monkeypatch):
    monkeypatch.setattr(shots, "FOLDER", tmp_path)
    assert shots.other_machine(chromium) == "no pictures are stored yet: run `make shots`"
    (tmp_path / "machine.json").write_text('{"drawn": "0", "chromium": "1.2.3"}')
    assert "(Chromium 1.2.3), so nothing can be compared" in shots.other_machine(chromium)


def test_a_figure_that_nobody_knows_is_one_sentence():
    with pytest.raises(SystemExit, match=r"expected one of .*, got 'sundial'"):
        figure_page.default("sundial")
