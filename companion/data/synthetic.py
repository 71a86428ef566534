"""Made-up data for questions that measured data cannot ask."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from companion.data.dataset import Dataset
from companion.errors import bad_value
from companion.functional._arguments import require_number, require_whole
from companion.random import uniform


def mirror_symmetry(bits: int = 6) -> Dataset:
    """Write out every row of bits and whether it reads the same from both ends.

    Args:
        bits: Length of a row, an even number from 2 to 16.

    Returns:
        X (2^bits, bits) of 0 and 1; y 1 for the 2^(bits/2) symmetric rows, 0 for the others.

    Raises:
        TypeError: If ``bits`` is no whole number.
        ValueError: If it is out of range.

    Source:
        Rumelhart, Hinton and Williams (1986), Learning representations by back-propagating errors.

    >>> mirror_symmetry(2).X.tolist(), mirror_symmetry(2).y.tolist()
    ([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [1, 0, 0, 1])
    """
    require_whole("mirror_symmetry", "bits", bits, least=2)
    if bits > 16 or bits % 2:
        raise bad_value("mirror_symmetry", "bits", "an even number from 2 to 16", bits)
    rows = torch.arange(2**bits).unsqueeze(1)  # (N, 1)
    X = rows >> torch.arange(bits - 1, -1, -1) & 1  # (N, bits)
    return Dataset(
        X=X.float(),
        y=(X.flip(1) == X).all(1).long(),
        name="mirror symmetry",
        feature_names=tuple(f"bit {i}" for i in range(bits)),
        class_names=("asymmetric", "symmetric"),
        source="Rumelhart, Hinton and Williams (1986), a truth table",
        synthetic=True,
        quirks=(f"only {2 ** (bits // 2)} of {2**bits} rows are symmetric: always saying no is mostly right",),
    )


def wilson_construction(
    train: int, test: int, *, positive: float = 0.6, generator: Generator | None = None
) -> tuple[Dataset, Dataset]:
    r"""Make data on which adaptive methods learn the majority and gradient descent learns the truth.

    Column 0 *is* the class, -1 or 1. Columns 1 and 2 are always 1. Then each row has five columns of its own: a
    positive row sets the first of them to 1, a negative row all five, and every other row has 0 there. Test rows
    light columns that were 0 throughout training. A step that divides each gradient by its own size gives all
    columns the same say; then the constant ones outvote column 0.

    .. math:: x_{i0} = y_i, \qquad x_{i1} = x_{i2} = 1, \qquad
              x_{ij} = 1 \ \text{ for } \ 0 \le j - (3 + 5 i) \le 2 (1 - y_i), \qquad y_i \in \{-1, 1\}

    Args:
        train: Training rows, 1 or more.
        test: Test rows, 1 or more.
        positive: Probability of the positive class, above 0.5 and below 1.
        generator: Where the classes come from; None takes PyTorch's global generator.

    Returns:
        Training and test set with the same 3 + 5 (train + test) columns; y 0 negative, 1 positive.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If it is out of range.

    Source:
        Wilson, Roelofs, Stern, Srebro and Recht (2017), The marginal value of adaptive gradient methods in machine
        learning.

    >>> learn, judge = wilson_construction(20, 10)
    >>> bool((learn.X[:, 0] == 2 * learn.y - 1).all()), judge.X.shape
    (True, torch.Size([10, 153]))
    """
    require_whole("wilson_construction", "train", train, least=1)
    require_whole("wilson_construction", "test", test, least=1)
    require_number("wilson_construction", "positive", positive)
    if not 0.5 < positive < 1:
        hint = "with a minority of positives the constant columns would vote for the other class"
        raise bad_value("wilson_construction", "positive", "a share above 0.5 and below 1", positive, hint)
    n = train + test
    y = (uniform([n], generator=generator, device="cpu", dtype=torch.float32) < positive).long()
    own = torch.cat([torch.ones(n, 1), (1.0 - y).unsqueeze(1).expand(n, 4)], 1)  # (n, 5)
    X = torch.cat([(2.0 * y - 1).unsqueeze(1), torch.ones(n, 2), torch.block_diag(*own.split(1))], 1)  # (n, 3 + 5 n)
    return _part(X[:train], y[:train], "training"), _part(X[train:], y[train:], "test")


def _part(X: Tensor, y: Tensor, part: str) -> Dataset:
    own = tuple(f"row {i // 5}, {i % 5}" for i in range(X.shape[1] - 3))
    return Dataset(
        X=X.clone(),
        y=y.clone(),
        name=f"Wilson's construction, {part}",
        feature_names=("class", "one", "one again", *own),
        class_names=("negative", "positive"),
        source="Wilson, Roelofs, Stern, Srebro and Recht (2017), a construction",
        synthetic=True,
    )
