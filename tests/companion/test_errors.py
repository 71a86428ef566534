"""The one form of refusal."""

import pytest

from companion.errors import bad_type, bad_value


def test_bad_value_says_where_what_was_expected_what_came_and_a_hint():
    error = bad_value("softmax", "dim", "an axis from -2 to 1", 3, "try -1")
    assert isinstance(error, ValueError)
    assert str(error) == "softmax: dim expected an axis from -2 to 1, got 3; try -1"


def test_bad_value_leaves_no_loose_end_without_a_hint():
    assert str(bad_value("f", "x", "1 or more", 0)) == "f: x expected 1 or more, got 0"


@pytest.mark.parametrize(("got", "name"), [([1], "list"), (None, "NoneType"), (2.0, "float"), (str, "type")])
def test_bad_type_names_the_type_and_never_prints_the_object(got, name):
    error = bad_type("f", "x", "a tensor", got, "torch.as_tensor(x) makes one")
    assert isinstance(error, TypeError)
    assert str(error) == f"f: x expected a tensor, got {name}; torch.as_tensor(x) makes one"


def test_errors_are_returned_so_that_the_caller_raises_them():
    def refuse():
        raise bad_value("f", "x", "1 or more", 0)

    with pytest.raises(ValueError) as caught:
        refuse()
    assert caught.traceback[-1].name == "refuse"
