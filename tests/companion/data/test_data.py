"""Data sets: what they hold, how they are cut, and that test rows have no say."""

import dataclasses
import socket

import numpy as np
import pytest
import torch
from sklearn import datasets as oracle
from sklearn.preprocessing import StandardScaler

from companion.data import Dataset, breast_cancer, diabetes, digits, gate, iris, photograph, standardise, wine

EMBEDDED = {
    iris: (oracle.load_iris, (150, 4), [50, 50, 50]),
    breast_cancer: (oracle.load_breast_cancer, (569, 30), [212, 357]),
    digits: (oracle.load_digits, (1797, 64), [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]),
    diabetes: (lambda: oracle.load_diabetes(scaled=False), (442, 10), []),
    wine: (oracle.load_wine, (178, 13), [59, 71, 48]),
}
GATES = {"and": min, "or": max, "nand": lambda r: 1 - min(r), "nor": lambda r: 1 - max(r), "xor": lambda r: sum(r) % 2, "xnor": lambda r: 1 - sum(r) % 2}  # fmt: skip
each = pytest.mark.parametrize("load", EMBEDDED, ids=lambda f: f.__name__)


def small(y=(0, 0, 0, 0, 1, 1, 1, 1), classes=("a", "b")):
    X = torch.arange(len(y) * 2, dtype=torch.float32).reshape(-1, 2)
    return Dataset(X, torch.tensor(y), "small", ("u", "v"), classes, "made for this test", synthetic=True)


@pytest.fixture(autouse=True)
def _no_network(monkeypatch):
    def refuse(*_):
        raise AssertionError("the data must not need a network")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@each
def test_embedded_data_equals_what_scikit_learn_ships(load):
    reference, shape, counts = EMBEDDED[load]
    data, bunch = load(), reference()
    assert data.X.shape == shape
    assert data.X.dtype == torch.float32
    np.testing.assert_allclose(data.X.numpy(), bunch.data, rtol=1e-6)
    np.testing.assert_allclose(data.y.numpy(), bunch.target)
    assert (torch.bincount(data.y).tolist() if data.class_names else []) == counts
    assert len(data) == shape[0]
    assert len(data.feature_names) == shape[1]
    assert len(data.class_names) == len(counts)
    assert data.source
    assert not data.synthetic
    assert all(type(name) is str for name in data.feature_names + data.class_names)


def correlation(data, a, b):
    columns = data.select(features=[a, b]).X.double().T
    return torch.corrcoef(columns)[0, 1].item()


def test_every_quirk_is_counted():
    """One check for each sentence in quirks, in its order; a new sentence makes the numbers differ."""
    counted = {
        iris: [torch.equal(iris().X[101], iris().X[142]) and iris().y[101] == iris().y[142]],
        breast_cancer: [
            round(correlation(breast_cancer(), "mean radius", "mean perimeter"), 3) == 0.998,
            int((breast_cancer().select(features=["mean concavity"]).X == 0).sum()) == 13,
            [n.removeprefix("mean ") for n in breast_cancer().feature_names[:10]]
            == [n.removesuffix(" error") for n in breast_cancer().feature_names[10:20]]
            == [n.removeprefix("worst ") for n in breast_cancer().feature_names[20:]],
        ],
        digits: [
            "43 people" in oracle.load_digits().DESCR and "different 13" in oracle.load_digits().DESCR.replace("\n", " "),
            torch.nonzero((digits().X == 0).all(0)).flatten().tolist() == [0, 32, 39],
        ],
        wine: [
            2450 < (wine().X.std(0).max() / wine().X.std(0).min()).item() < 2550
            and wine().feature_names[int(wine().X.std(0).argmax())] == "proline"
            and wine().feature_names[int(wine().X.std(0).argmin())] == "nonflavanoid_phenols",
            bool((wine().y.diff() >= 0).all()),
        ],
        diabetes: [
            abs(round_share() - 6 / 7) < 0.01,
            round(correlation(diabetes(), "s1", "s2"), 2) == 0.90,
            diabetes().X[:, 1].unique().tolist() == [1, 2] and "- sex\n" in oracle.load_diabetes().DESCR,
        ],
    }  # fmt: skip
    assert set(counted) == set(EMBEDDED)
    for load, checks in counted.items():
        assert checks == [True] * len(load().quirks), load.__name__


def round_share():
    """Return the share of rows in which s4 is a whole number, after checking that s4 is s1 / s3 within rounding."""
    s1, s3, s4 = diabetes().select(features=["s1", "s3", "s4"]).X.double().T
    whole = s4 == s4.round()
    assert ((s4 - s1 / s3).abs()[whole] <= 0.5).double().mean() > 0.97
    assert ((s4 - s1 / s3).abs()[~whole] < 0.006).double().mean() > 0.93
    return whole.double().mean().item()


def test_no_other_rows_are_duplicates():
    for load in EMBEDDED:
        data = load()
        assert len(data) - len(data.X.unique(dim=0)) == (load is iris)


def test_units_and_licences_travel_with_the_rows():
    assert iris().units == ("cm",) * 4
    assert diabetes().select(features=["bmi", "age"]).units == ("kg/m^2", "years")
    assert standardise(iris())[0].units == (), "after standardising they are standard deviations"
    assert iris().split()[0].quirks == iris().quirks
    for load in EMBEDDED:
        assert load().licence.startswith("none stated" if load is diabetes else "CC BY 4.0")
        assert len(load().units) in (0, load().X.shape[1])


@pytest.mark.parametrize("name", ["china", "flower"])
def test_photographs_are_scikit_learns(name):
    pixels = oracle.load_sample_image(f"{name}.jpg")
    image = photograph(name)
    assert image.dtype == torch.float32
    np.testing.assert_allclose(image.permute(1, 2, 0).numpy() * 255, pixels, atol=1e-4)
    image.zero_()
    assert photograph(name).max() <= 1
    assert photograph(name).mean() > 0.1


def test_an_unknown_photograph_is_refused():
    with pytest.raises(ValueError, match=r"^photograph: name expected 'china' or 'flower', got 'cat'$"):
        photograph("cat")


@each
def test_embedded_data_is_fresh_on_every_call(load):
    data = load()
    data.X.zero_()
    assert load().X.abs().sum() > 0


@pytest.mark.parametrize("name", GATES)
def test_gate_is_its_truth_table(name):
    data = gate(name)
    assert data.X.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert data.y.tolist() == [GATES[name](row) for row in data.X.tolist()]
    assert data.synthetic
    assert data.class_names == ("off", "on")


def test_gate_refuses_an_unknown_name():
    with pytest.raises(ValueError, match=r"^gate: name expected one of and, or, nand, nor, xor, xnor, got 'XOR'$"):
        gate("XOR")


def test_dataset_is_frozen_and_prints_its_size_not_its_rows():
    with pytest.raises(dataclasses.FrozenInstanceError):
        iris().X = torch.zeros(1)
    assert repr(gate("or")) == "Dataset(or gate: 4 rows, 2 features, 2 classes, synthetic)"
    assert repr(diabetes()) == "Dataset(diabetes: 442 rows, 10 features, a number to predict)"


def test_select_renumbers_classes_in_the_order_asked_for():
    data = iris().select(classes=["virginica", "setosa"])
    assert data.class_names == ("virginica", "setosa")
    assert torch.bincount(data.y).tolist() == [50, 50]
    assert torch.equal(data.X[data.y == 1], iris().X[iris().y == 0])
    assert torch.equal(data.X[data.y == 0], iris().X[iris().y == 2])
    assert torch.equal(iris().select(classes=[2, 0]).y, data.y)


def test_select_takes_features_by_name_or_number():
    data = iris().select(features=["petal width (cm)", 0], classes=["versicolor"])
    assert data.feature_names == ("petal width (cm)", "sepal length (cm)")
    assert torch.equal(data.X, iris().X[50:100][:, [3, 0]])
    assert data.y.tolist() == [0] * 50
    assert iris().select().X.shape == (150, 4)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"classes": ["rose"]}, ValueError, "select: classes expected names or numbers of these: setosa, versicolor, virginica, got 'rose'"),
        ({"classes": [3]}, ValueError, "select: classes expected names or numbers of these: setosa, versicolor, virginica, got 3"),
        ({"classes": [-1]}, ValueError, "select: classes expected names or numbers of these: setosa, versicolor, virginica, got -1"),
        ({"classes": []}, ValueError, "select: classes expected one or more, each once, got []"),
        ({"classes": [0, "setosa"]}, ValueError, "select: classes expected one or more, each once, got [0, 'setosa']"),
        ({"classes": "setosa"}, TypeError, "select: classes expected a list of names or numbers, got str; write classes=['setosa']"),
        ({"features": 2}, TypeError, "select: features expected a list of names or numbers, got int; write features=[2]"),
    ],
)  # fmt: skip
def test_select_refuses_what_is_not_there(options, error, message):
    with pytest.raises(error) as caught:
        iris().select(**options)
    assert str(caught.value) == message


def test_select_shortens_long_lists_and_says_when_there_are_no_classes():
    with pytest.raises(ValueError, match=r"pixel_1_1, \.\.\., got 'x'$"):
        digits().select(features=["x"])
    with pytest.raises(ValueError, match=r"names or numbers of these: none, got 0$"):
        diabetes().select(classes=[0])


@each
@pytest.mark.parametrize("share", [0.1, 0.25, 0.5])
def test_split_keeps_every_row_once_and_the_shares_of_the_classes(load, share):
    data = load()
    train, test = data.split(test=share, seed=3)
    everything = torch.cat([torch.cat([part.X, part.y[:, None].float()], 1) for part in (train, test)])
    original = torch.cat([data.X, data.y[:, None].float()], 1)
    assert sorted(everything.tolist()) == sorted(original.tolist())
    if data.class_names:
        for label, count in enumerate(torch.bincount(data.y).tolist()):
            assert (test.y == label).sum().item() == round(share * count)
    else:
        assert len(test) == round(share * len(data))
    assert train.class_names == data.class_names
    assert test.source == data.source


def test_split_follows_its_seed_and_shuffles():
    first, again, other = (iris().split(seed=s) for s in (0, 0, 1))
    for a, b in zip(first, again):
        assert torch.equal(a.X, b.X)
    assert not torch.equal(first[1].X, other[1].X)
    assert first[0].y[:30].unique().numel() == 3, "rows of one class must not stand together"
    assert first[1].y[:20].unique().numel() == 3
    assert torch.equal(first[0].X, iris().split(0.25, 0)[0].X), "a quarter and seed 0 are the defaults"


@pytest.mark.parametrize(
    ("data", "share", "got"),
    [
        (small(), 0.0, "a share between 0 and 1, got 0.0; 0.25 sets a quarter aside"),
        (small(), 1, "a share between 0 and 1, got 1; 0.25 sets a quarter aside"),
        (small(), 0.1, "a share with a row of each class on both sides, got 0.1, which is 0 of 4 rows of a"),
        (small(), 0.9, "a share with a row of each class on both sides, got 0.9, which is 4 of 4 rows of a"),
        (small((0, 0, 0, 1)), 0.5, "a share with a row of each class on both sides, got 0.5, which is 0 of 1 rows of b"),
    ],
)  # fmt: skip
def test_split_refuses_shares_that_leave_a_side_without_a_class(data, share, got):
    with pytest.raises(ValueError) as caught:
        data.split(test=share)
    assert str(caught.value) == f"split: test expected {got}"


def test_standardise_equals_scikit_learn_fitted_on_the_training_rows():
    train, test = breast_cancer().split()
    scaler = StandardScaler().fit(train.X.double().numpy())
    for got, raw in zip(standardise(train, test), (train, test)):
        np.testing.assert_allclose(got.X.numpy(), scaler.transform(raw.X.double().numpy()), atol=1e-5)
        assert got.X.dtype == torch.float32
        assert torch.equal(got.y, raw.y)


def test_standardise_gives_the_test_rows_no_say():
    train, test = iris().split()
    wild = dataclasses.replace(test, X=test.X * 1000)
    assert torch.equal(standardise(train, test)[0].X, standardise(train, wild)[0].X)
    assert len(standardise(train)) == 1
    assert len(standardise(train, test, test)) == 3
    assert standardise(train, test)[1].X.mean(0).abs().max() > 0.01, "the test rows keep their own mean"


def test_standardise_turns_a_constant_column_into_zeros():
    data = small()
    data = dataclasses.replace(data, X=torch.cat([data.X[:, :1], torch.full((8, 1), 0.1)], 1))
    moved = dataclasses.replace(data, X=data.X + 1)
    train, other = standardise(data, moved)
    assert train.X[:, 1].abs().max() < 1e-7
    torch.testing.assert_close(other.X[:, 1], torch.ones(8))
    torch.testing.assert_close(train.X[:, 0].std(correction=0), torch.tensor(1.0))
    (pixels,) = standardise(digits())
    assert torch.isfinite(pixels.X).all()


def test_standardise_changes_nothing_it_was_given():
    train, test = iris().split()
    kept = train.X.clone(), test.X.clone()
    standardise(train, test)
    assert torch.equal(train.X, kept[0])
    assert torch.equal(test.X, kept[1])


def test_standardise_refuses_other_features_and_no_rows():
    with pytest.raises(
        ValueError, match=r"^standardise: others expected u, v, got v, u; all data sets need the features"
    ):
        standardise(small(), small().select(features=["v", "u"]))
    with pytest.raises(ValueError, match=r"^standardise: train expected one row or more, got none$"):
        standardise(dataclasses.replace(small(), X=torch.zeros(0, 2), y=torch.zeros(0, dtype=torch.int64)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"X": torch.zeros(8)}, "Dataset: X expected rows of float32 examples, shape (N, D), got (8,) of torch.float32"),
        ({"X": torch.zeros(8, 2).double()}, "Dataset: X expected rows of float32 examples, shape (N, D), got (8, 2) of torch.float64"),
        ({"y": torch.zeros(8, 1).long()}, "Dataset: y expected shape (8,), got (8, 1)"),
        ({"y": torch.zeros(8)}, "Dataset: y expected torch.int64, got torch.float32; class numbers are int64, numbers to be predicted are float32"),
        ({"class_names": ()}, "Dataset: y expected torch.float32, got torch.int64; class numbers are int64, numbers to be predicted are float32"),
        ({"class_names": ("a",)}, "Dataset: y expected class numbers from 0 to 0, got 0 to 1"),
        ({"feature_names": ("u",)}, "Dataset: feature_names expected 2 names, got 1"),
        ({"units": ("cm",)}, "Dataset: units expected 2 units or none, got 1"),
    ],
)  # fmt: skip
def test_dataset_refuses_parts_that_do_not_fit(changes, message):
    with pytest.raises(ValueError) as caught:
        dataclasses.replace(small(), **changes)
    assert str(caught.value) == message
