"""Axes and spaces: every setting has its place, and the way there and back is the same."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from companion.random import generator
from companion.search import Axis, Space

PROPERTY = settings(max_examples=60, deadline=None, derandomize=True)
AXES = {
    "plain": Axis(-2, 3),
    "log": Axis(1e-5, 10.0, log=True),
    "whole": Axis(-3, 4, integer=True),
    "whole log": Axis(1, 1000, log=True, integer=True),
}
EVERY_AXIS = pytest.mark.parametrize("axis", AXES.values(), ids=AXES)


@EVERY_AXIS
@PROPERTY
@given(u=st.floats(0, 1))
def test_value_lies_in_the_range_and_its_place_gives_it_back(axis, u):
    v = axis.value(u)
    assert axis.low <= v <= axis.high
    assert 0 <= axis.place(v) <= 1
    assert axis.value(axis.place(v)) == (v if axis.integer else pytest.approx(v, rel=1e-12, abs=1e-12))
    if not axis.integer:
        assert axis.place(v) == pytest.approx(u, abs=1e-9)


@EVERY_AXIS
def test_ends_of_an_axis_are_its_ends_exactly(axis):
    assert (axis.value(0), axis.value(1)) == (axis.low, axis.high)
    assert (axis.place(axis.low), axis.place(axis.high)) == (0, 1)


@pytest.mark.parametrize("name", ["whole", "whole log"])
def test_every_whole_number_comes_back_from_its_own_place(name):
    axis = AXES[name]
    numbers = range(int(axis.low), int(axis.high) + 1)
    found = [axis.value(axis.place(v)) for v in numbers]
    assert found == list(numbers)
    assert {type(v) for v in found} == {int}


def test_whole_numbers_have_the_same_room_and_on_a_log_axis_room_for_their_size():
    u = (torch.arange(80_000) + 0.5) / 80_000
    plain = torch.tensor([AXES["whole"].value(p) for p in u.tolist()])
    assert torch.equal(plain.unique(return_counts=True)[1], torch.full((8,), 10_000))
    log = torch.tensor([AXES["whole log"].value(p) for p in u.tolist()])
    share = [(log == v).double().mean().item() for v in (1, 2, 10)]
    assert share == pytest.approx([math.log((v + 1) / v) / math.log(1001) for v in (1, 2, 10)], abs=1e-4)


def test_axis_cannot_be_changed_after_it_was_checked():
    axis = Axis(1, 3)
    with pytest.raises(AttributeError, match="low"):
        axis.low = 9
    assert axis == Axis(1, 3) != Axis(1, 3, log=True)


def test_middle_of_a_log_axis_is_the_geometric_mean_and_of_a_plain_one_the_arithmetic():
    assert Axis(1, 100, log=True).value(0.5) == pytest.approx(10)
    assert Axis(1, 100).value(0.5) == pytest.approx(50.5)


def test_space_goes_to_settings_and_back_in_the_order_of_its_axes():
    space = Space(AXES)
    unit = space.random(50, generator(0))
    points = space.points(unit)
    assert [list(point) for point in points] == [list(AXES)] * 50
    again = space.unit(points)
    assert again.dtype == torch.double
    torch.testing.assert_close(again[:, :2], unit[:, :2], rtol=0, atol=1e-9)
    assert space.points(again)[0]["whole log"] == points[0]["whole log"]
    assert space.unit([{name: axis.high for name, axis in reversed(AXES.items())}]).tolist() == [[1.0] * 4]
    assert space.unit([]).shape == (0, 4)


def test_float32_points_are_settings_too():
    assert Space({"p": Axis(0, 0.5)}).points(torch.tensor([[1.0]])) == [{"p": 0.5}]


def test_grid_has_every_combination_with_both_ends_and_the_middle_for_one():
    space = Space({"a": Axis(0, 1), "b": Axis(0, 1), "c": Axis(0, 1)})
    grid = space.grid((3, 1, 2))
    expected = [[a, 0.5, c] for a in (0, 0.5, 1) for c in (0, 1)]
    assert grid.tolist() == expected
    assert grid.dtype == torch.double
    assert torch.equal(space.grid(2), torch.cartesian_prod(*[torch.tensor([0.0, 1.0]).double()] * 3))
    assert space.grid(1).tolist() == [[0.5, 0.5, 0.5]]


def test_grid_of_whole_numbers_takes_each_once():
    space = Space({"n": Axis(2, 5, integer=True)})
    assert [p["n"] for p in space.points(space.grid(4))] == [2, 3, 4, 5]
    assert [p["n"] for p in space.points(space.grid(2))] == [2, 5]


def test_random_points_follow_the_generator_and_fill_the_cube():
    space = Space({"a": Axis(0, 1), "b": Axis(0, 1)})
    one, same, other = (space.random(400, generator(seed)) for seed in (3, 3, 4))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert one.shape == (400, 2)
    assert one.dtype == torch.double
    assert ((one * 4).long().flatten().bincount() > 150).all()


SPACE = Space({"lr": Axis(1e-3, 1, log=True), "n": Axis(1, 4, integer=True)})


@pytest.mark.parametrize(
    ("run", "error", "said"),
    [
        (lambda: Axis(2, 2), ValueError, "Axis: high expected more than low, 2, got 2; fix the value outside"),
        (lambda: Axis(0, 1, log=True), ValueError, "Axis: low expected a finite number above 0, got 0"),
        (lambda: Axis(0, math.inf), ValueError, "Axis: high expected a finite number, got inf"),
        (lambda: Axis(0.5, 3, integer=True), ValueError, "low expected a whole number, for an integer axis, got 0.5"),
        (lambda: Axis("1", 3), TypeError, "Axis: low expected a finite number, got str"),
        (lambda: Axis(0, 1).value(1.01), ValueError, "Axis.value: u expected a place from 0 to 1, got 1.01"),
        (lambda: Axis(0, 1).value(-0.01), ValueError, "Axis.value: u expected a place from 0 to 1, got -0.01"),
        (lambda: Axis(0, 1).value(math.nan), ValueError, "a place from 0 to 1, got nan"),
        (lambda: Axis(0, 1).place(-0.1), ValueError, "Axis.place: v expected a value from 0 to 1, got -0.1"),
        (lambda: Axis(0, 4, integer=True).place(2.5), ValueError, "v expected a whole number from 0 to 4, got 2.5"),
        (lambda: Space({}), ValueError, "Space: axes expected one axis or more, by name, got none"),
        (lambda: Space({"lr": (0, 1)}), TypeError, r"axes\['lr'\] expected an Axis, got tuple"),
        (lambda: SPACE.points([[0, 1]]), TypeError, "Space.points: unit expected a tensor, got list"),
        (lambda: SPACE.points(torch.zeros(2, 2).long()), ValueError, "unit expected a float tensor"),
        (lambda: SPACE.points(torch.zeros(2)), ValueError, r"unit expected shape \(n, 2\), got \(2,\)"),
        (lambda: SPACE.points(torch.zeros(4, 3)), ValueError, r"unit expected shape \(n, 2\), got \(4, 3\)"),
        (lambda: SPACE.points(torch.tensor([[0.0, 1.5]])), ValueError, "a place from 0 to 1, got 1.5"),
        (lambda: SPACE.unit([{"lr": 0.1}]), ValueError, r"settings\[0\] expected values for lr, n, got lr"),
        (lambda: SPACE.unit([{"lr": 0.1, "n": 2, "k": 1}]), ValueError, "got lr, n, k"),
        (
            lambda: SPACE.unit([{"lr": 1, "n": 2}, {"lr": 2, "n": 2}]),
            ValueError,
            r"Space.unit: settings\[1\]\['lr'\] expected a value from 0.001 to 1, got 2",
        ),
        (
            lambda: SPACE.unit([{"lr": "0.1", "n": 2}]),
            TypeError,
            r"settings\[0\]\['lr'\] expected a finite number, got str",
        ),
        (lambda: Axis(0, 1).place(None), TypeError, "Axis.place: v expected a finite number, got NoneType"),
        (lambda: SPACE.grid(5), ValueError, "the count of n expected as many different whole numbers, got 5"),
        (lambda: SPACE.grid((2, 2, 2)), ValueError, "counts expected a whole number or 2 of them"),
        (lambda: SPACE.grid(0), ValueError, "counts expected 1 or more, got 0"),
        (lambda: SPACE.grid(2.5), TypeError, "counts expected a whole number, got float"),
        (lambda: SPACE.random(0), ValueError, "Space.random: n expected 1 or more, got 0"),
    ],
)
def test_what_is_no_space_or_not_in_it_is_refused_in_words(run, error, said):
    with pytest.raises(error, match=said):
        run()
