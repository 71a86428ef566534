"""Data sets and photographs that travel inside scikit-learn, and the truth tables of the logic gates."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from companion.data.dataset import Dataset
from companion.errors import bad_value
from companion.functional._arguments import require_choice

_UCI = "CC BY 4.0 (UCI Machine Learning Repository)"
_GATES = {
    "and": (0, 0, 0, 1),
    "or": (0, 1, 1, 1),
    "nand": (1, 1, 1, 0),
    "nor": (1, 0, 0, 0),
    "xor": (0, 1, 1, 0),
    "xnor": (1, 0, 0, 1),
}


def iris() -> Dataset:
    """Load 150 iris flowers of three species, each with four lengths in centimetres.

    Returns:
        X (150, 4), y 0 setosa, 1 versicolor, 2 virginica, 50 of each. Setosa can be separated from the
        other two by a line; those two cannot be separated from each other.

    Source:
        Fisher (1936), The use of multiple measurements in taxonomic problems; measured by Anderson.

    >>> iris()
    Dataset(iris: 150 rows, 4 features, 3 classes)
    """
    from sklearn.datasets import load_iris

    return _classes(
        load_iris(),
        "iris",
        "Fisher (1936), measured by Anderson; copy inside scikit-learn",
        units=("cm",) * 4,
        quirks=("rows 101 and 142 are the same flower measured alike: a split may put one on each side",),
    )


def breast_cancer() -> Dataset:
    """Load 569 tumours described by 30 measurements of cell nuclei.

    Returns:
        X (569, 30), y 0 malignant (212), 1 benign (357). The numbering is scikit-learn's; 1 is the
        healthy case.

    Source:
        Street, Wolberg and Mangasarian (1993), Nuclear feature extraction for breast tumor diagnosis.

    >>> breast_cancer()
    Dataset(breast cancer: 569 rows, 30 features, 2 classes)
    """
    from sklearn.datasets import load_breast_cancer

    return _classes(
        load_breast_cancer(),
        "breast cancer",
        "Street, Wolberg and Mangasarian (1993), Wisconsin diagnostic data; copy inside scikit-learn",
        quirks=(
            "radius and perimeter say nearly the same (correlation 0.998)",
            "13 tumours have mean concavity 0, so no logarithm may be taken",
            "columns come in threes: mean, standard error and worst of the same ten measurements",
        ),
    )


def digits() -> Dataset:
    """Load 1,797 handwritten digits of 8 by 8 pixels.

    Returns:
        X (1797, 64), row by row, brightness from 0 to 16; y the digit, about 180 of each. ``X.view(-1, 8,
        8)`` gives pictures.

    Source:
        Alpaydin and Kaynak (1998), Optical recognition of handwritten digits (the test part).

    >>> digits()
    Dataset(digits: 1797 rows, 64 features, 10 classes)
    """
    from sklearn.datasets import load_digits

    return _classes(
        load_digits(),
        "digits",
        "Alpaydin and Kaynak (1998), Optical recognition of handwritten digits; copy inside scikit-learn",
        units=("dark pixels of 16",) * 64,
        quirks=(
            "13 people wrote all of them and who wrote which is not recorded: a random split tests on known hands",
            "pixels 0, 32 and 39 are 0 in every row",
        ),
    )


def wine() -> Dataset:
    """Load 178 wines of three growers from one region of Italy, each with 13 chemical measurements.

    Returns:
        X (178, 13), y the grower: 59, 71 and 48 wines.

    Source:
        Forina et al. (1988), PARVUS: an extendable package for data exploration, classification and correlation.

    >>> wine()
    Dataset(wine: 178 rows, 13 features, 3 classes)
    """
    from sklearn.datasets import load_wine

    return _classes(
        load_wine(),
        "wine",
        "Forina et al. (1988), PARVUS; copy inside scikit-learn",
        quirks=(
            "columns differ in spread by a factor of 2,500 (proline against nonflavanoid phenols): standardise first",
            "rows are sorted by class: shuffle before cutting",
        ),
    )


def diabetes() -> Dataset:
    """Load 442 patients with ten measurements each and how far their diabetes had advanced a year later.

    Returns:
        X (442, 10) in the units of the study (scikit-learn's default has standardised them on all rows,
        test rows included); y the progression, a number from 25 to 346.

    Source:
        Efron, Hastie, Johnstone and Tibshirani (2004), Least angle regression.

    >>> diabetes()
    Dataset(diabetes: 442 rows, 10 features, a number to predict)
    """
    from sklearn.datasets import load_diabetes

    bunch = load_diabetes(scaled=False)
    return Dataset(
        X=torch.as_tensor(bunch.data).float(),
        y=torch.as_tensor(bunch.target).float(),
        name="diabetes",
        feature_names=tuple(bunch.feature_names),
        class_names=(),
        source="Efron, Hastie, Johnstone and Tibshirani (2004); copy inside scikit-learn",
        units=("years", "", "kg/m^2", *[""] * 7),
        licence="none stated by its authors",
        quirks=(
            "s4 is s1 divided by s3, in six rows of seven rounded to a whole number",
            "s1 and s2 say nearly the same (correlation 0.90): single weights mean little",
            "which sex is 1 and which is 2 is not recorded",
        ),
    )


def photograph(name: str) -> Tensor:
    """Load one of the two photographs inside scikit-learn.

    Args:
        name: ``"china"``, the roofs of a Chinese palace, or ``"flower"``, a dahlia.

    Returns:
        Tensor (3, 427, 640): red, green and blue from 0 to 1.

    Raises:
        ValueError: If the name is unknown.

    Source:
        Photographs from Flickr under CC BY 2.0: china by danielbuechele; flower by vultilion, as its address says
        (scikit-learn's note names danielbuechele for both).

    >>> photograph("china").shape
    torch.Size([3, 427, 640])
    """
    require_choice("photograph", "name", name, ("china", "flower"))
    from sklearn.datasets import load_sample_image

    pixels = torch.from_numpy(load_sample_image(f"{name}.jpg").copy())
    return pixels.permute(2, 0, 1).float().div_(255)  # (H, W, C) -> (C, H, W)


def gate(name: str) -> Dataset:
    """Write out the truth table of a logic gate with two inputs.

    Args:
        name: ``"and"``, ``"or"``, ``"nand"``, ``"nor"``, ``"xor"`` or ``"xnor"``.

    Returns:
        X (4, 2), the rows 00, 01, 10, 11; y 0 off, 1 on.

    Raises:
        ValueError: If the gate is unknown.

    >>> gate("xor").y
    tensor([0, 1, 1, 0])
    """
    if name not in _GATES:
        raise bad_value("gate", "name", "one of " + ", ".join(_GATES), repr(name))
    return Dataset(
        X=torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]),
        y=torch.tensor(_GATES[name]),
        name=f"{name} gate",
        feature_names=("a", "b"),
        class_names=("off", "on"),
        source="truth table",
        synthetic=True,
    )


def _classes(
    bunch: Any, name: str, source: str, *, units: tuple[str, ...] = (), quirks: tuple[str, ...] = ()
) -> Dataset:
    """Turn what scikit-learn loads into a data set with classes."""
    return Dataset(
        X=torch.as_tensor(bunch.data).float(),
        y=torch.as_tensor(bunch.target).long(),
        name=name,
        feature_names=tuple(str(feature) for feature in bunch.feature_names),
        class_names=tuple(str(label) for label in bunch.target_names),
        source=source,
        units=units,
        licence=_UCI,
        quirks=quirks,
    )
