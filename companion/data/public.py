"""Public data sets that are too large to travel with the course: downloaded once, checked, kept."""

from __future__ import annotations

import torch
from torch import Tensor

from companion.data.dataset import Dataset
from companion.data.download import Remote, fetch
from companion.data.formats import read_cifar, read_idx
from companion.errors import bad_value
from companion.functional._arguments import require_choice

# Sizes and SHA-256 as TensorFlow Datasets publishes them in its lists of checksums for the very addresses that the
# sets' own pages give. Those pages publish MD5 only.
_FASHION = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"  # its home has no https; the hash guards it
FASHION_MNIST = {
    "train": (
        Remote(
            _FASHION + "train-images-idx3-ubyte.gz",
            26421880,
            "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            "fashion-mnist",
        ),
        Remote(
            _FASHION + "train-labels-idx1-ubyte.gz",
            29515,
            "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            "fashion-mnist",
        ),
    ),
    "test": (
        Remote(
            _FASHION + "t10k-images-idx3-ubyte.gz",
            4422102,
            "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            "fashion-mnist",
        ),
        Remote(
            _FASHION + "t10k-labels-idx1-ubyte.gz",
            5148,
            "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            "fashion-mnist",
        ),
    ),
}
CIFAR10 = Remote(
    "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
    170052171,
    "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
    "cifar-10",
)

_CLOTHES = (
    "T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
)  # fmt: skip
_THINGS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
_BATCHES = {
    "train": tuple(f"cifar-10-batches-bin/data_batch_{i}.bin" for i in range(1, 6)),
    "test": ("cifar-10-batches-bin/test_batch.bin",),
}


def fashion_mnist(part: str = "train", *, progress: bool = True) -> Dataset:
    """Load grey pictures of clothes in ten classes, 28 by 28 pixels, downloading them the first time (31 MB).

    Args:
        part: ``"train"``, 60,000 pictures, or ``"test"``, 10,000; as many of each class.
        progress: Whether a bar shows how far the download is.

    Returns:
        X (N, 784), brightness from 0 to 1, row by row; y the class. ``X.view(-1, 1, 28, 28)`` gives pictures.

    Raises:
        OSError: If there is neither a copy in the cache nor a way to get one; the sentence says what to do.
        ValueError: If ``part`` is unknown.

    Source:
        Xiao, Rasul and Vollgraf (2017), Fashion-MNIST: a novel image dataset for benchmarking machine learning
        algorithms.

    >>> fashion_mnist("validation")
    Traceback (most recent call last):
    ValueError: fashion_mnist: part expected 'train' or 'test', got 'validation'
    """
    require_choice("fashion_mnist", "part", part, FASHION_MNIST)
    pictures, labels = (read_idx(fetch(remote, progress=progress)) for remote in FASHION_MNIST[part])
    return _pictures(
        pictures.unsqueeze(1),  # (N, 28, 28) -> (N, 1, 28, 28)
        labels,
        f"Fashion-MNIST, {part}",
        _CLOTHES,
        "Xiao, Rasul and Vollgraf (2017), Zalando Research",
        "MIT",
    )


def cifar10(part: str = "train", *, progress: bool = True) -> Dataset:
    """Load colour pictures of ten kinds of things, 32 by 32 pixels, downloading them the first time (170 MB).

    Args:
        part: ``"train"``, 50,000 pictures (0.6 GB as floats), or ``"test"``, 10,000; as many of each class.
        progress: Whether a bar shows how far the download is.

    Returns:
        X (N, 3072), brightness from 0 to 1, first all red, then green, then blue; y the class.
        ``X.view(-1, 3, 32, 32)`` gives pictures.

    Raises:
        OSError: If there is neither a copy in the cache nor a way to get one; the sentence says what to do.
        ValueError: If ``part`` is unknown.

    Source:
        Krizhevsky (2009), Learning multiple layers of features from tiny images.

    >>> cifar10("validation")
    Traceback (most recent call last):
    ValueError: cifar10: part expected 'train' or 'test', got 'validation'
    """
    require_choice("cifar10", "part", part, _BATCHES)
    pictures, labels = read_cifar(fetch(CIFAR10, progress=progress), _BATCHES[part])
    source = "Krizhevsky (2009), University of Toronto; binary version"
    return _pictures(pictures, labels, f"CIFAR-10, {part}", _THINGS, source, "none stated by its authors")


def _pictures(
    pictures: Tensor, labels: Tensor, name: str, classes: tuple[str, ...], source: str, licence: str
) -> Dataset:
    """Turn bytes into a data set with brightness from 0 to 1."""
    channels, height, width = pictures.shape[1:]
    if labels.shape != pictures.shape[:1]:
        raise bad_value(name, "labels", f"one for each of {len(pictures)} pictures", f"{tuple(labels.shape)}")
    colours = ("",) if channels == 1 else ("red_", "green_", "blue_")
    features = tuple(f"{c}pixel_{i}_{j}" for c in colours for i in range(height) for j in range(width))
    return Dataset(
        X=pictures.flatten(1).to(torch.float32).div_(255),  # (N, C, H, W) -> (N, C*H*W)
        y=labels.long(),
        name=name,
        feature_names=features,
        class_names=classes,
        source=source,
        units=("brightness, 0 to 1",) * len(features),
        licence=licence,
    )
