"""Data sets that travel inside scikit-learn, and the truth tables of the logic gates."""

from __future__ import annotations

from typing import Any

import torch

from companion.data.dataset import Dataset
from companion.errors import bad_value

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

    return _classes(load_iris(), "iris", "Fisher (1936), measured by Anderson; copy inside scikit-learn")


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

    source = "Street, Wolberg and Mangasarian (1993), Wisconsin diagnostic data; copy inside scikit-learn"
    return _classes(load_breast_cancer(), "breast cancer", source)


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

    source = "Alpaydin and Kaynak (1998), Optical recognition of handwritten digits; copy inside scikit-learn"
    return _classes(load_digits(), "digits", source)


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
    )


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


def _classes(bunch: Any, name: str, source: str) -> Dataset:
    """Turn what scikit-learn loads into a data set with classes."""
    return Dataset(
        X=torch.as_tensor(bunch.data).float(),
        y=torch.as_tensor(bunch.target).long(),
        name=name,
        feature_names=tuple(str(feature) for feature in bunch.feature_names),
        class_names=tuple(str(label) for label in bunch.target_names),
        source=source,
    )
