"""What fit says of the first batch: mistakes that cost learning and raise no error."""

import functools

import pytest
import torch
import torch.nn.functional as native

from companion import functional as F
from companion import nn
from companion.data import gate
from companion.models import mlp
from companion.random import generator
from companion.training import Callback, fit

X, YES, CLASS = torch.randn(4, 2), torch.ones(4, 1), torch.tensor([0, 1, 2, 1])


def said(last, wants):
    applies = {"bce": "a sigmoid", "cross_entropy": "a softmax"}[wants]
    return (
        f"fit: model expected logits as outputs, which the loss {wants!r} wants, got those of a last layer {last}; "
        f"the loss applies {applies} itself: leave the layer out (accuracy takes logits too)"
    )


class Net(torch.nn.Module):
    """A model that is no Sequential; its last child is not what it calls last unless asked to."""

    def __init__(self, last, ends=True):
        super().__init__()
        self.parts = torch.nn.ModuleDict({"act": last, "out": torch.nn.Linear(2, 1)})
        self.ends = ends

    def forward(self, x):
        out, act = self.parts["out"], self.parts["act"]
        return act(out(x))[:, :] if self.ends else out(act(x))


ENDING = {
    "mlp": (lambda: mlp([2, 3, 1], out_activation=nn.Sigmoid), "Sigmoid"),
    "torch": (lambda: torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.Sigmoid()), "Sigmoid"),
    "nested": (lambda: torch.nn.Sequential(nn.Linear(2, 1), torch.nn.Sequential(nn.Sigmoid())), "Sigmoid"),
    "own module, a view of it": (lambda: Net(torch.nn.Sigmoid()), "Sigmoid"),
}


@pytest.mark.parametrize("model", ENDING)
@pytest.mark.parametrize("loss", ["bce", nn.BCEWithLogitsLoss(), torch.nn.BCEWithLogitsLoss(), functools.partial(F.binary_cross_entropy_with_logits, pos_weight=torch.ones(1)), native.binary_cross_entropy_with_logits])  # fmt: skip
def test_a_sigmoid_before_a_loss_that_applies_it_gets_one_warning(model, loss):
    make, last = ENDING[model]
    with pytest.warns(UserWarning, match="logits") as caught:
        fit(make(), X, YES, loss=loss, epochs=2, batch_size=2)
    assert [str(warning.message) for warning in caught] == [said(last, "bce")]
    assert caught[0].filename == __file__


@pytest.mark.parametrize("softmax", [lambda: nn.Softmax(dim=1), lambda: torch.nn.Softmax(dim=1)])
@pytest.mark.parametrize("loss", ["cross_entropy", nn.CrossEntropyLoss(), torch.nn.CrossEntropyLoss(), native.cross_entropy])  # fmt: skip
def test_a_softmax_before_a_loss_that_applies_it_gets_one_warning(softmax, loss):
    with pytest.warns(UserWarning, match="logits") as caught:
        fit(mlp([2, 3], out_activation=softmax), X, CLASS, loss=loss, epochs=2)
    assert [str(warning.message) for warning in caught] == [said("Softmax", "cross_entropy")]


# The compiler builds an object that PyTorch's own autograd has declared out of date
@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")
def test_a_compiled_model_is_warned_of_too():
    torch.compiler.reset()
    with pytest.warns(UserWarning, match="got those of a last layer Sigmoid") as caught:
        fit(ENDING["nested"][0](), X, YES, loss="bce", epochs=1, compile="eager")
    assert len([warning for warning in caught if warning.category is UserWarning]) == 1


def test_a_sigmoid_elsewhere_or_before_another_loss_gets_no_warning():
    fit(Net(torch.nn.Sigmoid(), ends=False), X, YES, loss="bce", epochs=1)
    fit(mlp([2, 3, 1], activation=nn.Sigmoid), X, YES, loss="bce", epochs=1)
    fit(mlp([2, 1], out_activation=nn.Sigmoid), X, YES, loss="mse", epochs=1)
    fit(mlp([2, 1], out_activation=nn.Sigmoid), X, YES, loss=nn.BCELoss(), epochs=1)
    fit(mlp([2, 3], out_activation=lambda: nn.LogSoftmax(dim=1)), X, CLASS, loss=nn.NLLLoss(), epochs=1)


def test_looking_leaves_no_hook_in_the_model_and_changes_no_number():
    rows = gate("xor")
    X, y = rows.X, rows.y.float()[:, None]
    models = [mlp([2, 4, 1], activation=nn.Sigmoid, generator=generator(0)) for _ in range(2)]
    own = lambda outputs, targets: F.binary_cross_entropy_with_logits(outputs, targets)  # noqa: E731
    a, b = (fit(m, X, y, loss=loss, epochs=3, generator=generator(1)) for m, loss in zip(models, ("bce", own)))
    assert a == b
    assert not any(layer._forward_hooks for layer in models[0].modules())


FLOATS = {torch.float32: "float", torch.float64: "double", torch.bfloat16: "bfloat16"}


@pytest.mark.parametrize("own", FLOATS)
@pytest.mark.parametrize("came", FLOATS)
@pytest.mark.parametrize("layers", [nn, torch.nn])
def test_floats_of_another_type_than_the_model_are_refused_before_training(own, came, layers):
    data, begun = (X.to(came), YES.to(came)), []
    model = layers.Linear(2, 1, dtype=own)
    start = type("Start", (Callback,), {"on_fit_start": lambda self, run: begun.append(run)})()
    options = {"loss": "mse", "epochs": 1, "callbacks": [start]}
    if own == came:
        fit(model, *data, validation=data, **options)
        assert len(begun) == 1
        return
    short = [str(dtype).removeprefix("torch.") for dtype in (own, came)]
    right = X.to(own), YES.to(own)
    for call, name in (
        (lambda: fit(model, *data, **options), "X"),
        (lambda: fit(model, [data], **{**options, "callbacks": []}), "X"),
        (lambda: fit(model, *right, validation=data, **options), "validation[0]"),
    ):
        with pytest.raises(TypeError) as caught:
            call()
        assert str(caught.value) == (
            f"fit: {name} expected {short[0]} like the model's parameters, got {short[1]}; {name}.{FLOATS[own]}()"
        )
    assert not begun


@pytest.mark.parametrize("precision", [None, "bfloat16"])
def test_whole_numbers_reach_an_embedding(precision):
    model = torch.nn.Sequential(nn.Embedding(5, 3), nn.Flatten(), nn.Linear(6, 1))
    history = fit(model, torch.tensor([[0, 1], [2, 3]]), YES[:2], loss="mse", epochs=1, precision=precision)
    assert len(history.loss) == 1


@pytest.mark.parametrize("came", [torch.float32, torch.bfloat16])
def test_precision_brings_short_floats_together_itself(came):
    history = fit(torch.nn.Linear(2, 1), X.to(came), YES, loss="mse", epochs=1, precision="bfloat16")
    assert len(history.loss) == 1


def test_precision_does_not_reach_64_bits():
    with pytest.raises(TypeError, match=r"^fit: X expected float32 like the model's parameters, got float64; X.float"):
        fit(torch.nn.Linear(2, 1), X.double(), YES, loss="mse", precision="bfloat16")
    with pytest.raises(TypeError, match=r"^fit: X expected float64 like the model's parameters, got float32; X.double"):
        fit(torch.nn.Linear(2, 1).double(), X, YES, loss="mse", precision="bfloat16")


def test_a_model_of_two_types_takes_either():
    class Two(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = torch.nn.Linear(2, 3), torch.nn.Linear(3, 1, dtype=torch.float64)

        def forward(self, x):
            return self.b(self.a(x.float()).double())

    for came in (torch.float32, torch.float64):
        assert len(fit(Two(), X.to(came), YES.double(), loss="mse", epochs=1).loss) == 1


def square(outputs, targets):
    return (outputs - targets).square().mean()


WIDE = "most losses will broadcast the two to (4, 4) and compare every output with every target; "


@pytest.mark.parametrize(
    ("flat", "y", "message"),
    [
        (False, YES[:, 0], "fit: y expected the shape of the outputs, (4, 1), got (4,); " + WIDE + "y[:, None] makes the shapes meet"),
        (True, YES, "fit: y expected the shape of the outputs, (4,), got (4, 1); " + WIDE + "y[:, 0] makes the shapes meet"),
    ],
)  # fmt: skip
def test_a_column_beside_a_row_gets_one_warning_when_the_loss_is_a_function(flat, y, message):
    model = torch.nn.Sequential(nn.Linear(2, 1), *[nn.Flatten(0)] * flat)
    with pytest.warns(UserWarning, match="broadcast") as caught:
        fit(model, X, y, loss=square, epochs=2)
    assert [str(warning.message) for warning in caught] == [message]
    assert caught[0].filename == __file__


def test_shapes_that_meet_and_a_single_row_get_no_warning():
    fit(nn.Linear(2, 1), X, YES, loss=square, epochs=1)
    fit(nn.Linear(2, 3), X, CLASS, loss=lambda z, y: F.cross_entropy(z, y), epochs=1)
    fit(nn.Linear(2, 1), X[:1], YES[:1, 0], loss=square, epochs=1)
