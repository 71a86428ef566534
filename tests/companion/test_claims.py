"""A claim holds, or says expected, got and what; a claim that claims nothing is refused."""

import math

import pytest
import torch

from companion.claims import ClaimError, agree, claim


@pytest.mark.parametrize(
    ("value", "expected", "options", "printed"),
    [
        (0.974, 0.97, {"abs": 0.01}, "0.97 ± 0.01"),
        (0.98, 0.97, {"abs": 0.01}, "0.97 ± 0.01"),  # on the edge, where float subtraction leaves a crumb
        (0.3, "0.2", {"abs": 0.1}, "0.2 ± 0.1"),
        (0.904, "0.90", {"abs": 0.01}, "0.90 ± 0.01"),
        (-1.25, -1.2, {"abs": 0.1}, "-1.2 ± 0.1"),
        (0.5, 0.4, {"spread": 0.05}, "0.4 ± 0.15"),
        (120, 100, {"spread": 10}, "100 ± 30"),
        (torch.tensor([6.0]), 6, {}, "6"),
        (torch.tensor(True), True, {}, "True"),
        (1e-4, "1e-4", {"abs": 1e-4}, "1e-4 ± 0.0001"),
    ],
)
def test_what_holds_prints_what_was_expected_and_not_what_came(value, expected, options, printed, capsys):
    claim(value, expected, what="test accuracy", **options)
    assert capsys.readouterr().out == f"✓ test accuracy: {printed}\n"


@pytest.mark.parametrize(
    ("value", "expected", "options", "said"),
    [
        (0.9811, 0.97, {"abs": 0.01}, r"expected 0\.97 ± 0\.01, got 0\.9811"),
        (0.56, 0.4, {"spread": 0.05}, r"expected 0\.4 ± 0\.15, got 0\.56"),
        (7, 6, {}, "expected 6, got 7"),
        (6.1, 6, {}, r"expected 6, got 6\.1"),
        (0, True, {}, "expected True, got 0"),
        (math.nan, 0.5, {"abs": 0.1}, "got nan"),
        (math.inf, 0.5, {"abs": 0.1}, "got inf"),
    ],
)
def test_what_does_not_hold_says_expected_and_got(value, expected, options, said):
    with pytest.raises(ClaimError, match=rf"^claim: test accuracy {'.*' if said[:3] == 'got' else ''}{said}"):
        claim(value, expected, what="test accuracy", **options)


@pytest.mark.parametrize(
    ("expected", "tolerance"), [(0.9, 0.5), (0.97, 0.02), ("0.90", 0.1), (5, 2), (0.9, -0.1), (0.9, math.nan)]
)
def test_a_tolerance_beyond_one_unit_of_the_last_digit_is_no_claim(expected, tolerance):
    with pytest.raises(ValueError, match=r"^claim: abs expected at most one unit of the last digit"):
        claim(expected, expected, abs=tolerance, what="x")


@pytest.mark.parametrize("options", [{}, {"abs": 0.1, "spread": 0.1}])
def test_a_value_with_digits_needs_exactly_one_tolerance(options):
    with pytest.raises(ValueError, match=r"^claim: abs, spread expected exactly one of the two"):
        claim(0.5, 0.5, what="x", **options)


@pytest.mark.parametrize(
    ("bounds", "printed"),
    [
        ({"at_least": 0.9}, "at least 0.9"),
        ({"at_most": "0.96"}, "at most 0.96"),
        ({"at_least": 0.9, "at_most": 0.96}, "at least 0.9 and at most 0.96"),
    ],
)
def test_bounds(bounds, printed, capsys):
    claim(0.93, what="x", **bounds)
    assert capsys.readouterr().out == f"✓ x: {printed}\n"
    low = 0.97 if "at_most" in bounds else 0.89
    for wrong in (low, math.nan):
        with pytest.raises(ClaimError, match=f"^claim: x expected {printed}, got {wrong:.6g}"):
            claim(wrong, what="x", **bounds)


def test_a_claim_without_value_and_one_with_both_are_refused():
    with pytest.raises(ValueError, match=r"^claim: expected expected a value, at_least= or at_most="):
        claim(0.5, what="x")
    with pytest.raises(ValueError, match="either a value or bounds"):
        claim(0.5, 0.5, abs=0.1, at_least=0.4, what="x")


@pytest.mark.parametrize("value", [torch.ones(2), "many", None, [0.5]])
def test_a_value_that_is_not_one_number_is_refused(value):
    with pytest.raises(TypeError, match=r"^claim: value expected one number"):
        claim(value, 0.5, abs=0.1, what="x")


def test_agree_prints_the_first_result_once(capsys):
    agree([1.0, -0.00001], torch.tensor([1.0, 0.0]), torch.tensor([1.0, 0.0], requires_grad=True), tol=1e-4)
    assert capsys.readouterr().out == "3 implementations agree within 0.0001: [1.0000, 0.0000]\n"
    agree(torch.arange(8.0).reshape(2, 4), torch.arange(8.0).reshape(2, 4), digits=0)
    assert capsys.readouterr().out.endswith(": [[0, 1, 2, 3], [4, 5, 6, 7]]\n")
    agree(torch.arange(9), torch.arange(9), digits=0)
    assert capsys.readouterr().out.endswith(": [0, 1, 2, 3, 4, 5, ...]\n")


def test_agree_names_shapes_and_the_largest_difference():
    with pytest.raises(ClaimError, match=r"^agree: result 1 has shape \(2,\), result 2 \(2, 1\)"):
        agree(torch.zeros(2), torch.zeros(2, 1))
    with pytest.raises(ClaimError, match=r"^agree: result 3 differs from result 1 by 0\.5, allowed 1e-06"):
        agree([0.0, 0.0], [0.0, 0.0], [0.0, 0.5])
    with pytest.raises(ValueError, match=r"^agree: values expected two or more"):
        agree([1.0])


def test_agree_knows_infinities_and_nan():
    agree([math.inf, -math.inf, math.nan], [math.inf, -math.inf, math.nan])
    for other in ([math.inf], [math.nan]):
        with pytest.raises(ClaimError, match="differs"):
            agree([0.0], other)
    with pytest.raises(ClaimError, match="differs"):
        agree([math.inf], [-math.inf])


def test_claim_takes_a_number_that_has_a_gradient():
    claim(torch.tensor(2.0, requires_grad=True) * 3, 6, what="a loss")


@pytest.mark.parametrize(
    ("value", "options", "printed"),
    [
        (math.inf, {"at_least": 10}, "at least 10"),
        (-math.inf, {"at_most": 10}, "at most 10"),
        (math.inf, {"expected": "inf", "abs": 0}, "inf ± 0"),
    ],
)
def test_infinity_may_be_claimed(value, options, printed, capsys):
    claim(value, what="w", **options)
    assert capsys.readouterr().out == f"✓ w: {printed}\n"
    with pytest.raises(ClaimError, match=f"^claim: w expected {printed}, got {-value}; mend the text or the code$"):
        claim(-value, what="w", **options)


@pytest.mark.parametrize("empty", [[], torch.zeros(0), torch.zeros(3, 0)], ids=["list", "tensor", "rows"])
def test_agree_refuses_results_without_a_number(empty):
    with pytest.raises(
        ValueError, match=r"^agree: values expected one number or more to compare, got shape \((0,|3, 0)\)$"
    ):
        agree(empty, empty)
    with pytest.raises(ClaimError, match=r"^agree: result 1 has shape"):
        agree(empty, [1.0])


@pytest.mark.parametrize("wrong", [None, "many", [None], [[1.0], 2.0], {}, 1j, torch.tensor([1j])], ids=repr)
def test_agree_refuses_what_holds_no_real_numbers(wrong):
    for values in ((wrong, 1), (1, wrong), (wrong, wrong)):
        with pytest.raises(TypeError) as caught:
            agree(*values)
        expected = f"agree: values expected tensors, arrays or lists of real numbers, got {type(wrong).__name__}"
        assert str(caught.value) == expected
